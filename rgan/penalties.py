"""Regularisers of the critic."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rgan.balls import lengths, per_sample


def interpolate(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """x̂ = real + mix·(fake − real), one mix (N,) a sample, detached from both."""
    return (real + per_sample(mix, real) * (fake - real)).detach()


def gradient_penalty(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """(‖∇D(x̂)‖₂ − 1)² of each sample, shape (N,), differentiable in the critic's parameters.

    Gulrajani et al. 2017, eq. 3; the norm is over the whole image. The critic must treat samples
    independently, so batch normalisation makes this quantity meaningless: recipes refuse the pair.
    """
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (lengths(slope.float() if slope.dtype in (torch.bfloat16, torch.float16) else slope) - 1) ** 2
