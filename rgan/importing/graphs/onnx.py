"""ONNX models: operators of the standard set (https://onnx.ai/onnx/operators), as those of `operators`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.common import limits
from rgan.importing.graphs import operators
from rgan.importing.graphs.flows import Flow, Table, Tape, UnknownError, plain
from rgan.importing.graphs.operators import Value, call, flowing, known, need, shape_of
from rgan.importing.graphs.program import Input, Program
from rgan.importing.graphs.protobuf import Message, text
from rgan.networks.described import Activation

# Numbers of data types in a TensorProto, as numpy reads them; bfloat16 (16) as its bits.
DTYPES = {
    1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4",
    13: "<u8", 16: "<u2",
}  # fmt: skip
FLOATS = (1, 10, 11, 16)
MAX_LISTED = 100_000  # numbers of a tensor that are listed one by one
LINEAR = 15.0  # from where softplus is its argument, to within float32
STANDARD = ("", "ai.onnx")


@dataclass
class Step:
    """One operator."""

    kind: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)

    def get(self, name: str, default: Value = None) -> Value:
        """A setting."""
        return self.settings.get(name, default)


def is_onnx(data: bytes) -> bool:
    """Whether this is an ONNX model: a message with a version first, and a graph."""
    if data[:1] != b"\x08":
        return False
    try:
        found = {number for number, _ in Message(memoryview(data)).fields()}
    except UnknownError:
        return False
    return {1, 7} <= found <= {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26}


class Onnx(Program):
    """An ONNX model."""

    kind = "ONNX"

    def __init__(self, data: bytes):
        """Raises:
        UnknownError: it is damaged, or keeps its weights in another file.
        """
        self.tensors = {}
        self._steps: list[Step] = []
        self._numbers = 0
        inputs: list[Input] = []
        outputs: list[str] = []
        model = Message(memoryview(data))
        graphs = [model.inner(value) for number, value in model.fields() if number == 7]
        need(len(graphs) == 1, "no graph")
        graph = graphs[0]
        for number, value in graph.fields():
            if number == 1:
                self._steps.append(self._step(graph.inner(value)))
            elif number == 5:
                name, tensor = self._tensor(graph.inner(value))
                self.tensors[name] = tensor
            elif number == 11:
                inputs.append(_input(graph.inner(value)))
            elif number == 12:
                outputs.append(_input(graph.inner(value)).name)
            elif number == 15:
                raise UnknownError("sparse weights")
        need(outputs, "a graph without a result")
        self._result = outputs[0]
        self.inputs = tuple(one for one in inputs if one.name not in self.tensors)

    def _step(self, message: Message) -> Step:
        step = Step()
        for number, value in message.fields():
            if number == 1:
                step.inputs.append(text(value))
            elif number == 2:
                step.outputs.append(text(value))
            elif number == 4:
                step.kind = text(value)
            elif number == 5:
                name, setting = self._setting(message.inner(value))
                step.settings[name] = setting
            elif number == 7:
                step.domain = text(value)
        return step

    def _setting(self, message: Message) -> tuple[str, Value]:
        name = ""
        setting: Value = None
        listed: list[Value] = []
        for number, value in message.fields():
            if number == 1:
                name = text(value)
            elif number == 2:
                setting = float(value) if isinstance(value, float) else 0.0
            elif number == 3:
                setting = next(message.numbers(value), 0)
            elif number == 4:
                setting = bytes(value[:1000]).decode(errors="replace") if isinstance(value, memoryview) else ""
            elif number == 5:
                setting = self._tensor(message.inner(value))[1]
            elif number == 7:
                listed += _floats(value, "<f4")
            elif number == 8:
                listed += list(message.numbers(value))
        return name, listed if listed else setting

    def _tensor(self, message: Message) -> tuple[str, Tensor]:
        name, kind, raw = "", 0, memoryview(b"")
        shape: list[int] = []
        listed: list[int | float] = []
        for number, value in message.fields():
            if number == 1:
                shape += message.numbers(value)
            elif number == 2:
                kind = next(message.numbers(value), 0)
            elif number == 4:
                listed += _floats(value, "<f4")
            elif number in (5, 7, 11):
                listed += message.numbers(value)
            elif number == 8:
                name = text(value)
            elif number == 9 and isinstance(value, memoryview):
                raw = value
            elif number == 10:
                listed += _floats(value, "<f8")
            elif number == 13 or (number == 14 and value):
                raise UnknownError("weights in another file; export it with them inside (external_data=False)")
        need(kind in DTYPES, "numbers of an unusual type")
        count = math.prod(shape)
        self._numbers += count
        need(len(shape) <= limits.MAX_DIMENSIONS and min(shape, default=0) >= 0, "a tensor of many dimensions")
        need(self._numbers <= limits.MAX_NUMBERS, f"more than {limits.MAX_NUMBERS:,} numbers")
        dtype = np.dtype(DTYPES[kind])
        if listed and kind in (10, 16):  # halves are listed as their bits
            values = np.asarray(listed, "<u2").view(dtype)
        elif listed:
            values = np.asarray(listed).astype(dtype)
        else:
            need(len(raw) == count * dtype.itemsize, f"{len(raw):,} bytes for {count:,} numbers; it is damaged")
            values = np.frombuffer(raw, dtype)
        need(len(values) == count, f"{len(values):,} numbers instead of {count:,}; it is damaged")
        if kind == 16:
            made = torch.from_numpy(values.astype("<i2")).view(torch.bfloat16).float()
        elif kind in FLOATS:
            made = torch.from_numpy(values.astype("<f4"))
        else:
            made = torch.from_numpy(values.astype("bool" if kind == 9 else "<i8"))
        return name, made.reshape(shape)

    def follow(self, tape: Tape, values: Sequence[Value]) -> Value:
        names: dict[str, Value] = {
            **self.tensors,
            **{one.name: value for one, value in zip(self.inputs, values, strict=True)},
            "": None,
        }
        for step in self._steps:
            need(step.domain in STANDARD and step.kind in _RULES,
                 f"the operator {':'.join(filter(None, (step.domain[:40], step.kind[:40])))}")  # fmt: skip
            need(all(name in names for name in step.inputs), "a value that is not there")
            given = [names[name] for name in step.inputs]
            try:
                made = _RULES[step.kind](tape, step, *given)
            except UnknownError as error:
                words = str(error)
                raise UnknownError(words if "operator" in words else f"{words} (in {step.kind})") from error
            except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, KeyError, OverflowError) as error:
                raise UnknownError(f"the operator {step.kind[:40]} with such arguments") from error
            results = made if isinstance(made, list) else [made]
            names.update(zip(step.outputs, results, strict=False))
        need(self._result in names, "a result that is not there")
        return names[self._result]


def _floats(value: int | float | memoryview, dtype: str) -> list[float]:
    """One number, or many packed.

    Raises:
        UnknownError: they are cut short.
    """
    if isinstance(value, (int, float)):
        return [float(value)]
    need(len(value) % np.dtype(dtype).itemsize == 0, "numbers that are cut short")
    packed: list[float] = np.frombuffer(value, dtype).tolist()
    return packed


def _input(message: Message) -> Input:
    name, sides, whole = "", [], None
    for number, value in message.fields():
        if number == 1:
            name = text(value)
        elif number == 2:
            for kind, inner in _inside(message.inner(value), 1):
                if kind == 1 and isinstance(inner, int):
                    whole = inner not in FLOATS
                elif kind == 2:
                    shape = message.inner(inner)
                    for _, side in shape.fields():
                        sides.append(next((v for k, v in shape.inner(side).fields() if k == 1), None))
    rest = tuple(sides[1:])
    fits = all(isinstance(side, int) and 0 < side < 2**31 for side in rest)
    return Input(name, rest if sides and fits else None, whole)  # type: ignore[arg-type]


def _inside(message: Message, number: int) -> Iterator[tuple[int, Any]]:
    for kind, value in message.fields():
        if kind == number:
            yield from message.inner(value).fields()


# What each operator is


def _listed(value: Value) -> list[int] | None:
    """A tensor of whole numbers, or a setting, as a list."""
    if value is None:
        return None
    told = plain(value).flatten()
    need(not flowing(value) and len(told) <= MAX_LISTED, "numbers that depend on the noise")
    return [int(one) for one in told.tolist()]


def _aten(name: str, *settings: tuple[str, Value]) -> Callable[..., Value]:
    """An operator that is one of torch's, with settings of its own behind its inputs."""

    def rule(t: Tape, step: Step, *given: Value) -> Value:
        return call(t, name, [*given, *(step.get(key, default) for key, default in settings)], {})

    return rule


