"""ALI (Dumoulin et al. 2017): a generator, an encoder beside it, and a critic of pairs of image and noise.

The layers of the authors' `ali_cifar10.py`, 32 → 28 → 13 → 10 → 4 → 1 pixels and back; at 64 px one more stage of
stride 2. First weights are scaled to their layers: the published N(0, 0.01) leaves the scores at 0 for long.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from rgan.networks.companions import Companion, Draw
from rgan.networks.layers import Critic, Dropout, Family, Maxout, around, fan_in, set_weights

# Kernel, stride and features, in units of `width`, of the convolutions from the image to one pixel.
STAGES = {
    32: ((5, 1, 1), (4, 2, 2), (4, 1, 4), (4, 2, 8), (4, 1, 16)),
    64: ((5, 1, 1), (4, 2, 2), (5, 2, 4), (4, 1, 4), (4, 2, 8), (4, 1, 16)),
}
_SLOPE = 0.1


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(view=nn.Unflatten(1, (latent, 1, 1)))
    inputs, stages = latent, STAGES[size]
    for number, (kernel, stride, _) in enumerate(reversed(stages), 1):
        outputs = width * (stages[-1 - number][2] if number < len(stages) else 1)
        layers[f"up{number}"] = nn.ConvTranspose2d(inputs, outputs, kernel, stride, bias=False)
        layers[f"norm{number}"] = nn.BatchNorm2d(outputs)
        layers[f"leaky{number}"] = nn.LeakyReLU(_SLOPE)
        inputs = outputs
    layers["mix"] = nn.Conv2d(inputs, width, 1, bias=False)
    layers["norm"] = nn.BatchNorm2d(width)
    layers["leaky"] = nn.LeakyReLU(_SLOPE)
    layers["to_image"] = nn.Conv2d(width, channels, 1)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def encoder(size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Images → μ and log σ of their noise, (N, 2·latent)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = channels
    for number, (kernel, stride, factor) in enumerate((*STAGES[size], (1, 1, 16)), 1):
        layers[f"down{number}"] = nn.Conv2d(inputs, factor * width, kernel, stride, bias=False)
        layers[f"norm{number}"] = nn.BatchNorm2d(factor * width)
        layers[f"leaky{number}"] = nn.LeakyReLU(_SLOPE)
        inputs = factor * width
    layers["noise"] = nn.Conv2d(inputs, 2 * latent, 1)
    layers["flatten"] = nn.Flatten()
    return nn.Sequential(layers)


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float, latent: int) -> JointCritic:
    """Images (N, channels, size, size) and noise (N, latent) → scores (N,); dropout is less at either input."""
    of_image: list[nn.Module] = [Dropout(0.4 * dropout)] if dropout else []
    inputs = channels
    for kernel, stride, factor in STAGES[size]:
        if len(of_image) > 1 and dropout:
            of_image.append(Dropout(dropout))
        outputs = max(1, factor * width // 2)
        of_image += [around(norm, nn.Conv2d(inputs, 2 * outputs, kernel, stride)), Maxout()]
        inputs = outputs
    of_image.append(nn.Flatten())
    of_noise = _maxouts(norm, latent, 16 * width, dropout, 0.4 * dropout)
    together = _maxouts(norm, inputs + 8 * width, 32 * width, dropout, dropout)
    score = around(norm, nn.Linear(16 * width, 1))
    return JointCritic(
        OrderedDict(
            image=nn.Sequential(*of_image),
            noise=nn.Sequential(*of_noise),
            pair=nn.Sequential(*together),
            score=score,
            squeeze=nn.Flatten(0),
        )
    )


class JointCritic(Critic):
    """Images and the noise that belongs to them → scores (N,)."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:  # type: ignore[override]
        return self.features_and_score(x, z)[1]

    def features_and_score(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Features (N, F) of the pairs and scores (N,)."""
        of_image, of_noise, together, score, squeeze = self.children()
        features = together(torch.cat([of_image(x), of_noise(z)], dim=1))
        return features, squeeze(score(features))


class Inference(Companion):
    """ALI's encoder, which plays beside the generator (Dumoulin et al. 2017).

    The critic judges pairs: a real image with the noise that the encoder draws for it, and noise with its image.
    """

    fields = ("latent", "size", "channels", "width")
    generator_parts = ("encoder",)
    mirrored = True

    def __init__(self, generator: nn.Module, critic: nn.Module, *, latent: int, size: int, channels: int, width: int):
        super().__init__()
        self.latent = latent
        self.encoder = encoder(size, channels, width, latent)
        self._noise: Tensor | None = None

    def begin(self, player: str, draw: Draw) -> None:
        self._noise = draw(self.latent)

    def beside_real(self, images: Tensor) -> tuple[Tensor, ...]:
        """Noise drawn from the encoder's normal distribution; outside of training, its middle."""
        middle, log_deviation = self.wrap(self.encoder)(images).chunk(2, dim=1)
        if not self.training or self._noise is None:
            return (middle,)
        return (middle + log_deviation.exp() * self._noise.to(middle),)

    def beside_fake(self, images: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        return (z,)

    def encode(self, images: Tensor) -> Tensor:
        middle: Tensor = self.encoder(images).chunk(2, dim=1)[0]
        return middle


def _maxouts(norm: str, inputs: int, features: int, dropout: float, first: float) -> list[nn.Module]:
    """Two layers of `features`, of each two of which the larger goes on."""
    layers: list[nn.Module] = []
    for rate in (first, dropout):
        layers += [Dropout(rate)] if rate else []
        layers += [around(norm, nn.Linear(inputs, features)), Maxout()]
        inputs = features // 2
    return layers


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights that keep the variance from layer to layer (He et al. 2015)."""
    set_weights(
        network, generator, lambda _, layer, weight: weight.normal_(std=fan_in(layer) ** -0.5, generator=generator)
    )


FAMILY = Family(
    generator,
    critic,
    initialise,
    sizes=tuple(STAGES),
    norms=("none", "spectral", "weight"),
    companion=Inference,
    critic_fields=("latent",),
)
