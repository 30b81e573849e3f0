"""JSON values as the fields of dataclasses: every name, type and range is checked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from rgan.common.errors import SettingsError


def typed(cls: type, values: object) -> dict[str, Any]:
    """`values` as keyword arguments of dataclass `cls`; ints pass for floats, lists for tuples, nothing else.

    Fields that are dataclasses themselves, or tuples of them, come back as they were told: mappings or lists.

    Raises:
        SettingsError: no mapping, an unknown name or a wrong type.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"expected the fields of a {cls.__name__}, got {type(values).__name__}")
    known = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"expected fields of a {cls.__name__}, got an unknown one, {str(name)[:40]!r}")
        kind = known[name]
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = _float(value)
        if not _fits(kind, value):
            raise SettingsError(f"expected {name} to be {kind}, got {str(value)[:40]!r}")
        checked[name] = (_float(value[0]), _float(value[1])) if kind == "tuple[float, float]" else value
    return checked


def _fits(kind: str, value: object) -> bool:
    if kind == "str":
        return isinstance(value, str)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, float)
    if kind == "bool":
        return isinstance(value, bool)
    if kind.endswith("| None"):
        return value is None or isinstance(value, Mapping)
    if kind == "tuple[float, float]":
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            return False
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    return isinstance(value, (list, tuple))


def _float(number: float) -> float:
    """As a float; integers beyond its range become infinite, which no limit allows."""
    try:
        return float(number)
    except OverflowError:
        return math.inf
