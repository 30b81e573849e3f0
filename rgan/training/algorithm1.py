"""Algorithm 1: the gradients of one step of either player, plain or robust.

Each player's step runs the clean term first; its own backward pass also yields the gradient with respect to the
noise or the images, so the worst perturbation of the paper's one-step solver costs nothing. One perturbed pass
follows and gradients add up: two passes where a literal reading of the algorithm makes three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from rgan.common.geometry import unit
from rgan.models.losses import Loss
from rgan.models.recipes import Recipe, Robust
from rgan.networks.companions import NONE, Companion
from rgan.training.penalties import consistency, gradient_penalty, interpolate

Network = Callable[[Tensor], Tensor]


class CriticNetwork(Protocol):
    """A critic in use: images, and what its system gives it beside them, to scores, or to features and scores."""

    def __call__(self, *inputs: Tensor) -> Tensor: ...

    def features_and_score(self, *inputs: Tensor) -> tuple[Tensor, Tensor]: ...


Metrics = dict[str, Tensor]


@contextmanager
def frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """No gradients for these parameters inside the block."""
    held = list(parameters)
    for parameter in held:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)


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


def generator_gradients(
    generator: Network,
    critic: CriticNetwork,
    recipe: Recipe,
    z: Tensor,
    companion: Companion = NONE,
    real: Tensor | None = None,
) -> Metrics:
    """Add the gradients of the generator's side for one batch z (N, latent) to its parameters (Alg. 1 l. 4 and 7–8).

    The critic's parameters must be frozen by the caller, and those of the companion that are trained with it. With
    `recipe.robust` None this is a plain GAN step. real: images (M, C, H, W), where the companion needs them.
    """
    cost, robust = recipe.criterion.generator, recipe.robust
    pushed = robust is not None and robust.players != "critic"

    def paid(images: Tensor, z: Tensor) -> Tensor:
        return cost(critic(images, *companion.beside_fake(images, z))).mean()

    def paid_on_real(x: Tensor) -> Tensor:
        return cost(-critic(x, *companion.beside_real(x))).mean()

    if pushed:
        z = z.detach().requires_grad_()
    images = generator(z)
    features, score = critic.features_and_score(images, *companion.beside_fake(images, z))
    loss = cost(score).mean()
    beside = companion.generator_term(critic, images, features, z, images if real is None else real)
    mirrored = real.detach().requires_grad_(pushed) if companion.mirrored and real is not None else None
    on_real = None if mirrored is None else paid_on_real(mirrored)
    others = [term for term in (beside, on_real) if term is not None]
    metrics = {"generator": loss.detach()}
    if others:
        metrics["beside_generator"] = torch.stack(others).sum().detach()
    if not pushed:
        sum(others, loss).backward()
        return metrics

    assert robust is not None
    image_weight = robust.of_generator("generator_image")
    if beside is None:
        if image_weight:
            images.retain_grad()
        sum(others, loss).backward(retain_graph=bool(image_weight))
        slope, image_slope = z.grad, images.grad if image_weight else None
    else:
        # Its slope is not raised: the loss has a pass of its own, without gradients of weights.
        slope, image_slope = torch.autograd.grad(loss, (z, images), retain_graph=True)
        sum(others, loss).backward(retain_graph=bool(image_weight))
    assert slope is not None
    r = worst_direction(slope, robust.noise_radius, robust.steps, _input_gradient(lambda p: paid(generator(p), p), z))

    weight = robust.of_generator("generator_noise")
    worst_noise = z.detach() + r
    worst_images = generator(worst_noise)
    if image_weight:
        worst_images.retain_grad()
    worst = paid(worst_images, worst_noise)
    (weight * worst).backward(retain_graph=bool(image_weight))
    if mirrored is not None:
        assert mirrored.grad is not None
        push = worst_direction(
            mirrored.grad, robust.image_radius, robust.steps, _input_gradient(paid_on_real, mirrored)
        )
        (weight * paid_on_real(mirrored.detach() + push)).backward()
    if image_weight:
        for clean, slope, at in ((images, image_slope, z), (worst_images, worst_images.grad, worst_noise)):
            assert slope is not None
            push = robust.image_radius * unit(slope)
            (image_weight * paid(clean + push.detach(), at)).backward()
    return metrics | {"worst_gap": (worst - loss).detach()}


def critic_gradients(
    generator: Network,
    critic: CriticNetwork,
    recipe: Recipe,
    real: Tensor,
    z: Tensor,
    mix: Tensor,
    companion: Companion = NONE,
) -> Metrics:
    """Add the gradients of the critic's side for one batch to its parameters (Alg. 1 l. 5–6 and 9–10).

    Args:
        real: images (N, C, H, W) in [−1, 1].
        z: noise (N, latent).
        mix: where on the segment from real to fake a penalty is taken, (N,) in [0, 1].
        companion: those of its parameters that are trained with the generator must be frozen by the caller.
    """
    robust = recipe.robust
    cost = recipe.criterion.sharing(companion.fake_share())
    pushed = robust is not None and robust.players != "generator"
    with torch.no_grad():
        fake = generator(z)
    if pushed:
        real, fake = real.detach().requires_grad_(), fake.requires_grad_()

    judged = critic.features_and_score(real, *companion.beside_real(real))
    fake_score = critic(fake, *companion.beside_fake(fake, z))
    real_score = judged[1]
    total = cost.real(real_score).mean() + cost.fake(fake_score).mean()
    if recipe.gradient_penalty:
        total = total + _slope_term(_on_fake(critic, companion, z), recipe, interpolate(real, fake, mix))
    if recipe.consistency:
        # Apart from the costs where these are asked for their gradient on the images.
        x = real.detach()
        first = critic.features_and_score(x, *companion.beside_real(x)) if pushed else judged
        second = critic.features_and_score(x, *companion.beside_real(x))
        total = total + recipe.consistency * consistency(first, second).mean()
    metrics = {"critic": total.detach(), "real": real_score.detach().mean(), "fake": fake_score.detach().mean()}
    if (beside := companion.critic_term(judged[0].detach())) is not None:
        metrics["beside_critic"] = beside.detach()
        total = total + beside
    total.backward()
    if pushed:
        assert robust is not None
        _add_robust_critic_terms(generator, critic, recipe, robust, cost, real, fake, z, mix, companion)
    return metrics


def _on_fake(critic: CriticNetwork, companion: Companion, z: Tensor) -> Network:
    """The critic of images that count as drawn of noise z."""
    return lambda images: critic(images, *companion.beside_fake(images, z))


def _slope_term(critic: Network, recipe: Recipe, points: Tensor) -> Tensor:
    """The gradient penalty of the recipe at `points`, weighted, as a mean."""
    norm = {"exponent": recipe.exponent, "smoothness": recipe.smoothness, "scale": recipe.critic_scale}
    return recipe.gradient_penalty * gradient_penalty(critic, points, **norm).mean()


def _add_robust_critic_terms(
    generator: Network,
    critic: CriticNetwork,
    recipe: Recipe,
    robust: Robust,
    cost: Loss,
    real: Tensor,
    fake: Tensor,
    z: Tensor,
    mix: Tensor,
    companion: Companion,
) -> None:
    """The λ-weighted terms of Robust's table; `real` and `fake` carry the clean term's image gradients."""
    on_fake = _on_fake(critic, companion, z)

    def on_real(images: Tensor) -> Tensor:
        return critic(images, *companion.beside_real(images))

    def add(name: str, term: Callable[[], Tensor]) -> None:
        if robust.of_critic(name):
            (robust.of_critic(name) * term()).backward()

    def push(images: Tensor, loss: Callable[[Tensor], Tensor], judge: Network) -> Tensor:
        """images + r; the clean pass left the gradient on `real` and `fake`, other images need their own."""
        gradient_at = _input_gradient(lambda p: loss(judge(p)), images)
        gradient = images.grad if images.grad is not None else gradient_at(torch.zeros_like(images))
        return images.detach() + worst_direction(gradient, robust.image_radius, robust.steps, gradient_at)

    def pushed_cost(fakes: Tensor, judge: Network) -> Tensor:
        worst_real, worst_fake = push(real, cost.real, on_real), push(fakes, cost.fake, judge)
        return cost.real(on_real(worst_real)).mean() + cost.fake(judge(worst_fake)).mean()

    def steadiness(fakes: Tensor, judge: Network) -> Tensor:
        points = interpolate(real, fakes, mix)
        # A sum over the batch, written as a mean so that slices of a batch average to it.
        return recipe.batch * (judge(push(points, cost.fake, judge)) - judge(points)).square().mean()

    add("critic_image", lambda: pushed_cost(fake, on_fake))
    if recipe.gradient_penalty:
        add(
            "image_penalty",
            lambda: _slope_term(on_fake, recipe, interpolate(real, push(fake, cost.fake, on_fake), mix)),
        )
    add("consistency", lambda: steadiness(fake, on_fake))
    if not any(robust.of_critic(name) for name in ("critic_noise", "critic_noise_image", "consistency")):
        return

    def paid(p: Tensor) -> Tensor:
        return cost.generator(_on_fake(critic, companion, p)(generator(p)))

    gradient_at = _input_gradient(paid, z)
    r = worst_direction(gradient_at(torch.zeros_like(z)), robust.noise_radius, robust.steps, gradient_at)
    on_worst = _on_fake(critic, companion, z + r)
    with torch.no_grad():
        worst = generator(z + r)

    def noise_cost() -> Tensor:
        term = cost.fake(on_worst(worst)).mean()
        if robust.noise_with_real:
            term = term + cost.real(on_real(real.detach())).mean()
        if recipe.gradient_penalty:
            term = term + _slope_term(on_worst, recipe, interpolate(real, worst, mix))
        return term

    add("critic_noise", noise_cost)
    add("critic_noise_image", lambda: pushed_cost(worst, on_worst))
    add("consistency", lambda: steadiness(worst, on_worst))
