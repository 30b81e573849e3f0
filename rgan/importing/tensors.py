"""Tensors by name as the recognisers see them: wrappers taken off, normalised weights as plain ones."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn.functional import normalize

from rgan.importing.containers import Group
from rgan.importing.geometry import Known
from rgan.importing.graphs.program import Program

WRAPPERS = ("module", "_orig_mod")  # of DataParallel and torch.compile
_PLAYERS = {
    "generator": "generator gen netg net_g g g_net gnet g_model generator_model model_g",
    "average": "ema g_ema netg_ema generator_ema gen_ema avg_generator netg_avg generator_avg ema_model "
    "ema_generator avgg",
    "critic": "discriminator disc dis critic netd net_d d d_net dnet d_model discriminator_model model_d",
}
PLAYERS = {name: player for player, names in _PLAYERS.items() for name in names.split()}
_AVERAGE = re.compile(r"(?:^|[^a-z])(?:ema|avg|average|averaged)(?:$|[^a-z])")

# Spellings of a spectrally normalised weight: the weight, and the vectors u and v of its largest singular value.
_SPECTRAL = (
    ("weight_orig", "weight_u", "weight_v"),
    ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"),
    ("weight", "sn_u", ""),
)

# Spellings of a weight that is kept as lengths and directions.
_WEIGHT_NORMS = (
    ("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)  # fmt: skip

_SPELLINGS = [name for spelling in (*_SPECTRAL, *_WEIGHT_NORMS) for name in spelling if name]
# Last parts of the names of a layer's tensors.
PARAMETERS = {"weight", "bias", "running_mean", "running_var", *(name.rpartition(".")[2] for name in _SPELLINGS)}


@dataclass(frozen=True)
class ModuleAt:
    """A part of a pickled module: its name in it, its class ("torch.nn.modules.linear.Linear"), plain attributes."""

    name: str
    of: str
    settings: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The class's own name, if it is one of torch.nn's; "" for others."""
        return self.of.rpartition(".")[2] if self.of.startswith("torch.nn.") else ""

    def number(self, name: str, default: float = 0) -> float:
        """A setting that is a number, or one for each dimension that are all the same."""
        value = self.settings.get(name, default)
        if isinstance(value, (list, tuple)) and value and all(one == value[0] for one in value):
            value = value[0]
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan

    @property
    def convolution(self) -> Known | None:
        """The geometry of a plain convolution."""
        kind = {"Conv2d": "conv", "ConvTranspose2d": "transposed"}.get(self.kind)
        numbers = [self.number("stride", 1), self.number("padding"), self.number("output_padding")]
        if kind is None or any(math.isnan(one) for one in numbers):
            return None
        return Known(kind, *map(int, numbers))


class Store:
    """Names and shapes of a network's tensors, and its `modules` with any; `value` computes one."""

    def __init__(self, tensors: Group, layers: Sequence[ModuleAt] = (), graph: Program | None = None):
        """layers: what a pickled module says of its parts, in their order; none for weights alone. graph: that they
        are the weights of.
        """
        self.layers = tuple(layers)
        self.graph = graph
        self.facts = {layer.name: known for layer in layers if (known := layer.convolution)}
        self._make: dict[str, Callable[[], Tensor]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self.normalised = False  # spectrally, anywhere
        self._meta = any(tensor.is_meta for tensor in tensors.values())
        left = dict(tensors)
        for name in tensors:
            for spelling in _SPECTRAL:
                if name.endswith(f".{spelling[1]}") or name == spelling[1]:
                    self._normalised(left, name.removesuffix(spelling[1]), *spelling)
        for length, direction in _WEIGHT_NORMS:
            for name in [name for name in left if name == length or name.endswith(f".{length}")]:
                self._lengths(left, name.removesuffix(length), length, direction)
        for name, tensor in left.items():
            self._put(name, tensor, partial(_itself, tensor))
        order = {own: place for place, own in enumerate(_plain_names(tensors))}
        names = sorted(self._make, key=lambda name: order.get(name, len(order)))
        self._make = {name: self._make[name] for name in names}
        self.modules = frozenset(name.rpartition(".")[0] for name in self._make)

    @property
    def is_meta(self) -> bool:
        """Whether there are shapes alone."""
        return self._meta

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._make)

    def __contains__(self, name: str) -> bool:
        return name in self._make

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape."""
        return self._shapes[name]

    def value(self, name: str) -> Tensor:
        """A tensor's numbers as float32, normalised if it was trained so."""
        return self._make[name]().float()

    def _put(self, name: str, tensor: Tensor, make: Callable[[], Tensor]) -> None:
        self._shapes[name] = tuple(tensor.shape)
        self._make[name] = make

    def _normalised(self, left: Group, prefix: str, original: str, u: str, v: str) -> None:
        weight, left_vector = left.pop(prefix + original, None), left.pop(prefix + u, None)
        right_vector = left.pop(prefix + v, None) if v else None
        left.pop(f"{prefix}sn_sigma", None)  # as it was in training; mimicry computes it anew
        if weight is None or left_vector is None:
            return
        self.normalised = True
        self._put(f"{prefix}weight", weight, lambda: weight / _largest(weight, left_vector, right_vector))

    def _lengths(self, left: Group, prefix: str, length: str, direction: str) -> None:
        """A weight kept as its directions and their lengths (Salimans & Kingma 2016)."""
        g, v = left.get(prefix + length), left.get(prefix + direction)
        if g is None or v is None or not v.dim() or g.numel() != v.shape[0]:
            return
        del left[prefix + length], left[prefix + direction]
        spread = g.reshape(-1, *[1] * (v.dim() - 1))
        self._put(f"{prefix}weight", v, lambda: spread * v / v.flatten(1).norm(dim=1).reshape(spread.shape))


