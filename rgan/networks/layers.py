"""Layers the network families share, and how a family presents itself to recipes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear, normalize, pad
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from rgan.networks.companions import Companion

NORMS = ("batch", "layer", "spectral", "weight", "none")


@dataclass(frozen=True)
class Family:
    """Networks of one design at many sizes.

    generator: keywords size, channels, width, latent → module, noise (N, latent) → images (N, channels, size, size).
    critic: keywords size, channels, width, norm (one of `norms`), dropout, and the recipe's fields that
    `critic_fields` names → `Critic`.
    initialise: draws all weights of one of them, or of the companion's networks, from a CPU generator.
    companion: what is trained beside the two; see `networks.companions`.
    sizes: in pixels, that there are networks for, from the smallest.
    """

    generator: Callable[..., nn.Module]
    critic: Callable[..., Critic]
    initialise: Callable[[nn.Module, torch.Generator], None]
    sizes: Sequence[int]
    norms: tuple[str, ...] = NORMS
    companion: type[Companion] = Companion
    critic_fields: tuple[str, ...] = ()

    def sizes_in_words(self) -> str:
        """ "25 to 32 or 64" """
        runs: list[list[int]] = []
        for size in self.sizes:
            if runs and size == runs[-1][-1] + 1:
                runs[-1].append(size)
            else:
                runs.append([size])
        words = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
        return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


class Critic(nn.Sequential):
    """Images (N, C, H, W) → scores (N,). What enters its layer `score` are its features.

    A critic with more inputs than images has a companion that says what they are, and methods of its own.
    """

    def features_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, F) and scores (N,)."""
        features = x
        for name, layer in self.named_children():
            if name == "score":
                features = x
            x = layer(x)
        return features, x


def combined(how: str, parts: tuple[Tensor, Tensor]) -> Tensor:
    """Two batches (N, …) added, multiplied, or one behind the other ("concat")."""
    if how == "concat":
        return torch.cat(parts, dim=1)
    return parts[0] * parts[1] if how == "multiply" else parts[0] + parts[1]


class Residual(nn.Module):
    """branch(x) + shortcut(x), or as `how` says (`combined`)."""

    def __init__(self, branch: nn.Sequential, shortcut: nn.Module, how: str = "add"):
        super().__init__()
        self.branch, self.shortcut, self.how = branch, shortcut, how

    def forward(self, x: Tensor) -> Tensor:
        return combined(self.how, (self.branch(x), self.shortcut(x)))


class SelfAttention(nn.Module):
    """x + gamma · attention of each pixel of x (N, C, H, W) to all others (Zhang et al. 2019).

    inner: channels of query and key.
    """

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.query, self.key = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        weights = (query.transpose(1, 2) @ key).softmax(dim=-1)
        attended: Tensor = (value @ weights.transpose(1, 2)).view_as(x)
        return x + self.gamma * attended


class Attending(nn.Module):
    """Values (N, C, …) of the pixels of x, taken by each pixel of its query, weighted by the softmax of scale · query ·
    key. queries: the weights of each key's pixel sum to 1 instead of those of each query's.
    """

    def __init__(self, query: nn.Module, key: nn.Module, value: nn.Module, *, scale: float, queries: bool):
        super().__init__()
        self.query, self.key, self.value = query, key, value
        self.scale, self.queries = scale, queries

    def forward(self, x: Tensor) -> Tensor:
        asked: Tensor = self.query(x)
        query, key, value = asked.flatten(2), self.key(x).flatten(2), self.value(x).flatten(2)
        weights = (self.scale * (query.transpose(1, 2) @ key)).softmax(dim=1 if self.queries else 2)
        taken: Tensor = value @ weights.transpose(1, 2)
        return taken.view(*taken.shape[:2], *asked.shape[2:])


