"""Screens that AppTest runs in this process search small models, with a tenth of the standard budget."""

import pytest

from rgan.attack.search import BUDGETS


@pytest.fixture(scope="session", autouse=True)
def _small_models(models):
    pass


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch):
    monkeypatch.setitem(BUDGETS, "standard", 20)
