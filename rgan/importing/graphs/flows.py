"""What runs through a graph, written down as described layers while its operators are met one by one.

Three kinds of values meet in a graph: constants (plain torch tensors and Python's own values), a `Table` of what
depends on the class alone, one row a class, and a `Flow`, which depends on the noise or on the image judged. Operators
on the first two are computed at once; those on a flow become layers. `Tape.chain` makes one sequence of layers of what
was written down, with blocks where flows part and meet again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rgan.common import limits
from rgan.common.errors import SettingsError
from rgan.networks.described import Attend, Block, Fixed, Flat, Label, Layer, Rescale, Shape, Transposed, View

BATCH = 1_000_003  # stands for the number of samples wherever a graph asks for it: a prime that is no other size
MAX_CALLS = 4096  # layers that one graph may write down, those in several branches counted each time


class UnknownError(Exception):
    """Something in a graph that no described layer does; what, for people. depth: how many layers were before it."""

    depth = 0


class EndlessError(UnknownError):
    """A graph takes too long to follow, whatever its inputs are."""


@dataclass(frozen=True)
class Node:
    """A layer with its weights after one node, or two nodes joined, or three as query, key and value of `attend`;
    `shape`: of one sample.
    """

    shape: Shape
    parents: tuple[int, ...] = ()
    layer: Layer | None = None
    weights: Mapping[str, Tensor] | None = None
    how: str = ""
    attend: Attend | None = None


@dataclass
class _Place:
    """Where a value that several names share stands: an operator that works in place moves it."""

    node: int


class Flow:
    """What depends on noise or image: `shape` of one sample as the graph has it, which may be another view of the
    node's numbers.
    """

    def __init__(self, place: _Place, shape: Shape):
        self._place, self.shape = place, shape

    @property
    def node(self) -> int:
        return self._place.node

    def viewed(self, shape: Shape) -> Flow:
        """The same numbers in another shape."""
        return Flow(self._place, shape)

    def become(self, other: Flow) -> Flow:
        """What an operator in place does."""
        self._place.node, self.shape = other.node, other.shape
        return self


@dataclass(frozen=True)
class Turned:
    """A flow whose dimensions, without the batch's, were permuted; only the way back or an end is known of it."""

    flow: Flow
    order: tuple[int, ...]

    @property
    def shape(self) -> Shape:
        return tuple(self.flow.shape[side] for side in self.order)


@dataclass(frozen=True)
class Products:
    """Of all pixels of one map's sample with all of another's, (pixels, pixels): times their scale, and after a softmax
    over one of the two, place `over` in (one, other).
    """

    one: Flow
    other: Flow
    scale: float = 1.0
    over: int | None = None

    @property
    def shape(self) -> Shape:
        return (math.prod(self.one.shape[1:]), math.prod(self.other.shape[1:]))

    def turned(self) -> Products:
        return Products(self.other, self.one, self.scale, None if self.over is None else 1 - self.over)


@dataclass(frozen=True)
class Table:
    """What depends on the class alone: a row for each, (classes, …)."""

    rows: Tensor

    @property
    def shape(self) -> Shape:
        return tuple(self.rows.shape[1:])


Chain = list[tuple[Layer, dict[str, Tensor]]]