class PooledConv(nn.Conv2d):
    """A 3×3 convolution followed by 2×2 average pooling, as one 4×4 convolution of stride 2: 2.25 times fewer products.

    The parameters are those of the 3×3 convolution.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, four_taps(self.weight) / 4, self.bias, stride=2, padding=1)


class UpConv(nn.Conv2d):
    """Nearest-neighbour doubling followed by a 3×3 convolution, as one 4×4 transposed convolution of stride 2.

    The parameters are those of the 3×3 convolution.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True):
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        kernel = four_taps(self.weight.flip(2, 3)).transpose(0, 1)
        return conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)


class SpectralNorm(nn.Module):
    """Divides a weight, as a matrix of outputs × the rest, by its largest singular value (Miyato et al. 2018).

    One power iteration each time the weight is used in training. torch's own takes seconds to be built without
    weights, with which reading a file begins, and iterates in bfloat16 under autocast.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        self.register_buffer("u", torch.empty(weight.shape[0]))
        self.register_buffer("v", torch.empty(weight[0].numel()))

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            if self.training:
                with torch.no_grad():
                    self.v.copy_(normalize(matrix.T @ self.u, dim=0))
                    self.u.copy_(normalize(matrix @ self.v, dim=0))
            # Copies: the next use moves u and v while this one's gradient still needs them.
            return weight / (self.u.clone() @ matrix @ self.v.clone())

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight


class WeightNorm(nn.Module):
    """w = g·v/‖v‖ for each output (Salimans & Kingma 2016), starting with w = v."""

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return g * v / self._lengths(v)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._lengths(weight), weight

    def _lengths(self, v: Tensor) -> Tensor:
        if v.is_meta:  # no lengths to know there, and torch's first computation on it imports for seconds
            return v.new_empty(len(v), *[1] * (v.dim() - 1))
        lengths: Tensor = torch.linalg.vector_norm(v, dim=tuple(range(1, v.dim())), keepdim=True)
        return lengths


class Random(nn.Module):
    """A layer that draws numbers in training, from `source`, which whoever trains sets: torch's own dropout draws from
    the process's global stream.
    """

    def __init__(self) -> None:
        super().__init__()
        self.source: torch.Generator | None = None


class Dropout(Random):
    """Zeroes a share `rate` of the features in training and scales the others up."""

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.source is None:
            return x
        keep = 1 - self.rate
        return x * torch.empty_like(x).bernoulli_(keep, generator=self.source) / keep


class GaussianNoise(Random):
    """Adds noise of this standard deviation in training."""

    def __init__(self, deviation: float):
        super().__init__()
        self.deviation = deviation

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.source is None:
            return x
        return x + self.deviation * torch.empty_like(x).normal_(generator=self.source)


class Maxout(nn.Module):
    """The larger of each two neighbouring features, (N, 2F, …) → (N, F, …) (Goodfellow et al. 2013)."""

    def forward(self, x: Tensor) -> Tensor:
        larger: Tensor = x.unflatten(1, (-1, 2)).amax(dim=2)
        return larger


class MinibatchDiscrimination(nn.Module):
    """Features (N, F) → (N, F + kernels): beside them how near each sample is to the others of its batch.

    Salimans et al. 2016: M = x·T, and for each kernel exp(−‖Mᵢ − Mⱼ‖₁), here as a mean over the others j and not as a
    sum, so that it does not depend on their number. T has columns of a learnt length. In evaluation a sample is held
    against `peers`, the last batch that was seen in training, so that its score does not depend on its neighbours.
    """

    PEERS, PARTS = 64, 5
    peers: Tensor

    def __init__(self, features: int, kernels: int):
        super().__init__()
        self.kernels = kernels
        self.directions = nn.Linear(features, kernels * self.PARTS, bias=False)
        self.log_scale = nn.Parameter(torch.zeros(kernels * self.PARTS))
        self.register_buffer("peers", torch.zeros(self.PEERS, kernels, self.PARTS))

    def forward(self, x: Tensor) -> Tensor:
        unit = self.directions.weight / torch.linalg.vector_norm(self.directions.weight, dim=1, keepdim=True)
        own = (linear(x, unit) * self.log_scale.exp()).unflatten(1, (self.kernels, self.PARTS))
        if not self.training:
            return torch.cat([x, self._nearness(own, self.peers).mean(dim=1)], dim=1)
        batch, first = self.batch(own)
        with torch.no_grad():
            self.peers.copy_(batch[torch.arange(self.PEERS, device=x.device) % len(batch)])
        near = self._nearness(own, batch)
        rows = torch.arange(len(own), device=x.device)
        near = near.clone()
        near[rows, first + rows] = 0
        return torch.cat([x, near.sum(dim=1) / (len(batch) - 1)], dim=1)

    def batch(self, own: Tensor) -> tuple[Tensor, int]:
        """The rows of the whole batch, and where this process's begin in it."""
        return own, 0

    @staticmethod
    def _nearness(own: Tensor, others: Tensor) -> Tensor:
        return (-(own[:, None] - others[None]).abs().sum(dim=3)).exp()


