"""The operator's own models: a Python file that only the operator names, on the command line and by RGAN_MODELS."""

import json
import re

import pytest
import torch

from rgan.cli.main import main
from rgan.common.errors import CheckpointError, SettingsError
from rgan.models import checkpoints, own
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "wrap.md").read_text()
CODE = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "# my_models.py" in block)


@pytest.fixture
def file(tmp_path):
    """The file that the documentation shows."""
    path = tmp_path / "my_models.py"
    path.write_text(CODE)
    return path


def test_the_documented_file_is_a_model_for_every_command(file, capsys, monkeypatch):
    gan = checkpoints.load(f"{file}:mine")
    assert gan.recipe.title == "mine" and gan.recipe.size == 32 and gan.has_critic
    w = gan.noise(2, 0)
    with torch.no_grad():
        assert torch.allclose(gan.images(w), own.load(f"{file}:mine").generator.module(w), atol=1e-5)
    arguments = ["--samples", "8", "--budget", "4", "--json"]
    assert main(["probe", f"{file}:mine", *arguments]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["loss"]["worst"] >= first["loss"]["original"]
    monkeypatch.setenv(own.VARIABLE, str(file))
    assert main(["probe", "mine", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] == first["loss"]
    header, digest = checkpoints.glance("mine")
    assert digest == gan.digest and header.training is None
    with pytest.raises(SettingsError, match="mine, which is code of your own"):
        checkpoints.save(gan, file.parent / "a.safetensors")


def test_naming_models_runs_nothing(tmp_path, monkeypatch):
    file = tmp_path / "m.py"
    file.write_text("print('it runs')\nraise SystemExit\ndef one(): ...\ndef _two(): ...\ndef three(needed): ...\n")
    monkeypatch.setenv(own.VARIABLE, str(file))
    assert list(own.places()) == ["one"]
    assert own.is_own(f"{file}:one") and not own.is_own(file) and not own.is_own("C:/a.safetensors")


FAILS = {
    "no Python": ("def (", r"m\.py: expected Python, got"),
    "no function": ("x = 1", r"functions without arguments that return rgan\.wrap\(\.\.\.\), got none"),
    "another": ("def other(): ...", r"a function 'one' without arguments, got other"),
    "no Gan": ("def one(): return 3", r"one\(\) to return rgan\.wrap\(\.\.\.\), got int"),
    "an error": ("def one(): return {}['a']", r"one\(\) failed with KeyError: 'a'"),
    "an error at once": ("import nowhere_at_all\ndef one(): ...", r"failed with ModuleNotFoundError"),
}


@pytest.mark.parametrize("case", FAILS)
def test_what_is_wrong_with_the_file_is_said(case, tmp_path):
    code, words = FAILS[case]
    (tmp_path / "m.py").write_text(code)
    with pytest.raises(CheckpointError, match=words):
        checkpoints.load(f"{tmp_path / 'm.py'}:one")


def test_a_changed_file_is_read_anew_and_a_missing_one_refused(tmp_path, monkeypatch):
    file = tmp_path / "m.py"
    for side in (8, 16):
        layers = f"nn.Sequential(nn.Linear(4, {side**2}), nn.Unflatten(1, (1, {side}, {side})))"
        file.write_text(f"import rgan\nfrom torch import nn\ndef one(): return rgan.wrap({layers}, latent=4)\n")
        assert checkpoints.load(f"{file}:one").recipe.size == side
    with pytest.raises(CheckpointError, match=r"a Python file of models at .*gone\.py, got: No such file"):
        checkpoints.load(tmp_path / "gone.py:one")
    monkeypatch.setenv("RGAN_MODELS", "")  # so that what the command sets ends with this test
    assert main(["app", "--models", str(tmp_path / "gone.py")]) == 2
