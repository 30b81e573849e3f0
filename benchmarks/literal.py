"""Algorithm 1 read literally: a separate pass for each perturbation, then the losses of its lines 8 and 10.

Slow and plain on purpose: the yardstick for `rgan.training`, in tests (same gradients) and in benchmarks (time).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from rgan.models.recipes import Recipe


def _normalised(gradient: Tensor) -> Tensor:
    length = gradient.flatten(1).norm(dim=1).clamp(min=1e-300)  # a hinge that is met has no gradient
    return gradient / length.view(-1, *[1] * (gradient.dim() - 1))


def _generator_loss(recipe: Recipe, score: Tensor) -> Tensor:
    if recipe.loss in ("wasserstein", "hinge"):
        return -score.mean() / recipe.critic_scale
    return binary_cross_entropy_with_logits(score, torch.ones_like(score))


def _critic_cost(recipe: Recipe, real: Tensor, fake: Tensor) -> Tensor:
    if recipe.loss == "wasserstein":
        return (fake.mean() - real.mean()) / recipe.critic_scale + recipe.drift * (real**2).mean()
    if recipe.loss == "hinge":
        return (1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean()
    ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
    return (binary_cross_entropy_with_logits(real, ones) + binary_cross_entropy_with_logits(fake, zeros)) / 2


def literal_generator_loss(generator, critic, recipe: Recipe, z: Tensor) -> Tensor:
    """Line 4, then line 8."""
    robust = recipe.robust
    assert robust is not None
    point = z.detach().requires_grad_()
    (slope,) = torch.autograd.grad(_generator_loss(recipe, critic(generator(point))), point)
    r = _normalised(slope)
    clean = _generator_loss(recipe, critic(generator(z)))
    return clean + robust.weight * _generator_loss(recipe, critic(generator(z + robust.noise_radius * r)))


def literal_critic_loss(generator, critic, recipe: Recipe, real: Tensor, z: Tensor, mix: Tensor) -> Tensor:
    """Lines 5 and 6, then line 10, with the gradient penalty of the system on the clean pair."""
    robust = recipe.robust
    assert robust is not None
    fake = generator(z).detach()
    x, y = real.detach().requires_grad_(), fake.clone().requires_grad_()
    slopes = torch.autograd.grad(_critic_cost(recipe, critic(x), critic(y)), (x, y))
    r1, r2 = (_normalised(slope) for slope in slopes)
    total = _critic_cost(recipe, critic(real), critic(fake))
    if recipe.gradient_penalty:
        along = mix.view(-1, 1, 1, 1)
        between = (along * fake + (1 - along) * real).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        length = slope.flatten(1).norm(recipe.exponent / (recipe.exponent - 1), dim=1)
        total = total + recipe.gradient_penalty * ((length / recipe.critic_scale - 1) ** 2).mean()
    pushed = critic(real + robust.image_radius * r1), critic(fake + robust.image_radius * r2)
    return total + robust.weight * _critic_cost(recipe, *pushed)
