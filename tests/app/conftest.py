"""Screens run in this process by AppTest search with a tenth of the standard budget: what they show is the same kind."""

import pytest

from rgan.attack.search import BUDGETS


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch):
    monkeypatch.setitem(BUDGETS, "standard", 20)
