"""Reading networks by what their tensors can be, blind to their names.

Tensors stand in a file in the order in which the layers were made, and their shapes are equations: channels chain, maps
grow by what kernels allow to an image of a usual size, a class's table and the noise beside it are as long together as
the first layer is wide. `generators` and `critics` give every reading that fits, the usual ones first; which of them is
true the numbers must tell (`plausibility`). Names help: in an nn.Sequential they count the layers that have no weights.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import torch
from torch import Tensor

from rgan.common import limits
from rgan.importing import geometry
from rgan.importing.drafting import SMALLEST, Draft, Steps, take
from rgan.importing.tensors import Store
from rgan.networks.described import Shape

MOST_READINGS = 400  # of one network; those after them are too unusual to be looked at
MOST_EXPANDED = 20_000  # places in the search for them
MOST_OPTIONS = 60_000  # ways to go on that are looked at for one network, whatever its shapes
USUAL_LATENTS = (100, 128, 64, 10, 256, 512, 62, 32, 16, 50, 20, 8, 2, 200, 96, 5, 3, 4, 40, 48, 120)
USUAL_CLASSES = (10, 2, 3, 4, 5, 6, 7, 8, 12, 26, 37, 40, 47, 100)
NARROW = 4  # no layer of a generator has fewer features than its noise has, over this
BARE, BARE_VIEW = 3.5, 1.0  # no activation behind a layer, behind one whose features become maps
ACT_FIRST, MIXED = 1.5, 3.0  # activations before norms; now so, now otherwise
UNBIASED = 3.0  # a class's own layer without a bias, which looks as an embedding does
RARE = 5.0  # the cost of a geometry that is not looked at unless the module itself says so
FORCED = 9.0  # the cost of a reading that the numbers in the names of an nn.Sequential speak against


MAIN = ("matrix", "kernel", "block")  # modules that a chain runs through; what is none of these stands behind one


@dataclass(frozen=True)
class Item:
    """A module by the tensors it has. kind: "matrix", "kernel", "norm" (with running statistics), "scale" (without),
    "slope" (of a PReLU), "attention", or "block" (residual, of the shape of a kernel from its inputs to its outputs);
    size: of what stands behind a layer. parts: modules that a block or attention consists of.
    """

    name: str
    kind: str
    shape: Shape
    bias: bool = False
    parts: tuple[Item, ...] = ()

    @property
    def size(self) -> int:
        return self.shape[0]


@dataclass(frozen=True)
class Reading:
    """One way to read tensors: how to write it into a draft, better guesses than its own at what weights do not tell,
    and how unusual it is. own: guesses that the program which writes such files has in its code.
    """

    title: str
    write: Callable[[Draft], None]
    cost: float
    guesses: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Slot:
    """What stands between two layers with weights: norms and slopes of its own, and the two names around it."""

    items: tuple[Item, ...]
    before: str
    after: str


def items_of(store: Store) -> tuple[list[Item], list[str]]:
    """The modules of a store in the order of its file, and the names of those that are none of a network."""
    names: dict[str, None] = {}
    for key in store.names:
        names[key.rpartition(".")[0]] = None
    outer = dict.fromkeys([*names, *(name.rpartition(".")[0] for name in names)])
    whole = {part: name for name in outer for part in class_norm(store, name)}
    items, left = [], []
    for name in dict.fromkeys(whole.get(name, name) for name in names):
        item = _item(store, name)
        if item is None:
            left.append(name)
        else:
            items.append(item)
    return _grouped(items, left)


def _grouped(items: list[Item], left: list[str]) -> tuple[list[Item], list[str]]:
    """Modules of one name that are self-attention or a residual block as one."""
    names = dict.fromkeys(
        ".".join(item.name.split(".")[: k + 1]) for item in items for k in range(item.name.count("."))
    )
    for name in names:
        parts = [item for item in items if item.name.startswith(f"{name}.")]
        one = _attention(name, parts, left) or _block(name, parts)
        if one is not None:
            items = [one if item is parts[0] else item for item in items if item is parts[0] or item not in parts]
            left = [other for other in left if other != name]
    return items, left


def _attention(name: str, parts: Sequence[Item], left: Sequence[str]) -> Item | None:
    """Query, key and value, 1×1 convolutions with a factor beside them that is no module's weight."""
    if name not in left or len(parts) != 3 or any(part.kind != "kernel" or part.shape[2] != 1 for part in parts):
        return None
    query, key, value = parts
    if query.shape != key.shape or value.shape[0] != value.shape[1] or value.shape[1] != query.shape[1]:
        return None
    return Item(name, "attention", (value.shape[0],), parts=tuple(parts))


def _block(name: str, parts: Sequence[Item]) -> Item | None:
    """Two convolutions that keep their maps' size, perhaps a 1×1 beside them, and norms that fit."""
    kernels = [part for part in parts if part.kind == "kernel"]
    wide = [part for part in kernels if part.shape[2] > 1]
    beside = [part for part in kernels if part.shape[2] == 1]
    norms = [part for part in parts if part.kind == "norm"]
    if len(wide) != 2 or len(beside) > 1 or len(norms) > 3 or len(parts) != len(kernels) + len(norms):
        return None
    first, second = wide
    inputs, outputs = first.shape[1], second.shape[0]
    if second.shape[1] != first.shape[0] or not all(part.shape[2] % 2 for part in wide) or parts[-1].name == name:
        return None
    if (beside and beside[0].shape[:2] != (outputs, inputs)) or (not beside and inputs != outputs):
        return None
    if any(norm.size not in (inputs, first.shape[0], outputs) for norm in norms):
        return None
    return Item(name, "block", (outputs, inputs, first.shape[2], first.shape[3]), parts=tuple(parts))


