"""Kinds of controls as data: what each may be, and how its value is read from a link and written into one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")
N = TypeVar("N", int, float)


@dataclass(frozen=True, kw_only=True)
class Control(ABC, Generic[T]):
    """One control.

    key: of the session, and its name in links. group: of controls that a teacher can hide together, "" for what stays.
    short: what it is called where a few words must do, `label` if "".
    """

    key: str
    label: str
    default: T
    help: str | None = None
    group: str = ""
    short: str = ""

    @property
    def name(self) -> str:
        """What it is called in a list of controls."""
        return self.short or self.label

    @abstractmethod
    def read(self, text: str) -> T:
        """The value that a link gives, moved into the range; the default where it gives none."""

    def understands(self, text: str) -> bool:
        """Whether a link gives a value, in the range or not."""
        return self.clamped(text) is not None

    def write(self, value: T) -> str:
        """The value as it stands in a link."""
        return str(value)

    def clamped(self, asked: object) -> T | None:
        """The nearest value to a number that is asked for; None where none is, or the control takes no numbers."""
        return None


@dataclass(frozen=True, kw_only=True)
class Number(Control[N]):
    """A number from `low` to `high`, both allowed."""

    low: N
    high: N
    step: N | None = None
    widget: Literal["slider", "field"] = "slider"

    def read(self, text: str) -> N:
        found = self.clamped(text)
        return self.default if found is None else found

    def write(self, value: N) -> str:
        return str(int(value)) if value == int(value) else repr(value)

    def clamped(self, asked: object) -> N | None:
        number = number_in(asked)
        return None if number is None else type(self.default)(min(max(number, self.low), self.high))


@dataclass(frozen=True, kw_only=True)
class OneOf(Control[T]):
    """One of `options`, each shown, and written into links, in the words of `words`; `former`: what older links say."""

    options: Sequence[T]
    words: Callable[[Any], str] = str
    widget: Literal["segments", "slider", "box"] = "segments"
    former: Mapping[str, T] = field(default_factory=dict)

    def read(self, text: str) -> T:
        if text in self.former:
            return self.former[text]
        for option in self.options:
            if self.words(option) == text:
                return option
        found = self.clamped(text)
        return self.default if found is None else found

    def understands(self, text: str) -> bool:
        return text in self.former or text in map(self.words, self.options) or super().understands(text)

    def write(self, value: T) -> str:
        return self.words(value)

    def clamped(self, asked: object) -> T | None:
        number = number_in(asked)
        if number is None or not all(isinstance(one, (int, float)) for one in self.options):
            return None
        at: Callable[[Any], float] = float
        inside = min(max(number, min(map(at, self.options))), max(map(at, self.options)))
        return min(self.options, key=lambda one: abs(at(one) - inside))


@dataclass(frozen=True, kw_only=True)
class Switch(Control[bool]):
    """On or off."""

    default: bool = False

    def read(self, text: str) -> bool:
        return text.lower() == "true" if self.understands(text) else self.default

    def understands(self, text: str) -> bool:
        return text.lower() in ("true", "false")

    def write(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, kw_only=True)
class Text(Control[str]):
    """Whatever somebody writes; the screen says what it cannot use."""

    placeholder: str | None = None

    def read(self, text: str) -> str:
        return text

    def understands(self, text: str) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class Named(Control[str]):
    """The name of a thing, such as a model, of which only the screen knows the ones at hand."""

    def read(self, text: str) -> str:
        return text or self.default

    def understands(self, text: str) -> bool:
        return True


def number_in(asked: object) -> float | None:
    """The number that a value or the text of a link is; infinite is one, NaN is none."""
    if not isinstance(asked, (int, float, str)):
        return None
    try:
        number = float(asked)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number
