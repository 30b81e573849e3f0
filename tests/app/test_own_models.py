"""Models that the operator's own code makes, on every screen that takes a model."""

import pytest

from tests.app.test_screens import OF_TWO, app, words
from tests.models.test_own import CODE

TWO = "def twin():\n    return mine()\n"


@pytest.fixture
def named(tmp_path, monkeypatch):
    file = tmp_path / "my_models.py"
    file.write_text(f"{CODE}\n\n{TWO}")
    monkeypatch.setenv("RGAN_MODELS", str(file))
    return file


@pytest.mark.parametrize("screen", OF_TWO)
def test_every_screen_of_two_takes_them(screen, named):
    test = app(screen, a="mine", b="twin")
    assert not test.exception and not test.error
    assert test.query_params["a"] == "mine" and test.query_params["b"] == "twin"


def test_the_checkpoints_screen_shows_them_as_code(named):
    test = app("checkpoints", model="mine")
    assert not test.exception and not test.error
    assert "my_models.py:mine, which the operator named" in words(test)
    assert not [button for button in test.button if button.label in ("Rename it", "Delete for good")]
    named.write_text("def (")
    assert "expected Python" in app("checkpoints").warning[0].value