def class_norm(store: Store, name: str) -> tuple[str, ...]:
    """The modules that make up `name` where it is a batch norm whose scale and shift belong to a class: the one with
    the statistics, and a table of both or one of each; () where it is anything else.
    """
    parts = [part for part in store.modules if part == name or part.startswith(f"{name}.")] if name else []
    norms = [part for part in parts if f"{part}.running_mean" in store]
    tables = [part for part in parts if f"{part}.weight" in store and part not in norms]
    if len(norms) != 1 or not 1 <= len(tables) <= 2 or len(parts) != len(tables) + 1:
        return ()
    (channels,) = store.shape(f"{norms[0]}.running_mean")[:1] or (0,)
    shapes = [store.shape(f"{part}.weight") for part in tables]
    both = len(tables) == 1 and len(shapes[0]) == 2 and 2 * channels in shapes[0]
    each = len(tables) == 2 and shapes[0] == shapes[1] and len(shapes[0]) == 2 and channels in shapes[0]
    return (*norms, *tables) if both or each else ()


def _item(store: Store, name: str) -> Item | None:
    prefix = f"{name}." if name else ""
    if own := class_norm(store, name):
        return Item(name, "norm", store.shape(f"{own[0]}.running_mean"))
    weight, bias, mean = (store.shape(key) if (key := prefix + part) in store else None
                          for part in ("weight", "bias", "running_mean"))  # fmt: skip
    if mean is not None:
        return Item(name, "norm", mean, bias is not None) if len(mean) == 1 else None
    if weight is None or not all(weight):
        return None
    kinds = {1: "slope" if bias is None else "scale", 2: "matrix", 3: "scale" if bias == weight else "", 4: "kernel"}
    kind = kinds.get(len(weight), "")
    if not kind or (kind == "kernel" and weight[2] != weight[3]):
        return None
    return Item(name, kind, weight, bias is not None)


def generators(store: Store) -> list[Reading]:
    """Every generator that these tensors can be, the usual ones first; none if they are too many or too odd."""
    return _readings(store, (), MOST_READINGS)


def critics(store: Store, image: Shape, most: int = MOST_READINGS) -> list[Reading]:
    """Every critic of images (C, H, W) that they can be, the usual ones first, `most` at most of each beginning."""
    return _readings(store, image, most)


def images(store: Store) -> Iterator[Shape]:
    """Images that a critic of these tensors may judge, the usual sizes first."""
    items, _ = items_of(store)
    first = [item for item in items if item.kind in MAIN][:2]
    for side in geometry.sides():
        for channels in (1, 3):
            pixels = channels * side**2
            if any(
                0 <= item.shape[1] - channels <= 16 if item.kind == "kernel" else 0 <= item.shape[1] - pixels <= 1000
                for item in first
            ):
                yield channels, side, side


def _readings(store: Store, image: Shape, most: int) -> list[Reading]:
    if not store.names or len(store.modules) > limits.MAX_LAYERS:
        return []
    items, left = items_of(store)
    found: list[Reading] = []
    looked = [0]
    for order, extra in _orders(items):
        for head in sorted(_heads(store, order, image), key=lambda one: one.cost):  # the options do not last for all
            drops = tuple(("drop", (name, f"left out: {name or 'tensors without a module'}")) for name in left)
            search = _Search(store, head, image, looked)
            for steps, cost in itertools.islice(search.run(), most):
                found.append(
                    Reading(head.title, partial(take, (*drops, *steps)), cost + extra + head.cost + 4.0 * len(left))
                )
        if found:
            break
    found.sort(key=lambda one: one.cost)
    return found[:MOST_READINGS]


