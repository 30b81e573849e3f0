"""Training a Gan, plain or robust, as an iterator that the caller may stop at any step."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rgan.common.devices import choose_device, choose_dtype
from rgan.common.errors import CheckpointError, DataError, RganError, number_between
from rgan.common.geometry import finite
from rgan.common.images import to_unit
from rgan.data.datasets import REFERENCE_IMAGES, ImageData
from rgan.data.identity import same_images
from rgan.models.gan import MAX_SEED, Gan, Training, fresh, fresh_companion
from rgan.models.recipes import Recipe
from rgan.networks.companions import Companion
from rgan.networks.layers import Random
from rgan.training import distributed
from rgan.training.algorithm1 import Metrics, critic_gradients, frozen, generator_gradients
from rgan.training.penalties import banach_norm, clip, dual, orthonormality

Network = TypeVar("Network", bound=nn.Module)

HISTORY_POINTS = 500
MAX_ITERATIONS = 1_000_000
WHY_MAX_ITERATIONS = "five times the longest published training of these systems"
CHECK_EVERY = 20  # iterations between looks at the losses: reading them makes a GPU wait
KEEP_EVERY = 200  # iterations between copies of weights known to be finite


class TrainingError(RganError):
    """Training stopped by itself. `gan` holds the last weights that were finite, if there were any."""

    def __init__(self, message: str, gan: Gan | None):
        super().__init__(message)
        self.gan = gan


@dataclass(frozen=True)
class TrainingStep:
    """Where training stands after `iteration` generator steps of `iterations`.

    `metrics` holds scalar tensors on the training device: generator and critic (losses), real and fake (mean critic
    output), and, where the recipe is robust, worst_gap (generator loss at worst noise minus at the original);
    beside_generator and beside_critic are the terms of a companion, and it may have numbers of its own.
    """

    iteration: int
    iterations: int
    seconds: float
    metrics: Metrics

    def numbers(self) -> dict[str, float]:
        """The metrics as Python floats."""
        return {name: float(value) for name, value in self.metrics.items()}


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
            raise DataError(f"expected at least 2 images, got {len(data.images)} in {data.name}; choose a larger set")
        number_between("seed", seed, 0, MAX_SEED)
        for batch in (recipe.batch, recipe.generator_batch):
            distributed.check_batch(batch)
        self.recipe = recipe = measured(recipe, data)
        self.data, self.seed = data, seed
        self.device = choose_device(device)
        self.dtype = choose_dtype(precision, self.device)
        self.iteration = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.protocol = ""  # of the scores in it
        self.rng = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64)

        self.generator, self.critic = fresh(recipe, seed)
        self.companion = fresh_companion(recipe, seed)
        self.companion.wrap, self.companion.mean = self._autocast, distributed.shared_mean
        for network in (self.generator, self.critic, self.companion):
            network.to(memory_format=torch.channels_last).to(self.device)
            distributed.share_statistics(network)
        # The average forgets its random start: early steps weigh 1/10, 2/11, … until the full decay is reached.
        self.average = AveragedModel(
            self.generator,
            avg_fn=lambda mean, new, count: torch.lerp(
                mean, new, 1 - min(recipe.ema, (1 + float(count)) / (10 + float(count)))
            ),
        )
        self._of_generator = [*self.generator.parameters(), *self.companion.parts("generator")]
        self._of_critic = [*self.critic.parameters(), *self.companion.parts("critic")]
        self.generator_optimiser = optimiser_of(recipe, self._of_generator)
        self.critic_optimiser = optimiser_of(recipe, self._of_critic)
        self._masks = torch.Generator(self.device)
        drawing = (*self.critic.modules(), *self.companion.modules())
        self._random = [module for module in drawing if isinstance(module, Random)]
        for module in self._random:
            module.source = self._masks

    def step(self, pause: Callable[[], None] = lambda: None) -> Metrics:
        """One iteration; the gradients of either player are cleared first.

        `pause` is called before each player's update: it may wait, so that others get the processor. Its time does
        not count as training.
        """
        started = time.perf_counter()
        waited = 0.0

        def wait() -> None:
            nonlocal waited
            before = time.perf_counter()
            pause()
            waited += time.perf_counter() - before

        recipe, companion = self.recipe, self.companion
        generator, critic = self._autocast(self.generator), self._autocast(self.critic)
        rate = recipe.rate(self.iteration)
        for optimiser, share in ((self.generator_optimiser, 1.0), (self.critic_optimiser, recipe.critic_rate)):
            for group in optimiser.param_groups:
                group["lr"] = share * rate
        if self._random:
            masks = int(torch.randint(2**62, (), generator=self.rng))
            self._masks.manual_seed(masks + distributed.rank())
        for _ in range(recipe.critic_steps):
            wait()
            self.critic_optimiser.zero_grad()
            real, z, mix = self._real(), self._noise(), self._mix()
            companion.begin("critic", self._draw)
            with frozen(self._of_generator):
                metrics = critic_gradients(generator, critic, recipe, real, z, mix, companion)
            if recipe.orthonormal:
                (recipe.orthonormal * orthonormality(self.critic)).backward()
            if (term := companion.weight_term("critic", self.critic)) is not None:
                term.backward()
            distributed.average_gradients(self._of_critic)
            scores = (distributed.mean(metrics[name]) for name in ("real", "fake"))
            metrics |= companion.after_critic(*scores)
            self.critic_optimiser.step()
            if recipe.clip:
                clip(self.critic, recipe.clip)
            companion.after_update("critic", self.critic)
        wait()
        self.generator_optimiser.zero_grad()
        z, real_too = self._noise(recipe.generator_batch), self._real() if companion.needs_real() else None
        companion.begin("generator", self._draw)
        with frozen(self._of_critic):
            metrics |= generator_gradients(generator, critic, recipe, z, companion, real_too)
        if (term := companion.weight_term("generator", self.generator)) is not None:
            term.backward()
        distributed.average_gradients(self._of_generator)
        self.generator_optimiser.step()
        companion.after_update("generator", self.generator)
        self.average.update_parameters(self.generator)
        self.iteration += 1
        if distributed.size() > 1:
            metrics = dict(zip(metrics, distributed.mean(torch.stack(list(metrics.values()))), strict=True))
        self.seconds += time.perf_counter() - started - waited
        return metrics

    def gan(self) -> Gan:
        """A frozen copy on the CPU, with batch norm statistics taken afresh over clean noise and real images."""
        generator, critic, average = (
            self._copy(self.generator),
            self._copy(self.critic),
            self._copy(self.average.module),
        )
        companion = self.recipe.companion().to_empty(device=self.device)
        companion.load_state_dict(self.companion.state_dict())
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            self._standing_statistics(generator, critic, average, companion.eval())
        training = Training(
            data=self.data.name,
            iterations=self.iteration,
            seed=self.seed,
            seconds=round(self.seconds, 1),
            device=self._device_name(),
            precision=str(self.dtype).removeprefix("torch."),
            history=tuple(self.history),
            protocol=self.protocol,
            fingerprint=self.data.fingerprint,
            own=self.data.own,
        )
        return Gan(
            recipe=self.recipe,
            generator=generator.cpu(),
            critic=critic.cpu(),
            average=average.cpu(),
            training=training,
            reference=self.data.some(REFERENCE_IMAGES),
            companion=companion.cpu(),
        )

    def images(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent), on the CPU, for watching training.

        The averaged generator draws them with the batch norm statistics of this very batch; nothing is changed.
        """
        with torch.no_grad():
            drawn: Tensor = self._copy(self.average.module).train()(z.to(self.device))
        return drawn.cpu()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything `restore` needs to continue exactly: tensors, and facts in plain JSON.

        The tensors are the live ones: write them before the next step.
        """
        tensors: dict[str, Tensor] = {"rng": self.rng.get_state(), "order": self._order}
        for part, network in self._networks().items():
            tensors |= {f"{part}.{name}": value for name, value in network.state_dict().items()}
        for part, optimiser in self._optimisers().items():
            for index, slots in optimiser.state_dict()["state"].items():
                tensors |= {f"{part}.{index}.{name}": value for name, value in slots.items()}
        facts = {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "history": self.history,
            "protocol": self.protocol,
            "data": self.data.fingerprint,
        }
        return tensors, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Go to the point where `state` was taken, in a Trainer made with the same arguments.

        Raises:
            CheckpointError: the state belongs to another recipe.
            DataError: the images are not those it was trained on.
        """
        if not same_images(facts.get("data") or self.data.fingerprint, self.data.fingerprint):
            raise DataError(
                f"expected the images this training began with, got others in {self.data.name}; put the old ones back, "
                "or start a new run"
            )
        try:
            for part, network in self._networks().items():
                network.load_state_dict(_under(tensors, part))
            for part, optimiser in self._optimisers().items():
                slots: dict[int, dict[str, Tensor]] = {}
                parameters = optimiser.param_groups[0]["params"]
                for name, value in _under(tensors, part).items():
                    index, slot = name.split(".", 1)
                    # Laid out in memory like the parameter, so that the optimiser computes exactly as before.
                    like = torch.empty_like(parameters[int(index)]) if value.dim() else torch.empty_like(value)
                    slots.setdefault(int(index), {})[slot] = like.copy_(value)
                optimiser.load_state_dict(optimiser.state_dict() | {"state": slots})
            self.rng.set_state(tensors["rng"])
            self._order = tensors["order"]
            self.iteration, self.seconds = int(facts["iteration"]), float(facts["seconds"])
            self.history, self.protocol = list(facts["history"]), str(facts.get("protocol", ""))
        except (KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
            raise CheckpointError(
                "expected the saved state of this very training, got another; start a new run"
            ) from error

    def record(self, progress: TrainingStep) -> None:
        """Append the numbers of this iteration to `history` if it is due, at most HISTORY_POINTS rows in all.

        Every iteration at first; each time the limit is reached, every second row goes and half as many come.
        """
        stride = 1
        while progress.iteration > HISTORY_POINTS * stride:
            stride *= 2
        if progress.iteration % stride:
            return
        if len(self.history) >= HISTORY_POINTS:
            self.history = [row for row in self.history if row["iteration"] % stride == 0 or "critic" not in row]
        self.history.append({"iteration": float(progress.iteration)} | progress.numbers())

    def note(self, scores: dict[str, float], protocol: str) -> None:
        """Append scores of the last iteration's images to `history`, where they are never thinned out.

        Scores of another protocol go: the two could not be compared.
        """
        if protocol != self.protocol:
            self.history = [row for row in self.history if "critic" in row]
            self.protocol = protocol
        self.history.append({"iteration": float(self.iteration)} | scores)

    def finite(self) -> bool:
        """Whether every weight is a finite number."""
        return all(finite(weight) for weight in (*self._of_generator, *self._of_critic))

    def _networks(self) -> dict[str, nn.Module]:
        return {
            "generator": self.generator, "critic": self.critic, "average": self.average, "companion": self.companion
        }  # fmt: skip

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"generator_optimiser": self.generator_optimiser, "critic_optimiser": self.critic_optimiser}

    def _copy(self, network: Network) -> Network:
        """A plain network with these weights, laid out alike, that shares no memory with it."""
        generator, critic = self.recipe.networks()
        plain: Any = critic if network is self.critic else generator
        plain.to_empty(device=self.device).to(memory_format=torch.channels_last).load_state_dict(network.state_dict())
        copied: Network = plain
        return copied

    def _standing_statistics(
        self, generator: nn.Module, critic: nn.Module, average: nn.Module, companion: Companion
    ) -> None:
        """Batch norm buffers as plain means over 32 batches (Brock et al. 2019), real and generated for the critic.

        Generated images come last: minibatch discrimination holds each image against those it saw last.
        """
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
            real = to_unit(self.data.images[rows].to(self.device))
            critic(real, *companion.beside_real(real))
            images = average(z)
            critic(images, *companion.beside_fake(images, z))
            generator(z)

    def _noise(self, count: int = 0) -> Tensor:
        z = torch.randn(count or self.recipe.batch, self.recipe.latent, generator=self.rng)
        return distributed.own(z).to(self.device)

    def _draw(self, count: int) -> Tensor:
        """Standard normal numbers (N, count), a row for each image of a critic's batch."""
        return distributed.own(torch.randn(self.recipe.batch, count, generator=self.rng)).to(self.device)

    def _mix(self) -> Tensor:
        """Where between real and fake a penalty is taken, (N,) in [0, 1)."""
        return distributed.own(torch.rand(self.recipe.batch, generator=self.rng)).to(self.device)

    def _real(self) -> Tensor:
        """The next batch of a shuffled pass over the data; a pass continues into the next without a short batch."""
        while len(self._order) < self.recipe.batch:
            self._order = torch.cat([self._order, torch.randperm(len(self.data.images), generator=self.rng)])
        rows, self._order = self._order[: self.recipe.batch], self._order[self.recipe.batch :]
        images = to_unit(self.data.images[distributed.own(rows)].to(self.device))
        if not self.recipe.dequantise:
            return images
        # Grey level g becomes uniform in [g, g + 1) / 128 − 1.
        noise = distributed.own(torch.rand(self.recipe.batch, *images.shape[1:], generator=self.rng))
        return (images + 1) * (255 / 256) - 1 + noise.to(self.device) / 128

    def _autocast(self, network: nn.Module) -> Any:
        return network if self.dtype is torch.float32 else _Autocast(network, self.device.type, self.dtype)

    def _device_name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"


