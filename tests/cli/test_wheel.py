"""The wheel alone, without its checkout: light to import, all files in it, everything it imports declared."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests import tiny_models
from tests.conftest import ROOT
from tests.tiny_models import PAIR


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of an unpacked wheel, built from a copy: a build writes into its sources."""
    source, wheels, unpacked = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "unpacked"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "rgan", source / "rgan", ignore=shutil.ignore_patterns("__pycache__"))
    quiet = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *quiet, "-w", wheels, source], check=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(unpacked)
    return unpacked


@pytest.fixture
def run(installed, models, tmp_path):
    """Python's output for these arguments, in a folder that has nothing but two checkpoints."""
    for name in PAIR:
        shutil.copy(tiny_models.path(name), tmp_path)

    def run(*arguments: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    return run


def normal(name: str) -> str:
    """A distribution's name as all of its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def files(folder: Path) -> set[Path]:
    found = (path.relative_to(folder) for path in folder.rglob("[!.]*") if path.is_file())
    return {path for path in found if "__pycache__" not in path.parts}


def test_it_holds_every_file_of_the_library(installed):
    assert files(installed / "rgan") == files(ROOT / "rgan")


def test_importing_it_loads_no_torch(installed, run):
    said = run("-c", "import rgan, sys; print(rgan.__file__, 'torch' in sys.modules)")
    assert said == f"{installed / 'rgan' / '__init__.py'} False\n"


def test_it_finds_evidence_and_writes_a_report_by_its_own_judge(installed, run, tmp_path):
    digest = sha256((installed / "rgan" / "metrics" / "shipped" / "digits.safetensors").read_bytes()).hexdigest()
    files, few = [f"{name}.safetensors" for name in PAIR], ["--samples", "8", "--steps", "1", "--json"]
    commands = [["evidence", *files, *few], ["report", files[0], "--pool", "16", *few]]
    said = run("-c", f"from rgan.cli.main import main\nfor one in {commands}: assert main(one) == 0; print('and')")
    evidence, report, _ = (part.strip() for part in said.split("and\n"))
    assert json.loads(evidence)["judge"]["sha256"] == json.loads(report)["judge"]["sha256"] == digest
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_every_package_it_imports_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + [one for extra in project["optional-dependencies"].values() for one in extra]
    names = {normal(re.split(r"[<>=!~ ]", one)[0]) for one in declared}
    imported = set()
    for path in (ROOT / "rgan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name.split(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    provided = packages_distributions()
    for package in imported - set(sys.stdlib_module_names) - {"rgan"}:
        assert {normal(one) for one in provided.get(package, ())} & names, package
