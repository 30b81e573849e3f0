"""Writing down a foreign network layer by layer, and what a reader of weights has to ask on the way.

A format is a function that takes a `Draft` and writes its network into it: this layer has the weights of that name,
here comes an activation. It is recognised by doing so: a name that is missing, a shape that does not fit or a tensor
that is left over is a `MismatchError`, and the next format has its turn. Only names and shapes are looked at; numbers
are computed when the finished network is asked for them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from rgan.common import limits
from rgan.common.errors import SettingsError, one_of
from rgan.importing.tensors import Store
from rgan.networks.described import (
    Activation,
    Block,
    Conv,
    Flat,
    Layer,
    Linear,
    Norm,
    Pool,
    Rescale,
    Shape,
    Total,
    Transposed,
    Uniform,
    Up,
    View,
)

ACTIVATIONS = {
    "relu": ("ReLU", Activation("relu")),
    "leaky 0.2": ("leaky ReLU, slope 0.2", Activation("leaky", 0.2)),
    "leaky 0.1": ("leaky ReLU, slope 0.1", Activation("leaky", 0.1)),
    "leaky 0.01": ("leaky ReLU, slope 0.01", Activation("leaky", 0.01)),
    "elu": ("ELU", Activation("elu")),
    "tanh": ("tanh", Activation("tanh")),
}
SMALLEST = 8  # pixels of an image's side; fewer are some other numbers


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
    """A network being written down. `image` is what a critic judges, () for a generator."""

    def __init__(self, store: Store, answers: Mapping[str, str], *, source: str = "", image: Shape = ()):
        self.store, self.answers, self.source, self.image = store, answers, source, image
        self.role = "critic" if image else "generator"
        self.shape = image
        self.latent = self.score_at = 0
        self.title = self.suffix = ""
        self.layers: list[Layer] = []
        self.weights: dict[str, Callable[[], Tensor]] = {}
        self.questions: dict[str, Question] = {}
        self.used: set[str] = set()
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

    def noise(self, latent: int) -> None:
        """Where a generator begins."""
        self.latent, self.shape = latent, (latent,)
        options = {"normal": "standard normal", "uniform": "uniform between −1 and 1"}
        if self.ask("prior", "Noise it was trained with", options, "normal") == "uniform":
            self.add(Uniform)

    def linear(self, name: str, *, label: str = "", first: str = "class") -> None:
        """A fully connected layer; `label` names an embedding of classes that enters it too, `first` or after it."""
        if len(self.shape) == 3:
            self.add(Flat)
        outputs, inputs = self.size(name, 2)
        weight, bias = self._take(name, outputs)
        if label:
            self._conditional(name, label, first, weight, bias)
            return
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
        inner = name if f"{name}.running_mean" in self.store else f"{name}.bn"
        affine, values = self._affine(name)
        running = {part: f"{inner}.{part}" for part in ("running_mean", "running_var")}
        for key in running.values():
            self.need(
                key in self.store and self.store.shape(key) == self.shape[:1], f"{name} is no batch norm that fits"
            )
        self.used |= {*affine, *running.values()}
        values |= {part: self._value(key) for part, key in running.items()}
        if not fixed:
            options = {value: value for value in ("1e-5", "1e-4", "1e-3", "0.8")}
            eps = self.ask(self.ours("eps"), f"Batch norm's eps in the {self.role}", options, eps)
        self.add(lambda: Norm(float(eps)), **values, num_batches_tracked=lambda: torch.zeros((), dtype=torch.int64))

    def _affine(self, name: str) -> tuple[set[str], dict[str, Callable[[], Tensor]]]:
        """The tensors that scale and shift after a batch norm, and the two for its channels or those of one class.

        StudioGAN keeps gain − 1 and bias as (channels, classes), mimicry both in one embedding (classes, 2·channels).
        """
        channels = self.shape[0]
        plain = f"{name}.weight", f"{name}.bias"
        studio = f"{name}.gain.weight", f"{name}.bias.weight"
        mimicry = f"{name}.embed.weight"
        if all(key in self.store and self.store.shape(key) == (channels,) for key in plain):
            return set(plain), {"weight": self._value(plain[0]), "bias": self._value(plain[1])}
        if all(key in self.store for key in studio):
            shape = self.store.shape(studio[0])
            self.need(len(shape) == 2 and shape[0] == channels and self.store.shape(studio[1]) == shape)
            chosen, (gain, bias) = self.one_class(shape[1]), map(self._value, studio)
            return set(studio), {"weight": lambda: 1 + gain()[:, chosen], "bias": lambda: bias()[:, chosen]}
        self.need(mimicry in self.store, f"{name} is no batch norm that fits")
        shape, table = self.store.shape(mimicry), self._value(mimicry)
        self.need(len(shape) == 2 and shape[1] == 2 * channels, f"{name} is no batch norm that fits")
        chosen = self.one_class(shape[0])
        return {mimicry}, {
            "weight": lambda: table()[chosen, :channels], "bias": lambda: table()[chosen, channels:]
        }  # fmt: skip

    def one_class(self, classes: int) -> int:
        """The class that a conditional network draws or judges, of so many."""
        self.need(classes <= limits.MAX_CLASSES, f"it has {classes:,} classes")
        chosen = int(self.ask("class", "Class to draw", {str(k): f"class {k}" for k in range(classes)}, "0"))
        self.suffix = f", class {chosen}"
        return chosen

    def activation(self, guess: str) -> None:
        """What stands between the layers."""
        options = {name: words for name, (words, _) in ACTIVATIONS.items()}
        answer = self.ask(self.ours("activation"), f"Activation in the {self.role}", options, guess)
        self.add(lambda: ACTIVATIONS[answer][1])

    def up(self, guess: str = "nearest") -> None:
        """Twice the size."""
        options = {"nearest": "nearest pixel", "bilinear": "bilinear (softer)"}
        self.add(lambda: Up(self.ask("upsampling", "How the generator doubles its maps", options, guess)))

    def pool(self) -> None:
        """Half the size."""
        self.add(Pool)

    def block(self, branch: Callable[[Draft], None], shortcut: Callable[[Draft], None] | None = None) -> None:
        """A residual block of what `branch` and `shortcut` write."""
        position, parts = len(self.layers), []
        before = self.shape
        for name, write in (("branch", branch), ("shortcut", shortcut)):
            part = Draft(self.store, self.answers, source=self.source, image=self.image)
            part.shape, part.questions, part.used = before, self.questions, self.used
            if write is not None:
                write(part)
            self.suffix = self.suffix or part.suffix
            parts.append(part)
            self.weights |= {f"{position}.{name}.{key}": make for key, make in part.weights.items()}
        self.add(lambda: Block(tuple(parts[0].layers), tuple(parts[1].layers)))

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

    def score(self, name: str, loss: str, *, label: str = "", product: str = "") -> None:
        """A critic's last layer, and the loss it was trained by.

        label: embedding of classes that enters it too; product: one whose product with the features is added.
        """
        self.score_at = len(self.layers)
        if self.rank(name) == 4:
            kernel, side = self.size(name, 4)[-1], self.shape[-1]
            self.need(side in (kernel, kernel - 1), f"{name} does not see a whole map of {side} pixels")
            self.conv(name, *((1, 0) if kernel == side else (2, 1)))
        else:
            self.linear(name, label=label)
            self.score_at = len(self.layers) - 1
            if product and self.has(product):
                self._project(name, product)
        options = {
            "non-saturating": "log loss, as DCGAN", "wasserstein": "Wasserstein, as WGAN and WGAN-GP",
            "hinge": "hinge, as SNGAN",
        }  # fmt: skip
        self.ask("loss", "Loss the critic was trained by", options, loss)

    def drop(self, name: str, note: str) -> None:
        """Leave a module out, and say so."""
        for part in ("weight", "bias"):
            if f"{name}.{part}" in self.store:
                self.used.add(f"{name}.{part}")
                if note not in self.notes:
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
        """Add a class's embedding to the weights of layer `name`, which is what its product with features comes to."""
        classes, length = self.size(label, 2)
        self.used.add(f"{label}.weight")
        self.need(length == self.size(name, 2)[1], f"{label} is not as long as the features")
        chosen, table = self.one_class(classes), self._value(f"{label}.weight")
        key = f"{self.score_at}.weight"
        weight = self.weights[key]
        self.weights[key] = lambda: weight() + table()[chosen]

    def _conditional(
        self, name: str, label: str, guess: str, weight: Callable[[], Tensor], bias: dict[str, Callable[[], Tensor]]
    ) -> None:
        """A linear layer that sees a class as well, for one class: its part of the product is a bias.

        The class's embedding is multiplied with the other input where both are as long, else put beside it.
        """
        outputs, inputs = self.size(name, 2)
        embedding = f"{label}.weight"
        classes, length = self.size(label, 2)
        self.used.add(embedding)
        chosen = self.one_class(classes)

        table = self._value(embedding)

        def vector() -> Tensor:
            return table()[chosen]

        if inputs == length:
            if self.role == "generator":
                self.noise(length)
            self.add(lambda: Linear(outputs, bool(bias)), weight=lambda: weight() * vector(), **bias)
            return
        own = inputs - length
        self.need(own > 0, f"{name} takes fewer numbers than a class has")
        first = False  # a critic sees the image, then its class
        if self.role == "generator":
            self.noise(own)
            order = {"class": "class, then noise", "noise": "noise, then class"}
            first = self.ask("order", "Order of the generator's inputs", order, guess) == "class"
        self.need(self.shape == (own,), f"{name} takes {own} numbers beside the class and gets {self.shape}")
        mine, theirs = (slice(length, None), slice(length)) if first else (slice(own), slice(own, None))

        def shift() -> Tensor:
            told = weight()[:, theirs] @ vector()
            return told + bias["bias"]() if bias else told

        self.add(lambda: Linear(outputs), weight=lambda: weight()[:, mine].contiguous(), bias=shift)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key: numbers by size, names as they are."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)|\.", name) if part]


def _is_square(number: int) -> bool:
    return math.isqrt(number) ** 2 == number
