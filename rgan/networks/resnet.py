"""Residual networks: the paper's WGAN-GP (resnet), BWGAN and SNGAN rows.

32 px: igul222's `gan_cifar_resnet.py` (Gulrajani et al. 2017), one width throughout. 48 px: Miyato et al. 2018 for
STL-10. 64 px: igul222's `gan_64x64.py`. Convolutions commute with nearest doubling and with average pooling, so a
1×1 shortcut runs at the smaller of the two sizes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from rgan.networks.layers import (
    Critic,
    Dropout,
    Family,
    PooledConv,
    Residual,
    UpConv,
    around,
    between,
    set_weights,
    uniform,
)

DROPOUT_BLOCKS = (2, 3, 4)  # of the critic at 32 px: Wei et al. 2018 drop a little in the first, more in the others


class GlobalPool(nn.Module):
    """Features (N, C, H, W) → (N, C): their mean or sum over the pixels."""

    def __init__(self, *, total: bool):
        super().__init__()
        self.total = total

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3)) if self.total else x.mean((2, 3))


def generator(*, size: int, channels: int, width: int, latent: int, factor: int = 1) -> nn.Sequential:
    """Noise (N, latent) → images (N, channels, size, size) in (−1, 1).

    `factor` widens the generator of 32 px against its critic.
    """
    base, widths = {
        32: (4, (factor * width,) * 4),
        48: (6, (8 * width, 4 * width, 2 * width, width)),
        64: (4, (8 * width, 8 * width, 4 * width, 2 * width, width)),
    }[size]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["project"] = nn.Linear(latent, widths[0] * base * base)
    layers["view"] = nn.Unflatten(1, (widths[0], base, base))
    for number, (inputs, outputs) in enumerate(pairwise(widths), 1):
        layers[f"up{number}"] = _up(inputs, outputs, bias=size != 64)
    layers["norm"] = nn.BatchNorm2d(widths[-1])
    layers["relu"] = nn.ReLU()
    layers["to_image"] = nn.Conv2d(widths[-1], channels, 3, padding=1)
    layers["tanh"] = nn.Tanh()
    return nn.Sequential(layers)


def critic(*, size: int, channels: int, width: int, norm: str, dropout: float, total: bool = False) -> Critic:
    """Images (N, channels, size, size) → scores (N,).

    `total` sums over the last map, with no bias after it, where the others take the mean (Miyato's SNGAN).
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if size == 64:
        layers["conv1"] = around(norm, nn.Conv2d(channels, width, 3, padding=1))
        widths: Sequence[int] = (width, 2 * width, 4 * width, 8 * width, 8 * width)
    else:
        widths = (width,) * 4 if size == 32 else (width, 2 * width, 4 * width, 8 * width, 16 * width)
        layers["block1"] = _first_down(channels, widths[0], norm)
    last = len(widths)
    pooled = {32: 2, 48: last - 1, 64: last}[size]  # blocks up to this one halve the map
    for number, (inputs, outputs) in enumerate(pairwise(widths), 2):
        layers[f"block{number}"] = _block(inputs, outputs, norm, down=number <= pooled, bias=size != 64)
        if dropout and number in DROPOUT_BLOCKS:
            layers[f"dropout{number}"] = Dropout(0.4 * dropout if number == DROPOUT_BLOCKS[0] else dropout)
    if size == 64:
        layers["flatten"] = nn.Flatten()
        features = widths[-1] * 16
    else:
        layers["relu"] = nn.ReLU()
        layers["pool"] = GlobalPool(total=total)
        features = widths[-1]
    layers["score"] = around(norm, nn.Linear(features, 1, bias=not total))
    layers["squeeze"] = nn.Flatten(0)
    return Critic(layers)


def _up(inputs: int, outputs: int, *, bias: bool) -> Residual:
    """BN, ReLU, doubling, conv, BN, ReLU, conv; doubling and 1×1 conv beside it. `bias`: of the first convolution."""
    branch = OrderedDict(
        norm1=nn.BatchNorm2d(inputs),
        relu1=nn.ReLU(),
        conv1=UpConv(inputs, outputs, bias=bias),
        norm2=nn.BatchNorm2d(outputs),
        relu2=nn.ReLU(),
        conv2=nn.Conv2d(outputs, outputs, 3, padding=1),
    )
    shortcut = OrderedDict(conv=nn.Conv2d(inputs, outputs, 1), twice=nn.Upsample(scale_factor=2))
    return Residual(nn.Sequential(branch), nn.Sequential(shortcut))


def _first_down(channels: int, width: int, norm: str) -> Residual:
    """Conv, ReLU, conv, pooling; pooling and 1×1 conv beside it. No norm among layers, as published."""
    branch = OrderedDict(
        conv1=around(norm, nn.Conv2d(channels, width, 3, padding=1)),
        relu1=nn.ReLU(),
        conv2=around(norm, PooledConv(width, width)),
    )
    shortcut = OrderedDict(pool=nn.AvgPool2d(2), conv=around(norm, nn.Conv2d(channels, width, 1)))
    return Residual(nn.Sequential(branch), nn.Sequential(shortcut))


def _block(inputs: int, outputs: int, norm: str, *, down: bool, bias: bool) -> Residual:
    """ReLU, conv, ReLU, conv, and pooling if `down`; a 1×1 conv beside it where the shape changes."""
    last = PooledConv(inputs, outputs) if down else nn.Conv2d(inputs, outputs, 3, padding=1)
    branch = OrderedDict(
        norm1=between(norm, inputs),
        relu1=nn.ReLU(),
        conv1=around(norm, nn.Conv2d(inputs, inputs, 3, padding=1, bias=bias)),
        norm2=between(norm, inputs),
        relu2=nn.ReLU(),
        conv2=around(norm, last),
    )
    shortcut: OrderedDict[str, nn.Module] = OrderedDict()
    if down:
        shortcut["pool"] = nn.AvgPool2d(2)
    if down or inputs != outputs:
        shortcut["conv"] = around(norm, nn.Conv2d(inputs, outputs, 1))
    return Residual(nn.Sequential(branch), nn.Sequential(shortcut) if shortcut else nn.Identity())


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Uniform weights: variance 4/(fan-in + fan-out) for 3×3 convolutions, half of it (Glorot) for 1×1 shortcuts and
    linear layers, and for the layer that draws the image (at 64 px instead: the critic's first).

    Gulrajani's and Miyato's networks of 32 px agree in this.
    """
    large = any(name in ("up4", "conv1") for name, _ in network.named_children())
    plain = "conv1" if large else "to_image"

    def draw(name: str, layer: nn.Module, weight: Tensor) -> None:
        fan_out, fan_in = weight.shape[0] * weight[0, 0].numel(), weight[0].numel()
        glorot = weight.dim() == 2 or weight.shape[-1] == 1 or name == plain
        uniform(weight, (2 if glorot else 4) / (fan_in + fan_out), generator)

    set_weights(network, generator, draw)


FAMILY = Family(generator, critic, initialise, sizes=(32, 48, 64))
SPECTRAL = Family(partial(generator, factor=2), partial(critic, total=True), initialise, sizes=(32, 48))
