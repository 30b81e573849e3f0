"""Improved GAN (Salimans et al. 2016) without labels: the networks of `train_cifar_minibatch_discrimination.py`.

4 → 8 → 16 → 32 by transposed 5×5 convolutions; a critic under weight norm with noise at its input, dropout, and
minibatch discrimination. First weights are scaled to their layers, for which the authors look at a batch of data.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from rgan.networks.companions import Companion
from rgan.networks.layers import (
    Critic,
    Dropout,
    Family,
    GaussianNoise,
    MinibatchDiscrimination,
    around,
    between,
    fan_in,
    set_weights,
)


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1); 16/3 of `width` features at first."""
    base, features = size // 8, 16 * width // 3
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, features * base * base)
    layers["norm1"] = nn.BatchNorm1d(features * base * base)
    layers["relu1"] = nn.ReLU()
    layers["view"] = nn.Unflatten(1, (features, base, base))
    inputs = features
    for stage in (2, 3):
        outputs = max(1, inputs // 2)
        layers[f"up{stage}"] = nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=1)
        layers[f"norm{stage}"] = nn.BatchNorm2d(outputs)
        layers[f"relu{stage}"] = nn.ReLU()
        inputs = outputs
    layers["up4"] = nn.ConvTranspose2d(inputs, channels, 5, 2, 2, output_padding=1)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float, minibatch: int) -> Critic:
    """Images (N, channels, size, size) → scores (N,); minibatch: kernels of minibatch discrimination, 0 for none.

    The noise at its input, in training, has 0.4 times the deviation of the dropout rate: 0.2 with 0.5.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if dropout:
        layers["noise"] = GaussianNoise(0.4 * dropout)
    inputs = channels
    shapes = [(width, 3, 1, 1), (width, 3, 1, 1), (width, 3, 2, 1)] + [(2 * width, 3, s, 1) for s in (1, 1, 2)]
    shapes += [(2 * width, 3, 1, 0), (2 * width, 1, 1, 0), (2 * width, 1, 1, 0)]
    for number, (outputs, kernel, stride, padding) in enumerate(shapes, 1):
        layers[f"conv{number}"] = around(norm, nn.Conv2d(inputs, outputs, kernel, stride, padding))
        if number > 1:
            layers[f"norm{number}"] = between(norm, outputs)
        layers[f"leaky{number}"] = nn.LeakyReLU(0.2)
        if dropout and number in (3, 6):
            layers[f"dropout{number}"] = Dropout(dropout)
        inputs = outputs
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    if minibatch:
        layers["minibatch"] = MinibatchDiscrimination(inputs, minibatch)
    layers["score"] = around(norm, nn.Linear(inputs + minibatch, 1))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


class ImprovedTechniques(Companion):
    """Historical averaging of both players' weights, and feature matching (Salimans et al. 2016)."""

    fields = ("historical_averaging", "feature_matching")
    generator_mean: Tensor
    critic_mean: Tensor
    steps: Tensor

    def __init__(
        self, generator: nn.Module, critic: nn.Module, *, historical_averaging: float, feature_matching: float
    ):
        super().__init__()
        self.averaging, self.matching = historical_averaging, feature_matching
        for player, network in (("generator", generator), ("critic", critic)):
            count = sum(p.numel() for p in network.parameters())
            self.register_buffer(f"{player}_mean", torch.zeros(count if historical_averaging else 0))
        self.register_buffer("steps", torch.zeros(2, dtype=torch.int64))

    def reset(self) -> None:
        for buffer in self.buffers():
            buffer.zero_()

    def needs_real(self) -> bool:
        return bool(self.matching)

    def generator_term(self, critic: Any, images: Tensor, features: Tensor, z: Tensor, real: Tensor) -> Tensor | None:
        """‖E f(x) − E f(G(z))‖²."""
        if not self.matching:
            return None
        with torch.no_grad():
            wanted = self.mean(critic.features_and_score(real)[0].flatten(1).mean(dim=0))
        return self.matching * (self.mean(features.flatten(1).mean(dim=0)) - wanted).square().sum()

    def weight_term(self, player: str, network: nn.Module) -> Tensor | None:
        """‖θ − mean of all θ so far‖²."""
        if not self.averaging or not self._counted(player):
            return None
        return self.averaging * (_flat(network) - self._mean(player)).square().sum()

    def after_update(self, player: str, network: nn.Module) -> None:
        if self.averaging:
            count = self._counted(player)
            count += 1
            with torch.no_grad():
                self._mean(player).lerp_(_flat(network), 1 / float(count))

    def _mean(self, player: str) -> Tensor:
        return self.generator_mean if player == "generator" else self.critic_mean

    def _counted(self, player: str) -> Tensor:
        return self.steps[:1] if player == "generator" else self.steps[1:]


def _flat(network: nn.Module) -> Tensor:
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights that keep the variance behind a rectifier (He et al. 2015)."""
    set_weights(
        network, generator, lambda _, layer, weight: weight.normal_(std=(2 / fan_in(layer)) ** 0.5, generator=generator)
    )


FAMILY = Family(
    generator,
    critic,
    initialise,
    sizes=range(16, 65, 8),
    companion=ImprovedTechniques,
    critic_fields=("minibatch",),
)
