"""What README and docs say of files and commands is so: links, pictures, targets of make, and command lines."""

import re
import shlex
from pathlib import Path

import pytest

from rgan.cli.main import COMMANDS, parser
from tests.conftest import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LONGEST_README = 150
NAMES = set(COMMANDS)
LARGEST_PICTURE, LARGEST_ANIMATION = 200_000, 1_500_000  # bytes


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_and_picture_is_there(page):
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.S))
    missing = [link for link in found if not (page.parent / link.partition("#")[0]).exists()]
    assert not missing
    assert not [link for link in found if link.startswith("/")]


def test_pictures_are_small():
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= (LARGEST_ANIMATION if picture.stem == "slider" else LARGEST_PICTURE), picture


def commands(text: str) -> list[list[str]]:
    """The words after `rgan` of every command line in code blocks and code spans."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()] + spans
    found = []
    for line in lines:
        if match := re.match(r"(?:torchrun .*-m |python -m |\w+=\S+ |\.venv/bin/)*rgan (.+)", line):
            words = shlex.split(match[1].replace("$seed", "0"), comments=True)
            found.append(words)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_line_is_one_that_the_parsers_take(page):
    for words in commands(page.read_text()):
        if len(words) == 1 and words[0] in NAMES:  # a command that is spoken of, not typed
            continue
        try:
            parser().parse_args(words)
        except SystemExit as ended:
            pytest.fail(f"rgan {shlex.join(words)}: refused with {ended.code}")


def test_commands_are_found_where_they_are():
    found = commands("`rgan data` and\n```bash\nX=1 rgan app --port 1\ntorchrun -m rgan train --out $seed  # once\n```")
    assert sorted(found) == [["app", "--port", "1"], ["data"], ["train", "--out", "0"]]
    everywhere = [words[0] for page in PAGES for words in commands(page.read_text())]
    assert {"train", "probe", "evidence", "failures", "report", "reproduce", "judge", "convert"} <= set(everywhere)


def test_every_target_of_make_is_there():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.M))
        assert named <= targets, f"{name(page)}: {named - targets}"


def test_the_command_line_page_has_every_command_and_option(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import command_line

    page = command_line.on_page_markdown((ROOT / "docs" / "reference" / "command-line.md").read_text())
    assert command_line.PLACE not in page
    for command in ("app", "train", "judge", "answers"):
        assert f"## rgan {command}\n" in page
    section = page.split("## rgan train\n")[1].split("\n## ")[0]
    for option in ("--system SYSTEM", "--noise-radius E1", "--out OUT", "--set FIELD=VALUE"):
        assert f"`{option}`" in section
    assert "one of dcgan, wgan-gp" in section and "==SUPPRESS==" not in page
