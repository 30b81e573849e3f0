"""DFM, denoising feature matching (Warde-Farley & Bengio 2017): the generator of Miyato's CNN, and a denoiser.

The layers of chainer-gan-lib's `dfm`. The critic's features are taken behind the last rectifier, one layer later.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from rgan.networks import cnn
from rgan.networks.companions import Companion, Draw
from rgan.networks.layers import Critic, Dropout, Family, around, between


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float) -> Critic:
    """Images (N, channels, size, size) → scores (N,); half of `width` features in the first layer."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    first = max(1, width // 2)
    inputs = channels
    for number in range(5):
        outputs = 2**number * first
        kernel, stride = (4, 2) if number else (3, 1)
        layers[f"conv{number}"] = around(norm, nn.Conv2d(inputs, outputs, kernel, stride, 1))
        if number:
            layers[f"norm{number}"] = between(norm, outputs)
        layers[f"leaky{number}"] = nn.LeakyReLU(0.2)
        if dropout:
            layers[f"dropout{number}"] = Dropout(dropout)
        inputs = outputs
    layers["flatten"] = nn.Flatten()
    layers["score"] = around(norm, nn.Linear(inputs * (size // 16) ** 2, 1))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


class FeatureDenoiser(Companion):
    """DFM's denoiser of the critic's features of real images (Warde-Farley & Bengio 2017).

    It learns to take noise of deviation 1 from them; the generator moves its own features to where it would.
    """

    fields = ("denoising", "width")
    LAYERS = 10

    def __init__(self, generator: nn.Module, critic: nn.Module, *, denoising: float, width: int):
        super().__init__()
        self.weight = denoising
        score = critic.get_submodule("score")
        assert isinstance(score, nn.Linear)
        self.features, hidden = score.in_features, 32 * width
        layers: list[nn.Module] = []
        inputs = self.features
        for _ in range(self.LAYERS - 1):
            layers += [nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(0.2)]
            inputs = hidden
        self.denoiser = nn.Sequential(*layers, nn.Linear(inputs, self.features))
        self._noise: Tensor | None = None

    def begin(self, player: str, draw: Draw) -> None:
        if player == "critic":
            self._noise = draw(self.features)

    def critic_term(self, features: Tensor) -> Tensor:
        assert self._noise is not None
        noisy = features + self._noise.to(features)
        return mse_loss(self.wrap(self.denoiser)(noisy), features)

    def generator_term(self, critic: Any, images: Tensor, features: Tensor, z: Tensor, real: Tensor) -> Tensor:
        """(f − r(f))² with r(f) held constant, r in evaluation."""
        self.denoiser.eval()
        with torch.no_grad():
            wanted = self.wrap(self.denoiser)(features)
        self.denoiser.train(self.training)
        return self.weight * mse_loss(features, wanted)


FAMILY = Family(
    cnn.generator,
    critic,
    cnn.initialise,
    sizes=range(16, 65, 16),
    companion=FeatureDenoiser,
)
