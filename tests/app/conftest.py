"""Screens that AppTest runs in this process search small models, with a tenth of the usual budgets."""

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
