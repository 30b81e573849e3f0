"""Algorithm 1: training a Gan, plain or robust, as an iterator that the caller may stop at any step.

Each player's step runs the clean term first; its own backward pass also yields the gradient with respect to the
noise or the images, so the worst perturbation of the paper's one-step solver costs nothing. One perturbed pass
follows, gradients add up, one optimiser step: two passes where a literal reading of the algorithm makes three.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rgan.balls import unit
from rgan.datasets import ImageData
from rgan.devices import choose_device, choose_dtype
from rgan.errors import DataError, RganError, number_between
from rgan.gan import MAX_SEED, Gan, Training, fresh
from rgan.images import to_unit
from rgan.penalties import gradient_penalty, interpolate
from rgan.recipes import Recipe, Robust

Network = Callable[[Tensor], Tensor]
Metrics = dict[str, Tensor]

HISTORY_POINTS = 500
CHECK_EVERY = 20  # iterations between looks at the losses: reading them makes a GPU wait
KEEP_EVERY = 200  # iterations between copies of weights known to be finite


class TrainingError(RganError):
    """Training stopped by itself. `gan` holds the last weights that were finite, if there were any."""

    def __init__(self, message: str, gan: Gan | None):
        super().__init__(message)
        self.gan = gan


@dataclass(frozen=True)
class Progress:
    """Where training stands after `iteration` generator steps of `iterations`.

    `metrics` holds scalar tensors on the training device: generator and critic (losses), real and fake (mean critic
    output), and, where the recipe is robust, worst_gap (generator loss at worst noise minus at the original).
    """

    iteration: int
    iterations: int
    seconds: float
    metrics: Metrics

    def numbers(self) -> dict[str, float]:
        """The metrics as Python floats."""
        return {name: float(value) for name, value in self.metrics.items()}


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
    generator: Network, critic: Network, recipe: Recipe, real: Tensor, z: Tensor, mix: Tensor
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

    real_score, fake_score = critic(real), critic(fake)
    loss = cost.real(real_score).mean() + cost.fake(fake_score).mean()
    total = loss
    if recipe.gradient_penalty:
        total = total + recipe.gradient_penalty * gradient_penalty(critic, interpolate(real, fake, mix)).mean()
    total.backward()
    metrics = {"critic": total.detach(), "real": real_score.detach().mean(), "fake": fake_score.detach().mean()}
    if pushed:
        assert robust is not None
        _add_robust_critic_terms(generator, critic, recipe, robust, real, fake, z, mix)
    return metrics


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

    def consistency(fakes: Tensor) -> Tensor:
        points = interpolate(real, fakes, mix)
        return (critic(push(points, cost.fake)) - critic(points)).square().sum()

    add("critic_image", lambda: pushed_cost(fake))
    add("consistency", lambda: consistency(fake))
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
            term = term + recipe.gradient_penalty * gradient_penalty(critic, interpolate(real, worst, mix)).mean()
        return term

    add("critic_noise", noise_cost)
    add("critic_noise_image", lambda: pushed_cost(worst))
    add("consistency", lambda: consistency(worst))


class Trainer:
    """The state of one training run. `step` makes one iteration; `gan` takes a copy that can be saved and shown.

    Weights, noise and the order of the data come from `seed` through CPU generators: one seed gives one result on
    one thread of one machine. Each iteration makes `critic_steps` critic steps with fresh batches, then one
    generator step.
    """

    def __init__(self, recipe: Recipe, data: ImageData, *, seed: int, device: str = "auto", precision: str = "auto"):
        expected = (recipe.channels, recipe.size, recipe.size)
        if tuple(data.images.shape[1:]) != expected:
            raise DataError(
                f"expected images of shape {expected} for this recipe, got {tuple(data.images.shape[1:])}; "
                "set the recipe's size and channels to the data set's"
            )
        if len(data.images) < 2:
            raise DataError(f"expected at least 2 images, got {len(data.images)}")
        number_between("seed", seed, 0, MAX_SEED)
        self.recipe, self.data, self.seed = recipe, data, seed
        self.device = choose_device(device)
        self.dtype = choose_dtype(precision, self.device)
        self.iteration = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.rng = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64)

        self.generator, self.critic = (
            network.to(memory_format=torch.channels_last).to(self.device) for network in fresh(recipe, seed)
        )
        # The average forgets its random start: early steps weigh 1/10, 2/11, … until the full decay is reached.
        self.average = AveragedModel(
            self.generator,
            avg_fn=lambda mean, new, count: torch.lerp(
                mean, new, 1 - min(recipe.ema, (1 + float(count)) / (10 + float(count)))
            ),
        )
        self.generator_optimiser, self.critic_optimiser = (
            torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, betas=recipe.betas)
            for network in (self.generator, self.critic)
        )

    def step(self) -> Metrics:
        """One iteration; the gradients of either player are cleared first."""
        started = time.perf_counter()
        recipe = self.recipe
        generator, critic = self._autocast(self.generator), self._autocast(self.critic)
        for _ in range(recipe.critic_steps):
            self.critic_optimiser.zero_grad()
            real, z = self._real(), self._noise()
            mix = torch.rand(recipe.batch, generator=self.rng).to(self.device)
            with frozen(self.generator):
                metrics = critic_gradients(generator, critic, recipe, real, z, mix)
            self.critic_optimiser.step()
        self.generator_optimiser.zero_grad()
        with frozen(self.critic):
            metrics |= generator_gradients(generator, critic, recipe, self._noise())
        self.generator_optimiser.step()
        self.average.update_parameters(self.generator)
        self.iteration += 1
        self.seconds += time.perf_counter() - started
        return metrics

    def gan(self) -> Gan:
        """A frozen copy on the CPU, with batch norm statistics taken afresh over clean noise and real images."""
        generator, critic, average = (
            copy.deepcopy(network) for network in (self.generator, self.critic, self.average.module)
        )
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            self._standing_statistics(generator, critic, average)
        training = Training(
            data=self.data.name,
            iterations=self.iteration,
            seed=self.seed,
            seconds=round(self.seconds, 1),
            device=self._device_name(),
            precision=str(self.dtype).removeprefix("torch."),
            history=tuple(self.history),
        )
        return Gan(
            recipe=self.recipe,
            generator=generator.cpu(),
            critic=critic.cpu(),
            average=average.cpu(),
            training=training,
            reference=self.data.some(512),
        )

    def _standing_statistics(self, generator: nn.Module, critic: nn.Module, average: nn.Module) -> None:
        """Batch norm buffers as plain means over 32 batches (Brock et al. 2019), real and generated for the critic."""
        rng = torch.Generator().manual_seed(self.seed)
        for network in (generator, critic, average):
            network.train()
            for module in network.modules():
                if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                    module.reset_running_stats()
                    module.momentum = None
        for _ in range(32):
            z = torch.randn(self.recipe.batch, self.recipe.latent, generator=rng).to(self.device)
            rows = torch.randint(len(self.data.images), (self.recipe.batch,), generator=rng)
            critic(to_unit(self.data.images[rows].to(self.device)))
            critic(average(z))
            generator(z)

    def _noise(self) -> Tensor:
        return torch.randn(self.recipe.batch, self.recipe.latent, generator=self.rng).to(self.device)

    def _real(self) -> Tensor:
        """The next batch of a shuffled pass over the data; a pass continues into the next without a short batch."""
        while len(self._order) < self.recipe.batch:
            self._order = torch.cat([self._order, torch.randperm(len(self.data.images), generator=self.rng)])
        rows, self._order = self._order[: self.recipe.batch], self._order[self.recipe.batch :]
        return to_unit(self.data.images[rows].to(self.device))

    def _autocast(self, network: nn.Module) -> Network:
        if self.dtype is torch.float32:
            return network

        def run(x: Tensor) -> Tensor:
            with torch.autocast(self.device.type, dtype=self.dtype, cache_enabled=False):
                output: Tensor = network(x)
            return output.float()

        return run

    def _device_name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"


def train(trainer: Trainer, iterations: int) -> Iterator[Progress]:
    """Continue `trainer` until `iterations` in all, yielding after each one. Stop by not asking for the next.

    Raises:
        TrainingError: a loss or a weight is no longer finite; it carries the last good weights as a Gan.
    """
    number_between("iterations", iterations, 1, 1_000_000_000)
    every = max(1, math.ceil(iterations / HISTORY_POINTS))
    good: dict[str, Any] | None = None
    while trainer.iteration < iterations:
        metrics = trainer.step()
        at = trainer.iteration
        if at % CHECK_EVERY == 0 or at == iterations or trainer.device.type == "cpu":
            finite = all(math.isfinite(float(value)) for value in metrics.values())
            keep = at % KEEP_EVERY == 0 or at == iterations
            if finite and keep:
                finite = _finite(trainer)
            if not finite:
                raise TrainingError(*_diverged(trainer, good))
            if keep:
                good = copy.deepcopy(_networks(trainer))
        progress = Progress(at, iterations, trainer.seconds, metrics)
        if at % every == 0 or at == iterations:
            trainer.history.append({"iteration": float(at)} | progress.numbers())
        yield progress


def _networks(trainer: Trainer) -> dict[str, Any]:
    return {
        "iteration": trainer.iteration,
        "generator": trainer.generator.state_dict(),
        "critic": trainer.critic.state_dict(),
        "average": trainer.average.state_dict(),
    }


def _finite(trainer: Trainer) -> bool:
    networks = (trainer.generator, trainer.critic)
    return all(bool(torch.isfinite(weight).all()) for network in networks for weight in network.parameters())


def _diverged(trainer: Trainer, good: dict[str, Any] | None) -> tuple[str, Gan | None]:
    """The message and the last good Gan; the trainer goes back to those weights."""
    message = f"expected finite losses and weights, got NaN or infinity at iteration {trainer.iteration}"
    advice = "lower the learning rate, λ, ε₁ or ε₂, or train in float32"
    if good is None:
        return f"{message}; nothing was kept yet. Try to {advice}", None
    trainer.iteration = good["iteration"]
    trainer.generator.load_state_dict(good["generator"])
    trainer.critic.load_state_dict(good["critic"])
    trainer.average.load_state_dict(good["average"])
    return f"{message}; the weights of iteration {good['iteration']} are kept. Try to {advice}", trainer.gan()