def four_taps(kernel: Tensor) -> Tensor:
    """3×3 kernels (…, 3, 3) spread over 2×2 pixels: (…, 4, 4), every tap the sum of those that fall on it."""
    rows = pad(kernel, (0, 0, 0, 1)) + pad(kernel, (0, 0, 1, 0))
    return pad(rows, (0, 1)) + pad(rows, (1, 0))


def between(norm: str, features: int) -> nn.Module:
    """What a critic of this norm has between convolution and activation.

    Layer norm runs over the whole map with one scale and shift a channel (Ba et al. 2016, as igul222 applies it).
    """
    if norm == "batch":
        return nn.BatchNorm2d(features)
    return nn.GroupNorm(1, features) if norm == "layer" else nn.Identity()


def around(norm: str, layer: nn.Module) -> nn.Module:
    """`layer`, its weight normalised where the norm is one of weights."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    if norm == "spectral":
        register_parametrization(layer, "weight", SpectralNorm(weight), unsafe=True)
    elif norm == "weight":
        register_parametrization(layer, "weight", WeightNorm(), unsafe=True)
    return layer


def set_weights(
    network: nn.Module, generator: torch.Generator, draw: Callable[[str, nn.Module, Tensor], Tensor | None]
) -> None:
    """Give every layer its first weights: `draw(name, layer, empty weight)` fills it; biases 0; norms the identity."""
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                weight = torch.empty(module.weight.shape)
                draw(name, module, weight)
                _assign(module, weight, generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)):
                module.reset_parameters()
            elif isinstance(module, MinibatchDiscrimination):
                module.log_scale.zero_()
                module.peers.zero_()


def uniform(weight: Tensor, variance: float, generator: torch.Generator) -> None:
    """Fill with uniform numbers of mean 0 and this variance."""
    bound = math.sqrt(3 * variance)
    weight.uniform_(-bound, bound, generator=generator)


def fan_in(layer: nn.Module) -> float:
    """How many inputs each output of a layer with a weight adds up, on average over a strided transposed one's."""
    assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))
    if isinstance(layer, nn.Linear):
        return layer.in_features
    taps = math.prod(layer.kernel_size)
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * taps / math.prod(layer.stride)
    return layer.in_channels * taps


def glorot(layer: nn.Module, weight: Tensor, generator: torch.Generator) -> None:
    """Fill a layer's weight with uniform numbers of variance 2/(fan-in + fan-out) (Glorot & Bengio 2010)."""
    outputs, inputs = weight.shape[:2]
    uniform(weight, 2 / ((inputs + outputs) * weight[0, 0].numel()), generator)


def _assign(module: nn.Module, weight: Tensor, generator: torch.Generator) -> None:
    """Set the weight, through its normalisation if it has one; a spectral norm's vectors start converged."""
    if not is_parametrized(module, "weight"):
        assert isinstance(module.weight, Tensor)
        module.weight.copy_(weight)
        return
    module.weight = weight
    for norm in (norm for norm in module.modules() if isinstance(norm, SpectralNorm)):
        norm.u.normal_(generator=generator)
        for _ in range(15):
            norm.train()(weight)
