"""Algorithm 1: the gradients of one step of either player, plain or robust.

Each player's step runs the clean term first; its own backward pass also yields the gradient with respect to the
noise or the images, so the worst perturbation of the paper's one-step solver costs nothing. One perturbed pass
follows and gradients add up: two passes where a literal reading of the algorithm makes three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from rgan.common.geometry import unit
from rgan.models.recipes import Recipe, Robust
from rgan.training.penalties import consistency, gradient_penalty, interpolate

Network = Callable[[Tensor], Tensor]


class CriticNetwork(Protocol):
    """A critic in use: images to scores, or to features and scores."""

    def __call__(self, x: Tensor, /) -> Tensor: ...

    def features_and_score(self, x: Tensor, /) -> tuple[Tensor, Tensor]: ...


Metrics = dict[str, Tensor]


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """No gradients for the parameters of `network` inside the block."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def worst_direction(gradient: Tensor, radius: float, steps: int, gradient_at: Callable[[Tensor], Tensor]) -> Tensor:
    """r with ‖r‖ = radius per sample, found from the gradient at r = 0 (Alg. 1 l. 4–6, ‖r‖₂ = 1 times ε).

    One step is the paper's solver. Further steps climb on the sphere: the direction plus the unit gradient at the
    current r, normalised again.
    """
    direction = unit(gradient)
    for _ in range(steps - 1):
        direction = unit(direction + unit(gradient_at(radius * direction)))
    return radius * direction


def _input_gradient(loss: Callable[[Tensor], Tensor], at: Tensor) -> Callable[[Tensor], Tensor]:
    """r ↦ ∇ of mean loss(at + r), without touching any parameter's gradient."""

    def gradient(r: Tensor) -> Tensor:
        point = (at.detach() + r).requires_grad_()
        (slope,) = torch.autograd.grad(loss(point).mean(), point)
        return slope

    return gradient


def generator_gradients(generator: Network, critic: Network, recipe: Recipe, z: Tensor) -> Metrics:
    """Add the generator's gradients for one batch z (N, latent) to its parameters (Alg. 1 l. 4 and 7–8).

    The critic's parameters must be frozen by the caller. With `recipe.robust` None this is a plain GAN step.
    """
    cost = recipe.criterion.generator
    robust = recipe.robust
    if robust is None or robust.players == "critic":
        loss = cost(critic(generator(z))).mean()
        loss.backward()
        return {"generator": loss.detach()}

    z = z.detach().requires_grad_()
    images = generator(z)
    image_weight = robust.of_generator("generator_image")
    if image_weight:
        images.retain_grad()
    loss = cost(critic(images)).mean()
    loss.backward(retain_graph=bool(image_weight))
    assert z.grad is not None

    r = worst_direction(
        z.grad, robust.noise_radius, robust.steps, _input_gradient(lambda p: cost(critic(generator(p))), z)
    )
    worst_images = generator(z.detach() + r)
    if image_weight:
        worst_images.retain_grad()
    worst = cost(critic(worst_images)).mean()
    (robust.of_generator("generator_noise") * worst).backward(retain_graph=bool(image_weight))
    if image_weight:
        for clean in (images, worst_images):
            assert clean.grad is not None
            push = robust.image_radius * unit(clean.grad)
            (image_weight * cost(critic(clean + push.detach())).mean()).backward()
    return {"generator": loss.detach(), "worst_gap": (worst - loss).detach()}