def _sides(step: Step, count: int = 2) -> tuple[list[int], list[int]]:
    """Paddings before and behind each dimension."""
    need(step.get("auto_pad", "NOTSET") in ("NOTSET", "VALID"), f"padding {step.get('auto_pad')}")
    pads = list(step.get("pads") or [0] * 2 * count)
    return pads[:count], pads[count:]


def _evened(t: Tape, step: Step, x: Value) -> tuple[Value, list[int]]:
    """The maps with what padding is not the same on all sides, and the rest of it."""
    before, behind = _sides(step)
    if before == behind:
        return x, before
    return call(t, "constant_pad_nd", [x, [before[1], behind[1], before[0], behind[0]]], {}), [0, 0]


def _conv(t: Tape, step: Step, x: Value, weight: Value, bias: Value = None) -> Value:
    x, pads = _evened(t, step, x)
    strides, spread = step.get("strides") or 1, step.get("dilations") or 1
    return call(t, "conv2d", [x, weight, bias, strides, pads, spread, step.get("group", 1)], {})


def _conv_transpose(t: Tape, step: Step, x: Value, weight: Value, bias: Value = None) -> Value:
    before, behind = _sides(step)
    need(before == behind and step.get("output_shape") is None, "padding of one side alone")
    extra, spread = step.get("output_padding") or 0, step.get("dilations") or 1
    arguments = [x, weight, bias, step.get("strides") or 1, before, extra, step.get("group", 1), spread]
    return call(t, "conv_transpose2d", arguments, {})


