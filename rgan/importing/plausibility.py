"""How plausible a reading of a stranger's network is: what its numbers say to each way of wiring them.

Batch norms remember the mean and variance of what the layers before them made while they were trained. So a reading is
run on noise as in training, each norm by its batch's own statistics, and these are held against those in the file:
stride, padding, activation, eps and prior decide them nearly alone. Where nothing is remembered the pictures tell:
images are smooth, and a background stays one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear

from rgan.common.errors import SettingsError
from rgan.common.geometry import finite
from rgan.importing.drafting import Draft, MismatchError
from rgan.importing.solver import USUAL_LATENTS, Reading
from rgan.importing.tensors import Store
from rgan.networks.described import Block, ClassNormed, Conv, Layer, Linear, Norm, Shape, Transposed, follow
from rgan.networks.labels import labelled
from rgan.networks.layers import combined

ROWS, ROWS_OF_MAPS = 256, 32  # noise that a network of features, of maps is tried with
CACHED = 24_000_000  # numbers between layers that are kept for the next reading, which begins alike
WEIGHT, SLACK = 2.5, 0.004  # of what a norm remembers, and how far off it is under the truth


@dataclass
class Run:
    """What a reading made of noise: `norms`, how far each batch norm's memory is from it; `made`, what comes out."""

    made: Tensor
    norms: tuple[float, ...]
    maps: bool

    @property
    def cost(self) -> float:
        """What speaks against it, as a negative log probability."""
        return against(self.norms)


def against(norms: Sequence[float]) -> float:
    """What distances of norms' memories speak against a reading."""
    return sum(WEIGHT * math.log1p(min(one, WRONG) / SLACK) for one in norms)


class Bench:
    """Runs readings of one store's tensors on the same input, and keeps what several have in common."""

    def __init__(self, start: Tensor | None = None, seed: int = 0, *, believing: bool = True):
        """start: what a critic judges, (N, C, H, W); a generator starts from noise. believing: norms are held against
        what they remember, and run by their batch's own statistics; else by what they remember.
        """
        self._believing = believing
        self._given = start
        self._seed = seed
        self._kept: dict[tuple[object, ...], tuple[Tensor, tuple[float, ...]]] = {}
        self._size = 0
        self.work = 0  # multiplications so far

    def run(self, draft: Draft, most: float = math.inf) -> Run | None:
        """The networks of this draft on noise, or on the images given; None once more than `most` speaks against it."""
        x = self._start(draft)
        labels = torch.arange(len(x)) % max(
            1, len(draft.questions["class"].options) if "class" in draft.questions else 1
        )
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
                    own = {name: make() for name, make in weights.items()}
                    x, found = _apply(layer, shape, own, x, self._believing)
                    norms = (*norms, *found)
                    self.work += len(x) * (follow((layer,), shape).work + MOVED * math.prod(after))
                    self._keep(key, x, norms)
                shape = after
                if against(norms) > most:
                    return None
        return Run(x, norms, any(isinstance(layer, (Conv, Transposed, Block)) for layer in draft.layers))

    def _start(self, draft: Draft) -> Tensor:
        if self._given is not None:
            return self._given
        rows = ROWS_OF_MAPS if any(isinstance(layer, (Conv, Transposed, Block)) for layer in draft.layers) else ROWS
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


def _apply(
    layer: Layer, shape: Shape, weights: Mapping[str, Tensor], x: Tensor, believing: bool
) -> tuple[Tensor, tuple[float, ...]]:
    """A layer on x in training, and how far its batch norms' memories are from what they see; or in evaluation, if
    these are not believed.
    """
    if believing and isinstance(layer, (Norm, ClassNormed)) and not _untouched(weights):
        distance = _distance(x, weights["running_mean"], weights["running_var"])
        own = dict(weights, running_mean=weights["running_mean"].clone(), running_var=weights["running_var"].clone())
        return _module(layer, shape, own).train()(x), (distance,)
    if isinstance(layer, Conv):
        spread = layer.dilation, layer.groups
        return conv2d(x, weights["weight"], weights.get("bias"), layer.stride, layer.padding, *spread), ()
    if isinstance(layer, Transposed):
        geometry = layer.stride, layer.padding, layer.extra, layer.groups, layer.dilation
        return conv_transpose2d(x, weights["weight"], weights.get("bias"), *geometry), ()
    if isinstance(layer, Linear):
        return linear(x, weights["weight"], weights.get("bias")), ()
    if isinstance(layer, Block):
        parts: list[Tensor] = []
        norms: tuple[float, ...] = ()
        for name in ("branch", "shortcut"):
            y, inner = x, shape
            for k, one in enumerate(getattr(layer, name)):
                prefix = f"{name}.{k}."
                own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
                y, found = _apply(one, inner, own, y, believing)
                inner = one.after(inner)
                norms = (*norms, *found)
            parts.append(y)
        return combined(layer.how, (parts[0], parts[1])), norms
    return _module(layer, shape, weights).eval()(x), ()