def critic_gradients(
    generator: Network, critic: CriticNetwork, recipe: Recipe, real: Tensor, z: Tensor, mix: Tensor
) -> Metrics:
    """Add the critic's gradients for one batch to its parameters (Alg. 1 l. 5–6 and 9–10).

    Args:
        real: images (N, C, H, W) in [−1, 1].
        z: noise (N, latent).
        mix: where on the segment from real to fake a penalty is taken, (N,) in [0, 1].
    """
    cost, robust = recipe.criterion, recipe.robust
    pushed = robust is not None and robust.players != "generator"
    with torch.no_grad():
        fake = generator(z)
    if pushed:
        real, fake = real.detach().requires_grad_(), fake.requires_grad_()

    judged, fake_score = critic.features_and_score(real), critic(fake)
    real_score = judged[1]
    total = cost.real(real_score).mean() + cost.fake(fake_score).mean()
    if recipe.gradient_penalty:
        total = total + _slope_term(critic, recipe, interpolate(real, fake, mix))
    if recipe.consistency:
        # Apart from the costs where these are asked for their gradient on the images.
        first = critic.features_and_score(real.detach()) if pushed else judged
        total = total + recipe.consistency * consistency(first, critic.features_and_score(real.detach())).mean()
    total.backward()
    metrics = {"critic": total.detach(), "real": real_score.detach().mean(), "fake": fake_score.detach().mean()}
    if pushed:
        assert robust is not None
        _add_robust_critic_terms(generator, critic, recipe, robust, real, fake, z, mix)
    return metrics


def _slope_term(critic: Network, recipe: Recipe, points: Tensor) -> Tensor:
    """The gradient penalty of the recipe at `points`, weighted, as a mean."""
    norm = {"exponent": recipe.exponent, "smoothness": recipe.smoothness, "scale": recipe.critic_scale}
    return recipe.gradient_penalty * gradient_penalty(critic, points, **norm).mean()


def _add_robust_critic_terms(
    generator: Network,
    critic: Network,
    recipe: Recipe,
    robust: Robust,
    real: Tensor,
    fake: Tensor,
    z: Tensor,
    mix: Tensor,
) -> None:
    """The λ-weighted terms of Robust's table; `real` and `fake` carry the clean term's image gradients."""
    cost = recipe.criterion

    def add(name: str, term: Callable[[], Tensor]) -> None:
        if robust.of_critic(name):
            (robust.of_critic(name) * term()).backward()

    def push(images: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """images + r; the clean pass left the gradient on `real` and `fake`, other images need their own."""
        gradient_at = _input_gradient(lambda p: loss(critic(p)), images)
        gradient = images.grad if images.grad is not None else gradient_at(torch.zeros_like(images))
        return images.detach() + worst_direction(gradient, robust.image_radius, robust.steps, gradient_at)

    def pushed_cost(fakes: Tensor) -> Tensor:
        return cost.real(critic(push(real, cost.real))).mean() + cost.fake(critic(push(fakes, cost.fake))).mean()

    def steadiness(fakes: Tensor) -> Tensor:
        points = interpolate(real, fakes, mix)
        # A sum over the batch, written as a mean so that slices of a batch average to it.
        return recipe.batch * (critic(push(points, cost.fake)) - critic(points)).square().mean()

    add("critic_image", lambda: pushed_cost(fake))
    if recipe.gradient_penalty:
        add("image_penalty", lambda: _slope_term(critic, recipe, interpolate(real, push(fake, cost.fake), mix)))
    add("consistency", lambda: steadiness(fake))
    if not any(robust.of_critic(name) for name in ("critic_noise", "critic_noise_image", "consistency")):
        return

    gradient_at = _input_gradient(lambda p: cost.generator(critic(generator(p))), z)
    r = worst_direction(gradient_at(torch.zeros_like(z)), robust.noise_radius, robust.steps, gradient_at)
    with torch.no_grad():
        worst = generator(z + r)

    def noise_cost() -> Tensor:
        term = cost.fake(critic(worst)).mean()
        if robust.noise_with_real:
            term = term + cost.real(critic(real.detach())).mean()
        if recipe.gradient_penalty:
            term = term + _slope_term(critic, recipe, interpolate(real, worst, mix))
        return term

    add("critic_noise", noise_cost)
    add("critic_noise_image", lambda: pushed_cost(worst))
    add("consistency", lambda: steadiness(worst))
