"""How far long work is: what every generator of results yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress(Generic[T]):
    """share of the work done, from 0 to 1, and what comes next in words; `found` is there at the end."""

    share: float
    words: str = ""
    found: T | None = None