def _untouched(weights: Mapping[str, Tensor]) -> bool:
    """Whether a norm remembers nothing: it was never trained with batch statistics, or they were not saved."""
    return not bool(weights["running_mean"].any()) and bool((weights["running_var"] == 1).all())


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


# What speaks against each answer where nothing else is known, by question; the first is what most programs do.
USUAL: dict[str, dict[str, float]] = {
    "activation": {
        "relu": 0.0, "leaky 0.2": 0.7, "leaky 0.1": 1.3, "leaky 0.01": 1.5, "elu": 3.5, "selu": 3.5, "silu": 3.5,
        "gelu": 3.5, "tanh": 3.5, "sigmoid": 7.0, "softplus": 7.0,
    },
    "critic activation": {
        "leaky 0.2": 0.0, "relu": 1.0, "leaky 0.1": 0.8, "leaky 0.01": 1.0, "elu": 2.0, "selu": 2.5, "silu": 2.5,
        "gelu": 2.5, "tanh": 2.5, "sigmoid": 6.0, "softplus": 6.0,
    },
    "eps": {"1e-5": 0.0, "0.8": 1.5, "1e-3": 2.0, "1e-4": 2.0, "then 0.8": 1.5},
    "critic eps": {"1e-5": 0.0, "0.8": 1.5, "1e-3": 2.0, "1e-4": 2.0},
    "upsampling": {"nearest": 0.0, "bilinear": 0.7},
    "output": {"tanh": 0.0, "sigmoid": 1.5, "none": 2.0},
    "norm": {"layer": 0.0, "instance": 0.3, "8 groups": 1.5, "32 groups": 1.5, "4 groups": 2.0, "16 groups": 2.0},
    "critic norm": {"layer": 0.0, "instance": 0.3, "8 groups": 1.5, "32 groups": 1.5, "4 groups": 2.0},
    "label activation": {"none": 0.0, "relu": 1.0, "leaky 0.2": 1.0, "tanh": 2.0},
    "order": {"noise": 0.0, "class": 0.5},
}  # fmt: skip
PRIOR = {"normal": 0.0, "uniform": 1.0, "uniform01": 2.5}
FIRST = (
    ("relu", "leaky 0.2"),
    ("leaky 0.2", "relu"),
)  # activations that every reading of a generator, critic is tried with
IMAGES, IMAGES_OF_MAPS = 5.0, 2.5  # weight of how the images look, those of convolutions, which are smooth anyway
WORK = 3e10  # multiplications that ranking one network may take
LOOKED, LOOKED_CRITICS = 150, 60  # readings of a generator, of a critic, that are run at most
FINER = 1.5  # power of an image's side by which neighbouring pixels come closer
EARLY = 40  # those after which it is known whether norms remember anything true
MOVED = 100  # multiplications that take as long as to write a number down
MARGIN = 6.0  # how much more than against the best may speak against a reading that is still looked at
REFINED = 3  # readings whose other answers are tried
EXPLAINED, EXPLAINED_CRITIC = 0.05, 0.3  # how far norms' memories are at most under the true network; of real images
UNTRUE = 0.25  # how far all norms' memories are from what any reading makes if they were filled in, or averaged
REMEMBERED = 0.5  # how far from the first norm's memory no prior is looked at
WRONG = 2.0  # how far from a norm's memory all is equally wrong
SAME = 0.97  # correlation from which two pictures are one


@dataclass(frozen=True)
class Ranked:
    """A reading with the answers that suit it best, and what speaks against both."""

    reading: Reading
    cost: float
    made: Tensor = field(repr=False)
    norms: tuple[float, ...] = ()
    latent: int = 0  # numbers of noise; 0 of a critic

    @property
    def guesses(self) -> Mapping[str, str]:
        return self.reading.guesses