def _plain_names(tensors: Group) -> list[str]:
    """The names of tensors in their order, those of normalised weights as their layers' plain ones."""
    spellings = [first for first, _, _ in _SPECTRAL] + [name for pair in _WEIGHT_NORMS for name in pair]
    found: dict[str, None] = {}
    for name in tensors:
        for spelling in spellings:
            if name == spelling or name.endswith(f".{spelling}"):
                found[f"{name.removesuffix(spelling)}weight"] = None
        found[name] = None
    return list(found)


def _largest(weight: Tensor, u: Tensor, v: Tensor | None) -> Tensor:
    """The estimate of the largest singular value that the program itself divides by.

    torch keeps both vectors; it takes a transposed convolution's outputs, its second dimension, as the matrix's rows,
    which the vectors' lengths tell (of equal lengths the larger estimate is the one they were made for). mimicry keeps
    u and makes one more iteration.
    """
    if v is None:
        matrix = weight.flatten(1)
        right = normalize(u @ matrix)
        return (normalize(right @ matrix.T) @ matrix @ right.T).squeeze()
    matrices = [weight.flatten(1)] + ([weight.transpose(0, 1).flatten(1)] if weight.dim() > 2 else [])
    return max(u @ matrix @ v for matrix in matrices if matrix.shape == (len(u), len(v)))


def _itself(tensor: Tensor) -> Tensor:
    return tensor


COUNTS = ("n_averaged",)  # of torch's AveragedModel


def unwrapped(tensors: Group) -> Group:
    """Without prefixes that every name has and that mean nothing: those of wrappers, and of what holds the players."""
    tensors = {name: value for name, value in tensors.items() if name not in COUNTS}
    while tensors and (first := _common(tensors)):
        inner = {name.removeprefix(f"{first}."): value for name, value in tensors.items()}
        if first not in WRAPPERS and (first.lower() in PLAYERS or len(players(inner)[0]) < 2):
            break
        tensors = inner
    return tensors


def players(tensors: Group) -> tuple[dict[str, Group], list[str]]:
    """The tensors by the player in front of their names ("netG.main.0.weight"), and the names of those without one.

    These may be some only beside a generator and a critic, as measures and fixed noise are in a whole training;
    otherwise the name that looks like a player's is that of a layer, and there are no players.
    """
    parts: dict[str, Group] = {}
    without: list[str] = []
    for name, value in tensors.items():
        first, _, rest = name.partition(".")
        if rest and first.lower() in PLAYERS:
            parts.setdefault(first, {})[rest] = value
        else:
            without.append(name)
    if without and not {"generator", "critic"} <= {PLAYERS[first.lower()] for first in parts}:
        return {}, []
    return parts, without


def within(layers: Sequence[ModuleAt], prefix: str) -> list[ModuleAt]:
    """The parts of a module under a prefix, by their names without it."""
    return [replace(layer, name=layer.name.removeprefix(prefix)) for layer in layers if layer.name.startswith(prefix)]


def is_average(path: str) -> bool:
    """Whether a path in a file, or a file's name, speaks of averaged weights."""
    return bool(_AVERAGE.search(path.lower()))


def _common(tensors: Group) -> str:
    """The first part that all names share, or ""."""
    firsts = {name.partition(".")[0] for name in tensors}
    return firsts.pop() if len(firsts) == 1 else ""
