"""What the laboratory's GANs learn, and what they make it of: distributions in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.common.errors import SettingsError, one_of

PRIORS = {"normal": "N(0, I)", "uniform": "uniform"}
REACH = {"normal": 3.0, "uniform": 1.5}  # half the side of the square of noise that is looked at
PLANE = 2.5  # half the side of the square of points that is looked at
MOST_DRAWN = 60
SPREAD = 0.06  # standard deviation of a point that somebody has drawn
COVERED = 0.25  # of its fair share of points, which a mode needs at least
_GRID = 1.3  # half the side of the grid of Gaussians


@dataclass(frozen=True)
class Source:
    """A distribution in the plane.

    sample: a number of points and a CPU generator → points (N, 2), float32. modes: places (M, 2) where it has mass, all
    with the same share of it. near: how far from a mode its points lie.
    """

    title: str
    sample: Callable[[int, torch.Generator], Tensor]
    modes: Tensor
    near: float


def noise(prior: str, count: int, stream: torch.Generator) -> Tensor:
    """Noise (count, 2), float32: standard normal, or uniform in the square from −1 to 1."""
    one_of("noise", prior, tuple(PRIORS))
    if prior == "normal":
        return torch.randn(count, 2, generator=stream)
    return 2 * torch.rand(count, 2, generator=stream) - 1


def source(name: str, drawn: tuple[tuple[float, float], ...] = ()) -> Source:
    """One of DATA, or Gaussians around the places that are `drawn`.

    Raises:
        SettingsError: another word, no place drawn, or too many.
    """
    one_of("data in the plane", name, tuple(DATA))
    if name != "drawn":
        return _SOURCES[name]
    if not 1 <= len(drawn) <= MOST_DRAWN:
        raise SettingsError(f"expected 1 to {MOST_DRAWN} drawn points, got {len(drawn)}; click into the plane")
    return _gaussians(DATA["drawn"], torch.tensor(drawn, dtype=torch.float32), SPREAD)


def transport(a: Tensor, b: Tensor) -> float:
    """The Wasserstein distance W₁ of two samples (N, 2) of one size: exact, by the best assignment (scipy)."""
    from scipy.optimize import linear_sum_assignment  # takes a second to import, and every screen imports this module
    from scipy.spatial.distance import cdist

    cost = cdist(a.double().numpy(), b.double().numpy())
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def covered(points: Tensor, modes: Tensor, near: float) -> int:
    """How many modes have a quarter of their fair share of these points (N, 2) at least within `near`."""
    distance, which = torch.cdist(points.double(), modes.double()).min(dim=1)
    counts = torch.bincount(which[distance <= near], minlength=len(modes))
    return int((counts >= COVERED * len(points) / len(modes)).sum())


def _gaussians(title: str, centres: Tensor, spread: float) -> Source:
    def sample(count: int, stream: torch.Generator) -> Tensor:
        which = torch.randint(len(centres), (count,), generator=stream)
        return centres[which] + spread * torch.randn(count, 2, generator=stream)

    return Source(title, sample, centres, 3 * spread)


def _curve(title: str, at: Callable[[Tensor], Tensor], modes: int, spread: float, pieces: int = 1) -> Source:
    """Points along `at`, which takes places (N,) in [0, 1) to points, with normal noise; `pieces` that do not meet."""
    inside = (torch.arange(modes // pieces) + 0.5) / (modes // pieces)
    places = torch.cat([(piece + inside) / pieces for piece in range(pieces)])
    centres = at(places)
    # Half the way to the next mode along the curve, and as far as noise goes.
    step = (centres[1 : modes // pieces] - centres[: modes // pieces - 1]).norm(dim=1).max()

    def sample(count: int, stream: torch.Generator) -> Tensor:
        drawn = at(torch.rand(count, generator=stream))
        return drawn + spread * torch.randn(count, 2, generator=stream)

    return Source(title, sample, centres, float(step) / 2 + 3 * spread)


def _moons(place: Tensor) -> Tensor:
    second = place >= 0.5
    angle = math.pi * (2 * place - second.float())
    upper = torch.stack([torch.cos(angle) - 0.5, torch.sin(angle) - 0.25], dim=1)
    lower = torch.stack([0.5 - torch.cos(angle), 0.25 - torch.sin(angle)], dim=1)
    return 1.1 * torch.where(second[:, None], lower, upper)


def _spiral(place: Tensor) -> Tensor:
    turn = torch.sqrt(0.05 + 0.95 * place)  # so that points are spread evenly along it
    angle = 3.5 * math.pi * turn
    return 1.7 * turn[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)


_ENDS = torch.tensor([[[-1.6, 1.2], [-0.5, 1.2]], [[0.5, 1.4], [1.5, 0.5]], [[-1.4, -0.2], [-0.6, -1.4]],
                      [[0.4, -0.9], [1.6, -0.9]]])  # fmt: skip


def _segments(place: Tensor) -> Tensor:
    which = (4 * place).long().clamp(max=3)
    share = (4 * place - which)[:, None]
    return _ENDS[which, 0] * (1 - share) + _ENDS[which, 1] * share


def _ring(count: int) -> Tensor:
    angle = 2 * math.pi * torch.arange(count) / count
    return 1.5 * torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)


def _grid(side: int) -> Tensor:
    line = torch.linspace(-_GRID, _GRID, side)
    return torch.cartesian_prod(line, line)


DATA = {
    "ring": "ring of Gaussians",
    "grid": "grid of Gaussians",
    "moons": "two moons",
    "spiral": "spiral",
    "segments": "disjoint segments",
    "drawn": "drawn by you",
}
_SOURCES = {
    "ring": _gaussians(DATA["ring"], _ring(8), 0.08),
    "grid": _gaussians(DATA["grid"], _grid(5), 0.06),
    "moons": _curve(DATA["moons"], _moons, 16, 0.05, 2),
    "spiral": _curve(DATA["spiral"], _spiral, 16, 0.04),
    "segments": _curve(DATA["segments"], _segments, 16, 0.03, 4),
}


def on_grid(reach: float, side: int) -> Tensor:
    """A lattice of side × side points over the square ±reach, (side², 2), rows from below and each from the left."""
    line = torch.from_numpy(np.linspace(-reach, reach, side, dtype=np.float32))
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across.flatten(), down.flatten()], dim=1)