class _Autocast:
    """A network whose convolutions and matrix products run in a lower precision; outputs are float32."""

    def __init__(self, network: Any, device: str, dtype: torch.dtype):
        self._network, self._device, self._dtype = network, device, dtype

    def __call__(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self._run(self._network, *inputs).float()
        return scores

    def features_and_score(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        features, scores = self._run(self._network.features_and_score, *inputs)
        return features.float(), scores.float()

    def _run(self, function: Callable[..., Any], *inputs: Tensor) -> Any:
        with torch.autocast(self._device, dtype=self._dtype, cache_enabled=False):
            return function(*inputs)


def measured(recipe: Recipe, data: ImageData) -> Recipe:
    """`recipe` with the constants of its Banach norm taken from up to 10,000 images, if it asks for that.

    γ = E‖S₋ₛx‖_q and the penalty's weight λ = E‖Sₛx‖_p (Adler & Lunz 2018, § 4.2; their code takes both from each
    batch, and γ from Sₛ).
    """
    if recipe.critic_scale:
        return recipe
    p, s = recipe.exponent, recipe.smoothness
    norms = [
        torch.stack([banach_norm(x, dual(p), -s), banach_norm(x, p, s)])
        for x in (to_unit(chunk) for chunk in data.some(10_000).split(500))
    ]
    scale, weight = torch.cat(norms, dim=1).double().mean(dim=1).tolist()
    return replace(recipe, critic_scale=scale, gradient_penalty=weight)


def optimiser_of(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser that the recipe names, of these weights."""
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    return torch.optim.Adam(parameters, lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay)


def train(trainer: Trainer, iterations: int, pause: Callable[[], None] = lambda: None) -> Iterator[TrainingStep]:
    """Continue `trainer` until `iterations` in all, yielding after each one. Stop by not asking for the next.

    Args:
        pause: see `Trainer.step`.

    Raises:
        TrainingError: a loss or a weight is no longer finite; it carries the last good weights as a Gan.
    """
    number_between("iterations", iterations, 1, MAX_ITERATIONS, WHY_MAX_ITERATIONS)
    good = copy.deepcopy(_weights(trainer)) if trainer.iteration else None
    while trainer.iteration < iterations:
        metrics = trainer.step(pause)
        at = trainer.iteration
        if at % CHECK_EVERY == 0 or at == iterations or trainer.device.type == "cpu":
            finite = all(math.isfinite(float(value)) for value in metrics.values())
            keep = at % KEEP_EVERY == 0 or at == iterations
            if finite and keep:
                finite = trainer.finite()
            if not finite:
                raise TrainingError(*_diverged(trainer, good))
            if keep:
                good = copy.deepcopy(_weights(trainer))
        progress = TrainingStep(at, iterations, trainer.seconds, metrics)
        trainer.record(progress)
        yield progress


def seconds_per_iteration(trainer: Trainer, patience: float = 3.0) -> float:
    """Time of one iteration of `trainer`, measured: the median of steps made for about `patience` seconds.

    The first step is left out (memory is laid out then) unless it alone takes that long. The trainer moves on by
    these steps: throw it away afterwards.
    """
    taken: list[float] = []
    while len(taken) < 2 or (sum(taken) < patience and len(taken) < 20):
        before = trainer.seconds
        numbers = trainer.step()
        float(numbers["generator"])  # wait for a GPU
        taken.append(trainer.seconds - before)
        if taken[0] > patience:
            return taken[0]
    return statistics.median(taken[1:])


def _weights(trainer: Trainer) -> dict[str, Any]:
    return {
        "iteration": trainer.iteration,
        "generator": trainer.generator.state_dict(),
        "critic": trainer.critic.state_dict(),
        "average": trainer.average.state_dict(),
        "companion": trainer.companion.state_dict(),
    }


def _under(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}


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
    trainer.companion.load_state_dict(good["companion"])
    return f"{message}; the weights of iteration {good['iteration']} are kept. Try to {advice}", trainer.gan()