def _orders(items: list[Item]) -> Iterator[tuple[list[Item], float]]:
    """Orders in which the modules may run: that of the file first, then that of their names."""
    yield items, 0.0
    named = sorted(items, key=lambda item: natural(item.name))
    if named != items:
        yield named, 2.0


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key of names: numbers in them by size."""
    parts = "".join(c if c.isdecimal() else f"\0{c}\0" for c in name).split("\0")
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


@dataclass(frozen=True)
class _Head:
    """How a network begins, and what is left to chain after it.

    steps: taken before the first layer. shape: what they make. main, slots: the layers with weights that follow, and
    what stands behind each (the first slot before all of them).
    """

    title: str
    steps: Steps
    shape: Shape
    main: tuple[Item, ...]
    slots: tuple[_Slot, ...]
    cost: float


def _heads(store: Store, items: Sequence[Item], image: Shape) -> Iterator[_Head]:
    """The ways in which these modules may begin: with noise or an image, with labels or without."""
    main = [item for item in items if item.kind in MAIN]
    if not main or len(main) > 40 or main[0].kind == "block":
        return
    if image:
        yield from _critic_heads(store, items, main, image)
        return
    if len(main) < 2 and main[0].kind == "matrix" and main[0].shape[1] >= main[0].shape[0]:
        return
    first = main[0]
    width = _inputs(first)
    for latent in width:
        yield from _head(items, main, _title(main), (("noise", (latent,)),), (latent,), _latent_cost(latent))
        yield from _one_hot(store, items, main, latent)
    if len(main) > 2:
        for label, rest, extra in ((main[0], main[1:], 0.0), (main[1], [main[0], *main[2:]], 1.0)):
            yield from _labelled(store, items, label, rest, extra)
        yield from _branched(store, items, main)


def _inputs(item: Item) -> tuple[int, ...]:
    """How many numbers of noise a first layer can take."""
    return (item.shape[1],) if item.kind == "matrix" else (item.shape[0],)


def _latent_cost(latent: int) -> float:
    return 0.0 if latent in USUAL_LATENTS else 1.0 if latent <= 1024 else 4.0


def _title(main: Sequence[Item]) -> str:
    kinds = {item.kind for item in main}
    return "MLP" if kinds == {"matrix"} else "CNN"


def _head(
    items: Sequence[Item], main: Sequence[Item], title: str, steps: Steps,
    shape: Shape, cost: float, beside: Sequence[Item] = (),
) -> Iterator[_Head]:  # fmt: skip
    """Heads whose remaining layers are `main`, by each way to place norms; `beside` are modules that are used up."""
    own = [item for item in items if item in main or (item.kind not in MAIN and item not in beside)]
    for slots, extra in _assigned(own, main):
        yield _Head(title, steps, shape, tuple(main), slots, cost + extra)


def _assigned(items: Sequence[Item], main: Sequence[Item]) -> Iterator[tuple[tuple[_Slot, ...], float]]:
    """What stands behind each main layer: norms beside their layers in the file, and where they may have been made
    apart, by their sizes in order.
    """
    behind: list[list[Item]] = [[] for _ in range(len(main) + 1)]
    place = 0
    for item in items:
        if item in main:
            place = main.index(item) + 1
        else:
            behind[place].append(item)
    names = ["", *(item.name for item in main), ""]
    ways = [(_by_size(items, main), 1.0)]
    if all(_fits(own, main[k - 1] if k else None, main[k] if k < len(main) else None) for k, own in enumerate(behind)):
        ways = [(behind, 0.0)] + [way for way in ways if way[0] != behind]
    for own, cost in ways:
        yield tuple(_Slot(tuple(items), names[k], names[k + 1]) for k, items in enumerate(own)), cost


def _fits(own: Sequence[Item], before: Item | None, after: Item | None) -> bool:
    if not own:
        return True
    norms = [item for item in own if item.kind in ("norm", "scale")]
    slopes = [item for item in own if item.kind == "slope"]
    attention = [item for item in own if item.kind == "attention"]
    if len(norms) > 1 or len(slopes) > 1 or len(attention) > 1:
        return False
    if before is None:
        alone = not slopes and not attention
        return after is not None and alone and all(item.size in _inputs(after) for item in norms)
    sizes = _outputs(before, after)
    return (
        all(len(item.shape) == 3 or item.size in sizes for item in norms)
        and all(item.size in (1, *sizes) for item in slopes)
        and all(item.size in sizes for item in attention)
    )


def _outputs(before: Item, after: Item | None) -> set[int]:
    """How many channels there can be between two layers."""
    if before.kind == "matrix":
        sizes = {before.shape[0]}
        if after is not None and after.kind == "kernel":
            sizes |= {*after.shape[:2]}
        else:
            sizes |= set(range(1, 9)) if after is None else set()
        return sizes | ({before.shape[0]} if after is None else set())
    return {*before.shape[:2]} | {size // 4 for size in before.shape[:2]}


def _by_size(items: Sequence[Item], main: Sequence[Item]) -> list[list[Item]]:
    """Norms and slopes behind the layers whose channels they have, those of a kind in their order."""
    behind: list[list[Item]] = [[] for _ in range(len(main) + 1)]
    beside = [item for item in items if item not in main]
    for kinds in (("norm", "scale"), ("slope",), ("attention",)):
        own = [item for item in beside if item.kind in kinds]
        for item, place in zip(own, _in_order(own, main), strict=True):
            behind[place].append(item)
    return behind


def _in_order(own: Sequence[Item], main: Sequence[Item]) -> list[int]:
    """Places behind the layers of `main`, ever later ones, whose channels these have; the last where there are none."""
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}  # by the last place taken: cost, places
    for item in own:
        after: dict[int, tuple[float, list[int]]] = {}
        for last, (cost, places) in best.items():
            for k in range(last, len(main)):
                following = main[k + 1] if k + 1 < len(main) else None
                if not _fits([item], main[k], following):
                    continue
                total = cost + _odd_size(item.size, main, k)
                if k + 1 not in after or total < after[k + 1][0]:
                    after[k + 1] = total, [*places, k + 1]
        best = after
    if not best:
        return [len(main)] * len(own)
    return min(best.values(), key=lambda one: (one[0], one[1]))[1]


def _odd_size(size: int, main: Sequence[Item], place: int) -> float:
    """What speaks against a norm of this size behind a layer, by what that makes and the next one takes."""
    layer, after = main[place], main[place + 1] if place + 1 < len(main) else None
    if layer.kind == "matrix":
        return 0.0 if size == layer.shape[0] or size in _taken(main, place + 1) else 1.0
    if after is None:
        return 0.0 if size in layer.shape[:2] and size <= 4 else 1.0  # an image's channels
    if after.kind == "matrix":
        return 0.0 if size in layer.shape[:2] else 1.0
    if size not in after.shape[:2]:
        return 1.0
    return 0.0 if size in layer.shape[:2] else 0.5 if 4 * size in layer.shape[:2] else 1.0  # four pixels of a channel


def _taken(main: Sequence[Item], place: int) -> set[int]:
    """Channels that a convolution takes: not those that the next one has too, which it makes."""
    if place >= len(main) or main[place].kind == "matrix":
        return set()
    both, following = {*main[place].shape[:2]}, main[place + 1] if place + 1 < len(main) else None
    made = both & {*following.shape[:2]} if following is not None and following.kind != "matrix" else set()
    return both - made or both


def column_scale(store: Store, name: str) -> Tensor:
    """How long what each input of a first layer adds is, by the logarithm, (inputs,)."""
    weight = store.value(f"{name}.weight" if name else "weight")
    rows = weight.transpose(0, 1) if weight.dim() == 2 else weight
    return rows.flatten(1).square().mean(dim=1).clamp_min(1e-12).log()


def _apart(scale: Tensor, some: slice) -> float:
    """How far apart the columns of a slice are from the others, in standard errors of the difference."""
    mask = torch.zeros(len(scale), dtype=torch.bool)
    mask[some] = True
    one, other = scale[mask], scale[~mask]
    if len(one) < 2 or len(other) < 2:
        return 0.0
    spread = one.var() / len(one) + other.var() / len(other)
    return float((one.mean() - other.mean()) / spread.clamp_min(1e-12).sqrt())


def _one_hot(store: Store, items: Sequence[Item], main: Sequence[Item], width: int) -> Iterator[_Head]:
    """Noise with a class beside it, of which no tensor tells but the first layer's own columns."""
    if store.is_meta:
        return
    scale = column_scale(store, main[0].name)
    for classes in USUAL_CLASSES:
        latent = width - classes
        if latent < 1 or latent not in USUAL_LATENTS:
            continue
        telling = classes == 10 and width not in USUAL_LATENTS and latent >= classes  # 110 are 100 and 10
        for first, where in ((False, slice(latent, None)), (True, slice(classes))):
            distance = abs(_apart(scale, where))
            if distance < 3 and not telling:
                continue
            cost = 4.0 - min(distance, 12.0) + 0.5 * first
            cost += (0.0 if classes == 10 else 1.5) + (4.0 if latent < classes else 0.0)
            cost = min(cost, 0.5 + 0.5 * first) if telling else cost
            steps = (("noise", (latent,)), ("one_hot", (classes, first)))
            yield from _head(items, main, _title(main), steps, (width,), cost)


