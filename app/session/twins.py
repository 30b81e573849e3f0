"""Names of twins: a baseline, and the same system trained robustly with the same seed."""

from __future__ import annotations

from collections.abc import Container

_ROBUST = "-robust"  # ends the name of a robust twin


def twins(name: str) -> tuple[str, str]:
    """The names of the baseline and of the robust twin, of which `name` is one."""
    baseline = name.removesuffix(_ROBUST)
    return baseline, baseline + _ROBUST


def at_hand(name: str, names: Container[str]) -> tuple[str, str]:
    """`name` and its twin as A and B; where one of the two is not among `names`, `name` in its place."""
    baseline, robust = (one if one in names else name for one in twins(name))
    return baseline, robust
