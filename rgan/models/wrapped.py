"""One's own PyTorch networks as a Gan: any module that makes images of noise, and any that judges them.

Everything that takes a Gan takes a wrapped one. It stands for code, so it is in no file: it can be neither saved nor
trained on, for which its recipe would be needed.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rgan.common.errors import SettingsError, number_between, one_of
from rgan.data.datasets import REFERENCE_IMAGES
from rgan.models.gan import Gan, Origin
from rgan.models.recipes import IMPORTED, Recipe
from rgan.networks.described import Layers, Shape
from rgan.networks.labels import labels_now
from rgan.networks.layers import Critic

PRIORS = ("normal", "uniform", "sphere")
TRIED = 3  # images drawn to see whether the networks are what they are said to be


@dataclass(frozen=True)
class Wrapped(Layers):
    """What is known of networks that are code: their name and their classes."""

    generator: tuple[Any, ...] = ()
    kinds: int = 0

    @property
    def classes(self) -> int:
        return self.kinds

    def check(self, latent: int, image: Shape) -> None:
        """Nothing: `wrap` has looked at what the networks make."""

    def to_dict(self) -> dict[str, Any]:
        """Raises SettingsError: code is in no file."""
        raise SettingsError(
            f"expected a model that a file can hold, got {self.title}, which is code of your own; name it again by "
            "rgan.wrap or RGAN_MODELS instead of saving it"
        )

    def build_generator(self, latent: int) -> nn.Sequential:
        """Raises SettingsError: nobody knows how to build it anew."""
        raise SettingsError(
            f"expected a recipe to train by, got {self.title}, which was wrapped; train it by its own code"
        )


def wrap(
    generator: nn.Module,
    critic: nn.Module | None = None,
    *,
    latent: int | tuple[int, ...] = 128,
    prior: str = "normal",
    value_range: tuple[float, float] = (-1.0, 1.0),
    classes: int = 0,
    mapping: nn.Module | None = None,
    loss: str = "non-saturating",
    data: str = "",
    real: Tensor | None = None,
    name: str = "",
) -> Gan:
    """A Gan of two PyTorch modules; they are copied, frozen and put into evaluation mode.

    Args:
        generator: noise (n, *latent) → images (n, C, H, W), squares of at most 1024 pixels, within `value_range`; with
            classes: noise and labels (n,) int64 → images. Of several results the first is taken.
        critic: images in the same range → a score for each, larger for more real ones, before any sigmoid; with classes
            it is given the labels too.
        latent: numbers of noise, or their shape, such as (100, 1, 1).
        prior: what the generator was trained on: "normal", "uniform" in (−1, 1), or "sphere", of radius √latent. An
            attack moves standard normal noise, of which this is made.
        mapping: for a style-based generator: standard normal z (n, z) → w (n, latent), what `generator` takes. Then w
            is the noise that is attacked, and `gan.noise` draws z and maps it.
        loss: by which the critic was trained: "non-saturating", "wasserstein" or "hinge".
        data: name of the data set it was trained on, by whose judge screens and commands then judge its images.
        real: some of its images, uint8 (n, C, H, W), which Embeddings shows beside those of the generator.

    Raises:
        SettingsError: an argument is out of its range, or the modules do not do what they are said to do: no square
            images, no score for each, or other results when asked again.
    """
    one_of("prior", prior, PRIORS)
    number_between("classes", classes, 0, 100_000)
    if not value_range[0] < value_range[1]:
        raise SettingsError(f"expected a value range of black below white, got {value_range}")
    shape = (latent,) if isinstance(latent, int) else tuple(latent)
    size = math.prod(shape)
    if mapping is not None and (prior != "normal" or len(shape) != 1):
        raise SettingsError("expected the normal prior and a vector as noise beside a mapping, which makes w of them")
    title = name or type(generator).__name__
    drawing = _Drawing(copy.deepcopy(generator), shape, prior, value_range, bool(classes))
    judging = _judge(copy.deepcopy(critic), value_range, bool(classes))
    start = None if mapping is None else copy.deepcopy(mapping).eval().requires_grad_(False)
    drawing.eval()
    judging.eval()
    width = size if start is None else _width(start)
    z = torch.randn((TRIED, width), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        z = z if start is None else start(z)
        try:
            images, again = drawing(z), drawing(z)
        except (RuntimeError, TypeError, ValueError) as error:
            raise SettingsError(
                f"expected a generator of noise (n, {', '.join(map(str, shape))}), got: {error}"
            ) from error
        if images.dim() != 4 or len(images) != TRIED or images.shape[2] != images.shape[3]:
            raise SettingsError(f"expected square images ({TRIED}, C, H, H) of {title}, got {tuple(images.shape)}")
        if not torch.equal(images, again):
            raise SettingsError(
                f"expected {title} to draw the same images of the same noise, got others the second time; fix the "
                "random numbers that it draws itself, such as StyleGAN's noise of each layer"
            )
        scores = judging(images) if critic is not None else torch.zeros(TRIED)
    if scores.shape != (TRIED,):
        raise SettingsError(f"expected a score for each of {TRIED} images, got {tuple(scores.shape)}")
    layers = Wrapped(title=title, kinds=classes)
    recipe = Recipe(
        IMPORTED, size=images.shape[2], channels=images.shape[1], latent=size, loss=loss, layers=layers,
    )  # fmt: skip
    origin = Origin((), {}, data) if data else None
    digest = _digest(title, drawing, judging)
    return Gan(
        recipe, drawing, judging, origin=origin, reference=_reference(real, images), digest=digest, mapping=start
    )


def _reference(real: Tensor | None, made: Tensor) -> Tensor | None:
    """Real images as a Gan keeps them.

    Raises:
        SettingsError: they are no uint8, or of another shape than those that are made.
    """
    if real is None:
        return None
    if real.dtype != torch.uint8 or real.shape[1:] != made.shape[1:] or not len(real):
        raise SettingsError(
            f"expected real images, uint8 (n, {', '.join(map(str, made.shape[1:]))}), as the generator draws, got "
            f"{str(real.dtype).removeprefix('torch.')} {tuple(real.shape)}"
        )
    return real[:REFERENCE_IMAGES].contiguous()


class _Drawing(nn.Module):
    """Standard normal noise (N, latent) → images (N, C, H, W) in [−1, 1], by somebody's module."""

    def __init__(
        self, module: nn.Module, shape: tuple[int, ...], prior: str, span: tuple[float, float], labelled: bool
    ):
        super().__init__()
        self.module, self.shape, self.prior, self.span, self.labelled = module, shape, prior, span, labelled
        self.register_buffer("where", torch.empty(0))
        if not any(True for _ in module.parameters()):
            self.anchor = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor) -> Tensor:
        if self.prior == "uniform":
            z = torch.erf(z / math.sqrt(2))
        elif self.prior == "sphere":
            z = z * math.sqrt(z.shape[1]) / z.norm(dim=1, keepdim=True).clamp_min(1e-12)
        z = z.reshape(len(z), *self.shape)
        made = self.module(z, labels_now(len(z)).to(z.device)) if self.labelled else self.module(z)
        images: Tensor = made[0] if isinstance(made, (tuple, list)) else made
        low, high = self.span
        return (images - low) * (2 / (high - low)) - 1


