"""A critic for a Gan that was imported without one, so that its worst noise can be searched.

The generator is frozen; the critic learns to tell its images from real ones, by cross-entropy under spectral norm
(Miyato et al. 2018). It is a discriminator after the fact: it never trained the generator, whose own critic would score
otherwise, and `Origin.critic` says so wherever the Gan goes. What it learns is how much likelier an image is among the
generated ones than among the real ones. So it may call an image fake that is good but drawn too often, and worst noise
by it need not make images worse: the judge says whether it does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from rgan.common.devices import choose_device
from rgan.common.errors import CheckpointError, DataError, SettingsError, number_between
from rgan.common.formatting import per_cent, per_cent_range
from rgan.common.images import to_unit
from rgan.data.datasets import ImageData
from rgan.models.gan import BATCH, MAX_SEED, Gan
from rgan.models.losses import Loss
from rgan.models.recipes import IMPORTED, Recipe
from rgan.networks.dcgan import initialise
from rgan.networks.described import Activation, Conv, Flat, Layer, Layers, Linear
from rgan.networks.layers import Critic, around
from rgan.stats.intervals import Share, share
from rgan.stats.two_sample import LEVEL

ITERATIONS = 3000
MAX_ITERATIONS = 100_000
LEAST = 20  # real images: with fewer nothing is left to measure by
HELD_OUT = 0.2  # of the real images, and no more than MOST; as many generated ones
MOST = 1000
CHECK_EVERY = 100  # iterations between measurements on them
WORDS = "critic trained here"


@dataclass(frozen=True)
class CriticStep:
    """`step` of `steps`; the critic's `loss` there; how many held-out images it told rightly when last measured.

    right, asked: of as many real as generated images, none of which it learns from. gan: at the end, with the critic.
    """

    step: int
    steps: int
    loss: float
    right: int
    asked: int
    gan: Gan | None = None

    @property
    def accuracy(self) -> Share:
        """Share of held-out images told rightly, with its 99 % interval; 0.5 is chance."""
        return share(self.right, self.asked, level=LEVEL)

    def words(self) -> str:
        """The accuracy with its interval, and what it means where it is no better than chance."""
        found = self.accuracy
        said = (
            f"right for {per_cent(found.mean)} ({per_cent_range(found.low, found.high)}) of {self.asked:,} held-out "
            "images, half of them real"
        )
        return said if found.low > 0.5 else f"{said}: no better than chance, so worst noise by it means nothing"


def check(gan: Gan) -> None:
    """Raise SettingsError unless a critic can be trained for it: it was imported, and has none."""
    if gan.origin is None or gan.recipe.layers is None or gan.has_critic:
        raise SettingsError("expected an imported model without critic, got one that has its own; search it as it is")


def comparable(gan: Gan, data: ImageData) -> tuple[ImageData, str]:
    """The real images to hold the generator against, and words for them.

    A generator with classes was imported to draw one of them. A critic that sees all would tell its images by their
    class alone, however good they are; so it sees that class, where the data have labels.

    Raises:
        DataError: there is no image of that class.
    """
    chosen = str(gan.label) if gan.classes else gan.origin.answers.get("class") if gan.origin else None
    if chosen is None:
        return data, data.name
    if data.labels is None:
        return data, f"{data.name} (all of it: no labels, so class {chosen}, which it draws, cannot be singled out)"
    own = data.labels == int(chosen) if chosen.isdecimal() else torch.zeros_like(data.labels, dtype=torch.bool)
    if not bool(own.any()):
        raise DataError(
            f"expected images of class {chosen} in {data.name}, which the model draws, got none; "
            "choose the data set it was trained on"
        )
    return ImageData(data.name, data.images[own], data.labels[own]), f"{data.name}, class {chosen}"


def described(size: int) -> tuple[Layer, ...]:
    """A critic of images of `size` pixels: 5×5 convolutions of stride 2, as DCGAN's, until at most 4×4 pixels are left.

    32 features at first, twice as many each time, 256 at most; fewer at first for images above 128 pixels, where the
    largest maps would cost most.
    """
    width, side = max(4, min(32, 4096 // size)), size
    layers: list[Layer] = []
    while side > 4 or not layers:
        layers += [Conv(width, 5, stride=2, padding=2), Activation("leaky")]
        width, side = min(2 * width, 256), (side + 1) // 2
    return (*layers, Flat(), Linear(1))


def train(
    gan: Gan, data: ImageData, *, iterations: int = ITERATIONS, seed: int = 0, device: str = "auto"
) -> Iterator[CriticStep]:
    """Train a critic for `gan` on `data`, yielding after every iteration; the last progress carries the new Gan.

    A fifth of the real images and fresh noise are held out to measure it. Nothing is chosen by that: it trains for
    `iterations`, 32 real and 32 generated images each. One seed gives one result on one thread of one machine.

    Raises:
        SettingsError: the Gan was not imported, or has a critic; impossible numbers.
        DataError: the images have another shape than the Gan's, or are too few.
        CheckpointError: the loss is no longer finite.
    """
    check(gan)
    number_between("iterations", iterations, 1, MAX_ITERATIONS)
    number_between("seed", seed, 0, MAX_SEED)
    real, words = comparable(gan, data)
    _check_images(gan.recipe, real)
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(real.images), generator=rng)
    kept = min(MOST, int(HELD_OUT * len(order)))
    learn = order[kept:]

    place = choose_device(device)
    generator = gan.probe(device=place).generator
    recipe = _recipe(gan.recipe)
    critic = _first(recipe, rng).to(memory_format=torch.channels_last).to(place)
    optimiser = torch.optim.Adam(critic.parameters(), lr=recipe.learning_rate, betas=recipe.betas)

    apart = real.images[order[:kept]], torch.randn(kept, recipe.latent, generator=rng)
    right = _right(critic, generator, *apart, place)
    for step in range(1, iterations + 1):
        x = to_unit(real.images[learn[torch.randint(len(learn), (recipe.batch,), generator=rng)]].to(place))
        z = torch.randn(recipe.batch, recipe.latent, generator=rng).to(place)
        loss = _learn(critic, optimiser, recipe.criterion, x, generator(z))
        if not math.isfinite(loss):
            raise CheckpointError(
                f"expected finite losses, got NaN or infinity at iteration {step}; look at the model's images, and "
                "import it again with other answers"
            )
        if step % CHECK_EVERY == 0 or step == iterations:
            right = _right(critic, generator, *apart, place)
        if step < iterations:
            yield CriticStep(step, iterations, loss, right, 2 * kept)
    last = CriticStep(iterations, iterations, loss, right, 2 * kept)
    about = f"trained here: {iterations:,} iterations on {words}, seed {seed}; {last.words()}"
    yield dataclasses.replace(last, gan=_with_critic(gan, recipe, critic.cpu(), about))


def _recipe(own: Recipe) -> Recipe:
    """The imported recipe with a critic, and with what the critic is trained by."""
    assert own.layers is not None
    critic = described(own.size)
    title = f"{own.layers.title[:150]}, {WORDS}"
    layers = Layers(title, own.layers.generator, critic, score=len(critic) - 1)
    return Recipe(
        IMPORTED,
        size=own.size,
        channels=own.channels,
        latent=own.latent,
        loss="non-saturating",
        learning_rate=1e-3,
        batch=32,
        layers=layers,
    )


def _first(recipe: Recipe, rng: torch.Generator) -> Critic:
    """A critic under spectral norm with its first weights, on the CPU."""
    critic = recipe.networks()[1]
    for layer in critic:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            around("spectral", layer)
    critic.to_empty(device="cpu")
    initialise(critic, rng)
    return critic


def _learn(critic: Critic, optimiser: torch.optim.Optimizer, cost: Loss, real: Tensor, fake: Tensor) -> float:
    """One step on as many real as generated images; the loss before it."""
    optimiser.zero_grad()
    of_real, of_fake = critic(torch.cat([real, fake])).chunk(2)
    loss: Tensor = (cost.real(of_real) + cost.fake(of_fake)).mean()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _with_critic(gan: Gan, recipe: Recipe, critic: Critic, about: str) -> Gan:
    """`gan` with this critic, whose spectral norms become the weights they make: files know plain layers alone."""
    assert gan.origin is not None
    for layer in critic.eval():
        if is_parametrized(layer):
            remove_parametrizations(layer, "weight")
    origin = dataclasses.replace(gan.origin, critic=about)
    return dataclasses.replace(gan, recipe=recipe, critic=critic, origin=origin, digest="", _probes={})


def _check_images(recipe: Recipe, real: ImageData) -> None:
    expected, found = (recipe.channels, recipe.size, recipe.size), tuple(real.images.shape[1:])
    if found != expected:
        raise DataError(
            f"expected real images of {'×'.join(map(str, expected))}, as the model draws, got {real.name} with "
            f"{'×'.join(map(str, found))}; choose the data set it was trained on"
        )
    if len(real.images) < LEAST:
        raise DataError(f"expected at least {LEAST} real images, got {len(real.images)}; choose a larger set")


def _right(critic: Critic, generator: nn.Module, real: Tensor, z: Tensor, place: torch.device) -> int:
    """How many of these real images, uint8, score above 0, and of the generated ones not."""
    critic.eval()
    with torch.no_grad():
        found = [(critic(to_unit(chunk.to(place))) > 0).sum() for chunk in real.split(BATCH)]
        found += [(critic(generator(chunk.to(place))) <= 0).sum() for chunk in z.split(BATCH)]
    critic.train()
    return int(sum(found))
