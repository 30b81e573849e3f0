"""Two small networks that name what an image shows, unlike each other so that they err unlike each other.

`Residual` is a nine-layer network of the CIFAR-10 speed contests: max pooling and shortcuts. `Plain` is VGG's row of
3×3 convolutions (Simonyan & Zisserman 2015) as the all-convolutional network has it (Springenberg et al. 2015): strides
instead of pooling, no shortcuts, and a mean over all places at the end instead of a maximum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, max_pool2d, pixel_unshuffle, relu
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

FEATURES = 64
GRID = 32  # pixels a side that convolutions start from; larger images fold their pixels into channels
UNKNOWN = -100  # a label that is not known: it teaches nothing


class Classifier(nn.Module, ABC):
    """Images (N, channels, size, size) in [−1, 1] → logits (N, sum of `classes`), the classes of each question in turn.

    size: a multiple of GRID. `features` gives what the last layer sees.
    """

    embed: nn.Sequential
    score: nn.Linear

    def __init__(self, channels: int, width: int, classes: Sequence[int], size: int = GRID):
        super().__init__()
        self.classes, self.fold = tuple(classes), size // GRID
        self._build(channels * self.fold**2, width)
        self.embed = nn.Sequential(nn.Linear(8 * width, FEATURES, bias=False), nn.BatchNorm1d(FEATURES))
        self.score = nn.Linear(FEATURES, sum(classes))

    @abstractmethod
    def _build(self, channels: int, width: int) -> None:
        """Make the convolutions."""

    @abstractmethod
    def layers(self) -> list[nn.Sequential]:
        """A convolution and its batch norm each, in the order in which `pooled` takes them."""

    @staticmethod
    @abstractmethod
    def pooled(x: Tensor, layers: Sequence[nn.Module]) -> Tensor:
        """(N, 8 width) of folded images, through these layers."""

    def features(self, images: Tensor) -> Tensor:
        """(N, FEATURES)."""
        seen: Tensor = self.embed(self.pooled(folded(images, self.fold), self.layers()))
        return seen

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.score(self.features(images))
        return logits

    def answers(self, logits: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, sum of `classes`) of each question, (N, classes) each."""
        return tuple(torch.split(logits, list(self.classes), dim=1))

    def losses(self, images: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of labels (N, questions), the mean over images of each (questions,); UNKNOWN ones are left
        out."""
        answers = self.answers(self(images).float())
        return torch.stack(
            [
                cross_entropy(logits, label, ignore_index=UNKNOWN)
                for logits, label in zip(answers, labels.unbind(dim=1), strict=True)
            ]
        )


class Residual(Classifier):
    """Nine layers: max pooling, two shortcuts, and the maximum over all places at the end."""

    def _build(self, channels: int, width: int) -> None:
        self.stem = _convolution(channels, width)
        self.down1 = _convolution(width, 2 * width)
        self.same1 = nn.Sequential(_convolution(2 * width, 2 * width), _convolution(2 * width, 2 * width))
        self.down2 = _convolution(2 * width, 4 * width)
        self.down3 = _convolution(4 * width, 8 * width)
        self.same3 = nn.Sequential(_convolution(8 * width, 8 * width), _convolution(8 * width, 8 * width))

    def layers(self) -> list[nn.Sequential]:
        parts = self.stem, self.down1, *self.same1, self.down2, self.down3, *self.same3
        return [part for part in parts if isinstance(part, nn.Sequential)]

    @staticmethod
    def pooled(x: Tensor, layers: Sequence[nn.Module]) -> Tensor:
        stem, down1, one, two, down2, down3, three, four = layers
        x = relu(max_pool2d(down1(relu(stem(x))), 2))  # pooled first, which leaves the ReLU a quarter of the work
        x = x + relu(two(relu(one(x))))
        x = relu(max_pool2d(down2(x), 2))
        x = relu(max_pool2d(down3(x), 2))
        x = x + relu(four(relu(three(x))))
        return x.amax(dim=(2, 3))


class Plain(Classifier):
    """Nine layers: strides instead of pooling, no shortcut, and the mean over all places at the end."""

    def _build(self, channels: int, width: int) -> None:
        steps = (channels, width), (width, 2 * width), (2 * width, 4 * width), (4 * width, 8 * width)
        self.row = nn.ModuleList()
        for at, (inputs, outputs) in enumerate(steps):
            self.row.append(_convolution(inputs, outputs, stride=1 if at == 0 else 2))
            if at:
                self.row.append(_convolution(outputs, outputs))

    def layers(self) -> list[nn.Sequential]:
        return [part for part in self.row if isinstance(part, nn.Sequential)]

    @staticmethod
    def pooled(x: Tensor, layers: Sequence[nn.Module]) -> Tensor:
        for layer in layers:
            x = relu(layer(x))
        return x.mean(dim=(2, 3))


KINDS: dict[str, type[Classifier]] = {"residual": Residual, "plain": Plain}


class Features(nn.Module):
    """`Classifier.features` in evaluation, up to rounding, several times as fast: a frozen copy with batch norms merged
    into the layers before them. Convolutions run in `dtype`.
    """

    def __init__(self, network: Classifier, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype, self.fold, self.pooled = dtype, network.fold, network.pooled
        self.layers = nn.ModuleList(_fused(part) for part in network.layers())
        self.to(dtype).to(memory_format=torch.channels_last)
        linear, norm = network.embed
        assert isinstance(linear, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
        self.embed = fuse_linear_bn_eval(linear, norm)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, channels, size, size) → (N, FEATURES)."""
        x = folded(images.to(self.dtype), self.fold).contiguous(memory_format=torch.channels_last)
        seen: Tensor = self.embed(self.pooled(x, list(self.layers)).to(self.embed.weight))
        return seen


def _fused(layer: nn.Sequential) -> nn.Module:
    convolution, norm = layer
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(convolution, norm)


def folded(images: Tensor, fold: int) -> Tensor:
    """Images with squares of fold × fold pixels moved into channels (Shi et al. 2016)."""
    return images if fold == 1 else pixel_unshuffle(images, fold)


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


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs))
