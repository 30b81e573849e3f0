"""The header of a safetensors file, read without loading a weight."""

from __future__ import annotations

import json

from rgan.common import limits


def parse_header(data: bytes) -> tuple[dict[str, str], dict[str, tuple[str, tuple[int, ...], int, int]], int]:
    """The header of a safetensors file: metadata; dtype, shape, begin and end of each tensor; where the numbers begin.

    Raises:
        ValueError: it is none.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > limits.MAX_HEADER_BYTES or 8 + length > len(data):
        raise ValueError("no header")
    try:
        parsed = json.loads(data[8 : 8 + length])
        metadata = parsed.pop("__metadata__", {})
        tensors = {
            key: (entry["dtype"], tuple(entry["shape"]), *entry["data_offsets"]) for key, entry in parsed.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("no header") from error
    for entry in tensors.values():
        numbers = (*entry[1], *entry[2:])
        if len(entry) != 4 or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
            raise ValueError("shapes and offsets are counts")
        if not isinstance(entry[0], str):
            raise ValueError("a dtype is a name")
    told = metadata.items() if isinstance(metadata, dict) else ()
    return {name: text for name, text in told if isinstance(text, str)}, tensors, 8 + length


def shown(found: object, most: int = 80) -> str:
    """Words of a file that can be printed without harm."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(found)[:most])
