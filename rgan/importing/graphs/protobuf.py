"""The messages of an ONNX file, read field by field as https://protobuf.dev/programming-guides/encoding has them.

By hand, because protobuf's own library makes an object of every message before anything can be counted: 64 MB of empty
ones take gigabytes. Here nothing is copied, and each field counts against a limit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from rgan.importing.graphs.flows import UnknownError

MAX_FIELDS = 400_000  # of one file


class Message:
    """One message: `fields` goes through it once. All messages of a file share one count of what is left to read."""

    def __init__(self, data: memoryview, left: list[int] | None = None):
        self.data, self._left = data, [MAX_FIELDS] if left is None else left

    def fields(self) -> Iterator[tuple[int, int | float | memoryview]]:
        """Number and value of each field: a whole number as 64 bits have it, a float, or the bytes of what is longer.

        Raises:
            UnknownError: it is damaged or has too many.
        """
        place = 0
        while place < len(self.data):
            self._left[0] -= 1
            if self._left[0] < 0:
                raise UnknownError(f"more than {MAX_FIELDS:,} fields")
            key, place = self.number(place)
            field, kind = key >> 3, key & 7
            if kind == 0:
                value, place = self.number(place)
                yield field, value
            elif kind == 2:
                size, place = self.number(place)
                if size > len(self.data) - place:
                    raise UnknownError("a message that is cut short")
                yield field, self.data[place : place + size]
                place += size
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
                if place + size > len(self.data):
                    raise UnknownError("a message that is cut short")
                yield field, struct.unpack_from("<d" if kind == 1 else "<f", self.data, place)[0]
                place += size
            else:
                raise UnknownError("a message that is damaged")

    def number(self, place: int) -> tuple[int, int]:
        """A number of 7 bits a byte, and where it ends."""
        value = shift = 0
        while True:
            if place >= len(self.data) or shift > 63:
                raise UnknownError("a message that is cut short")
            byte = self.data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value & (2**64 - 1), place

    def inner(self, data: int | float | memoryview) -> Message:
        """A message within it."""
        if not isinstance(data, memoryview):
            raise UnknownError("a message that is damaged")
        return Message(data, self._left)

    def numbers(self, value: int | float | memoryview) -> Iterator[int]:
        """Whole numbers with a sign: one, or many packed."""
        if isinstance(value, int):
            yield signed(value)
        elif isinstance(value, memoryview):
            packed, place = Message(value, self._left), 0
            while place < len(value):
                self._left[0] -= 1
                if self._left[0] < 0:
                    raise UnknownError(f"more than {MAX_FIELDS:,} numbers")
                one, place = packed.number(place)
                yield signed(one)


def signed(value: int) -> int:
    """64 bits as a number with a sign."""
    return value - 2**64 if value >= 2**63 else value


def text(value: int | float | memoryview) -> str:
    """A short text.

    Raises:
        UnknownError: it is none.
    """
    if not isinstance(value, memoryview) or len(value) > 1000:
        raise UnknownError("a name that is no short text")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError as error:
        raise UnknownError("a name that is no text") from error
