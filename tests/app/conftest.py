"""Screens that AppTest runs in this process search small models, with a tenth of the usual budgets."""

import os
import shutil
from pathlib import Path

import pytest

from rgan.attack.search import BUDGETS
from tests.tiny_models import BUDGETS as SMALL


@pytest.fixture(scope="session", autouse=True)
def _small_models(models):
    pass


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch):
    for name, gradients in SMALL.items():
        monkeypatch.setitem(BUDGETS, name, gradients)


@pytest.fixture
def runs():
    """A run's folder for a test's own file, removed afterwards."""
    folder = Path(os.environ["RGAN_RUNS"]) / "test-broken"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)
