"""EGAN-Ent-VI (Dai et al. 2017): a critic that is an energy, and a net that reads the noise from its image.

The layers of the authors' `conv_cifar10_energy_gan.py`: 4×4 convolutions of stride 2, without biases under batch norm.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from rgan.networks.companions import Companion
from rgan.networks.layers import Critic, Dropout, Family, around, between, set_weights


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1); twice `width` features before the last layer."""
    base = size // 8
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, 8 * width * base * base, bias=False)
    layers["norm1"] = nn.BatchNorm1d(8 * width * base * base)
    layers["relu1"] = nn.ReLU()
    layers["view"] = nn.Unflatten(1, (8 * width, base, base))
    inputs = 8 * width
    for stage, outputs in enumerate((8 * width, 4 * width, 2 * width), 2):
        layers[f"up{stage}"] = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        layers[f"norm{stage}"] = nn.BatchNorm2d(outputs)
        layers[f"relu{stage}"] = nn.ReLU()
        inputs = outputs
    layers["to_image"] = nn.Conv2d(inputs, channels, 3, 1, 1)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def _convolutions(size: int, channels: int, width: int, norm: str, dropout: float) -> OrderedDict[str, nn.Module]:
    """Images → features (N, 4·width·(size/8)²)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = channels
    for number, (factor, kernel, stride) in enumerate(((1, 3, 1), (2, 4, 2), (4, 4, 2), (4, 4, 2)), 1):
        outputs = factor * width
        layers[f"conv{number}"] = around(norm, nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=norm != "batch"))
        layers[f"norm{number}"] = between(norm, outputs)
        layers[f"relu{number}"] = nn.ReLU()
        if dropout:
            layers[f"dropout{number}"] = Dropout(dropout)
        inputs = outputs
    layers["flatten"] = nn.Flatten()
    return layers


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float) -> Critic:
    """Images (N, channels, size, size) → scores y (N,); the energy is softplus(−y)."""
    layers = _convolutions(size, channels, width, norm, dropout)
    layers["score"] = around(norm, nn.Linear(4 * width * (size // 8) ** 2, 1))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


class EntropyBound(Companion):
    """EGAN-Ent-VI's inference net: how well noise can be read from its image bounds the images' entropy from below.

    Dai et al. 2017: H(G(z)) ≥ H(z) − E[−log q(z | G(z))]; their code halves log σ in the last term, which would bound
    nothing.
    """

    fields = ("latent", "size", "channels", "width", "entropy")
    generator_parts = ("inference",)

    def __init__(
        self, generator: nn.Module, critic: nn.Module, *,
        latent: int, size: int, channels: int, width: int, entropy: float,
    ):  # fmt: skip
        super().__init__()
        self.entropy = entropy
        self.inference = nn.Sequential(
            *_convolutions(size, channels, width, "batch", 0).values(),
            nn.Linear(4 * width * (size // 8) ** 2, 2 * latent),
        )

    def generator_term(self, critic: Any, images: Tensor, features: Tensor, z: Tensor, real: Tensor) -> Tensor:
        """−log q(z | G(z)) but for a constant, a sum over the noise's dimensions."""
        middle, log_deviation = self.wrap(self.inference)(images).chunk(2, dim=1)
        unlikely = log_deviation + ((z.detach() - middle) * (-log_deviation).exp()).square() / 2
        return self.entropy * unlikely.sum(dim=1).mean()

    def encode(self, images: Tensor) -> Tensor:
        middle: Tensor = self.inference(images).chunk(2, dim=1)[0]
        return middle


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights of deviation 0.02."""
    set_weights(network, generator, lambda _, layer, weight: weight.normal_(std=0.02, generator=generator))


FAMILY = Family(
    generator,
    critic,
    initialise,
    sizes=range(16, 65, 8),
    companion=EntropyBound,
)