def _labelled(store: Store, items: Sequence[Item], label: Item, rest: Sequence[Item], extra: float) -> Iterator[_Head]:
    """Noise joined to a class's embedding, or to its one-hot code through a layer."""
    if label.kind != "matrix" or rest[0].kind == "block":
        return
    width = _inputs(rest[0])[0]
    named = any(word in label.name.lower() for word in ("emb", "label", "class", "cond"))
    extra += 0.0 if named else 1.0
    ways = []
    if not label.bias:
        ways.append((label.shape[0], label.shape[1], False))
    ways.append((label.shape[1], label.shape[0], True))
    for classes, length, through in ways:
        if not 2 <= classes <= limits.MAX_CLASSES:
            continue
        cost = extra + (2.0 if through else 0.0) + (0.0 if classes == 10 else 0.7)
        cost += UNBIASED if through and not label.bias else 0.0
        if length < width:
            latent = width - length
            for first in (False, True):
                order = _order_cost(store, rest[0], length, first)
                steps = (("noise", (latent,)), ("table", (label.name, through, "concat", first)))
                yield from _head(
                    items, rest, _title(rest), steps, (width,), cost + order + _latent_cost(latent), (label,)
                )
        elif length == width and not through:
            for how, more in (("multiply", 0.0), ("add", 1.5)):
                steps = (("noise", (width,)), ("table", (label.name, through, how, False)))
                yield from _head(
                    items, rest, _title(rest), steps, (width,), cost + more + _latent_cost(width), (label,)
                )


def _order_cost(store: Store, layer: Item, length: int, first: bool) -> float:
    """Which end of the first layer's inputs the class is, by how like each other the columns of either part are: the
    logarithm of their probability, each part normal with its own mean and spread, against that for the other end.
    """
    if store.is_meta:
        return 0.5 * first
    scale = column_scale(store, layer.name)
    ends = [
        -sum(len(part) * math.log(float(part.var(correction=0)) + 1e-8) / 2 for part in scale.tensor_split([at]))
        for at in (length, len(scale) - length)
    ]
    difference = max(-6.0, min(6.0, ends[1] - ends[0]))
    return 0.5 * first + (difference if first else -difference) / 2


