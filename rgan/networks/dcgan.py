"""The DCGAN family behind the paper's DCGAN and WGAN-GP rows, at 25 to 32 pixels.

The layers are those of igul222's `gan_cifar.py`, which the paper's official code uses unchanged (Radford et al. 2015
is the ancestor). 32 px runs 4 → 8 → 16 → 32; 28 px runs 4 → 7 → 14 → 28 with the same kernels and parameters:
only the transposed convolutions' output padding differs.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn


def _sizes(size: int) -> tuple[int, int, int, int]:
    """Side of the image at each stage, smallest first: (4, 8, 16, 32) for 32."""
    sides = [size]
    for _ in range(3):
        sides.append((sides[-1] + 1) // 2)
    return sides[3], sides[2], sides[1], sides[0]


class Generator(nn.Sequential):
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1)."""

    def __init__(self, *, size: int, channels: int, width: int, latent: int):
        base, *sides = _sizes(size)
        features = 4 * width * base * base

        def up(inputs: int, outputs: int, side: int, before: int) -> nn.ConvTranspose2d:
            # (before − 1)·2 − 4 + 5 = 2·before − 1 pixels, plus the padding that reaches an even side.
            return nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=side - (2 * before - 1))

        super().__init__(
            OrderedDict(
                project=nn.Linear(latent, features),
                norm1=nn.BatchNorm1d(features),
                relu1=nn.ReLU(),
                view=nn.Unflatten(1, (4 * width, base, base)),
                up1=up(4 * width, 2 * width, sides[0], base),
                norm2=nn.BatchNorm2d(2 * width),
                relu2=nn.ReLU(),
                up2=up(2 * width, width, sides[1], sides[0]),
                norm3=nn.BatchNorm2d(width),
                relu3=nn.ReLU(),
                up3=up(width, channels, sides[2], sides[1]),
                tanh=nn.Tanh(),
            )
        )


class Critic(nn.Sequential):
    """Images (N, channels, size, size) → scores (N,)."""

    def __init__(self, *, size: int, channels: int, width: int, norm: str):
        base = _sizes(size)[0]

        def normalise(features: int) -> nn.Module:
            return nn.BatchNorm2d(features) if norm == "batch" else nn.Identity()

        super().__init__(
            OrderedDict(
                down1=nn.Conv2d(channels, width, 5, 2, 2),
                leaky1=nn.LeakyReLU(0.2),
                down2=nn.Conv2d(width, 2 * width, 5, 2, 2),
                norm2=normalise(2 * width),
                leaky2=nn.LeakyReLU(0.2),
                down3=nn.Conv2d(2 * width, 4 * width, 5, 2, 2),
                norm3=normalise(4 * width),
                leaky3=nn.LeakyReLU(0.2),
                flatten=nn.Flatten(),
                score=nn.Linear(4 * width * base * base, 1),
                squeeze=nn.Flatten(0),
            )
        )


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw weights as the official code does, on the CPU, from `generator` alone.

    (Transposed) convolutions: uniform with variance 4/(fan-in + fan-out), strides counted; linear layers: Glorot
    uniform; biases 0; batch norm at the identity.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                kernel = math.prod(module.kernel_size)
                fan_in, fan_out = float(module.in_channels * kernel), float(module.out_channels * kernel)
                stride = math.prod(module.stride)
                if isinstance(module, nn.ConvTranspose2d):
                    fan_in /= stride
                else:
                    fan_out /= stride
                _uniform(module.weight, 4 / (fan_in + fan_out), generator)
            elif isinstance(module, nn.Linear):
                _uniform(module.weight, 2 / (module.in_features + module.out_features), generator)
            elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.reset_parameters()
                continue
            else:
                continue
            if module.bias is not None:
                module.bias.zero_()


def _uniform(weight: Tensor, variance: float, generator: torch.Generator) -> None:
    bound = math.sqrt(3 * variance)
    weight.uniform_(-bound, bound, generator=generator)
