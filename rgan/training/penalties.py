"""Regularisers of the critic."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rgan.common.geometry import per_sample

SOBOLEV_SCALE = 5.0  # c of Adler & Lunz 2018, on frequencies scaled to 0 … 1


def interpolate(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """x̂ = real + mix·(fake − real), one mix (N,) a sample, detached from both."""
    return (real + per_sample(mix, real) * (fake - real)).detach()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    points: Tensor,
    *,
    exponent: float = 2.0,
    smoothness: float = 0.0,
    scale: float = 1.0,
) -> Tensor:
    """(‖∇D(x̂)‖/scale − 1)² of each sample, shape (N,), differentiable in the critic's parameters.

    The norm, over the whole image, is the dual of the Banach norm that measures images: ‖S₋ₛ·‖_q for ‖Sₛ·‖_p with
    1/p + 1/q = 1 (Adler & Lunz 2018). By default it is Euclidean: Gulrajani et al. 2017, eq. 3. The critic must treat
    samples independently, so batch normalisation makes this quantity meaningless: recipes refuse the pair.
    """
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    slope = slope.float() if slope.dtype in (torch.bfloat16, torch.float16) else slope
    return (banach_norm(slope, dual(exponent), -smoothness) / scale - 1) ** 2


def dual(exponent: float) -> float:
    """q with 1/p + 1/q = 1; infinite for p = 1."""
    return math.inf if exponent == 1 else exponent / (exponent - 1)


def banach_norm(x: Tensor, exponent: float, smoothness: float = 0.0) -> Tensor:
    """‖Sₛ x‖_p of each sample, a sum over all of its values, shape (N,)."""
    flat = sobolev(x, smoothness).flatten(1)
    if exponent == 2:
        euclidean: Tensor = torch.linalg.vector_norm(flat, dim=1)
        return euclidean
    # Divided by the largest value first: high powers of small numbers are no longer numbers.
    largest = flat.detach().abs().amax(dim=1).clamp_min(torch.finfo(flat.dtype).tiny)
    norm: Tensor = largest * torch.linalg.vector_norm(flat / largest[:, None], exponent, dim=1)
    return norm


def sobolev(x: Tensor, smoothness: float) -> Tensor:
    """Sₛ: every frequency ξ of each channel of (N, C, H, W) times (1 + c|ξ|²)^(s/2), frequencies scaled to 0 … 1."""
    if smoothness == 0:
        return x
    down, across = (torch.fft.fftfreq(n, 1 / n, device=x.device, dtype=x.dtype) / (n // 2) for n in x.shape[-2:])
    weight = (1 + SOBOLEV_SCALE * (down[:, None] ** 2 + across[None, :] ** 2)) ** (smoothness / 2)
    filtered: Tensor = torch.fft.ifft2(torch.fft.fft2(x) * weight).real
    return filtered


def orthonormality(network: nn.Module) -> Tensor:
    """Σ ‖W Wᵀ − I‖² over the layers' weights as matrices of outputs × inputs, transposed where taller (Brock 2016)."""
    total = torch.zeros(())
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            matrix = module.weight.flatten(1)
            if matrix.shape[0] > matrix.shape[1]:
                matrix = matrix.T
            gram = matrix @ matrix.T
            total = total.to(gram) + (gram - torch.eye(len(gram), device=gram.device, dtype=gram.dtype)).square().sum()
    return total


def clip(network: nn.Module, limit: float) -> None:
    """Every parameter cut to [−limit, limit], in place (Arjovsky et al. 2017)."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.clamp_(-limit, limit)


def consistency(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
    """(D − D′)² + .1·mean(f − f′)² of two dropout passes of the same images, each (features, scores); shape (N,).

    Wei et al. 2018 (CT-GAN), with margin M′ = 0.
    """
    (features, scores), (other_features, other_scores) = first, second
    apart = (features - other_features).flatten(1).square().mean(dim=1)
    return (scores - other_scores).square() + 0.1 * apart
