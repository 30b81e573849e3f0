"""What convolutions of a given kernel usually do to the side of their maps, and how unusual anything else is.

Weights tell a kernel and nothing of stride and padding. The sides of an image are equations for them; where these have
several solutions, the usual ones come first. Costs are negative log probabilities, roughly: 0 for what everybody does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_SIDE = 512
PLAIN = 3.0  # of a geometry that is possible and that nobody is known for


@dataclass(frozen=True)
class Move:
    """A way from maps of one side to maps of another: steps of a `Draft`, without the layer's name, and their cost.

    `kind` is "transposed" (stride, padding, output padding) or "conv" (stride, padding); before a convolution maps may
    be enlarged `up` times or halved by a pool ("mean", "max").
    """

    kind: str
    geometry: tuple[int, ...]
    side: int
    cost: float
    up: int = 1
    pool: str = ""


@dataclass(frozen=True)
class Known:
    """What a pickled module says of a convolution: "transposed" or "conv", stride, padding, output padding."""

    kind: str
    stride: int
    padding: int
    extra: int = 0

    def allows(self, move: Move, side: int) -> bool:
        """Whether this move, of maps of `side`, is what it says; of one pixel the stride is never taken."""
        if move.kind != self.kind:
            return False
        if self.kind == "conv":
            return move.geometry == (self.stride, self.padding)
        told = (1 if side == 1 else self.stride), self.padding, self.extra
        return move.geometry == told


# Kernel, stride, padding, output padding of transposed convolutions.
_USUAL_UP = {
    (4, 2, 1, 0): 0.0, (2, 2, 0, 0): 0.0, (3, 2, 1, 1): 0.0, (5, 2, 2, 1): 0.0, (6, 2, 2, 0): 0.2, (7, 2, 3, 1): 0.5,
    (8, 2, 3, 0): 0.5, (3, 1, 1, 0): 0.3, (5, 1, 2, 0): 0.3, (7, 1, 3, 0): 0.3, (1, 1, 0, 0): 0.3, (4, 4, 0, 0): 1.0,
    (3, 3, 0, 0): 1.5, (8, 4, 2, 0): 1.0, (6, 4, 1, 0): 1.5,
}  # fmt: skip


@lru_cache(maxsize=4096)
def transposed(kernel: int, side: int) -> tuple[Move, ...]:
    """All moves of a transposed convolution, one for each function it can be."""
    if side == 1:  # its stride is never taken
        options = {(kernel, 1, 0, 0): 0.0}
        options |= {(kernel, 1, padding, 0): 1.0 + padding for padding in range(1, (kernel + 1) // 2)}
        if kernel == 1:
            options |= {(1, 2, 0, extra): 4.0 for extra in (1,)}
    else:
        options = {
            (kernel, stride, padding, extra): _up_cost(kernel, stride, padding, extra)
            for stride in (1, 2, 3, 4)
            for padding in range(3 if kernel == 1 else min(kernel, 4))  # some cut an image of 32 pixels to 28
            for extra in range(stride)
        }
    moves = []
    for (_, stride, padding, extra), cost in options.items():
        after = (side - 1) * stride - 2 * padding + kernel + extra
        if 1 <= after <= MAX_SIDE:
            moves.append(Move("transposed", (stride, padding, extra), after, cost + (1.0 if after < side else 0.0)))
    return tuple(moves)


def _up_cost(kernel: int, stride: int, padding: int, extra: int) -> float:
    if (kernel, stride, padding, extra) in _USUAL_UP:
        return _USUAL_UP[kernel, stride, padding, extra]
    cost = {1: 0.6, 2: 0.3, 3: 3.0, 4: 3.0}[stride]
    cost += (0.3, 1.0, 1.5, 2.5)[padding] if stride <= 2 else padding
    cost += 1.0 * extra + (2.0 if stride > kernel else 0.0) + (2.0 if extra and not padding else 0.0)
    return cost + (1.5 if padding * 2 > kernel else 0.0)


@lru_cache(maxsize=4096)
def growing(kernel: int, side: int) -> tuple[Move, ...]:
    """All moves of an ordinary convolution in a generator: of stride 1, maps enlarged before it or not."""
    moves = []
    for up, cost in ((1, 0.2), (2, 0.2), (4, 2.5)):
        for padding in range(0, kernel // 2 + 2):
            after = side * up + 2 * padding - kernel + 1
            odd = 0.0 if 2 * padding == kernel - 1 else 2.0
            if 1 <= after <= MAX_SIDE:
                moves.append(Move("conv", (1, padding), after, cost + odd, up))
    return tuple(moves)


@lru_cache(maxsize=4096)
def shrinking(kernel: int, side: int) -> tuple[Move, ...]:
    """All moves of an ordinary convolution in a critic, a pool before it or not."""
    moves = []
    for pool, extra in (("", 0.0), ("max", 1.5), ("mean", 1.5)):
        begin = side // 2 if pool else side
        for stride in (1, 2, 3, 4):
            for padding in range(0, min(kernel, 4)):
                after = (begin + 2 * padding - kernel) // stride + 1
                if begin >= 1 and begin + 2 * padding >= kernel and 1 <= after <= side:
                    moves.append(
                        Move(
                            "conv",
                            (stride, padding),
                            after,
                            extra + _down_cost(kernel, stride, padding, begin, after),
                            1,
                            pool,
                        )
                    )
    return tuple(moves)


_USUAL_DOWN = {
    (4, 2, 1): 0.0, (3, 2, 1): 0.0, (5, 2, 2): 0.0, (2, 2, 0): 0.0, (3, 1, 1): 0.2, (5, 1, 2): 0.3, (7, 1, 3): 0.5,
    (1, 1, 0): 0.2, (3, 2, 0): 1.0, (5, 2, 0): 1.0, (4, 2, 0): 1.0, (5, 2, 1): 1.0, (3, 1, 0): 0.8, (5, 1, 0): 0.8,
    (4, 4, 0): 1.0, (7, 2, 3): 0.5, (6, 2, 2): 0.3, (4, 1, 1): 1.0, (2, 1, 0): 1.5,
}  # fmt: skip


def _down_cost(kernel: int, stride: int, padding: int, before: int, after: int) -> float:
    if after == 1 and kernel == before and not padding:
        return 0.0 if stride == 1 else 0.4
    usual = _USUAL_DOWN.get((kernel, stride, padding))
    return usual if usual is not None else PLAIN + stride / 2 + padding / 2


def size_cost(side: int) -> float:
    """How unusual images of this side are."""
    if side in (28, 32, 64, 128, 256):
        return 0.0
    if side in (16, 48, 96, 512):
        return 1.0
    return 4.5 if side in (20, 24, 40, 80, 100, 112, 192, 224) else 6.0


def image_cost(channels: int, side: int) -> float:
    """How unusual images of this shape are."""
    return size_cost(side) + {1: 0.0, 3: 0.0, 4: 3.0}.get(channels, 6.0)


def sides() -> Iterator[int]:
    """Sides that images have, the usual ones first."""
    usual = (28, 32, 64, 48, 128, 96, 16, 256)
    yield from usual
    yield from (side for side in range(8, 129, 2) if side not in usual)
