"""How plausible a reading of a stranger's network is: what its numbers say to each way of wiring them.

Batch norms remember the mean and variance of what the layers before them made while they were trained. So a reading is
run on noise as in training, each norm by its batch's own statistics, and these are held against those in the file:
stride, padding, activation, eps and prior decide them nearly alone. Where nothing is remembered the pictures tell:
images are smooth, and a background stays one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rgan.importing.drafting import Draft, MismatchError
from rgan.networks.described import Block, ClassNormed, Layer, Norm, Shape, View
from rgan.networks.labels import labelled

ROWS, ROWS_OF_MAPS = 256, 48  # noise that a network of features, of maps is tried with
CACHED = 24_000_000  # numbers between layers that are kept for the next reading, which begins alike
WEIGHT, SLACK = 2.0, 0.02  # of what a norm remembers, and how far off it is under the truth


@dataclass
class Run:
    """What a reading made of noise: `norms`, how far each batch norm's memory is from it; `made`, what comes out."""

    made: Tensor
    norms: tuple[float, ...]

    @property
    def cost(self) -> float:
        """What speaks against it, as a negative log probability."""
        return sum(WEIGHT * math.log1p(one / SLACK) for one in self.norms)


class Bench:
    """Runs readings of one store's tensors on the same input, and keeps what several have in common."""

    def __init__(self, start: Tensor | None = None, seed: int = 0):
        """start: what a critic judges, (N, C, H, W); a generator starts from noise."""
        self._given = start
        self._seed = seed
        self._kept: dict[tuple[object, ...], tuple[Tensor, tuple[float, ...]]] = {}
        self._size = 0

    def run(self, draft: Draft) -> Run:
        """The networks of this draft on noise, or on the images given."""
        x = self._start(draft)
        labels = torch.arange(len(x)) % max(1, len(draft.questions["class"].options) if "class" in draft.questions else 1)
        key: tuple[object, ...] = (len(x), *x.shape[1:])
        norms: tuple[float, ...] = ()
        with torch.no_grad(), labelled(labels):
            shape: Shape = tuple(x.shape[1:])
            for place, layer in enumerate(draft.layers):
                key = (*key, layer, draft.sources[place])
                after = layer.after(shape)
                if key in self._kept:
                    x, norms = self._kept[key]
                else:
                    weights = {
                        name.split(".", 1)[1]: make
                        for name, make in draft.weights.items()
                        if name.split(".", 1)[0] == str(place)
                    }
                    x, found = _apply(layer, shape, {name: make() for name, make in weights.items()}, x)
                    norms = (*norms, *found)
                    self._keep(key, x, norms)
                shape = after
        return Run(x, norms)

    def _start(self, draft: Draft) -> Tensor:
        if self._given is not None:
            return self._given
        rows = ROWS_OF_MAPS if any(isinstance(layer, View) for layer in draft.layers[:-3]) else ROWS
        stream = torch.Generator().manual_seed(self._seed)
        return torch.randn((rows, draft.latent), generator=stream)

    def _keep(self, key: tuple[object, ...], x: Tensor, norms: tuple[float, ...]) -> None:
        if x.numel() > CACHED // 4:
            return
        while self._size + x.numel() > CACHED and self._kept:
            first = next(iter(self._kept))
            self._size -= self._kept.pop(first)[0].numel()
        self._kept[key] = x, norms
        self._size += x.numel()


def _apply(layer: Layer, shape: Shape, weights: Mapping[str, Tensor], x: Tensor) -> tuple[Tensor, tuple[float, ...]]:
    """A layer on x in training, and how far its batch norms' memories are from what they see."""
    if isinstance(layer, (Norm, ClassNormed)):
        distance = _distance(x, weights["running_mean"], weights["running_var"])
        weights = dict(weights, running_mean=weights["running_mean"].clone(), running_var=weights["running_var"].clone())
        return _module(layer, shape, weights).train()(x), (distance,)
    if isinstance(layer, Block):
        parts, norms = [], ()
        for name in ("branch", "shortcut"):
            y, inner = x, shape
            for k, one in enumerate(getattr(layer, name)):
                prefix = f"{name}.{k}."
                own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
                y, found = _apply(one, inner, own, y)
                inner = one.after(inner)
                norms = (*norms, *found)
            parts.append(y)
        return parts[0] + parts[1], norms
    return _module(layer, shape, weights).eval()(x), ()


def _module(layer: Layer, shape: Shape, weights: Mapping[str, Tensor]) -> nn.Module:
    with torch.device("meta"):
        module = layer.module(shape)
    module.load_state_dict(dict(weights), assign=True)
    return module.requires_grad_(False)


def _distance(x: Tensor, mean: Tensor, variance: Tensor) -> float:
    """How far a norm's memory is from the statistics of x (N, C, …): squared logarithms of the variances' ratio, and
    squared differences of the means in units of the variance, each averaged over the channels.
    """
    channels = x.transpose(0, 1).flatten(1)
    floor = 0.01 * variance.mean() + 1e-8
    ratio = ((channels.var(dim=1) + floor) / (variance + floor)).log().square() / 2
    shift = (channels.mean(dim=1) - mean).square() / (variance + floor)
    return float((ratio.clamp_max(50) + shift.clamp_max(50)).mean())
