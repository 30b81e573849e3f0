"""The standard CNN of Miyato et al. 2018: the paper's spectral, layer norm, weight norm and orthonormal rows.

A base of size/8 pixels is doubled three times; the critic alternates 3×3 convolutions with 4×4 ones of stride 2.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from rgan.networks.layers import Critic, Dropout, Family, around, between, set_weights


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1); `width` features before the last layer."""
    base = size // 8
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, 8 * width * base * base)
    layers["view"] = nn.Unflatten(1, (8 * width, base, base))
    inputs = 8 * width
    for stage, outputs in enumerate((4 * width, 2 * width, width), 1):
        layers[f"norm{stage}"] = nn.BatchNorm2d(inputs)
        layers[f"relu{stage}"] = nn.ReLU()
        layers[f"up{stage}"] = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
        inputs = outputs
    layers["norm4"] = nn.BatchNorm2d(width)
    layers["relu4"] = nn.ReLU()
    layers["to_image"] = nn.Conv2d(width, channels, 3, 1, 1)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float) -> Critic:
    """Images (N, channels, size, size) → scores (N,); `width` features in the first layer."""
    base = size // 8
    layers: OrderedDict[str, nn.Module] = OrderedDict()

    def add(number: int, layer: nn.Conv2d) -> None:
        layers[f"conv{number}"] = around(norm, layer)
        if number > 1:
            layers[f"norm{number}"] = between(norm, layer.out_channels)
        layers[f"leaky{number}"] = nn.LeakyReLU(0.1)
        if dropout:
            layers[f"dropout{number}"] = Dropout(dropout)

    add(1, nn.Conv2d(channels, width, 3, 1, 1))
    for stage in (1, 2, 3):
        outputs = 2**stage * width
        add(2 * stage, nn.Conv2d(outputs // 2, outputs, 4, 2, 1))
        add(2 * stage + 1, nn.Conv2d(outputs, outputs, 3, 1, 1))
    layers["flatten"] = nn.Flatten()
    layers["score"] = around(norm, nn.Linear(8 * width * base * base, 1))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights of deviation 0.02, as in google/compare_gan's network of this name."""

    def draw(_: str, layer: nn.Module, weight: Tensor) -> None:
        weight.normal_(std=0.02, generator=generator)

    set_weights(network, generator, draw)


FAMILY = Family(
    generator,
    critic,
    initialise,
    sizes=range(16, 65, 8),
)
