"""Writing down a foreign network layer by layer, and what a reader of weights has to ask on the way.

A format is a function that takes a `Draft` and writes its network into it: this layer has the weights of that name,
here comes an activation. It is recognised by doing so: a name that is missing, a shape that does not fit or a tensor
that is left over is a `MismatchError`, and the next format has its turn. Only names and shapes are looked at; numbers
are computed when the finished network is asked for them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from rgan.common import limits
from rgan.common.errors import SettingsError, one_of
from rgan.importing.tensors import Store
from rgan.networks.described import (
    Activation,
    Attention,
    Block,
    ClassNormed,
    Conv,
    Flat,
    GroupNorm,
    Label,
    Layer,
    LayerNorm,
    Linear,
    Norm,
    Pool,
    Prelu,
    Projected,
    Rescale,
    Shape,
    Shuffle,
    Total,
    Transposed,
    Uniform,
    Up,
    View,
    follow,
)

ACTIVATIONS = {
    "relu": ("ReLU", Activation("relu")),
    "leaky 0.2": ("leaky ReLU, slope 0.2", Activation("leaky", 0.2)),
    "leaky 0.1": ("leaky ReLU, slope 0.1", Activation("leaky", 0.1)),
    "leaky 0.01": ("leaky ReLU, slope 0.01", Activation("leaky", 0.01)),
    "elu": ("ELU", Activation("elu")),
    "selu": ("SELU", Activation("selu")),
    "silu": ("SiLU (swish)", Activation("silu")),
    "gelu": ("GELU", Activation("gelu")),
    "tanh": ("tanh", Activation("tanh")),
    "sigmoid": ("sigmoid", Activation("sigmoid")),
    "softplus": ("softplus", Activation("softplus")),
}
NORMS_OF_SAMPLES = {
    "layer": ("layer norm", GroupNorm(1)),
    "instance": ("instance norm", GroupNorm(0)),
    **{f"{groups} groups": (f"group norm, {groups} groups", GroupNorm(groups)) for groups in (2, 4, 8, 16, 32)},
}
SMALLEST = 8  # pixels of an image's side; fewer are some other numbers


Steps = tuple[tuple[str, tuple[object, ...]], ...]  # names of a draft's methods, and what they are called with


class MismatchError(Exception):
    """The tensors are not those of this format; why, for people."""


@dataclass(frozen=True)
class Question:
    """Something that weights do not tell: its name and what is asked, answers with their words, and the likeliest."""

    name: str
    text: str
    options: Mapping[str, str]
    guess: str


@dataclass(frozen=True)
class Network:
    """A recognised network.

    layers, score: as in `layered.Layers`. image: (C, H, W) it makes or judges. questions: what was guessed, answered or
    not. notes: what was left out or preferred, for people. `state` computes the weights, named as the module's.
    """

    title: str
    role: str
    layers: tuple[Layer, ...]
    score: int
    latent: int
    image: Shape
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    state: Callable[[], dict[str, Tensor]]


class Draft:
    """A network being written down. `image` is what a critic judges, () for a generator.

    guesses: better ones than a format's own, by question.
    """

    def __init__(
        self,
        store: Store,
        answers: Mapping[str, str],
        *,
        source: str = "",
        image: Shape = (),
        guesses: Mapping[str, str] | None = None,
    ):
        self.store, self.answers, self.source, self.image = store, answers, source, image
        self.guesses: Mapping[str, str] = guesses or {}
        self.role = "critic" if image else "generator"
        self.shape = image
        self.latent = self.score_at = 0
        self.title = self.suffix = ""
        self.layers: list[Layer] = []
        self.weights: dict[str, Callable[[], Tensor]] = {}
        self.questions: dict[str, Question] = {}
        self.used: set[str] = set()
        self.sources: list[frozenset[str]] = []  # names of the tensors that each layer took first
        self.notes: list[str] = []

    def finish(self, title: str) -> Network:
        """The network, if every tensor has found its place."""
        left = [name for name in self.store.names if name not in self.used and not name.endswith("num_batches_tracked")]
        if left:
            raise MismatchError(f"nothing is known of {left[0]}")
        if self.role == "critic" and self.shape not in ((1,), (1, 1, 1)):
            raise MismatchError("it does not end in one number")
        if self.role == "generator" and (len(self.shape) != 3 or min(self.shape[1:]) < SMALLEST):
            raise MismatchError("it does not end in an image")
        weights, score = dict(self.weights), f"{self.score_at}." if self.image else "none"
        return Network(
            (self.title or title) + self.suffix,
            self.role,
            tuple(self.layers),
            self.score_at,
            self.latent,
            self.image or self.shape,
            tuple(self.questions.values()),
            tuple(self.notes),
            lambda: {
                f"score.{name.removeprefix(score)}" if name.startswith(score) else name: make()
                for name, make in weights.items()
            },
        )

    # What the tensors are

    def need(self, condition: object, why: str = "its names are others") -> None:
        """Go on only if `condition` holds."""
        if not condition:
            raise MismatchError(why)

    def modules(self, pattern: str = "") -> list[str]:
        """Names of the modules with weights that match `pattern`, numbers in them in order of size."""
        names = {name.rpartition(".")[0] for name in self.store.names if name not in self.used}
        return sorted((name for name in names if re.fullmatch(pattern or ".*", name)), key=_natural)

    def rank(self, name: str) -> int:
        """Dimensions of a module's weight: 1 norm, 2 linear, 4 convolution; 0 where there is none."""
        key = f"{name}.weight"
        return len(self.store.shape(key)) if key in self.store else 0

    def is_norm(self, name: str) -> bool:
        """Whether a module is a batch norm, of one class or for all."""
        return self.rank(name) == 1 or f"{name}.bn.running_mean" in self.store

    def size(self, name: str, rank: int) -> Shape:
        """Shape of a module's weight, which must have that many dimensions."""
        self.need(self.rank(name) == rank, f"there is no {name}" if not self.rank(name) else f"{name} is another layer")
        return self.store.shape(f"{name}.weight")

    def has(self, name: str) -> bool:
        """Whether a module of this name has a weight."""
        return f"{name}.weight" in self.store

    # What they do not tell

    def ask(self, name: str, text: str, options: Mapping[str, str], guess: str) -> str:
        """The answer to a question, or its guess.

        Raises:
            SettingsError: the answer is none of the options.
        """
        better = self.guesses.get(name, guess)
        guess = better if better in options else guess
        self.questions.setdefault(name, Question(name, text, options, guess))
        answer = self.answers.get(name, guess)
        one_of(f"the answer to “{text}”", answer, tuple(options))
        return answer

    def ours(self, name: str) -> str:
        """A question's name, told apart for the critic."""
        return name if self.role == "generator" else f"critic {name}"

    # Layers

    def add(self, make: Callable[[], Layer], **weights: Callable[[], Tensor]) -> None:
        """A layer and its weights."""
        try:
            layer = make()
            self.shape = layer.after(self.shape)
        except SettingsError as error:
            raise MismatchError(str(error)) from error
        self.need(math.prod(self.shape) <= limits.MAX_FEATURES, "its maps grow too large")
        self.weights |= {f"{len(self.layers)}.{name}": value for name, value in weights.items()}
        self.layers.append(layer)
        self.sources.append(frozenset(self.used.difference(*self.sources)))

    def noise(self, latent: int) -> None:
        """Where a generator begins."""
        self.latent, self.shape = latent, (latent,)
        options = {
            "normal": "standard normal", "uniform": "uniform between −1 and 1", "uniform01": "uniform between 0 and 1"
        }  # fmt: skip
        prior = self.ask("prior", "Noise it was trained with", options, "normal")
        if prior != "normal":
            self.add(Uniform)
        if prior == "uniform01":
            self.add(lambda: Rescale(0.5, 0.5))

    def label(
        self, classes: int, table: Callable[[], Tensor], how: str, beside: Shape, used: Sequence[str], first: bool
    ) -> None:
        """Where the class enters: a row of `table` (classes, *beside) joined to what goes through."""
        self.conditional(classes)
        self.used |= set(used)
        self.add(lambda: Label(classes, how, beside, first), table=table)

    def conditional(self, classes: int) -> None:
        """The network draws or judges so many classes; which of them it does at first is asked."""
        self.need(classes <= limits.MAX_CLASSES, f"it has {classes:,} classes")
        self.ask("class", "Class to draw first", {str(k): f"class {k}" for k in range(classes)}, "0")
        self.suffix = f", {classes} classes"

    def one_hot(self, classes: int, first: bool) -> None:
        """A class's one-hot code, before or behind the features."""
        self.label(classes, partial(torch.eye, classes), "concat", (classes,), (), first)

    def table(self, name: str, through: bool, how: str, first: bool) -> None:
        """A class's embedding, or its one-hot code `through` a linear layer, joined to features, or to maps as maps."""
        first_size, second = self.size(name, 2)
        classes, length = (second, first_size) if through else (first_size, second)
        weight, bias = self._take(name, first_size)
        made = weight
        if through:
            options = {"none": "none"} | {key: words for key, (words, _) in ACTIVATIONS.items()}
            answer = self.ask(
                f"{self.ours('label')} activation", "Activation of the class's own layer", options, "none"
            )
            after = nn.Identity() if answer == "none" else ACTIVATIONS[answer][1].module((length,))

            def made() -> Tensor:
                shift = bias["bias"]() if bias else torch.zeros(length)
                shifted: Tensor = after(weight().T + shift)
                return shifted.detach().contiguous()

        beside: Shape = (length,)
        if len(self.shape) == 3:
            beside = (length // math.prod(self.shape[1:]), *self.shape[1:])
        self.need(math.prod(beside) == length, f"{name} does not fit")
        self.label(classes, lambda: made().reshape(classes, *beside), how, beside, (), first)

    def branch(self, inner: Sequence[tuple[str, str]], first: bool) -> None:
        """A class's one-hot code through layers of its own, joined to what goes through."""
        part = Draft(self.store, self.answers, source=self.source, image=self.image, guesses=self.guesses)
        (kind, name), *others = inner
        size = self.size(name, 2 if kind == "linear" else 4)
        classes = size[1] if kind == "linear" else size[0]
        part.shape, part.questions, part.used = (classes,), self.questions, self.used
        part.linear(name) if kind == "linear" else part.transposed(name, 1, 0)
        for _, norm in others:
            part.norm(norm)

        def made() -> Tensor:
            modules = [layer.module(shape) for layer, shape in zip(part.layers, shapes, strict=True)]
            network = nn.Sequential(*modules)
            network.load_state_dict({key: make() for key, make in weights.items()})
            with torch.no_grad():
                result: Tensor = network.eval()(torch.eye(classes))
            return result

        shapes, weights, beside = follow(part.layers, (classes,)).shapes[:-1], part.weights, part.shape
        self.label(classes, made, "concat", beside, (), first)

    def labelled_noise(self, name: str, inputs: int, guess: str) -> None:
        """Where a conditional generator begins: noise, and the embedding `name` of its class, for `inputs` numbers.

        The embedding is multiplied with the noise where it is as long, else put beside it.
        """
        classes, length = self.size(name, 2)
        how = "concat" if inputs != length else "multiply"
        own = inputs - length if how == "concat" else inputs
        self.need(own > 0, f"the layer after {name} takes fewer numbers than a class has")
        self.noise(own)
        first = False
        if how == "concat":
            order = {"class": "class, then noise", "noise": "noise, then class"}
            first = self.ask("order", "Order of the generator's inputs", order, guess) == "class"
        self.label(classes, self._value(f"{name}.weight"), how, (length,), (f"{name}.weight",), first)

    def linear(self, name: str) -> None:
        """A fully connected layer."""
        if len(self.shape) == 3:
            self.add(Flat)
        outputs, inputs = self.size(name, 2)
        weight, bias = self._take(name, outputs)
        self.need(self.shape == (inputs,), f"{name} takes {inputs} numbers and gets {self.shape}")
        self.add(lambda: Linear(outputs, bool(bias)), weight=weight, **bias)

    def conv(self, name: str, stride: int, padding: int) -> None:
        """A convolution."""
        outputs, inputs, kernel, width = self.size(name, 4)
        weight, bias = self._take(name, outputs)
        self.need(kernel == width and self.shape[0] == inputs, f"{name} does not fit")
        self.add(lambda: Conv(outputs, kernel, stride, padding, bool(bias)), weight=weight, **bias)

    def transposed(self, name: str, stride: int, padding: int, extra: int = 0) -> None:
        """A transposed convolution; of a single pixel it is written as the linear layer it is."""
        inputs, outputs, kernel, width = self.size(name, 4)
        weight, bias = self._take(name, outputs)
        self.need(kernel == width and self.shape[0] == inputs, f"{name} does not fit")
        if len(self.shape) == 3:
            self.add(lambda: Transposed(outputs, kernel, stride, padding, extra, bool(bias)), weight=weight, **bias)
            return
        spread = {key: lambda make=make: make().repeat_interleave(kernel**2) for key, make in bias.items()}
        self.add(
            lambda: Linear(outputs * kernel**2, bool(bias)), weight=lambda: weight().flatten(1).T.contiguous(), **spread
        )
        self.add(lambda: View(outputs))

    def view(self, channels: int) -> None:
        """Features as square maps."""
        self.add(lambda: View(channels))

    def norm(self, name: str, eps: str = "1e-5", *, fixed: bool = False) -> None:
        """A batch norm, or one whose scale and shift depend on a class, for one class; its eps is asked unless the
        format has it fixed.
        """
        inner = self._statistics(name)
        classes, values = self._affine(name)
        running = {part: f"{inner}.{part}" for part in ("running_mean", "running_var")}
        for key in running.values():
            self.need(
                key in self.store and self.store.shape(key) == self.shape[:1], f"{name} is no batch norm that fits"
            )
        self.used |= {*running.values()}
        values |= {part: self._value(key) for part, key in running.items()}
        if not fixed:
            options = {value: value for value in ("1e-5", "1e-4", "1e-3", "0.8")}
            options["then 0.8"] = "1e-5 in the first, 0.8 in the others"
            eps = self.ask(self.ours("eps"), f"Batch norm's eps in the {self.role}", options, eps)
            if eps == "then 0.8":
                first = not any(isinstance(layer, (Norm, ClassNormed)) for layer in self.layers)
                eps = "1e-5" if first else "0.8"
        if classes:
            self.conditional(classes)
            self.add(lambda: ClassNormed(classes, float(eps)), **values)
            return
        self.add(lambda: Norm(float(eps)), **values, num_batches_tracked=lambda: torch.zeros((), dtype=torch.int64))

    def _affine(self, name: str) -> tuple[int, dict[str, Callable[[], Tensor]]]:
        """The scale and shift after a batch norm: for 0 classes (C,) each, else (classes, C).

        StudioGAN keeps gain − 1 and bias as (C, classes), mimicry both in one embedding (classes, 2·C).
        """
        channels = self.shape[0]
        plain = f"{name}.weight", f"{name}.bias"
        studio = f"{name}.gain.weight", f"{name}.bias.weight"
        mimicry = f"{name}.embed.weight"
        inside = any(part.startswith(f"{name}.") for part in self.store.modules)
        if f"{name}.running_mean" in self.store and not inside and not any(key in self.store for key in plain):
            return 0, {"weight": lambda: torch.ones(channels), "bias": lambda: torch.zeros(channels)}
        if all(key in self.store and self.store.shape(key) == (channels,) for key in plain):
            self.used |= {*plain}
            return 0, {"weight": self._value(plain[0]), "bias": self._value(plain[1])}
        if all(key in self.store for key in studio):
            shape = self.store.shape(studio[0])
            self.need(len(shape) == 2 and shape[0] == channels and self.store.shape(studio[1]) == shape)
            self.used |= {*studio}
            gain, bias = map(self._value, studio)
            return shape[1], {"weight": lambda: 1 + gain().T.contiguous(), "bias": lambda: bias().T.contiguous()}
        if mimicry in self.store:
            shape, table = self.store.shape(mimicry), self._value(mimicry)
            if f"{name}.bn.running_mean" in self.store and len(shape) == 2 and shape[1] == 2 * channels:
                self.used.add(mimicry)
                return shape[0], {
                    "weight": lambda: table()[:, :channels].contiguous(),
                    "bias": lambda: table()[:, channels:].contiguous(),
                }
        return self._tables(name)

    def _statistics(self, name: str) -> str:
        """The module that keeps the running statistics of a norm, itself or one within it."""
        inner = [part for part in self.store.modules if part == name or part.startswith(f"{name}.")]
        found = [part for part in inner if f"{part}.running_mean" in self.store]
        self.need(len(found) == 1, f"{name} is no batch norm that fits")
        return found[0]

    def _tables(self, name: str) -> tuple[int, dict[str, Callable[[], Tensor]]]:
        """Scale and shift of each class from whatever modules within `name` keep them: embeddings, or layers of a
        one-hot class; one for both, or one for each. A scale around 0 is one more than it says.
        """
        channels, inner = self.shape[0], self._statistics(name)
        within = [key.rpartition(".")[0] for key in self.store.names if key.startswith(f"{name}.")]
        parts = sorted(
            dict.fromkeys(part for part in within if part not in (name, inner)),
            key=lambda part: any(word in part.lower() for word in ("beta", "bias", "shift")),
        )
        self.need(1 <= len(parts) <= 2 and all(self.rank(part) == 2 for part in parts), f"{name} is no norm that fits")
        shape, wide = self.store.shape(f"{parts[0]}.weight"), channels * (2 if len(parts) == 1 else 1)
        self.need(wide in shape, f"{name} is no norm that fits")
        turned = shape[1] != wide or f"{parts[0]}.bias" in self.store
        self.need(not turned or shape[0] == wide, f"{name} is no norm that fits")
        classes = shape[1] if turned else shape[0]
        taken = [self._take(part, shape[0]) for part in parts]
        own: dict[str, Callable[[], Tensor]] = {}
        if f"{inner}.weight" in self.store:
            weight, bias = self._take(inner, channels)
            self.need(bias, f"{name} is no norm that fits")
            own = {"weight": weight, **bias}

        def table(place: int) -> Tensor:
            weight, bias = taken[place]
            value = weight().T if turned else weight()
            return value + bias["bias"]() if bias else value

        def scale() -> Tensor:
            value = table(0)[:, :channels]
            value = value + 1 if float(value.mean()) < 0.5 else value
            return (value * own["weight"]() if own else value).contiguous()

        def shift() -> Tensor:
            value = table(len(parts) - 1)[:, -channels:]
            if own:
                raised = table(0)[:, :channels]
                value = value + own["bias"]() * (raised + 1 if float(raised.mean()) < 0.5 else raised)
            return value.contiguous()

        return classes, {"weight": scale, "bias": shift}

    def sample_norm(self, name: str) -> None:
        """A norm without running statistics: of layers, instances or groups."""
        weight, bias = f"{name}.weight", f"{name}.bias"
        self.need(weight in self.store, f"there is no {name}")
        shape = self.store.shape(weight)
        self.need(bias in self.store and self.store.shape(bias) == shape, f"{name} is no norm that fits")
        self.used |= {weight, bias}
        values = {"weight": self._value(weight), "bias": self._value(bias)}
        if shape == self.shape:
            self.add(LayerNorm, **values)
            return
        self.need(shape == self.shape[:1], f"{name} is no norm that fits")
        options = {
            key: words for key, (words, norm) in NORMS_OF_SAMPLES.items() if not shape[0] % (norm.groups or shape[0])
        }
        answer = self.ask(self.ours("norm"), f"Norm in the {self.role}", options, "layer")
        self.add(lambda: NORMS_OF_SAMPLES[answer][1], **values)

    def channel_norm(self, name: str, norm: GroupNorm) -> None:
        """A group or instance norm that is known, with a scale and shift a channel or without."""
        weight, bias, channels = f"{name}.weight", f"{name}.bias", self.shape[0]
        if weight not in self.store:
            self.add(lambda: norm, weight=lambda: torch.ones(channels), bias=lambda: torch.zeros(channels))
            return
        self.need(bias in self.store and self.store.shape(weight) == self.shape[:1], f"{name} is no norm that fits")
        self.used |= {weight, bias}
        self.add(lambda: norm, weight=self._value(weight), bias=self._value(bias))

    def prelu(self, name: str) -> None:
        """An activation whose slopes were learnt."""
        (slopes,) = self.size(name, 1)
        self.used.add(f"{name}.weight")
        self.add(lambda: Prelu(slopes), weight=self._value(f"{name}.weight"))

    def activation(self, guess: str) -> None:
        """What stands between the layers."""
        options = {name: words for name, (words, _) in ACTIVATIONS.items()}
        answer = self.ask(self.ours("activation"), f"Activation in the {self.role}", options, guess)
        self.add(lambda: ACTIVATIONS[answer][1])

    def up(self, guess: str = "nearest", factor: int = 2) -> None:
        """Twice the size, or `factor` times."""
        options = {"nearest": "nearest pixel", "bilinear": "bilinear (softer)"}
        self.add(lambda: Up(self.ask("upsampling", "How the generator doubles its maps", options, guess), factor))

    def shuffle(self, factor: int) -> None:
        """`factor` times the size, out of channels."""
        self.add(lambda: Shuffle(factor))

    def flat(self) -> None:
        """Maps as features."""
        self.add(Flat)

    def pool(self, of: str = "mean") -> None:
        """Half the size."""
        self.add(lambda: Pool(of))

    def block(self, branch: Callable[[Draft], None], shortcut: Callable[[Draft], None] | None = None) -> None:
        """A residual block of what `branch` and `shortcut` write."""
        position, parts = len(self.layers), []
        before = self.shape
        for name, write in (("branch", branch), ("shortcut", shortcut)):
            part = Draft(self.store, self.answers, source=self.source, image=self.image, guesses=self.guesses)
            part.shape, part.questions, part.used = before, self.questions, self.used
            if write is not None:
                write(part)
            self.suffix = self.suffix or part.suffix
            parts.append(part)
            self.weights |= {f"{position}.{name}.{key}": make for key, make in part.weights.items()}
        self.add(lambda: Block(tuple(parts[0].layers), tuple(parts[1].layers)))

    def residual(self, branch: Steps, shortcut: Steps) -> None:
        """A residual block of steps, (method, arguments) each."""
        self.block(partial(take, branch), partial(take, shortcut) if shortcut else None)

    def attention(self, name: str, parts: Sequence[str]) -> None:
        """Self-attention `name` of the 1×1 convolutions of query, key and value."""
        weights: dict[str, Callable[[], Tensor]] = {"gamma": self._value(f"{name}.gamma")}
        self.used.add(f"{name}.gamma")
        for role, part in zip(("query", "key", "value"), parts, strict=True):
            outputs = self.size(part, 4)[0]
            weight, bias = self._take(part, outputs)
            weights |= {f"{role}.weight": weight, f"{role}.bias": bias.get("bias", partial(torch.zeros, outputs))}
        inner = self.size(parts[0], 4)[0]
        self.need(self.size(parts[2], 4)[1] == self.shape[0], f"{name} attends to other maps")
        self.add(lambda: Attention(inner), **weights)

    def total(self, guess: str = "sum") -> None:
        """All pixels of a map in one number."""
        options = {"sum": "their sum", "mean": "their mean"}
        answer = self.ask("critic pooling", "What the critic takes of the pixels of its last maps", options, guess)
        self.add(lambda: Total(mean=answer == "mean"))

    def to_image(self, guess: str = "tanh") -> None:
        """Where a generator ends: the range of its images."""
        if len(self.shape) == 1:
            pixels = self.shape[0]
            channels = next((c for c in (1, 3) if pixels % c == 0 and _is_square(pixels // c)), 0)
            self.need(channels and self.latent < pixels, f"{pixels} numbers are no image")
            self.add(lambda: View(channels))
        options = {
            "tanh": "tanh: −1 to 1", "sigmoid": "sigmoid: 0 to 1", "none": "the last layer's own: −1 to 1",
        }  # fmt: skip
        answer = self.ask("output", "How the generator ends, and the range of its images", options, guess)
        if answer == "tanh":
            self.add(lambda: Activation("tanh"))
        elif answer == "sigmoid":
            self.add(lambda: Activation("sigmoid"))
            self.add(lambda: Rescale(2.0, -1.0))

    def from_image(self) -> None:
        """Where a critic begins: images in the range that the generator has."""
        if self.answers.get("output") == "sigmoid":
            self.add(lambda: Rescale(0.5, 0.5))

    def score(self, name: str, loss: str, *, product: str = "") -> None:
        """A critic's last layer, and the loss it was trained by.

        product: an embedding of classes whose product with the features is added.
        """
        self.score_at = len(self.layers)
        if self.rank(name) == 4:
            kernel, side = self.size(name, 4)[-1], self.shape[-1]
            self.need(side in (kernel, kernel - 1), f"{name} does not see a whole map of {side} pixels")
            self.conv(name, *((1, 0) if kernel == side else (2, 1)))
        elif product and self.has(product):
            self._project(name, product)
        else:
            self.linear(name)
            self.score_at = len(self.layers) - 1
        self.loss(loss)

    def score_conv(self, name: str, stride: int, padding: int) -> None:
        """A critic's last layer, a convolution."""
        self.score_at = len(self.layers)
        self.conv(name, stride, padding)
        self.loss("non-saturating")

    def score_linear(self, name: str) -> None:
        """A critic's last layer, of features or of maps."""
        if len(self.shape) == 3:
            self.flat()
        self.score_at = len(self.layers)
        self.linear(name)
        self.loss("non-saturating")

    def loss(self, guess: str) -> None:
        """What a critic was trained by."""
        options = {
            "non-saturating": "log loss, as DCGAN", "wasserstein": "Wasserstein, as WGAN and WGAN-GP",
            "hinge": "hinge, as SNGAN",
        }  # fmt: skip
        self.ask("loss", "Loss the critic was trained by", options, guess)

    def drop(self, name: str, note: str) -> None:
        """Leave a module out, and say so."""
        parts = {key for key in self.store.names if key.rpartition(".")[0] == name}
        self.used |= parts
        if parts and note not in self.notes:
            self.notes.append(note)

    def _take(self, name: str, outputs: int) -> tuple[Callable[[], Tensor], dict[str, Callable[[], Tensor]]]:
        """A module's weight, and its bias if it has one."""
        weight, bias = f"{name}.weight", f"{name}.bias"
        self.need(bias not in self.store or self.store.shape(bias) == (outputs,), f"{bias} does not fit")
        self.used |= {weight, bias}
        return self._value(weight), {"bias": self._value(bias)} if bias in self.store else {}

    def _value(self, name: str) -> Callable[[], Tensor]:
        """A tensor on demand. It knows the store alone: a draft that knew itself would keep every weight alive until
        Python looks for cycles.
        """
        return partial(self.store.value, name)

    def _project(self, name: str, label: str) -> None:
        """A linear layer to one number, and the product of its input with its class's embedding `label`."""
        classes, length = self.size(label, 2)
        self.need(self.shape == (length,) and self.size(name, 2) == (1, length), f"{label} does not fit the features")
        weight, bias = self._take(name, 1)
        self.used.add(f"{label}.weight")
        self.conditional(classes)
        self.add(lambda: Projected(classes, bool(bias)), weight=weight, table=self._value(f"{label}.weight"), **bias)


def take(steps: Steps, draft: Draft) -> None:
    """Write a network into a draft, step by step."""
    for method, arguments in steps:
        getattr(draft, method)(*arguments)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key: numbers by size, names as they are."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)|\.", name) if part]


def _is_square(number: int) -> bool:
    return math.isqrt(number) ** 2 == number
