"""Directions and balls: unit vectors, projections and random directions, one row a sample.

Every function treats dimension 0 as samples and flattens the rest, so noise (N, d) and images (N, C, H, W) share them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def lengths(x: Tensor) -> Tensor:
    """Euclidean length of each sample, shape (N,)."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)


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


def project_cap(z: Tensor, r: Tensor, radius: Tensor) -> Tensor:
    """r (N, d) such that z + r keeps the length of z and lies within `radius` of it.

    The feasible points form a spherical cap around z; z + r is first scaled to length ‖z‖, then turned
    towards z along the great circle until its straight-line distance is at most radius.
    """
    length = lengths(z)
    axis = unit(z)
    moved = z + r
    along = (moved * axis).sum(dim=1, keepdim=True)
    across = moved - along * axis
    angle = torch.atan2(lengths(across), along[:, 0])
    limit = 2 * torch.asin((radius / (2 * length).clamp_min(torch.finfo(z.dtype).tiny)).clamp(max=1.0))
    angle = torch.minimum(angle, limit)
    target = torch.cos(angle)[:, None] * axis + torch.sin(angle)[:, None] * unit(across)
    # Written as a difference of small terms: length·target − z would lose digits for tiny angles.
    return length[:, None] * (target - axis)


def random_directions(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform unit vectors, float32 on the CPU; `generator` is a CPU generator."""
    return unit(torch.randn(shape, generator=generator))


def random_in_ball(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Uniform points of the unit ball: a direction times U^(1/d)."""
    radius = torch.rand(shape[0], generator=generator) ** (1.0 / shape[1])
    return random_directions(shape, generator) * radius[:, None]
