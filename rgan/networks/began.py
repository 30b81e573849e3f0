"""BEGAN (Berthelot et al. 2017): a critic that is an auto-encoder, and the balance that k keeps.

Stages of two 3×3 convolutions, from 8×8 pixels doubled (generator, decoder) or halved (encoder) to the image. As in
carpedm20's code, but images end in tanh as all here do.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from rgan.networks.companions import Companion
from rgan.networks.layers import Critic, Family, UpConv, glorot, set_weights


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1)."""
    layers = _decoder(size, channels, width, latent)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float, latent: int) -> AutoEncodingCritic:
    """Images (N, channels, size, size) → minus their reconstruction losses (N,); the code has `latent` numbers."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["from_image"] = nn.Conv2d(channels, width, 3, 1, 1)
    layers["elu0"] = nn.ELU()
    inputs, stages = width, _stages(size)
    for stage in range(1, stages + 1):
        outputs = stage * width
        layers[f"conv{stage}a"] = nn.Conv2d(inputs, outputs, 3, 1, 1)
        layers[f"elu{stage}a"] = nn.ELU()
        layers[f"conv{stage}b"] = nn.Conv2d(outputs, outputs, 3, 1, 1)
        layers[f"elu{stage}b"] = nn.ELU()
        if stage < stages:
            layers[f"down{stage}"] = nn.Conv2d(outputs, outputs, 3, 2, 1)
        inputs = outputs
    layers["flatten"] = nn.Flatten()
    layers["code"] = nn.Linear(inputs * 64, latent)
    return AutoEncodingCritic(nn.Sequential(layers), nn.Sequential(_decoder(size, channels, width, latent)))


class Reconstruction(nn.Module):
    """Images → minus mean|x − AE(x)| of each."""

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        losses: Tensor = (x - self.decoder(self.encoder(x) if code is None else code)).abs().flatten(1).mean(dim=1)
        return -losses


class AutoEncodingCritic(Critic):
    """Its features are the code; `reconstruct` shows what it keeps of an image."""

    score: Reconstruction

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential):
        super().__init__(OrderedDict(score=Reconstruction(encoder, decoder)))

    def features_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (N, latent) and scores (N,)."""
        code = self.score.encoder(x)
        return code, self.score(x, code)

    def reconstruct(self, x: Tensor) -> Tensor:
        """What the critic makes of images (N, C, H, W), of the same shape."""
        made: Tensor = self.score.decoder(self.score.encoder(x))
        return made


class Balance(Companion):
    """BEGAN's k: proportional control keeps L(G(z)) at γ·L(x) (Berthelot et al. 2017)."""

    fields = ("diversity", "balance_rate")
    k: Tensor

    def __init__(self, generator: nn.Module, critic: nn.Module, *, diversity: float, balance_rate: float):
        super().__init__()
        self.diversity, self.rate = diversity, balance_rate
        self.register_buffer("k", torch.zeros(()))

    def reset(self) -> None:
        self.k.zero_()

    def fake_share(self) -> Tensor:
        return self.k.clone()  # that of this step: the next value is written in place

    def after_critic(self, real_score: Tensor, fake_score: Tensor) -> dict[str, Tensor]:
        error = fake_score - self.diversity * real_score  # scores are minus the reconstruction losses
        self.k.add_(self.rate * error).clamp_(0, 1)
        return {"k": self.k.clone(), "convergence": error.abs() - real_score}


def _stages(size: int) -> int:
    return (size // 8).bit_length()


def _decoder(size: int, channels: int, width: int, latent: int) -> OrderedDict[str, nn.Module]:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, 64 * width)
    layers["view"] = nn.Unflatten(1, (width, 8, 8))
    for stage in range(1, _stages(size) + 1):
        # The published layers double the picture before the convolution; UpConv does both at once.
        layers[f"conv{stage}a"] = UpConv(width, width) if stage > 1 else nn.Conv2d(width, width, 3, 1, 1)
        layers[f"elu{stage}a"] = nn.ELU()
        layers[f"conv{stage}b"] = nn.Conv2d(width, width, 3, 1, 1)
        layers[f"elu{stage}b"] = nn.ELU()
    layers["to_image"] = nn.Conv2d(width, channels, 3, 1, 1)
    return layers


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Glorot uniform weights."""
    set_weights(network, generator, lambda _, layer, weight: glorot(layer, weight, generator))


FAMILY = Family(
    generator,
    critic,
    initialise,
    sizes=(16, 32, 64),
    norms=("none",),
    companion=Balance,
    critic_fields=("latent",),
)