class Tape:
    """The layers of one graph. `start` is a sample's shape in the graph; its numbers are a network's features, or an
    image as it is.
    """

    def __init__(self, start: Shape, *, features: bool):
        self.nodes = [Node((math.prod(start),) if features else start)]
        self.start = Flow(_Place(0), start)
        self.classes = 0

    # Layers

    def layer(self, flow: Flow, layer: Layer, **weights: Tensor) -> Flow:
        """A layer after a flow.

        Raises:
            UnknownError: it does not fit there.
        """
        flow = self.native(flow)
        if weights and self._is_pixel(flow, layer):
            return self._pixel(flow, layer, weights)
        return self._after(flow, layer, weights)

    def _after(self, flow: Flow, layer: Layer, weights: Mapping[str, Tensor]) -> Flow:
        try:
            shape = layer.after(flow.shape)
        except SettingsError as error:
            raise UnknownError(str(error)) from error
        return self._put(Node(shape, (flow.node,), layer, dict(weights)))

    def _put(self, node: Node) -> Flow:
        if len(self.nodes) >= MAX_CALLS:
            raise UnknownError(f"more than {MAX_CALLS:,} layers")
        if math.prod(node.shape) > limits.MAX_FEATURES:
            raise UnknownError(f"maps of {math.prod(node.shape):,} numbers, more than {limits.MAX_FEATURES:,}")
        self.nodes.append(node)
        return Flow(_Place(len(self.nodes) - 1), node.shape)

    def _is_pixel(self, flow: Flow, layer: Layer) -> bool:
        return flow.shape[1:] == (1, 1) and isinstance(layer, Transposed) and layer.groups == 1 and not layer.padding

    def _pixel(self, flow: Flow, layer: Layer, weights: Mapping[str, Tensor]) -> Flow:
        """A transposed convolution of a single pixel as the linear layer it is, which is faster."""
        from rgan.networks.described import Linear

        assert isinstance(layer, Transposed)
        if layer.extra or layer.dilation != 1:
            return self._after(flow, layer, weights)
        own = {"weight": weights["weight"].flatten(1).T.contiguous()}
        own |= {"bias": weights["bias"].repeat_interleave(layer.kernel**2)} if "bias" in weights else {}
        flat = self.native(flow.viewed(flow.shape[:1]))
        made = self._after(flat, Linear(layer.outputs * layer.kernel**2, layer.bias), own)
        return self._after(made, View(layer.outputs), {})

    def native(self, flow: Flow) -> Flow:
        """The flow as layers know it: features, or channels of maps.

        Raises:
            UnknownError: it has another shape.
        """
        shape = flow.shape or (1,)
        if shape == self.nodes[flow.node].shape:
            return flow if flow.shape else flow.viewed(shape)
        if len(shape) not in (1, 3):
            raise UnknownError(f"numbers of the shape {shape} a sample")
        if len(self.nodes[flow.node].shape) == 3:
            before = self.nodes[flow.node]
            viewed = before.layer is not None and isinstance(before.layer, View)
            flow = (
                Flow(_Place(before.parents[0]), self.nodes[before.parents[0]].shape)
                if viewed
                else self._put(Node((math.prod(before.shape),), (flow.node,), Flat(), {}))
            )
        flow = flow.viewed(self.nodes[flow.node].shape)
        return flow if len(shape) == 1 else self._after(flow, View(shape[0]), {})

    def rescale(self, flow: Flow, times: float, plus: float) -> Flow:
        """times · flow + plus, in whatever shape it is."""
        if times == 1 and plus == 0:
            return flow
        return self.each(flow, Rescale(float(times), float(plus)))

    def each(self, flow: Flow, layer: Layer) -> Flow:
        """A layer that does the same to each number, so that the shape does not matter."""
        before = self.nodes[flow.node]
        return self._put(Node(before.shape, (flow.node,), layer, {})).viewed(flow.shape)

    def fixed(self, flow: Flow, value: Tensor, how: str, *, first: bool = False) -> Flow:
        """A constant (…, without the batch) joined to a flow."""
        flow = self.native(flow)
        beside = tuple(value.shape)
        return self._after(flow, Fixed(how, beside, first), {"value": value.contiguous()})

    def label(self, flow: Flow, table: Table, how: str, *, first: bool = False) -> Flow:
        """What depends on the class, joined to a flow."""
        flow = self.native(flow)
        self.classes = max(self.classes, len(table.rows))
        layer = Label(len(table.rows), how, table.shape, first)
        return self._after(flow, layer, {"table": table.rows.contiguous()})

    def join(self, one: Flow, other: Flow, how: str) -> Flow:
        """Two flows added, multiplied, or one behind the other."""
        if len(one.shape) == len(other.shape) == 2:  # pixels of maps
            made = self.join(self.maps(one), self.maps(other), how)
            return made.viewed((made.shape[0], math.prod(made.shape[1:])))
        one, other = self.native(one), self.native(other)
        shapes = one.shape, other.shape
        fits = len(one.shape) == len(other.shape)
        if fits and how == "concat":
            fits = one.shape[1:] == other.shape[1:]
            shape: Shape = (one.shape[0] + other.shape[0], *one.shape[1:])
        else:
            fits = fits and all(a == b or 1 in (a, b) for a, b in zip(*shapes, strict=True))
            shape = tuple(map(max, one.shape, other.shape)) if fits else ()
        if not fits:
            raise UnknownError(f"numbers of the shapes {shapes[0]} and {shapes[1]} together")
        return self._put(Node(shape, (one.node, other.node), how=how))

    def maps(self, flow: Flow) -> Flow:
        """Pixels of maps, (channels, pixels), as the maps that they are of.

        Raises:
            UnknownError: they are of none.
        """
        shape = self.nodes[flow.node].shape
        if len(flow.shape) == 3:
            return self.native(flow)
        if len(flow.shape) == 2 and len(shape) == 3 and (shape[0], math.prod(shape[1:])) == flow.shape:
            return flow.viewed(shape)
        if len(flow.shape) == 2 and math.isqrt(flow.shape[1]) ** 2 == flow.shape[1]:
            side = math.isqrt(flow.shape[1])
            return self.native(flow.viewed((flow.shape[0], side, side)))
        raise UnknownError(f"numbers of the shape {flow.shape} a sample, where pixels are needed")

    def attend(self, products: Products, value: Flow) -> Flow:
        """Values taken by the pixels of `products.one`, weighted by its softmax.

        Raises:
            UnknownError: they do not fit.
        """
        parts = products.one, products.other, self.maps(value)
        if products.over is None:
            raise UnknownError("a product of two that depend on the noise, without a softmax")
        if not abs(products.scale) <= 1000:
            raise UnknownError(f"products of pixels times {products.scale:g}")
        layer = Attend((), (), (), products.scale, queries=products.over == 0)
        shape = (parts[2].shape[0], *parts[0].shape[1:])
        return self._put(Node(shape, tuple(part.node for part in parts), attend=layer))

    # As one sequence

    def chain(self, flow: Flow) -> Chain:
        """All layers between the start and a flow, in their order.

        Raises:
            UnknownError: they are too many.
        """
        self._written = 0
        return self._chain(flow.node, 0)

    def _chain(self, node: int, start: int) -> Chain:
        parts: list[tuple[Layer, dict[str, Tensor]]] = []
        while node != start:
            self._written += 1
            if self._written > MAX_CALLS:
                raise UnknownError(f"more than {MAX_CALLS:,} layers")
            one = self.nodes[node]
            if one.layer is not None:
                parts.append((one.layer, dict(one.weights or {})))
                node = one.parents[0]
                continue
            before = self._meeting(one.parents)
            inner = [self._chain(parent, before) for parent in one.parents]
            if not inner[0] and one.how in ("add", "multiply"):
                inner.reverse()
            names = Block.nested if one.attend is None else Attend.nested
            weights = {
                f"{name}.{place}.{key}": value
                for name, part in zip(names, inner, strict=True)
                for place, (_, own) in enumerate(part)
                for key, value in own.items()
            }
            layers = [tuple(layer for layer, _ in part) for part in inner]
            if one.attend is None:
                parts.append((Block(layers[0], layers[1], one.how), weights))
            else:
                parts.append((replace(one.attend, query=layers[0], key=layers[1], value=layers[2]), weights))
            node = before
        return parts[::-1]

    def _meeting(self, parents: Sequence[int]) -> int:
        """The last node through which all ways to these lead: nodes are numbered in the order of their making."""
        open_ends = set(parents)
        while len(open_ends) > 1:
            latest = max(open_ends)
            open_ends.remove(latest)
            open_ends |= set(self.nodes[latest].parents)
        return open_ends.pop()


def check_size(*shapes: Sequence[int]) -> None:
    """That what an operator on constants makes is no larger than a network's weights may be.

    Raises:
        UnknownError: it is.
    """
    for shape in shapes:
        if math.prod(max(1, side) for side in shape) > limits.MAX_NUMBERS:
            raise UnknownError(f"a constant of {math.prod(shape):,} numbers, more than {limits.MAX_NUMBERS:,}")


def plain(value: object) -> Tensor:
    """A constant as a tensor."""
    return value if isinstance(value, Tensor) else torch.as_tensor(value)
