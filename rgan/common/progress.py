"""How far long work is, and who does its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Progress(Generic[T]):
    """share of the work done, from 0 to 1, and what comes next in words; `found` is there at the end."""

    share: float
    words: str = ""
    found: T | None = None


class Mapper(Protocol):
    """Like `map`; one that works side by side does all items at the same time."""

    def __call__(self, work: Callable[[S], T], items: Iterable[S], /) -> Iterable[T]: ...
