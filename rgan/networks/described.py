"""Networks of other programs, written down layer by layer: what a foreign checkpoint is once it has been recognised.

A network is a tuple of layers of a closed vocabulary, plain values that a checkpoint stores as JSON. Each says what
shape it makes of a shape; so sizes follow from the input's, and a description that does not fit together, or asks for
more than `limits` allows, is refused before anything is built.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from rgan.common import limits
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.fields import typed
from rgan.networks.labels import ClassNorm, Joined, Projection
from rgan.networks.layers import Attending, Critic, Residual, SelfAttention, combined
from rgan.networks.resnet import GlobalPool

Shape = tuple[int, ...]  # of one sample: (features,) or (channels, height, width)

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU, "leaky": nn.LeakyReLU, "elu": nn.ELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "selu": nn.SELU,
    "silu": nn.SiLU, "gelu": nn.GELU, "relu6": nn.ReLU6, "softplus": nn.Softplus, "mish": nn.Mish,
    "hardswish": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid, "softsign": nn.Softsign, "hardtanh": nn.Hardtanh,
}  # fmt: skip
FUNCTIONS = {"erf": torch.erf, "exp": torch.exp, "sin": torch.sin, "cos": torch.cos, "abs": torch.abs}
MODES = ("nearest", "bilinear", "aligned", "bicubic")  # aligned: bilinear, corners on corners
POOLS = {"mean": nn.AvgPool2d, "max": nn.MaxPool2d}
JOINS = ("concat", "multiply", "add")
BORDERS = ("constant", "reflect", "replicate")
MAX_FACTOR = 16
MAX_NESTED = 12  # blocks within blocks
MAX_ATTENDED = 2048  # pixels that attend to each other: their square is what it takes


class Layer(ABC):
    """One layer. `kind` is its name in JSON."""

    kind: ClassVar[str]
    nested: ClassVar[tuple[str, ...]] = ()  # the fields that are layers themselves

    def after(self, shape: Shape) -> Shape:
        """The shape it makes of `shape`.

        Raises:
            SettingsError: it does not fit there.
        """
        return shape

    def weights(self, shape: Shape) -> int:
        """How many numbers its largest tensor has, after an input of `shape`."""
        return 0

    @abstractmethod
    def module(self, shape: Shape) -> nn.Module:
        """The torch module for an input of `shape`."""


@dataclass(frozen=True)
class Linear(Layer):
    """Fully connected."""

    kind = "linear"
    outputs: int
    bias: bool = True

    def __post_init__(self) -> None:
        number_between("outputs of a linear layer", self.outputs, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        _flat(self, shape)
        return (self.outputs,)

    def weights(self, shape: Shape) -> int:
        return shape[0] * self.outputs

    def module(self, shape: Shape) -> nn.Module:
        return nn.Linear(shape[0], self.outputs, bias=self.bias)


@dataclass(frozen=True)
class Conv(Layer):
    """A square convolution."""

    kind = "conv"
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool = True
    dilation: int = 1
    groups: int = 1

    def __post_init__(self) -> None:
        _geometry(self.outputs, self.kernel, self.stride, self.padding, self.dilation, self.groups)

    def after(self, shape: Shape) -> Shape:
        channels, height, width = _image(self, shape)
        _divides(self, self.groups, channels)
        reach = self.dilation * (self.kernel - 1) + 1
        sides = tuple((side + 2 * self.padding - reach) // self.stride + 1 for side in (height, width))
        return _positive(self, (self.outputs, *sides))

    def weights(self, shape: Shape) -> int:
        return shape[0] // self.groups * self.outputs * self.kernel**2

    def module(self, shape: Shape) -> nn.Module:
        geometry = self.kernel, self.stride, self.padding, self.dilation, self.groups
        return nn.Conv2d(shape[0], self.outputs, *geometry, bias=self.bias)


@dataclass(frozen=True)
class Transposed(Layer):
    """A square transposed convolution; `extra` pixels are added on one side, as torch's output padding."""

    kind = "transposed"
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    extra: int = 0
    bias: bool = True
    dilation: int = 1
    groups: int = 1

    def __post_init__(self) -> None:
        _geometry(self.outputs, self.kernel, self.stride, self.padding, self.dilation, self.groups)
        number_between("extra pixels", self.extra, 0, max(self.stride, self.dilation) - 1)

    def after(self, shape: Shape) -> Shape:
        channels, height, width = _image(self, shape)
        _divides(self, self.groups, channels)
        change = self.dilation * (self.kernel - 1) + 1 - 2 * self.padding + self.extra
        return _positive(self, (self.outputs, *((side - 1) * self.stride + change for side in (height, width))))

    def weights(self, shape: Shape) -> int:
        return shape[0] * self.outputs // self.groups * self.kernel**2

    def module(self, shape: Shape) -> nn.Module:
        geometry = self.kernel, self.stride, self.padding, self.extra
        return nn.ConvTranspose2d(
            shape[0], self.outputs, *geometry, groups=self.groups, dilation=self.dilation, bias=self.bias
        )


