"""Writes ONNX models field by field: exporting one takes packages that nothing else needs."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from torch import Tensor

Node = tuple[str, Sequence[str], str, dict[str, object]]  # operator, inputs, output, settings


def model(nodes: Iterable[Node], tensors: dict[str, Tensor], inputs: dict[str, Sequence[int]], output: str) -> bytes:
    """A model of one graph; inputs: by name, the sides of one sample, () for whole numbers that are classes."""
    graph = b"".join(_field(1, _node(*node)) for node in nodes)
    graph += b"".join(_field(5, _tensor(name, value)) for name, value in tensors.items())
    graph += b"".join(_field(11, _input(name, sides)) for name, sides in inputs.items())
    graph += _field(12, _field(1, output.encode()))
    return _number(1, 10) + _field(7, graph) + _field(8, _number(2, 20))


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    made = bytearray()
    while value >= 128:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _tensor(name: str, value: Tensor) -> bytes:
    kind = 1 if value.is_floating_point() else 7
    raw = value.detach().float().numpy().tobytes() if kind == 1 else value.long().numpy().tobytes()
    return (
        b"".join(_number(1, side) for side in value.shape)
        + _number(2, kind)
        + _field(8, name.encode())
        + _field(9, raw)
    )


def _input(name: str, sides: Sequence[int]) -> bytes:
    batch = _field(1, _field(2, b"n"))
    shape = batch + b"".join(_field(1, _number(1, side)) for side in sides)
    kind = _number(1, 1 if sides else 7)
    return _field(1, name.encode()) + _field(2, _field(1, kind + _field(2, shape)))


def _node(kind: str, inputs: Sequence[str], output: str, settings: dict[str, object]) -> bytes:
    told = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode()) + _field(4, kind.encode())
    return told + b"".join(_field(5, _field(1, name.encode()) + _setting(value)) for name, value in settings.items())


def _setting(value: object) -> bytes:
    if isinstance(value, float):
        return _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return _number(3, value) + _number(20, 2)
    if isinstance(value, str):
        return _field(4, value.encode()) + _number(20, 3)
    if isinstance(value, Tensor):
        return _field(5, _tensor("", value)) + _number(20, 4)
    assert isinstance(value, list)
    return b"".join(_number(8, one) for one in value) + _number(20, 7)
