"""Directions and balls: unit vectors, projections and random directions, one row a sample.

Every function treats dimension 0 as samples and flattens the rest, so noise (N, d) and images (N, C, H, W) share them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.quasirandom import SobolEngine


def finite(x: Tensor) -> bool:
    """Whether no entry is NaN or infinite. Their sum, which is fast to take, tells unless it overflows itself;
    entries of one byte (float8) have none."""
    return (x.element_size() > 1 and bool(torch.isfinite(x.sum()))) or bool(torch.isfinite(x).all())


def lengths(x: Tensor) -> Tensor:
    """Euclidean length of each sample, shape (N,)."""
    length: Tensor = torch.linalg.vector_norm(x.flatten(1), dim=1)
    return length


def per_sample(values: Tensor, like: Tensor) -> Tensor:
    """View (N,) as (N, 1, …) so that it multiplies `like` sample by sample."""
    return values.view(-1, *[1] * (like.dim() - 1))


def unit(x: Tensor) -> Tensor:
    """Each sample scaled to length 1; a zero or non-finite sample becomes zero.

    Divides by the largest entry before the length, so a gradient of 1e-30 keeps its direction
    (Miyato et al. 2018, virtual adversarial training; the paper's official code does the same).
    """
    largest = x.flatten(1).abs().amax(dim=1)
    usable = torch.isfinite(largest) & (largest > 0)
    scaled = x / per_sample(torch.where(usable, largest, torch.ones_like(largest)), x)
    length = lengths(scaled)
    scaled = scaled / per_sample(length.clamp_min(torch.finfo(x.dtype).tiny), x)
    return torch.where(per_sample(usable, x), scaled, torch.zeros_like(x))


def project_ball(r: Tensor, radius: Tensor) -> Tensor:
    """Nearest point to each r (N, …) within length radius (N,)."""
    length = lengths(r)
    return r * per_sample(torch.where(length > radius, radius / length.clamp_min(torch.finfo(r.dtype).tiny), 1.0), r)


def turn(z: Tensor, direction: Tensor, distance: Tensor) -> Tensor:
    """r (N, d) with ‖z + r‖ = ‖z‖ and ‖r‖ = distance (N,), leaving z towards `direction`.

    z is turned along the great circle that `direction` points to, or along any where it points along z itself;
    distances beyond 2‖z‖ mean the opposite point.
    """
    length = lengths(z)
    axis = unit(z)
    tangent = unit(_across(direction, axis))
    half_sine = (distance / (2 * length).clamp_min(torch.finfo(z.dtype).tiny)).clamp(max=1.0)
    angle = 2 * torch.asin(half_sine)
    # cos θ − 1 = −2 sin²(θ/2), which keeps its digits for small angles.
    return length[:, None] * (torch.sin(angle)[:, None] * tangent - 2 * half_sine[:, None] ** 2 * axis)


def _across(direction: Tensor, axis: Tensor) -> Tensor:
    """The part of each direction that is perpendicular to the unit vector `axis`, or any such vector if it has none."""

    def rest(x: Tensor) -> Tensor:
        return x - (x * axis).sum(dim=1, keepdim=True) * axis

    once = rest(direction)
    twice = rest(once)
    lost = lengths(twice) <= 8 * torch.finfo(axis.dtype).eps * lengths(once)
    along = lengths(once) <= 1e-3 * lengths(direction)  # the first rest is largely rounding
    other = torch.zeros_like(axis).scatter_(1, axis.abs().argmin(dim=1, keepdim=True), 1.0)
    return torch.where(lost[:, None], rest(other), torch.where(along[:, None], twice, once))


def project_cap(z: Tensor, r: Tensor, radius: Tensor) -> Tensor:
    """r (N, d) such that z + r keeps the length of z and lies within `radius` of it.

    The feasible points form a spherical cap around z: z + r is scaled to length ‖z‖, and turned back towards z
    along the great circle where it would be further than radius.
    """
    axis = unit(z)
    moved = z + r
    along = (moved * axis).sum(dim=1)
    angle = torch.atan2(lengths(moved - along[:, None] * axis), along)
    return turn(z, moved, torch.minimum(2 * lengths(z) * torch.sin(angle / 2), radius))


def separate(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of a seed.

    Generators of one seed draw one stream: directions drawn like the noise they are added to would be that noise again.
    """
    words = np.random.SeedSequence([seed, *purpose.encode()]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(words[0]) << 31 | int(words[1]) >> 1)


def block_seed(seed: int, start: int) -> int:
    """The seed of the block of a draw's samples that begins with number `start`, which is below 100,003.

    A block's directions must not be those of another block, or of another seed's.
    """
    return seed * 100_003 + start


def random_directions(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform unit vectors, float32 on the CPU; `generator` is a CPU generator."""
    return unit(torch.randn(shape, generator=generator))


def random_in_ball(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Uniform points of the unit ball: a direction times U^(1/d)."""
    radius = torch.rand(shape[0], generator=generator) ** (1.0 / shape[1])
    return random_directions(shape, generator) * radius[:, None]


def even_in_ball(sequence: SobolEngine, count: int) -> Tensor:
    """The next points of the unit ball (count, d), spread evenly, from a Sobol sequence of d + 1 numbers."""
    numbers = sequence.draw(count, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    radius = numbers[:, -1:] ** (1 / (sequence.dimension - 1))
    places: Tensor = unit(torch.special.ndtri(numbers[:, :-1])) * radius
    return places