def _branched(store: Store, items: Sequence[Item], main: Sequence[Item]) -> Iterator[_Head]:
    """Noise and one-hot class through a layer each, then joined."""
    for noise, label, extra in ((main[0], main[1], 0.0), (main[1], main[0], 0.7)):
        rest = main[2:]
        if noise.kind != label.kind or noise.shape[2:] != label.shape[2:] or "block" in (noise.kind, rest[0].kind):
            continue
        if noise.kind == "matrix":
            (latent, made), (classes, beside) = noise.shape[::-1], label.shape[::-1]
        else:
            latent, made, classes, beside = *noise.shape[:2], *label.shape[:2]
        width = rest[0].shape[1] if rest[0].kind == "matrix" else rest[0].shape[0]
        if made + beside != width or not 2 <= classes <= limits.MAX_CLASSES:
            continue
        own = [item for item in items if item.kind not in MAIN]
        norms = [
            [item for item in own if _near(items, layer, item, main) and item.size in (made, beside)]
            for layer in (noise, label)
        ]
        for first in (False, True):
            steps: list[tuple[str, tuple[object, ...]]] = [("noise", (latent,))]
            steps.append(("linear", (noise.name,)) if noise.kind == "matrix" else ("transposed", (noise.name, 1, 0, 0)))
            steps += [("norm", (norm.name,)) for norm in norms[0][:1]]
            inner = tuple([("linear" if label.kind == "matrix" else "transposed", label.name)]
                          + [("norm", norm.name) for norm in norms[1][:1]])  # fmt: skip
            steps += [("branch", (inner, first)), ("activation", ("relu",))]
            shape = (width,) if noise.kind == "matrix" else (width, *noise.shape[2:])
            used = [*norms[0][:1], *norms[1][:1], noise, label]
            yield from _head(items, rest, _title(rest), tuple(steps), shape, extra + 0.7 * first + 1.0, used)


def _near(items: Sequence[Item], layer: Item, item: Item, main: Sequence[Item]) -> bool:
    """Whether a norm stands behind this layer, and before the next."""
    index = {one: k for k, one in enumerate(items)}
    after = min((index[one] for one in main if index[one] > index[layer]), default=len(items))
    return index[layer] < index[item] < after


def _critic_heads(store: Store, items: Sequence[Item], main: list[Item], image: Shape) -> Iterator[_Head]:
    channels, pixels = image[0], math.prod(image)
    start: Steps = (("from_image", ()),)
    first, title = main[0], _title(main)
    if first.kind == "kernel" and first.shape[1] == channels:
        yield from _head(items, main, title, start, image, 0.0)
    if first.kind == "matrix" and first.shape[1] == pixels:
        yield from _head(items, main, title, start, image, 0.0)
    if first.kind == "matrix" and 2 <= first.shape[1] - pixels <= limits.MAX_CLASSES:
        classes = first.shape[1] - pixels
        for order in (False, True):
            steps = (*start, ("flat", ()), ("one_hot", (classes, order)))
            yield from _head(items, main, title, steps, (pixels + classes,), 1.0 + order)
    if len(main) > 2:
        for label, rest, extra in ((main[0], main[1:], 0.0), (main[1], [main[0], *main[2:]], 1.0)):
            yield from _critic_labelled(items, label, rest, extra, image, start)


def _critic_labelled(
    items: Sequence[Item], label: Item, rest: list[Item], extra: float, image: Shape,
    start: Steps,
) -> Iterator[_Head]:  # fmt: skip
    channels, side, _ = image
    pixels = math.prod(image)
    first = rest[0]
    if label.kind != "matrix" or first.kind == "block":
        return
    ways = [(label.shape[1], label.shape[0], True)] + ([] if label.bias else [(label.shape[0], label.shape[1], False)])
    for classes, length, through in ways:
        if not 2 <= classes <= limits.MAX_CLASSES:
            continue
        cost = extra + 2.0 * through + (UNBIASED if through and not label.bias else 0.0)
        if first.kind == "matrix" and first.shape[1] == pixels + length:
            for order in (False, True):
                steps = (*start, ("flat", ()), ("table", (label.name, through, "concat", order)))
                yield from _head(items, rest, _title(rest), steps, (pixels + length,), cost + 0.7 * order, (label,))
        if first.kind == "kernel" and not length % side**2 and first.shape[1] == channels + length // side**2:
            for order in (False, True):
                steps = (*start, ("table", (label.name, through, "concat", order)))
                shape = (first.shape[1], side, side)
                yield from _head(items, rest, _title(rest), steps, shape, cost + 0.7 * order, (label,))


@dataclass(frozen=True)
class _Option:
    """A way to go on from one place of the chain: steps, the shape after them, and what they cost; style: so far."""

    steps: Steps
    shape: Shape
    cost: float
    room: _Room | None = None
    style: _Style | None = None
    grows: bool = False


@dataclass(frozen=True)
class _Room:
    """Modules without weights between two numbered ones that nothing explains so far: how many, whether one may be a
    view, and whether there is an activation among those that are explained.
    """

    count: int
    view: bool
    active: bool

    def cost(self, up: bool) -> float:
        """What speaks against this, if maps are enlarged here too or not."""
        if up and not self.count:
            return FORCED
        left = self.count - up
        unexplained = max(0, left - self.view)
        return unexplained * (0.5 if self.active else 2.5) + (1.0 if self.view and left and not self.active else 0.0)


