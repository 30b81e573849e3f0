"""A small residual network that names what an image shows: nine layers, as in the CIFAR-10 speed contests."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, max_pool2d, relu
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

FEATURES = 64


class Classifier(nn.Module):
    """Images (N, channels, 32, 32) in [−1, 1] → logits (N, classes); `features` gives what the last layer sees."""

    def __init__(self, channels: int, width: int, classes: int):
        super().__init__()
        self.stem = _convolution(channels, width)
        self.down1 = _convolution(width, 2 * width)
        self.same1 = nn.Sequential(_convolution(2 * width, 2 * width), _convolution(2 * width, 2 * width))
        self.down2 = _convolution(2 * width, 4 * width)
        self.down3 = _convolution(4 * width, 8 * width)
        self.same3 = nn.Sequential(_convolution(8 * width, 8 * width), _convolution(8 * width, 8 * width))
        self.embed = nn.Sequential(nn.Linear(8 * width, FEATURES, bias=False), nn.BatchNorm1d(FEATURES))
        self.score = nn.Linear(FEATURES, classes)

    def features(self, images: Tensor) -> Tensor:
        """(N, FEATURES)."""
        x = max_pool2d(self.down1(self.stem(images)), 2)
        x = x + self.same1(x)
        x = max_pool2d(self.down2(x), 2)
        x = max_pool2d(self.down3(x), 2)
        x = x + self.same3(x)
        seen: Tensor = self.embed(x.amax(dim=(2, 3)))
        return seen

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.score(self.features(images))
        return logits

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy."""
        return cross_entropy(self(images).float(), labels)


class Features(nn.Module):
    """`Classifier.features` in evaluation, up to rounding, several times as fast: a frozen copy with batch norms merged
    into the layers before them and pooling done ahead of the ReLU. Convolutions run in `dtype`.
    """

    def __init__(self, network: Classifier, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        parts = network.stem, network.down1, *network.same1, network.down2, network.down3, *network.same3
        self.layers = nn.ModuleList(fuse_conv_bn_eval(part[0], part[1]) for part in parts)
        self.to(dtype).to(memory_format=torch.channels_last)
        linear, norm = network.embed
        assert isinstance(linear, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
        self.embed = fuse_linear_bn_eval(linear, norm)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, channels, 32, 32) → (N, FEATURES)."""
        stem, down1, one, two, down2, down3, three, four = self.layers
        x = relu(stem(images.to(dtype=self.dtype, memory_format=torch.channels_last)))
        x = relu(max_pool2d(down1(x), 2))
        x = x + relu(two(relu(one(x))))
        x = relu(max_pool2d(down2(x), 2))
        x = relu(max_pool2d(down3(x), 2))
        x = x + relu(four(relu(three(x))))
        seen: Tensor = self.embed(x.amax(dim=(2, 3)).to(self.embed.weight))
        return seen


def initialise(network: Classifier, rng: torch.Generator) -> None:
    """He et al. 2015: normal weights of variance 2/fan-in; zero biases; scores near zero at first."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            with torch.no_grad():
                fan_in = layer.weight[0].numel()
                layer.weight.normal_(std=(2 / fan_in) ** 0.5, generator=rng)
                if layer.bias is not None:
                    layer.bias.zero_()
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.reset_parameters()
    with torch.no_grad():
        network.score.weight.mul_(0.1)


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