def _gemm(t: Tape, step: Step, x: Value, weight: Value, bias: Value = None) -> Value:
    need(not step.get("transA"), "of a turned input")
    weight = weight if step.get("transB") else weight.T
    alpha, beta = step.get("alpha", 1.0), step.get("beta", 1.0)
    if bias is not None:
        bias = bias * beta
    if bias is not None and bias.dim() == 2 and len(bias) == 1:
        bias = bias[0]
    return call(t, "linear", [x, weight * alpha, bias], {})


def _norm(t: Tape, step: Step, x: Value, scale: Value, shift: Value, mean: Value, variance: Value) -> Value:
    return call(t, "batch_norm", [x, scale, shift, mean, variance, False, 0.1, step.get("epsilon", 1e-5)], {})


def _instance_norm(t: Tape, step: Step, x: Value, scale: Value, shift: Value) -> Value:
    return call(t, "instance_norm", [x, scale, shift, None, None, True, 0.1, step.get("epsilon", 1e-5)], {})


def _group_norm(t: Tape, step: Step, x: Value, scale: Value, shift: Value) -> Value:
    groups, channels = step.get("num_groups"), shape_of(x)[1]
    if len(scale) == groups != channels:  # the first version of it has one of each group
        scale, shift = (one.repeat_interleave(channels // groups) for one in (scale, shift))
    return call(t, "group_norm", [x, groups, scale, shift, step.get("epsilon", 1e-5)], {})


def _layer_norm(t: Tape, step: Step, x: Value, scale: Value, shift: Value = None) -> Value:
    shape = shape_of(x)
    axis = step.get("axis", -1) % len(shape)
    return call(t, "layer_norm", [x, shape[axis:], scale, shift, step.get("epsilon", 1e-5)], {})


def _reshape(t: Tape, step: Step, x: Value, size: Value = None) -> Value:
    told = _listed(step.get("shape") if size is None else size) or []
    shape = shape_of(x)
    if not step.get("allowzero"):
        told = [shape[place] if side == 0 and place < len(shape) else side for place, side in enumerate(told)]
    return call(t, "view", [x, told], {})


def _flatten(t: Tape, step: Step, x: Value) -> Value:
    shape = shape_of(x)
    axis = step.get("axis", 1) % len(shape)
    need(axis == 1 or not flowing(x), "a view across several samples")
    return call(t, "view", [x, [shape[0], math.prod(shape[1:])]], {})


def _squeeze(t: Tape, step: Step, x: Value, axes: Value = None) -> Value:
    return call(t, "squeeze", [x, _listed(step.get("axes") if axes is None else axes)], {})


def _unsqueeze(t: Tape, step: Step, x: Value, axes: Value = None) -> Value:
    for axis in sorted(_listed(step.get("axes") if axes is None else axes) or []):
        x = call(t, "unsqueeze", [x, axis], {})
    return x


def _transpose(t: Tape, step: Step, x: Value) -> Value:
    return call(t, "permute", [x, step.get("perm") or list(range(len(shape_of(x))))[::-1]], {})


def _concat(t: Tape, step: Step, *parts: Value) -> Value:
    return call(t, "cat", [list(parts), step.get("axis", 1)], {})


def _split(t: Tape, step: Step, x: Value, sizes: Value = None) -> Value:
    axis = step.get("axis", 0)
    told = _listed(step.get("split") if sizes is None else sizes)
    if told is None:
        count = step.get("num_outputs") or len(step.outputs)
        return call(t, "split", [x, -(-shape_of(x)[axis] // count), axis], {})
    return call(t, "split", [x, told, axis], {})


def _slice(
    t: Tape, step: Step, x: Value, starts: Value = None, ends: Value = None, axes: Value = None, steps: Value = None
) -> Value:
    first, last = (
        _listed(step.get("starts") if starts is None else starts),
        _listed(step.get("ends") if ends is None else ends),
    )
    need(first is not None and last is not None, "no places")
    assert first is not None and last is not None
    over = _listed(step.get("axes") if axes is None else axes) or list(range(len(first)))
    by = _listed(steps) or [1] * len(first)
    for one in zip(over, first, last, by, strict=True):
        x = call(t, "slice", [x, *one], {})
    return x


def _gather(t: Tape, step: Step, x: Value, places: Value) -> Value:
    axis = step.get("axis", 0)
    need(not flowing(places), "places that depend on the noise")
    if isinstance(places, Table):
        need(axis == 0 and not flowing(x), "places that depend on the class")
        return (
            call(t, "embedding", [x, places], {}) if plain(x).dim() == 2 else known(lambda y, k: y[k.long()], x, places)
        )
    told = plain(places)
    if told.dim() == 0:
        return call(t, "select", [x, axis, int(told)], {})
    if flowing(x):
        listed = _listed(told) or []
        need(listed and listed == list(range(listed[0], listed[-1] + 1)), "places that are not in a row")
        return call(t, "slice", [x, axis, listed[0], listed[-1] + 1], {})
    flat = known(lambda y: y.index_select(axis, told.flatten().long() % y.shape[axis]), x)
    shape = shape_of(x)
    return call(t, "view", [flat, [*shape[:axis], *told.shape, *shape[axis + 1 :]]], {})


def _factors(step: Step, rest: Sequence[Value]) -> tuple[Value, Value]:
    """By how much and to what size maps are resized, one of which is None: once a setting, then the second input, or
    behind a region that is not used.
    """
    if not rest:
        return step.get("scales"), None
    scales, sizes = (rest[0], None) if len(rest) == 1 else (rest[1], rest[2] if len(rest) > 2 else None)
    return (None if scales is None or plain(scales).numel() == 0 else scales), sizes


def _resize(t: Tape, step: Step, x: Value, *rest: Value) -> Value:
    scales, sizes = _factors(step, rest)
    mode, way = step.get("mode", "nearest"), step.get("coordinate_transformation_mode", "half_pixel")
    if step.kind == "Upsample":
        way = "asymmetric" if mode == "nearest" else way
    size = None if scales is not None else (_listed(sizes) or [0, 0])[2:]
    factors = None if scales is None else [float(one) for one in plain(scales).flatten()[2:].tolist()]
    if mode == "nearest":
        rounds = step.get("nearest_mode", "round_prefer_floor")
        need(way != "align_corners" and rounds in ("floor", "round_prefer_floor"), f"pixels chosen by {way}, {rounds}")
        twice = factors == [2.0, 2.0] or (size is not None and size == [2 * side for side in shape_of(x)[2:]])
        need(rounds == "floor" or way != "asymmetric" or twice or step.kind == "Upsample", f"pixels chosen by {rounds}")
        return call(t, "upsample_nearest2d", [x, size, factors], {})
    need(way in ("half_pixel", "pytorch_half_pixel", "align_corners"), f"pixels placed by {way}")
    name = {"linear": "upsample_bilinear2d", "cubic": "upsample_bicubic2d"}.get(mode, "")
    need(name, f"a way to resize, {mode}")
    return call(t, name, [x, size, way == "align_corners", factors], {})


def _pool(of: str) -> Callable[..., Value]:
    def rule(t: Tape, step: Step, x: Value) -> Value:
        before, behind = _sides(step)
        whole = of == "max" or bool(step.get("count_include_pad"))
        need(before == behind, "padding of one side alone")
        arguments: list[Value] = [x, step.get("kernel_shape"), step.get("strides") or [1, 1], before]
        more = [step.get("dilations") or 1] if of == "max" else []
        more += [bool(step.get("ceil_mode", 0))] + ([] if of == "max" else [whole])
        return call(t, f"{'max' if of == 'max' else 'avg'}_pool2d", [*arguments, *more], {})

    return rule


def _global_pool(t: Tape, step: Step, x: Value) -> Value:
    return call(t, "mean", [x, [2, 3], True], {})


def _reduce(name: str) -> Callable[..., Value]:
    def rule(t: Tape, step: Step, x: Value, axes: Value = None) -> Value:
        over = _listed(step.get("axes") if axes is None else axes)
        need(over or not flowing(x), "over several samples")
        return call(t, name, [x, over, bool(step.get("keepdims", 1))], {})

    return rule


def _reduce_length(t: Tape, step: Step, x: Value, axes: Value = None) -> Value:
    return call(
        t, "norm", [x, 2, _listed(step.get("axes") if axes is None else axes), bool(step.get("keepdims", 1))], {}
    )


def _pad(t: Tape, step: Step, x: Value, pads: Value = None, value: Value = None, axes: Value = None) -> Value:
    told = _listed(step.get("pads") if pads is None else pads) or []
    count, half = len(shape_of(x)), len(told) // 2
    over = _listed(axes) or list(range(half))
    both = {axis % count: (told[k], told[half + k]) for k, axis in enumerate(over)}
    sides = [side for axis in reversed(range(count)) for side in both.get(axis, (0, 0))]
    mode = {"edge": "replicate"}.get(step.get("mode", "constant"), step.get("mode", "constant"))
    fill = 0.0 if value is None else float(plain(value))
    return call(t, "pad", [x, sides, mode, fill], {})


def _clip(t: Tape, step: Step, x: Value, low: Value = None, high: Value = None) -> Value:
    return call(t, "clamp", [x, step.get("min") if low is None else low, step.get("max") if high is None else high], {})


def _extreme(name: str) -> Callable[..., Value]:
    def rule(t: Tape, step: Step, x: Value, other: Value) -> Value:
        x, other = (other, x) if flowing(other) else (x, other)
        need(not flowing(other) and plain(other).numel() == 1, "of two that depend on the noise")
        return call(t, name, [x, float(plain(other))], {})

    return rule


def _cast(t: Tape, step: Step, x: Value) -> Value:
    if flowing(x) or x is None:
        return x
    return known(lambda y: y.float() if step.get("to") in FLOATS else y.long(), x)


def _constant(t: Tape, step: Step) -> Value:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in step.settings:
            return plain(step.settings[name])
    raise UnknownError("a constant without a value")


def _constant_of_shape(t: Tape, step: Step, shape: Value) -> Value:
    value = plain(step.get("value", 0.0)).flatten()[0].item()
    return call(t, "full", [_listed(shape), value], {})


def _one_hot(t: Tape, step: Step, places: Value, depth: Value, values: Value) -> Value:
    need(step.get("axis", -1) == -1 and plain(values).tolist() == [0, 1], "of other numbers than 0 and 1")
    return call(t, "one_hot", [places, int(plain(depth))], {})


def _depth_to_space(t: Tape, step: Step, x: Value) -> Value:
    need(step.get("mode", "DCR") == "CRD", "in another order than torch's pixel shuffle")
    return call(t, "pixel_shuffle", [x, step.get("blocksize")], {})


@dataclass(frozen=True)
class _Above:
    """Whether a flow is above a threshold."""

    node: int
    threshold: float


def _greater(t: Tape, step: Step, one: Value, other: Value) -> Value:
    if isinstance(one, Flow) and not flowing(other) and plain(other).numel() == 1:
        return _Above(one.node, float(plain(other)))
    return _compared(torch.gt)(t, step, one, other)


def _where(t: Tape, step: Step, test: Value, one: Value, other: Value) -> Value:
    if isinstance(test, _Above):  # softplus, which is its own argument as far up as this
        need(test.threshold >= LINEAR and isinstance(one, Flow) and one.node == test.node and isinstance(other, Flow),
             "that depends on the noise")  # fmt: skip
        layer = t.nodes[other.node].layer
        need(isinstance(layer, Activation) and layer.name == "softplus", "that depends on the noise")
        return other
    need(not flowing(test, one, other), "that depends on the noise")
    return known(lambda a, b, c: torch.where(a.bool(), b, c), test, one, other)


def _compared(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Value]:
    def rule(t: Tape, step: Step, one: Value, other: Value) -> Value:
        need(not flowing(one, other), "that depends on the noise")
        return known(function, one, other)

    return rule


def _div(t: Tape, step: Step, one: Value, other: Value) -> Value:
    whole = not flowing(one, other) and not any(operators.rows(x).is_floating_point() for x in (one, other))
    return call(t, "div", [one, other, "trunc" if whole else None], {})


def _hard_sigmoid(t: Tape, step: Step, x: Value) -> Value:
    inner = operators.scaled(t, x, step.get("alpha", 0.2), step.get("beta", 0.5))
    return call(t, "clamp", [inner, 0.0, 1.0], {})


def _sum(t: Tape, step: Step, first: Value, *others: Value) -> Value:
    for one in others:
        first = operators.add(t, first, one)
    return first


def _einsum(t: Tape, step: Step, *operands: Value) -> Value:
    return call(t, "einsum", [step.get("equation", ""), list(operands)], {})


def _swish(t: Tape, step: Step, x: Value) -> Value:
    need(step.get("alpha", 1.0) == 1, "of another slope")
    return call(t, "silu", [x], {})


def _identity(t: Tape, step: Step, x: Value, *_: Value) -> Value:
    return [x, None]


def _shape(t: Tape, step: Step, x: Value) -> Value:
    return torch.tensor(shape_of(x)[step.get("start", 0) : step.get("end")])


def _range(t: Tape, step: Step, start: Value, end: Value, by: Value) -> Value:
    need(not flowing(start, end, by) and int(by) == 1, "numbers that depend on the noise, or not in a row")
    return call(t, "arange", [int(start), int(end)], {})


_RULES: dict[str, Callable[..., Value]] = {
    "Conv": _conv, "ConvTranspose": _conv_transpose, "Gemm": _gemm, "MatMul": _aten("matmul"),
    "BatchNormalization": _norm, "InstanceNormalization": _instance_norm, "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm, "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze, "Transpose": _transpose, "Concat": _concat, "Split": _split, "Slice": _slice,
    "Gather": _gather, "Resize": _resize, "Upsample": _resize, "AveragePool": _pool("mean"), "MaxPool": _pool("max"),
    "GlobalAveragePool": _global_pool, "ReduceMean": _reduce("mean"), "ReduceSum": _reduce("sum"),
    "ReduceL2": _reduce_length, "Pad": _pad, "Clip": _clip, "Max": _extreme("clamp_min"), "Min": _extreme("clamp_max"),
    "Cast": _cast, "Constant": _constant, "ConstantOfShape": _constant_of_shape, "OneHot": _one_hot,
    "DepthToSpace": _depth_to_space, "Where": _where, "Equal": _compared(torch.eq), "Greater": _greater,
    "Less": _compared(torch.lt), "Shape": _shape, "Range": _range, "Sum": _sum, "Identity": _identity,
    "Dropout": _identity, "Swish": _swish, "HardSigmoid": _hard_sigmoid, "Expand": _aten("expand"),
    "Tile": _aten("repeat"), "Add": _aten("add"), "Sub": _aten("sub"), "Mul": _aten("mul"), "Div": _div,
    "Pow": _aten("pow"), "Neg": _aten("neg"), "PRelu": _aten("prelu"),
    "LeakyRelu": _aten("leaky_relu", ("alpha", 0.01)), "Elu": _aten("elu", ("alpha", 1.0)),
    "Gelu": _aten("gelu", ("approximate", "none")), "Softmax": _aten("softmax", ("axis", -1)), "Einsum": _einsum,
}  # fmt: skip
_SAME = {
    "Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "Selu": "selu", "Softplus": "softplus", "Mish": "mish",
    "Softsign": "softsign", "HardSwish": "hardswish", "Erf": "erf", "Exp": "exp", "Sin": "sin", "Cos": "cos",
    "Abs": "abs", "Sqrt": "sqrt", "Reciprocal": "reciprocal",
}  # fmt: skip
_RULES.update((name, _aten(own)) for name, own in _SAME.items())