class _Judging(nn.Module):
    """Images in [−1, 1] → scores (N,), by somebody's module."""

    def __init__(self, module: nn.Module, span: tuple[float, float], labelled: bool):
        super().__init__()
        self.module, self.span, self.labelled = module, span, labelled

    def forward(self, images: Tensor) -> Tensor:
        low, high = self.span
        images = (images + 1) * ((high - low) / 2) + low
        made = self.module(images, labels_now(len(images)).to(images.device)) if self.labelled else self.module(images)
        scores: Tensor = made[0] if isinstance(made, (tuple, list)) else made
        return scores.flatten(1).mean(dim=1) if scores.dim() > 1 else scores


class _WrappedCritic(Critic):
    """Its features are what enters the module's last layer with weights."""

    def features_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        layers = [m for m in self.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
        seen: list[Tensor] = []
        hook = layers[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0])) if layers else None
        try:
            score = self(x)
        finally:
            if hook is not None:
                hook.remove()
        return (seen[-1].flatten(1) if seen else x.flatten(1)), score


def _judge(module: nn.Module | None, span: tuple[float, float], labelled: bool) -> Critic:
    if module is None:
        return Critic()
    return _WrappedCritic(OrderedDict(score=_Judging(module, span, labelled)))


def _width(mapping: nn.Module) -> int:
    """How many numbers of z a mapping takes, by its first layer."""
    for module in mapping.modules():
        if isinstance(module, nn.Linear):
            return module.in_features
    first = next((p for p in mapping.parameters() if p.dim() == 2), None)
    if first is None:
        raise SettingsError("expected a mapping with a linear layer first, whose inputs are z; got none")
    return int(first.shape[1])


def _digest(title: str, *networks: nn.Module) -> str:
    """SHA-256 of the name and all numbers."""
    made = hashlib.sha256(title.encode())
    for network in networks:
        for name, value in network.state_dict().items():
            made.update(name.encode() + value.cpu().contiguous().view(-1).numpy().tobytes())
    return made.hexdigest()
