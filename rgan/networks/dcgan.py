"""The DCGAN family behind the paper's DCGAN and WGAN-GP rows (Radford et al. 2015), at 25 to 32 and at 64 pixels.

At 25 to 32 px the layers are those of igul222's `gan_cifar.py`, which the paper's official code uses unchanged.
32 px runs 4 → 8 → 16 → 32; 28 px runs 4 → 7 → 14 → 28 with the same kernels and parameters: only the transposed
convolutions' output padding differs. At 64 px they are those of PyTorch's own DCGAN example.
"""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from rgan.networks.layers import Critic, Dropout, Family, around, between, set_weights, uniform


def generator(*, size: int, channels: int, width: int, latent: int) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1)."""
    if size == 64:
        return _generator_64(channels, width, latent)
    base, *sides = _sizes(size)
    features = 4 * width * base * base

    def up(inputs: int, outputs: int, side: int, before: int) -> nn.ConvTranspose2d:
        # (before − 1)·2 − 4 + 5 = 2·before − 1 pixels, plus the padding that reaches an even side.
        return nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=side - (2 * before - 1))

    return nn.Sequential(
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


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float) -> Critic:
    """Images (N, channels, size, size) → scores (N,)."""
    large = size == 64
    sides = 4 if large else _sizes(size)[0]
    kernel, padding = (4, 1) if large else (5, 2)
    bias = not large or norm != "batch"  # the published network of 64 px leaves shifts to its batch norm
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = channels
    for stage in range(1, 5 if large else 4):
        outputs = 2 ** (stage - 1) * width
        layers[f"down{stage}"] = around(norm, nn.Conv2d(inputs, outputs, kernel, 2, padding, bias=bias))
        if stage > 1:
            layers[f"norm{stage}"] = between(norm, outputs)
        layers[f"leaky{stage}"] = nn.LeakyReLU(0.2)
        if dropout:
            layers[f"dropout{stage}"] = Dropout(dropout)
        inputs = outputs
    layers["flatten"] = nn.Flatten()
    layers["score"] = around(norm, nn.Linear(inputs * sides * sides, 1, bias=bias))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


def _generator_64(channels: int, width: int, latent: int) -> nn.Sequential:
    """4 → 8 → 16 → 32 → 64 with 4×4 kernels and no biases; the first layer, a transposed convolution of one pixel, is
    written as the linear map it is.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, 8 * width * 16, bias=False)
    layers["view"] = nn.Unflatten(1, (8 * width, 4, 4))
    inputs = 8 * width
    for stage, outputs in enumerate((4 * width, 2 * width, width, channels), 1):
        layers[f"norm{stage}"] = nn.BatchNorm2d(inputs)
        layers[f"relu{stage}"] = nn.ReLU()
        layers[f"up{stage}"] = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
        inputs = outputs
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def _sizes(size: int) -> tuple[int, int, int, int]:
    """Side of the image at each of the four stages, smallest first: (4, 8, 16, 32) for 32."""
    sides = [size]
    for _ in range(3):
        sides.append((sides[-1] + 1) // 2)
    return sides[3], sides[2], sides[1], sides[0]


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw weights as the official code does, on the CPU, from `generator` alone.

    Up to 32 px (transposed) convolutions are uniform with variance 4/(fan-in + fan-out), strides counted, and linear
    layers Glorot uniform. The networks of 64 px are normal with deviation 0.02, their batch norms' scales around 1.
    """

    large = any(getattr(layer, "kernel_size", None) == (4, 4) for layer in network.modules())

    def draw(_: str, layer: nn.Module, weight: Tensor) -> None:
        if isinstance(layer, nn.Linear):
            variance = 2 / (layer.in_features + layer.out_features)
        else:
            assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
            kernel = math.prod(layer.kernel_size)
            fan_in, fan_out = float(layer.in_channels * kernel), float(layer.out_channels * kernel)
            if isinstance(layer, nn.ConvTranspose2d):
                fan_in /= math.prod(layer.stride)
            else:
                fan_out /= math.prod(layer.stride)
            variance = 4 / (fan_in + fan_out)
        if large:
            weight.normal_(std=0.02, generator=generator)
        else:
            uniform(weight, variance, generator)

    set_weights(network, generator, draw)
    if large:
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.weight.normal_(1, 0.02, generator=generator)


FAMILY = Family(generator, critic, initialise, sizes=(*range(25, 33), 64))
