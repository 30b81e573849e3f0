"""One family of errors, worded for people: "expected X, got Y; do Z"."""

from __future__ import annotations


class RganError(Exception):
    """Anything the user can be told about and mend; its text is the whole message."""


class SettingsError(RganError, ValueError):
    """A setting is out of range or contradicts another one."""


class DataError(RganError):
    """A data set is missing or unreadable."""


class CheckpointError(RganError):
    """A checkpoint file cannot be used as it is."""


class FileError(RganError):
    """A file or folder cannot be written."""


class RunError(RganError):
    """A training run cannot be started, continued or removed as things stand."""


def number_between(name: str, value: float, low: float, high: float, why: str = "") -> None:
    """Raise SettingsError unless `value` is a number with low ≤ value ≤ high; `why` gives the reason of the limit."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        limits = " and ".join(f"{limit:,}" if isinstance(limit, int) else f"{limit:g}" for limit in (low, high))
        reason = f" ({why})" if why else ""
        raise SettingsError(f"expected {name} between {limits}{reason}, got {value!r}; choose a value in that range")


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise SettingsError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise SettingsError(f"expected {name} to be one of {', '.join(allowed)}; got {value!r}")