@dataclass(frozen=True)
class _Style:
    """What people keep throughout a network: whether norms stand before activations ("norm") or behind them ("act"),
    and how maps grow ("up", "shuffle", "transposed"); "" while nothing tells.
    """

    order: str = ""
    growth: str = ""

    def grown(self, made: _Option) -> tuple[_Style, float]:
        """The style after these steps, and what speaks against their way to enlarge maps."""
        how = next((method for method, arguments in made.steps if method in ("up", "shuffle")), "")
        if not how and made.grows:
            how = "transposed"
        if not how or how == self.growth:
            return self, 0.0
        return (self, MIXED) if self.growth else (_Style(self.order, how), 0.0)


Node = tuple[int, Shape, "_Room | None", _Style]


class _Search:
    """All chains of a head's layers, the cheapest first: A* whose estimate is the true rest."""

    def __init__(self, store: Store, head: _Head, image: Shape, looked: list[int]):
        """looked: how many ways were looked at so far, for all searches of one network together."""
        self.store, self.head, self.image, self.looked = store, head, image, looked
        self.last = len(head.main)
        self.latent = next((int(str(arguments[0])) for method, arguments in head.steps if method == "noise"), 0)
        self._rest: dict[Node, float] = {}
        self._options: dict[Node, list[_Option]] = {}

    def run(self) -> Iterator[tuple[Steps, float]]:
        """Steps and cost of each."""
        start: Node = (0, self.head.shape, None, _Style())
        if math.isinf(self.rest(start)):
            return
        count = itertools.count()
        heap = [(self.rest(start), next(count), 0.0, start, self.head.steps)]
        expanded = 0
        while heap and expanded < MOST_EXPANDED:
            _, _, cost, node, steps = heapq.heappop(heap)
            if node[0] > self.last:
                yield steps, cost
                continue
            expanded += 1
            for option in self.options(node):
                after: Node = (node[0] + 1, option.shape, option.room, option.style or _Style())
                rest = self.rest(after)
                if not math.isinf(rest):
                    total = cost + option.cost
                    heapq.heappush(heap, (total + rest, next(count), total, after, (*steps, *option.steps)))

    def rest(self, node: Node) -> float:
        """The least cost from here to an end, infinite if there is none."""
        if node[0] > self.last:
            return 0.0
        if node not in self._rest:
            self._rest[node] = min(
                (
                    option.cost + self.rest((node[0] + 1, option.shape, option.room, option.style or _Style()))
                    for option in self.options(node)
                ),
                default=math.inf,
            )
        return self._rest[node]

    def options(self, node: Node) -> list[_Option]:
        """The ways through one layer and what stands behind it; at place `last` the end of the network."""
        if node not in self._options:
            place, shape, room, style = node
            if self.looked[0] > MOST_OPTIONS:
                return []
            ways = self._ends(shape) if place == self.last else list(self._layer(place, shape, room, style))
            self._options[node] = ways
            self.looked[0] += len(ways)
        return self._options[node]

    def _layer(self, place: int, shape: Shape, room: _Room | None, style: _Style) -> Iterator[_Option]:
        item, slot = self.head.main[place], self.head.slots[place + 1]
        following = self.head.main[place + 1] if place + 1 < self.last else None
        before = () if place else tuple(map(_normed, self.head.slots[0].items))
        behinds: dict[tuple[Shape, _Style], list[_Option]] = {}  # many moves make maps of the same shape
        for made in self._moves(item, shape, place + 1 == self.last):
            raised = any(method in ("up", "pool") for method, _ in made.steps)
            told, unlike = style.grown(made)
            odd = unlike + (room.cost(raised) if room else 0.0)
            if (made.shape, told) not in behinds:
                behinds[made.shape, told] = list(self._behind(slot, made.shape, following, item, told))
            for behind in behinds[made.shape, told]:
                yield _Option(
                    (*before, *made.steps, *behind.steps), behind.shape, made.cost + odd + behind.cost, behind.room,
                    behind.style,
                )  # fmt: skip

    def _ends(self, shape: Shape) -> list[_Option]:
        """How a network may end after its last layer."""
        if self.image:
            if len(shape) == 3 and shape[0] == 1 and shape[1] > 1:
                return [_Option((("total", ("mean",)),), (1,), 0.5)]
            return [_Option((), shape, 0.0)] if shape in ((1,), (1, 1, 1)) else []
        if len(shape) == 3:
            channels, side, _ = shape
            if channels > 4 or side < SMALLEST or self.latent >= math.prod(shape):
                return []
            return [_Option((("to_image", ()),), shape, geometry.image_cost(channels, side))]
        for channels in (1, 3) if shape[0] > self.latent else ():
            side = math.isqrt(shape[0] // channels)
            if channels * side * side == shape[0] and side >= SMALLEST:
                return [_Option((("to_image", ()),), (channels, side, side), geometry.image_cost(channels, side))]
        return []

    def _moves(self, item: Item, shape: Shape, last: bool) -> Iterator[_Option]:
        """What a layer makes of maps or features of this shape."""
        name, score = item.name, bool(self.image) and last
        if item.kind == "matrix":
            yield from self._matrix(item, shape, score)
            return
        if item.kind == "block":
            yield from self._block(item, shape)
            return
        if len(shape) == 1:
            if self.image or shape[0] != item.shape[0]:
                return
            for move in geometry.transposed(item.shape[2], 1):
                if move.geometry == (1, 0, 0):
                    yield _Option((("transposed", (name, 1, 0, 0)),), (item.shape[1], move.side, move.side), move.cost)
            return
        channels, side, _ = shape
        kernel = item.shape[2]
        known = self.store.facts.get(name)
        if self.image:
            if item.shape[1] != channels:
                return
            for move in geometry.shrinking(kernel, side):
                if not (known.allows(move, side) if known else move.cost <= RARE):
                    continue
                if score and (item.shape[0] != 1 or move.pool):
                    continue
                pooled = (("pool", (move.pool,)),) if move.pool else ()
                step = ("score_conv" if score else "conv", (name, *move.geometry))
                yield _Option((*pooled, step), (item.shape[0], move.side, move.side), move.cost)
            return
        if item.shape[0] == channels:
            for move in geometry.transposed(kernel, side):
                if not (known.allows(move, side) if known else move.cost <= RARE):
                    continue
                yield _Option(
                    (("transposed", (name, *move.geometry)),), (item.shape[1], move.side, move.side),
                    move.cost + (1.0 if item.shape[0] == item.shape[1] and kernel in (1, 3, 5, 7) else 0.0),
                    grows=move.side > 1.5 * side > 1.5,
                )  # fmt: skip
        if item.shape[1] == channels:
            for move in geometry.growing(kernel, side):
                if not (known.allows(move, side) if known else move.cost <= RARE):
                    continue
                raised = (("up", ("nearest", move.up)),) if move.up > 1 else ()
                odd = 1.0 if item.shape[0] == item.shape[1] and kernel not in (1, 3, 5, 7) else 0.0
                odd += 0.0 if (move.up == 1) is last else 0.4  # most enlarge maps before each convolution but the last
                yield _Option(
                    (*raised, ("conv", (name, *move.geometry))), (item.shape[0], move.side, move.side), move.cost + odd
                )

    def _block(self, item: Item, shape: Shape) -> Iterator[_Option]:
        """A residual block: norms and activations before its convolutions or behind them, its maps enlarged or not."""
        if self.image or len(shape) != 3 or shape[0] != item.shape[1]:
            return
        first, second = (part for part in item.parts if part.kind == "kernel" and part.shape[2] > 1)
        beside = [part for part in item.parts if part.kind == "kernel" and part.shape[2] == 1]
        norms = [part for part in item.parts if part.kind == "norm"]
        act = ("activation", ("relu",))
        convs = [("conv", (part.name, 1, part.shape[2] // 2)) for part in (first, second)]
        own: list[tuple[str, tuple[object, ...]]] = [("conv", (beside[0].name, 1, 0))] if beside else []
        up = ("up", ("nearest", 2))
        for raised in (False, True):
            outputs = (item.shape[0], shape[1] << raised, shape[2] << raised)
            for before in (True, False):
                sizes = (shape[0], first.shape[0]) if before else (first.shape[0], item.shape[0])
                if norms and (len(norms) < 2 or tuple(norm.size for norm in norms[:2]) != sizes):
                    continue
                if before and len(norms) == 3:
                    continue
                told = [_normed(norm) for norm in norms]
                cost = 0.0 if not norms or (item.parts.index(norms[0]) < item.parts.index(first)) is before else 1.5
                ups = [up] if raised else []
                if before:
                    branch = [*told[:1], act, *ups, convs[0], *told[1:2], act, convs[1]]
                    steps: Steps = (("residual", (tuple(branch), (*ups, *own))),)
                else:
                    branch = [convs[0], *told[:1], act, convs[1], *told[1:2]]
                    steps = (
                        *ups,
                        ("residual", (tuple(branch), (*own, *told[2:]))),
                    )
                for acted in (False, True):
                    ends = (*steps, act) if acted else steps
                    yield _Option(ends, outputs, cost + 0.3 * (not raised) + (1.0 if acted is before else 0.0))

    def _matrix(self, item: Item, shape: Shape, score: bool) -> Iterator[_Option]:
        outputs, inputs = item.shape
        if (score and outputs != 1) or (not self.image and outputs < self.latent / NARROW):
            return
        step = ("score_linear" if score else "linear", (item.name,))
        if math.prod(shape) == inputs:
            yield _Option((step,), (outputs,), 0.0 if len(shape) == 1 or self.image else 3.0)
        if len(shape) == 3 and shape[0] == inputs and shape[1] > 1 and self.image:
            yield _Option((("total", ("mean",)), step), (outputs,), 0.7)
        if self.image and len(shape) == 3 and shape[1] > 1:
            for of, cost in (("max", 1.5), ("mean", 1.5)):
                if shape[0] * (shape[1] // 2) * (shape[2] // 2) == inputs:
                    yield _Option((("pool", (of,)), step), (outputs,), cost)

    def _behind(
        self, slot: _Slot, made: Shape, following: Item | None, item: Item, style: _Style
    ) -> Iterator[_Option]:  # fmt: skip
        """What may stand behind a layer: norms, activations, and features as maps."""
        norms = [_normed(own) for own in slot.items if own.kind in ("norm", "scale")]
        slopes = [("prelu", (own.name,)) for own in slot.items if own.kind == "slope"]
        act = ("activation", ("leaky 0.2" if self.image else "relu",))
        attention = [
            ("attention", (own.name, tuple(part.name for part in own.parts)))
            for own in slot.items if own.kind == "attention"
        ]  # fmt: skip
        orders: list[tuple[list[tuple[str, tuple[object, ...]]], float, str]]
        if slopes:
            orders = [([*norms, *slopes], 0.0, "norm")] + ([([*slopes, *norms], 0.0, "act")] if norms else [])
        elif following is None:
            orders = [(norms, 0.0, "")] + ([([act, *norms], 4.0, "")] if norms else [])
        elif item.kind == "block":
            orders = [([*norms, act] if norms else [], 0.0, "")]
        elif norms:
            orders = [([*norms, act], 0.0, "norm"), ([act, *norms], 0.0, "act"), (norms, BARE, "")]
        else:
            orders = [([act], 0.0, ""), ([], BARE, "")]
        for steps, shape, cost in self._views(slot, made, following):
            grown, unlike = style.grown(_Option(steps, shape, 0.0))
            for inner, unusual, told in orders:
                if unusual == BARE and len(made) == 1 and len(shape) == 3:
                    unusual = BARE_VIEW
                if told and told != style.order:
                    unusual += MIXED if style.order else ACT_FIRST * (told == "act" and len(norms) > 0)
                evidence, room = self._numbers(slot, item, inner, bool(steps), following)
                placed = (*self._placed(steps, inner, slot, made), *attention)
                yield _Option(
                    placed, shape, cost + unusual + unlike + evidence, room,
                    _Style(told or style.order, grown.growth),
                )  # fmt: skip

    def _placed(
        self, views: Steps, inner: Sequence[tuple[str, tuple[object, ...]]],
        slot: _Slot, made: Shape,
    ) -> Steps:  # fmt: skip
        """Views before norms of channels, and after those of features."""
        norm = next((own for own in slot.items if own.kind in ("norm", "scale")), None)
        late = norm is not None and norm.shape == made
        return (*inner, *views) if late else (*views, *inner)

    def _views(self, slot: _Slot, shape: Shape, following: Item | None) -> Iterator[tuple[Steps, Shape, float]]:
        """Features as the maps that the next layer takes; channels as pixels."""
        norm = next((own for own in slot.items if own.kind in ("norm", "scale")), None)
        if following is None:
            if not self.image and len(shape) == 3:
                yield from self._shuffled(shape, {1, 3})
            if norm is not None and len(shape) == 1 and norm.size != shape[0] and len(norm.shape) == 1:
                side = math.isqrt(shape[0] // norm.size)
                if norm.size * side * side == shape[0]:
                    yield (("view", (norm.size,)),), (norm.size, side, side), 0.0
                return
            yield (), shape, 0.0
            return
        if len(shape) == 1:
            if following.kind == "matrix":
                yield (), shape, 0.0
                return
            wanted = {following.shape[0]: 0.0, following.shape[1]: 0.0}
            if norm is not None and norm.size != shape[0] and len(norm.shape) == 1:
                wanted = {norm.size: 0.0} if norm.size in wanted else {}
            for channels, cost in wanted.items():
                side = math.isqrt(shape[0] // channels)
                if side and channels * side * side == shape[0] and (side > 1 or shape[0] == channels):
                    yield (("view", (channels,)),), (channels, side, side), cost + (1.0 if side == 1 else 0.0)
            return
        if following.kind == "kernel" and not self.image:
            yield from self._shuffled(shape, {*following.shape[:2]})
        yield (), shape, 0.0

    def _shuffled(self, shape: Shape, channels: set[int]) -> Iterator[tuple[Steps, Shape, float]]:
        for factor in (2, 4):
            if not shape[0] % factor**2 and shape[0] // factor**2 in channels:
                made = shape[0] // factor**2, factor * shape[1], factor * shape[2]
                yield (("shuffle", (factor,)),), made, 1.0 if shape[0] in channels else 0.3

    def _numbers(
        self, slot: _Slot, item: Item, inner: Sequence[tuple[str, tuple[object, ...]]], viewed: bool,
        following: Item | None,
    ) -> tuple[float, _Room | None]:  # fmt: skip
        """How far the numbers in the names of an nn.Sequential speak against these activations, and what of the last
        gap is unexplained.
        """
        order = [item.name, *(str(arguments[0]) for method, arguments in inner if method != "activation")]
        acts = [0] * len(order)
        place = 0
        for method, _ in inner:
            if method == "activation":
                acts[place] += 1
            else:
                place += 1
        cost = 0.0
        for count, (name, after) in zip(acts, itertools.pairwise(order), strict=False):
            gap = _gap(name, after)
            if gap is not None:
                cost += FORCED if count > gap else _Room(gap - count, False, bool(count)).cost(False)
        gap = _gap(order[-1], following.name) if following else None
        if gap is None:
            return cost, None
        if acts[-1] > gap:
            return cost + FORCED, _Room(0, False, True)
        flat = item.kind != "matrix" and following is not None and following.kind == "matrix"
        return cost, _Room(gap - acts[-1], viewed or flat, bool(acts[-1]))


def _normed(item: Item) -> tuple[str, tuple[object, ...]]:
    return "norm" if item.kind == "norm" else "sample_norm", (item.name,)


@lru_cache(maxsize=4096)
def _gap(name: str, after: str) -> int | None:
    """How many modules without weights stand between two of one nn.Sequential; None where names do not tell."""
    (parent, _, number), (next_parent, _, next_number) = name.rpartition("."), after.rpartition(".")
    if parent == next_parent and number.isdecimal() and next_number.isdecimal() and int(next_number) > int(number):
        return int(next_number) - int(number) - 1
    return None
