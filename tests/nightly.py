"""What `make test` leaves to `make test-nightly`: tests that repeat what another one has shown, and long journeys."""

from collections.abc import Iterable
from typing import Any

import pytest

nightly = pytest.mark.nightly


def mostly_nightly(values: Iterable[Any], *daily: Any) -> list[Any]:
    """Values of a parametrised test, of which all but `daily` run nightly."""
    return [value if value in daily else pytest.param(value, marks=nightly) for value in values]