def ranked(
    readings: Sequence[Reading], store: Store, *, source: str = "", images: Tensor | None = None,
    answers: Mapping[str, str] | None = None, likely: Mapping[str, str] | None = None, most: int = 8,
    more: Callable[[], Sequence[Reading]] | None = None,
) -> list[Ranked]:  # fmt: skip
    """The most plausible of these readings, with the answers to what weights do not tell that suit them, best first;
    of those that make the same picture only the best.

    images: (N, C, H, W) that a critic judges. answers: what is known already, as the generator's of its critic.
    likely: answers for which something else speaks. more: further readings, looked for only where these do not explain
    what norms remember.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads on shared cores wait for each other by spinning
    try:
        judge = _Judge(store, source, images, dict(answers or {}), dict(likely or {}))
        return _ranked(readings, judge, most, more)
    finally:
        torch.set_num_threads(threads)


def _ranked(
    readings: Sequence[Reading], judge: _Judge, most: int, more: Callable[[], Sequence[Reading]] | None
) -> list[Ranked]:
    first = tuple(
        dict.fromkeys([*filter(None, [judge.likely.get(judge.activation)]), *FIRST[judge.images is not None]])
    )
    looked, explained = (LOOKED, EXPLAINED) if judge.images is None else (LOOKED_CRITICS, EXPLAINED_CRITIC)
    pool = sorted(readings, key=lambda one: one.cost)[:looked]
    usual, unusual = pool[:EARLY], pool[EARLY:]
    tried = _tried(usual, judge, first)
    known = [one for one in tried if one.norms and max(one.norms) < explained]
    if more is not None and not any(one.latent in (0, *USUAL_LATENTS) for one in known):
        pool = sorted(more(), key=lambda one: one.cost)[:looked]
        usual, unusual = [*usual, *pool[:EARLY]], [*unusual, *pool[EARLY:]]
        tried += _tried(pool[:EARLY], judge, first)
    if tried and all(_unexplained(one.norms) for one in tried):
        judge.doubt()
        if judge.images is not None:  # nothing is left to tell them apart but how usual they are
            usual, unusual = usual[:most], []
        tried = _tried(usual, judge, first)
    tried += _tried(unusual, judge, first)
    tried.sort(key=lambda one: one.cost)
    near = [one for looked_at in _different(tried, REFINED) for one in judge.refined(looked_at)]
    return _different(sorted([*tried, *near], key=lambda one: one.cost), most)


def _tried(readings: Sequence[Reading], judge: _Judge, first: Sequence[str]) -> list[Ranked]:
    """Readings, the usual ones first, under each of the activations that are tried first; the most plausible first."""
    tried: list[Ranked] = []
    for one in readings:
        if one.cost > judge.best + MARGIN or judge.bench.work > WORK:
            break
        for activation in first:
            for mode in ("", "bilinear"):
                found = judge.look(
                    one, one.own or {judge.activation: activation} | ({"upsampling": mode} if mode else {})
                )
                tried += [found] if found else []
                if not judge.doubles or one.own:
                    break
            if not judge.asked or one.own:
                break
    return sorted(tried, key=lambda one: one.cost)


def _unexplained(norms: Sequence[float]) -> bool:
    """Whether there are norms, and not one remembers what a reading makes."""
    return bool(norms) and min(norms) > UNTRUE


class _Judge:
    """Looks at readings of one store."""

    def __init__(
        self, store: Store, source: str, images: Tensor | None, answers: dict[str, str], likely: dict[str, str]
    ):
        self.store, self.source, self.images, self.answers, self.likely = store, source, images, answers, likely
        self.bench = Bench(images)
        self.best = math.inf  # what speaks against the best so far, but for its looks
        self.asked = self.doubles = False  # whether the last reading has activations, doubles its maps
        self.activation = "activation" if images is None else "critic activation"

    def doubt(self) -> None:
        """Go on without what norms remember."""
        self.bench = Bench(self.images, believing=False)
        self.best = math.inf

    def look(self, reading: Reading, guesses: Mapping[str, str]) -> Ranked | None:
        """The reading under these guesses; None if it does not fit, or too much speaks against it."""
        guesses = {**reading.guesses, **guesses}
        image = () if self.images is None else tuple(self.images.shape[1:])
        draft = Draft(self.store, self.answers, source=self.source, image=image, guesses=guesses)
        try:
            reading.write(draft)
            draft.finish(reading.title)
        except (MismatchError, SettingsError):
            return None
        self.asked, self.doubles = self.activation in draft.questions, "upsampling" in draft.questions
        taken = {name: self.answers.get(name, question.guess) for name, question in draft.questions.items()}
        odd = reading.cost + sum(
            USUAL[name].get(answer, 0.0)
            for name, answer in taken.items()
            if name in USUAL and answer not in (reading.own.get(name), self.likely.get(name), self.answers.get(name))
        )
        run = self.bench.run(draft, self.best + MARGIN - odd)
        if run is None or not finite(run.made):
            return None
        self.best = min(self.best, odd + run.cost)
        weight = IMAGES_OF_MAPS if run.maps else IMAGES
        look = 0.0 if self.images is not None else weight * appearance(run.made)
        kept = {name: answer for name, answer in taken.items() if name in USUAL or name == "prior"}
        cost = odd + run.cost + look
        return Ranked(replace(reading, guesses=kept), cost, run.made, run.norms, draft.latent)

    def refined(self, one: Ranked) -> list[Ranked]:
        """Its neighbours: every answer to each question, the best so far to the others."""
        if one.reading.own:  # a program's own code tells
            return []
        base = replace(one.reading, guesses={})
        best, seen = one, [one]
        for name in ("order", self.activation, *(name for name in USUAL if name not in ("order", self.activation))):
            if name not in best.guesses or name in self.answers:
                continue
            for answer in USUAL[name]:
                if answer == best.guesses[name] or self.bench.work > 2 * WORK:
                    continue
                found = self.look(base, {**best.guesses, name: answer})
                if found is not None and found.guesses[name] == answer:
                    seen.append(found)
            best = min(seen, key=lambda each: each.cost)
        return seen + (self._priors(base, best) if self.images is None else [])

    def _priors(self, base: Reading, best: Ranked) -> list[Ranked]:
        """The same with other noise, judged by what norms remember alone: smaller noise makes smoother images."""
        if "prior" not in best.guesses:
            return []
        found = []
        for prior, cost in PRIOR.items():
            if prior == best.guesses["prior"]:
                continue
            other = self.look(base, {**best.guesses, "prior": prior})
            if other is None or not other.norms or other.norms[0] > REMEMBERED:
                continue
            if (total := best.cost + against(other.norms) - against(best.norms) + cost) < best.cost:
                found.append(replace(other, cost=total))
        return found


def appearance(images: Tensor) -> float:
    """How unlike a data set's images (N, C, H, W) in [−1, 1] these are: their roughness, whether nothing in them stays
    as it is, how much is neither black nor white, whether they are all alike, and how much is beyond black and white.
    """
    beyond = float((images.abs() > 1.2).float().mean())
    images = images.clamp(-1, 1)
    across = (images[..., 1:] - images[..., :-1]).square().mean() + (
        images[..., 1:, :] - images[..., :-1, :]
    ).square().mean()
    spread = (images - images.mean(dim=(2, 3), keepdim=True)).square().mean()
    finer = max(1, images.shape[-1] / 28) ** FINER  # the larger an image is, the less do neighbours differ
    rough = finer * float(across / spread.clamp_min(1e-6))
    apart = images.std(dim=0).flatten().sort().values
    still = float(apart[: max(1, len(apart) // 8)].mean())
    between = float((images.abs() < 0.5).float().mean())
    alike = float(apart.mean())
    return (
        math.log(rough + 0.02) + 0.25 * math.log(still + 0.01) + 2 * between - 0.5 * math.log(alike + 0.01) + 8 * beyond
    )


def _different(some: Sequence[Ranked], most: int) -> list[Ranked]:
    """The first of those that draw the same."""
    kept: list[Ranked] = []
    for one in some:
        if len(kept) == most:
            break
        if not any(_same(one.made, other.made) for other in kept):
            kept.append(one)
    return kept


def _same(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    first, second = one.flatten(1), other.flatten(1)
    if first.shape[1] == 1:
        first, second = first.T, second.T
    first, second = (x - x.mean(dim=1, keepdim=True) for x in (first, second))
    lengths = first.norm(dim=1) * second.norm(dim=1)
    return bool(((first * second).sum(dim=1) / lengths.clamp_min(1e-9)).median() > SAME)
