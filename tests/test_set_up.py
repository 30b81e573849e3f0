"""Which build of torch a set-up takes, and that it says so; `pip install` is a list here."""

import pytest

import set_up
from tests.conftest import ROOT

PINS = set_up.pinned((ROOT / "requirements.txt").read_text())
SMALLER = ["--no-deps", *(f"{pin}+cpu" for pin in PINS)]
INDEX = "https://wheels.example/cpu"


class Pip:
    """What was to be installed; `has` says of which words it works."""

    def __init__(self, has=lambda words: True):
        self.calls, self.has = [], has

    def __call__(self, *words, quiet=False):
        self.calls.append(list(words))
        return self.has(words)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(set_up, "wants_cpu", lambda: True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    return tmp_path / "torch-index"


def test_the_pins_are_those_of_the_requirements():
    assert [pin.split("==")[0] for pin in PINS] == ["torch", "torchvision"]


def test_a_named_index_is_taken_and_kept_for_later(kept):
    first, later = Pip(), Pip()
    set_up.take_torch(PINS, INDEX, first, kept=kept)
    set_up.take_torch(PINS, "", later, kept=kept)
    assert first.calls == [["--index-url", INDEX, "--force-reinstall", *PINS]]
    assert later.calls == [["--index-url", INDEX, *PINS]]


def test_without_a_gpu_pips_own_index_is_asked_for_the_smaller_build(kept):
    pip = Pip()
    set_up.take_torch(PINS, "", pip, kept=kept)
    assert pip.calls == [["--dry-run", *SMALLER], SMALLER] and not kept.exists()


def test_where_nobody_can_be_asked_it_says_what_to_do_and_takes_the_usual_build(kept, capsys):
    pip = Pip(lambda words: "--dry-run" not in words)
    set_up.take_torch(PINS, "", pip, kept=kept)
    assert pip.calls[1:] == [PINS]
    said = capsys.readouterr().out
    assert "make app TORCH_INDEX=ADDRESS" in said and "6.6 GB" in said


def test_whoever_sits_there_is_asked_once(kept, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter([INDEX])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    for pip in (Pip(lambda words: "--dry-run" not in words), Pip()):
        set_up.take_torch(PINS, "", pip, kept=kept)
        assert pip.calls[-1] == ["--index-url", INDEX, *PINS]


def test_with_a_gpu_nothing_is_asked(kept, monkeypatch):
    monkeypatch.setattr(set_up, "wants_cpu", lambda: False)
    pip = Pip()
    set_up.take_torch(PINS, "", pip, kept=kept)
    assert pip.calls == [PINS]


def test_an_index_without_torch_is_told_and_not_kept(kept):
    with pytest.raises(SystemExit, match=f"TORCH_INDEX={set_up.DEFAULT}"):
        set_up.take_torch(PINS, INDEX, Pip(lambda words: False), kept=kept)
    assert not kept.exists()