@dataclass(frozen=True)
class Norm(Layer):
    """Batch norm over features or channels."""

    kind = "norm"
    eps: float = 1e-5

    def __post_init__(self) -> None:
        number_between("eps of a batch norm", self.eps, 1e-12, 10)

    def weights(self, shape: Shape) -> int:
        return shape[0]

    def module(self, shape: Shape) -> nn.Module:
        return (nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d)(shape[0], eps=self.eps)


@dataclass(frozen=True)
class Activation(Layer):
    """One of ACTIVATIONS; `slope` is leaky's for negative numbers."""

    kind = "activation"
    name: str
    slope: float = 0.2

    def __post_init__(self) -> None:
        one_of("activation", self.name, tuple(ACTIVATIONS))
        number_between("slope", self.slope, 0, 1)

    def module(self, shape: Shape) -> nn.Module:
        if self.name == "leaky":
            return nn.LeakyReLU(self.slope)
        return ACTIVATIONS[self.name]()


@dataclass(frozen=True)
class Prelu(Layer):
    """ReLU with learnt slopes for negative numbers, one for all or one a channel."""

    kind = "prelu"
    slopes: int = 1

    def __post_init__(self) -> None:
        number_between("slopes of a PReLU", self.slopes, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        if self.slopes not in (1, shape[0]):
            raise SettingsError(f"expected 1 or {shape[0]} slopes of a PReLU, got {self.slopes}")
        return shape

    def weights(self, shape: Shape) -> int:
        return self.slopes

    def module(self, shape: Shape) -> nn.Module:
        return nn.PReLU(self.slopes)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Each sample by its own mean and spread, with a scale and shift for every number (Ba et al. 2016)."""

    kind = "layernorm"
    eps: float = 1e-5

    def __post_init__(self) -> None:
        number_between("eps of a layer norm", self.eps, 1e-12, 10)

    def weights(self, shape: Shape) -> int:
        return math.prod(shape)

    def module(self, shape: Shape) -> nn.Module:
        return nn.LayerNorm(shape, eps=self.eps)


@dataclass(frozen=True)
class GroupNorm(Layer):
    """As `LayerNorm` within groups of channels, scale and shift a channel; as many groups as channels: instance norm.

    groups 0: one for each channel.
    """

    kind = "groupnorm"
    groups: int = 1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        number_between("groups", self.groups, 0, limits.MAX_FEATURES)
        number_between("eps of a group norm", self.eps, 1e-12, 10)

    def after(self, shape: Shape) -> Shape:
        if shape[0] % (self.groups or shape[0]):
            raise SettingsError(f"expected groups that divide {shape[0]} channels, got {self.groups}")
        return shape

    def weights(self, shape: Shape) -> int:
        return shape[0]

    def module(self, shape: Shape) -> nn.Module:
        return nn.GroupNorm(self.groups or shape[0], shape[0], eps=self.eps)


@dataclass(frozen=True)
class ClassNormed(Layer):
    """Batch norm with a scale and shift of each class."""

    kind = "classnorm"
    classes: int
    eps: float = 1e-5

    def __post_init__(self) -> None:
        number_between("classes", self.classes, 1, limits.MAX_CLASSES)
        number_between("eps of a batch norm", self.eps, 1e-12, 10)

    def weights(self, shape: Shape) -> int:
        return self.classes * shape[0]

    def module(self, shape: Shape) -> nn.Module:
        return ClassNorm(self.classes, shape[0], self.eps)


@dataclass(frozen=True)
class Label(Layer):
    """A class's row of a table beside (concat), times or added to what goes through; `beside`: a row's own shape.

    first: the row stands before it.
    """

    kind = "label"
    classes: int
    how: str = "concat"
    beside: tuple[int, ...] = ()
    first: bool = False

    def __post_init__(self) -> None:
        one_of("way to join labels", self.how, JOINS)
        number_between("classes", self.classes, 1, limits.MAX_CLASSES)
        for side in self.beside:
            number_between("side of a label's row", side, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        return _joined("labels", self.how, (self.beside, shape) if self.first else (shape, self.beside))

    def weights(self, shape: Shape) -> int:
        return self.classes * math.prod(self.beside)

    def module(self, shape: Shape) -> nn.Module:
        return Joined(self.how, (self.classes, *self.beside), first=self.first)


@dataclass(frozen=True)
class Fixed(Layer):
    """A tensor of the network's own, the same for all samples, beside (concat), times or added to what goes through;
    `beside`: its shape. first: it stands before.
    """

    kind = "fixed"
    how: str = "add"
    beside: tuple[int, ...] = ()
    first: bool = False

    def __post_init__(self) -> None:
        one_of("way to join a tensor", self.how, JOINS)
        for side in self.beside:
            number_between("side of a tensor", side, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        return _joined("a tensor", self.how, (self.beside, shape) if self.first else (shape, self.beside))

    def weights(self, shape: Shape) -> int:
        return math.prod(self.beside)

    def module(self, shape: Shape) -> nn.Module:
        return _Beside(self.how, self.beside, first=self.first)


@dataclass(frozen=True)
class Power(Layer):
    """Each number to the power of `exponent`."""

    kind = "power"
    exponent: float

    def __post_init__(self) -> None:
        number_between("exponent", self.exponent, -8, 8)

    def module(self, shape: Shape) -> nn.Module:
        return _Function(lambda x: x.pow(self.exponent))


@dataclass(frozen=True)
class Function(Layer):
    """One of FUNCTIONS of each number."""

    kind = "function"
    name: str

    def __post_init__(self) -> None:
        one_of("function", self.name, tuple(FUNCTIONS))

    def module(self, shape: Shape) -> nn.Module:
        return _Function(FUNCTIONS[self.name])


@dataclass(frozen=True)
class Pad(Layer):
    """Pixels added around maps (left, right, top, bottom), or cut off where negative; `border`: what they hold, one of
    BORDERS, of which constant is 0.
    """

    kind = "pad"
    sides: tuple[int, ...]
    border: str = "constant"

    def __post_init__(self) -> None:
        one_of("border", self.border, BORDERS)
        if len(self.sides) != 4:
            raise SettingsError(f"expected four sides of a border, got {len(self.sides)}")
        for side in self.sides:
            number_between("pixels of a border", side, -512, 512)

    def after(self, shape: Shape) -> Shape:
        channels, height, width = _image(self, shape)
        left, right, top, bottom = self.sides
        if self.border == "reflect" and max(self.sides) >= min(height, width):
            raise SettingsError(f"expected a border narrower than {min(height, width)} pixels, got {max(self.sides)}")
        return _positive(self, (channels, height + top + bottom, width + left + right))

    def module(self, shape: Shape) -> nn.Module:
        return _Function(lambda x: pad(x, self.sides, self.border))


@dataclass(frozen=True)
class Slice(Layer):
    """Some of the features or channels, from `start` up to `stop`."""

    kind = "slice"
    start: int
    stop: int

    def __post_init__(self) -> None:
        number_between("start of a part", self.start, 0, limits.MAX_FEATURES)
        number_between("end of a part", self.stop, self.start + 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        if self.stop > shape[0]:
            raise SettingsError(f"expected a part of {shape[0]} channels, got {self.start} to {self.stop}")
        return (self.stop - self.start, *shape[1:])

    def module(self, shape: Shape) -> nn.Module:
        return _Function(lambda x: x[:, self.start : self.stop])


@dataclass(frozen=True)
class Projected(Layer):
    """One number of features: a linear layer, and the product with the class's row added."""

    kind = "projection"
    classes: int
    bias: bool = True

    def __post_init__(self) -> None:
        number_between("classes", self.classes, 1, limits.MAX_CLASSES)

    def after(self, shape: Shape) -> Shape:
        _flat(self, shape)
        return (1,)

    def weights(self, shape: Shape) -> int:
        return self.classes * shape[0]

    def module(self, shape: Shape) -> nn.Module:
        return Projection(self.classes, shape[0], bias=self.bias)


@dataclass(frozen=True)
class Attention(Layer):
    """Self-attention of a map's pixels, added to it; `inner` channels of query and key (Zhang et al. 2019)."""

    kind = "attention"
    inner: int

    def __post_init__(self) -> None:
        number_between("channels of a query", self.inner, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        _, height, width = _image(self, shape)
        if height * width > MAX_ATTENDED:
            raise SettingsError(
                f"expected at most {MAX_ATTENDED:,} pixels that attend to each other, got {height * width:,}"
            )
        return shape

    def weights(self, shape: Shape) -> int:
        # The products of all pixels with all others cost as much as weights that are used at each pixel.
        return shape[0] ** 2 + shape[1] * shape[2] * (shape[0] + self.inner)

    def module(self, shape: Shape) -> nn.Module:
        return SelfAttention(shape[0], self.inner)


@dataclass(frozen=True)
class Attend(Layer):
    """Each pixel of query(x) takes the pixels of value(x), weighted by the softmax of `scale` · query · key; an empty
    part is x itself. queries: each pixel of key(x) shares its weight out among those of query(x) instead.
    """

    kind = "attend"
    nested = ("query", "key", "value")
    query: tuple[Layer, ...]
    key: tuple[Layer, ...]
    value: tuple[Layer, ...]
    scale: float = 1.0
    queries: bool = False

    def __post_init__(self) -> None:
        number_between("scale of attention", self.scale, -1000, 1000)

    def _shapes(self, shape: Shape) -> tuple[Shape, Shape, Shape]:
        query, key, value = (follow(part, shape).shapes[-1] for part in (self.query, self.key, self.value))
        for one in (query, key, value):
            _image(self, one)
        if query[0] != key[0] or key[1:] != value[1:]:
            raise SettingsError(f"expected keys that fit queries and values, got {query}, {key} and {value}")
        for _, height, width in (query, key):
            if height * width > MAX_ATTENDED:
                raise SettingsError(
                    f"expected at most {MAX_ATTENDED:,} pixels that attend to each other, got {height * width:,}"
                )
        return query, key, value

    def after(self, shape: Shape) -> Shape:
        query, _, value = self._shapes(shape)
        return (value[0], *query[1:])

    def weights(self, shape: Shape) -> int:
        # As of `Attention`.
        query, key, value = self._shapes(shape)
        return key[1] * key[2] * (query[0] + value[0])

    def module(self, shape: Shape) -> nn.Module:
        parts = (nn.Sequential(*_modules(part, shape)) for part in (self.query, self.key, self.value))
        return Attending(*parts, scale=self.scale, queries=self.queries)


@dataclass(frozen=True)
class Up(Layer):
    """`factor` times the size, by one of MODES."""

    kind = "up"
    mode: str = "nearest"
    factor: int = 2

    def __post_init__(self) -> None:
        one_of("mode of doubling", self.mode, MODES)
        number_between("factor", self.factor, 1, MAX_FACTOR)

    def after(self, shape: Shape) -> Shape:
        channels, height, width = _image(self, shape)
        return channels, self.factor * height, self.factor * width

    def module(self, shape: Shape) -> nn.Module:
        if self.mode == "aligned":
            return nn.Upsample(scale_factor=self.factor, mode="bilinear", align_corners=True)
        return nn.Upsample(scale_factor=self.factor, mode=self.mode)


@dataclass(frozen=True)
class Shuffle(Layer):
    """`factor` times the size, from as many times its square fewer channels (Shi et al. 2016)."""

    kind = "shuffle"
    factor: int = 2

    def __post_init__(self) -> None:
        number_between("factor", self.factor, 1, MAX_FACTOR)

    def after(self, shape: Shape) -> Shape:
        channels, height, width = _image(self, shape)
        if channels % self.factor**2:
            raise SettingsError(f"expected channels to shuffle in {self.factor**2} parts, got {channels}")
        return channels // self.factor**2, self.factor * height, self.factor * width

    def module(self, shape: Shape) -> nn.Module:
        return nn.PixelShuffle(self.factor)


@dataclass(frozen=True)
class Pool(Layer):
    """Of kernel × kernel pixels the mean or the largest, one of POOLS: of 2×2, half the size."""

    kind = "pool"
    of: str = "mean"
    kernel: int = 2
    stride: int = 2
    padding: int = 0

    def __post_init__(self) -> None:
        one_of("what a pool takes of its pixels", self.of, tuple(POOLS))
        number_between("kernel of a pool", self.kernel, 1, 64)
        number_between("stride of a pool", self.stride, 1, 64)
        number_between("padding of a pool", self.padding, 0, self.kernel // 2)

    def after(self, shape: Shape) -> Shape:
        channels, *sides = _image(self, shape)
        made = ((side + 2 * self.padding - self.kernel) // self.stride + 1 for side in sides)
        return _positive(self, (channels, *made))

    def module(self, shape: Shape) -> nn.Module:
        return POOLS[self.of](self.kernel, self.stride, self.padding)


@dataclass(frozen=True)
class Total(Layer):
    """Channels summed over the pixels, or their mean."""

    kind = "total"
    mean: bool = False

    def after(self, shape: Shape) -> Shape:
        return _image(self, shape)[:1]

    def module(self, shape: Shape) -> nn.Module:
        return GlobalPool(total=not self.mean)


@dataclass(frozen=True)
class View(Layer):
    """Features as `channels` square maps."""

    kind = "view"
    channels: int

    def __post_init__(self) -> None:
        number_between("channels of a view", self.channels, 1, limits.MAX_FEATURES)

    def after(self, shape: Shape) -> Shape:
        features = _flat(self, shape)
        side = math.isqrt(features // self.channels)
        if self.channels * side * side != features:
            raise SettingsError(f"expected {features} features to be {self.channels} square maps; they are not")
        return self.channels, side, side

    def module(self, shape: Shape) -> nn.Module:
        return nn.Unflatten(1, self.after(shape))


@dataclass(frozen=True)
class Flat(Layer):
    """Maps as features."""

    kind = "flat"

    def after(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def module(self, shape: Shape) -> nn.Module:
        return nn.Flatten()


@dataclass(frozen=True)
class Rescale(Layer):
    """times·x + plus: images of one range in another."""

    kind = "rescale"
    times: float
    plus: float

    def __post_init__(self) -> None:
        for value in (self.times, self.plus):
            number_between("number to rescale with", value, -1000, 1000)

    def module(self, shape: Shape) -> nn.Module:
        return _Line(self.times, self.plus)


@dataclass(frozen=True)
class Uniform(Layer):
    """Standard normal noise as noise uniform in (−1, 1): 2Φ(z) − 1."""

    kind = "uniform"

    def module(self, shape: Shape) -> nn.Module:
        return _Uniform()


@dataclass(frozen=True)
class Block(Layer):
    """branch(x) and shortcut(x) joined by one of JOINS; an empty shortcut is x itself."""

    kind = "block"
    nested = ("branch", "shortcut")
    branch: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()
    how: str = "add"

    def __post_init__(self) -> None:
        one_of("way to join branches", self.how, JOINS)

    def after(self, shape: Shape) -> Shape:
        made, beside = follow(self.branch, shape).shapes[-1], follow(self.shortcut, shape).shapes[-1]
        return _joined("a shortcut", self.how, (made, beside))

    def module(self, shape: Shape) -> nn.Module:
        branch, shortcut = (nn.Sequential(*_modules(part, shape)) for part in (self.branch, self.shortcut))
        return Residual(branch, shortcut if self.shortcut else nn.Identity(), self.how)


LAYER_TYPES: dict[str, type[Layer]] = {
    cls.kind: cls
    for cls in (
        Linear, Conv, Transposed, Norm, LayerNorm, GroupNorm, ClassNormed, Activation, Prelu, Label, Projected, Up,
        Attention, Shuffle, Pool, Total, View, Flat, Rescale, Uniform, Block, Fixed, Power, Function, Pad, Slice,
        Attend,
    )
}  # fmt: skip


def classes_of(layers: Iterable[Layer]) -> int:
    """How many classes these layers tell apart; 0 where none of them asks for one."""
    told = [getattr(layer, "classes", 0) for layer in layers]
    inner = [classes_of(getattr(layer, part)) for layer in layers for part in layer.nested]
    return max([0, *told, *inner])


@dataclass(frozen=True)
class Layers:
    """A generator and a critic of another program, and what they are, for people.

    generator: noise (latent,) → an image. critic: an image → one number, not yet a probability; () where the file had
    none. score: position of the critic's layer whose inputs are its features.
    """

    title: str
    generator: tuple[Layer, ...]
    critic: tuple[Layer, ...] = ()
    score: int = field(default=0)

    def __post_init__(self) -> None:
        if not 1 <= len(self.title) <= 200 or not self.title.isprintable():
            raise SettingsError(f"expected a title of 1 to 200 characters to print, got {len(self.title)} characters")
        if self.critic:
            number_between("position of the critic's score", self.score, 0, len(self.critic) - 1)

    @property
    def classes(self) -> int:
        """Classes of a conditional generator or critic; 0 for others."""
        return max(classes_of(self.generator), classes_of(self.critic))

    def check(self, latent: int, image: Shape) -> None:
        """That the layers lead from noise to images, and from images to one number.

        Raises:
            SettingsError: they do not, or ask for more than a limit.
        """
        if (made := follow(self.generator, (latent,)).shapes[-1]) != image:
            raise SettingsError(f"expected a generator that makes {image} of ({latent},), got {made}")
        if self.critic and (score := follow(self.critic, image).shapes[-1]) not in ((1,), (1, 1, 1)):
            raise SettingsError(f"expected a critic that makes one number of {image}, got {score}")
        both = {classes_of(part) for part in (self.generator, self.critic)} - {0}
        if len(both) > 1:
            raise SettingsError(f"expected a generator and a critic of the same classes, got {sorted(both)} of them")

    def build_generator(self, latent: int) -> nn.Sequential:
        """Noise (N, latent) → images (N, C, H, W)."""
        return nn.Sequential(*_modules(self.generator, (latent,)))

    def build_critic(self, image: Shape) -> Critic:
        """Images (N, C, H, W) → scores (N,); without layers where there is none."""
        modules = _modules(self.critic, image)
        named = OrderedDict(("score" if k == self.score else str(k), module) for k, module in enumerate(modules))
        return Critic(named | ({"squeeze": nn.Flatten(0)} if named else {}))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return {
            "title": self.title, "generator": plain(self.generator), "critic": plain(self.critic), "score": self.score
        }  # fmt: skip

    @classmethod
    def from_dict(cls, values: object) -> Layers:
        """Rebuild from `to_dict`'s values, checking every name, type and range.

        Raises:
            SettingsError: an unknown layer, or a wrong or impossible value.
        """
        told = typed(cls, values)
        if "title" not in told or "generator" not in told:
            raise SettingsError("expected layers with a title and a generator, got neither or one")
        for name in ("generator", "critic"):
            told[name] = _read(told.get(name, ()), MAX_NESTED)
        return cls(**told)


@dataclass(frozen=True)
class Course:
    """How a sample runs through layers: its shape before each and after the last, and what that takes."""

    shapes: tuple[Shape, ...]
    layers: int
    weights: int
    work: int


def follow(layers: Iterable[Layer], shape: Shape) -> Course:
    """The course of a sample of this shape through `layers`.

    Raises:
        SettingsError: they do not fit together, or ask for more than a limit.
    """
    course = Course((shape,), 0, 0, 0)
    for layer in layers:
        before = course.shapes[-1]
        after = layer.after(before)
        own = layer.weights(before)
        # A linear layer's weights are used once, a convolution's at every pixel of its larger side.
        took = [(1, own, own * max(math.prod(before[1:]), math.prod(after[1:])))]
        inner = [follow(getattr(layer, part), before) for part in layer.nested]
        took += [(part.layers, part.weights, part.work) for part in inner]
        course = Course(
            (*course.shapes, after),
            course.layers + sum(count for count, _, _ in took),
            course.weights + sum(weights for _, weights, _ in took),
            course.work + sum(work for _, _, work in took),
        )
        for what, value, most in (
            ("layers", course.layers, limits.MAX_LAYERS),
            ("numbers between two layers", math.prod(after), limits.MAX_FEATURES),
            ("weights", course.weights, limits.MAX_NUMBERS),
            ("multiplications an image", course.work, limits.MAX_WORK),
        ):
            if value > most:
                raise SettingsError(f"expected at most {most:,} {what}, got {value:,}; the network is too large")
    return course


class _Line(nn.Module):
    def __init__(self, times: float, plus: float):
        super().__init__()
        self.times, self.plus = times, plus

    def forward(self, x: Tensor) -> Tensor:
        return x * self.times + self.plus


class _Function(nn.Module):
    """What has no weights."""

    def __init__(self, of: Callable[[Tensor], Tensor]):
        super().__init__()
        self.of = of

    def forward(self, x: Tensor) -> Tensor:
        return self.of(x)


class _Beside(nn.Module):
    """A tensor of the network's own beside, times or added to x (N, …)."""

    def __init__(self, how: str, shape: Shape, *, first: bool):
        super().__init__()
        self.how, self.first = how, first
        self.value = nn.Parameter(torch.empty(shape))

    def forward(self, x: Tensor) -> Tensor:
        known = self.value.expand(len(x), *self.value.shape)
        return combined(self.how, (known, x) if self.first else (x, known))


class _Uniform(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return torch.erf(z / math.sqrt(2))


def _modules(layers: tuple[Layer, ...], shape: Shape) -> list[nn.Module]:
    return [layer.module(before) for layer, before in zip(layers, follow(layers, shape).shapes, strict=False)]


def plain(layers: Iterable[Layer]) -> list[dict[str, Any]]:
    """Layers as plain JSON values."""
    made: list[dict[str, Any]] = []
    for layer in layers:
        values = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer)}  # type: ignore[arg-type]
        nested = {name: plain(getattr(layer, name)) for name in layer.nested}
        made.append({"kind": layer.kind} | values | nested)
    return made


def _read(values: Any, depth: int) -> tuple[Layer, ...]:
    """Layers from JSON; blocks may be nested `depth` deep."""
    if len(values) > limits.MAX_LAYERS:
        raise SettingsError(f"expected at most {limits.MAX_LAYERS} layers, got {len(values):,}")
    return tuple(_read_one(value, depth) for value in values)


def _read_one(value: Any, depth: int) -> Layer:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or kind not in LAYER_TYPES:
        raise SettingsError(f"expected a layer of kind {', '.join(LAYER_TYPES)}, got {str(kind)[:40]!r}")
    told = typed(LAYER_TYPES[kind], {name: inner for name, inner in value.items() if name != "kind"})
    if nested := LAYER_TYPES[kind].nested:
        if not depth:
            raise SettingsError(f"expected blocks nested at most {MAX_NESTED} deep, got more")
        told |= {name: _read(told[name], depth - 1) for name in nested if name in told}
    told |= {name: tuple(told[name]) for name in ("beside", "sides") if name in told}
    try:
        return LAYER_TYPES[kind](**told)
    except TypeError as error:
        raise SettingsError(f"expected all fields of a {kind} layer, got {', '.join(told) or 'none'}") from error


def _geometry(outputs: int, kernel: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    number_between("outputs of a convolution", outputs, 1, limits.MAX_FEATURES)
    number_between("kernel", kernel, 1, 64)
    number_between("stride", stride, 1, 16)
    number_between("padding", padding, 0, 64)
    number_between("dilation", dilation, 1, 16)
    number_between("groups", groups, 1, outputs)
    if outputs % groups:
        raise SettingsError(f"expected groups that divide {outputs} channels, got {groups}")


def _divides(layer: Layer, groups: int, channels: int) -> None:
    if channels % groups:
        raise SettingsError(f"expected groups of a {layer.kind} layer that divide {channels} channels, got {groups}")


def _joined(what: str, how: str, shapes: tuple[Shape, Shape]) -> Shape:
    """The shape of two joined: beside each other, or with sides of 1 stretched."""
    one, other = shapes
    if len(one) == len(other) and how == "concat" and one[1:] == other[1:]:
        return (one[0] + other[0], *one[1:])
    if (
        len(one) == len(other)
        and how != "concat"
        and all(a == b or 1 in (a, b) for a, b in zip(one, other, strict=True))
    ):
        return tuple(map(max, one, other))
    raise SettingsError(f"expected {what} of a shape that fits {one}, got {other}")


def _flat(layer: Layer, shape: Shape) -> int:
    if len(shape) != 1:
        raise SettingsError(f"expected features before a {layer.kind} layer, got maps of shape {shape}")
    return shape[0]


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise SettingsError(f"expected maps before a {layer.kind} layer, got features of shape {shape}")
    return shape


def _positive(layer: Layer, shape: Shape) -> Shape:
    if min(shape) < 1:
        raise SettingsError(f"expected maps large enough for a {layer.kind} layer, got {shape} after it")
    return shape
