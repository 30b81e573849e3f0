"""Which network a graph is: a generator of noise, or a critic of images, with a class or without.

Where a file does not say what shapes its inputs have, as TorchScript does not, those are tried that its weights could
take.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakKeyDictionary

import torch

from rgan.common import limits
from rgan.common.errors import SettingsError
from rgan.importing.drafting import SMALLEST, Draft
from rgan.importing.geometry import sides
from rgan.importing.graphs.flows import Chain, EndlessError, Flow, Table, Tape, Turned, UnknownError
from rgan.importing.graphs.program import Input, Program
from rgan.importing.solver import Reading
from rgan.networks.described import Activation, Flat, Layer, Rescale, Shape, View, follow

COST = -6.0  # of a reading by what a graph says itself
TRIED, SECONDS = 3000, 6.0  # shapes of inputs that are tried for one graph, and how long
CLASSES = (1000, 100, 50, 47, 43, 40, 37, 26, 20, 16, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2)
LABELS = ("label", "class", "cond", "y", "c", "onehot", "one_hot", "target", "attr")  # beginnings of names of inputs


@dataclass(frozen=True)
class Found:
    """A network of a graph: role, shape of a sample of its input, layers, and what ends it ("tanh", "sigmoid" or
    "none").
    """

    role: str
    start: Shape
    classes: int
    chain: Chain
    image: Shape
    ending: str


_FOUND: WeakKeyDictionary[Program, dict[tuple[str, Shape], Found | UnknownError]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Guess:
    """What the inputs may be: place and shape of noise or image, the label's place or −1, and its kind and classes."""

    place: int
    shape: Shape
    label: int = -1
    classes: int = 0
    one_hot: bool = False


def readings(graph: Program, role: str, image: Shape = ()) -> list[Reading]:
    """The network of a graph as one reading, if it is of this role (and judges such images)."""
    try:
        found = network(graph, role, image)
    except UnknownError:
        return []
    own = {"output": found.ending, "prior": "normal"} if role == "generator" else {"loss": "non-saturating"}
    return [Reading(f"{graph.kind} graph", partial(_write, found), COST, own=own)]


def images(graph: Program) -> Iterator[Shape]:
    """The images that a graph judges."""
    end = time.monotonic() + SECONDS
    for shape in _pictures(graph):
        try:
            yield network(graph, "critic", shape).image
        except EndlessError:
            return
        except UnknownError:
            if time.monotonic() > end:
                return


def problem(graph: Program) -> str:
    """Why a graph is no network that can be used, for people."""
    told: list[tuple[int, str]] = []
    for role in ("generator", "critic"):
        try:
            network(graph, role)
            return ""
        except UnknownError as error:
            told.append((error.depth, str(error)))
    return max(told)[1]


def network(graph: Program, role: str, image: Shape = ()) -> Found:
    """The generator that a graph is, or its critic, of these images if any are given.

    Raises:
        UnknownError: it is none; what is not known of the one that comes nearest, and how near it is as `depth`.
    """
    known = _FOUND.setdefault(graph, {})
    if (role, image) not in known:
        try:
            known[role, image] = _search(graph, role, image)
        except UnknownError as error:
            known[role, image] = error
    found = known[role, image]
    if isinstance(found, UnknownError):
        raise found
    return found


def _search(graph: Program, role: str, image: Shape) -> Found:
    farthest, error = -1, UnknownError("no inputs that fit a generator or a critic")
    end = time.monotonic() + SECONDS
    for count, guess in enumerate(_guesses(graph, role, image)):
        if count >= TRIED or time.monotonic() > end:
            break
        tape = Tape(guess.shape, features=role == "generator")
        try:
            return _found(graph, role, guess, tape)
        except UnknownError as why:
            if isinstance(why, EndlessError):
                why.depth = len(tape.nodes)
                raise
            if len(tape.nodes) > farthest:
                farthest, error = len(tape.nodes), why
    error.depth = farthest
    raise error


def _found(graph: Program, role: str, guess: _Guess, tape: Tape) -> Found:
    values: list[object] = [None] * len(graph.inputs)
    values[guess.place] = tape.start
    if guess.label >= 0:
        values[guess.label] = Table(torch.eye(guess.classes) if guess.one_hot else torch.arange(guess.classes))
    result = graph.follow(tape, values)
    if isinstance(result, (list, tuple)) and result:
        result = result[0]
    if isinstance(result, Turned) and role == "generator" and result.order == (1, 2, 0):
        result = result.flow  # channels last, as pictures are written
    if not isinstance(result, Flow):
        raise UnknownError("a result that does not depend on its input")
    if role == "critic":
        if math.prod(result.shape) != 1:
            raise UnknownError(f"a result of the shape {result.shape}, where a critic's is one number")
        if tape.nodes[result.node].shape not in ((1,), (1, 1, 1)):
            result = tape.native(result.viewed((1,)))
    else:
        shape = result.shape
        if len(shape) not in (1, 3) or (len(shape) == 3 and (shape[0] not in (1, 3) or min(shape[1:]) < SMALLEST)):
            raise UnknownError(f"a result of the shape {shape}, where a generator's is an image")
        result = tape.native(result)
    chain = tape.chain(result)
    chain, ending = _ended(chain) if role == "generator" else (_unbounded(chain), "none")
    first = (math.prod(guess.shape),) if role == "generator" else guess.shape
    try:
        follow([layer for layer, _ in chain], first)
    except SettingsError as error:
        raise UnknownError(str(error)) from error
    return Found(role, guess.shape, tape.classes, chain, result.shape if role == "generator" else guess.shape, ending)


def _ended(chain: Chain) -> tuple[Chain, str]:
    """A generator without what ends it, and its name: images are drawn between −1 and 1, wherever the graph puts them
    (0 to 1, 0 to 255).
    """
    times, plus, place = 1.0, 0.0, len(chain)
    while place and isinstance(chain[place - 1][0], (View, Flat)):
        place -= 1
    shaped = chain[place:]
    while place and isinstance(scale := chain[place - 1][0], Rescale):
        times, plus = times * scale.times, plus + times * scale.plus
        place -= 1
    last = chain[place - 1][0] if place else None
    name = last.name if isinstance(last, Activation) else ""
    low, high = plus - times * (name != "sigmoid"), plus + times
    ranges = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (0.0, 256.0))
    usual = any(abs(low - a) < 0.002 * (b - a) and abs(high - b) < 0.005 * (b - a) for a, b in ranges)
    if not usual or name not in ("tanh", "sigmoid", "hardtanh"):
        return chain, "none"
    if name == "hardtanh":
        return chain[:place] + shaped, "none"
    return chain[: place - 1] + shaped, name


def _unbounded(chain: Chain) -> Chain:
    """A critic without the sigmoid that makes a probability of its score."""
    if chain and isinstance(chain[-1][0], Activation) and chain[-1][0].name == "sigmoid":
        return chain[:-1]
    return chain


def _write(found: Found, draft: Draft) -> None:
    if draft.role == "generator":
        draft.noise(math.prod(found.start))
    else:
        draft.need(draft.image == found.start, "it judges other images")
    if found.classes:
        draft.conditional(found.classes)
    draft.used |= set(draft.store.names)
    for layer, weights in found.chain:
        if draft.role == "critic" and weights:
            draft.score_at = len(draft.layers)
        made = {name: partial(torch.clone, value) for name, value in weights.items()}  # graphs use tensors twice
        draft.add(partial(_itself, layer), **made)
    if draft.role == "generator":
        draft.guesses = {**draft.guesses, "output": found.ending}
        draft.to_image()
    else:
        draft.loss("non-saturating")


def _itself(layer: Layer) -> Layer:
    return layer


# What inputs may be


def _guesses(graph: Program, role: str, image: Shape) -> Iterator[_Guess]:
    """What the inputs may be, the likeliest first."""
    inputs = graph.inputs
    if not 1 <= len(inputs) <= 2:
        raise UnknownError(
            f"{len(inputs)} inputs, where {'noise' if role == 'generator' else 'an image'} and a class are known"
        )
    shapes = [image] if image else None
    for place, label in _places(inputs):
        one = inputs[place]
        fitting = shapes or (
            [one.shape] if one.shape is not None else list(_latents(graph) if role == "generator" else _pictures(graph))
        )
        for shape in fitting:
            if role == "critic" and not _is_picture(shape):
                continue
            yield from _labelled(graph, _Guess(place, shape), label)


def _is_picture(shape: Shape) -> bool:
    return len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2] >= SMALLEST


def _places(inputs: tuple[Input, ...]) -> Iterator[tuple[int, int]]:
    """Place of the noise or image, and of the label, −1 for none."""
    if len(inputs) == 1:
        yield 0, -1
        return
    named = [one.name.lower().startswith(LABELS) for one in inputs]
    first = 0 if inputs[0].whole or (named[0] and not named[1] and not inputs[1].whole) else 1
    yield 1 - first, first
    if not any(one.whole for one in inputs):
        yield first, 1 - first


def _labelled(graph: Program, guess: _Guess, label: int) -> Iterator[_Guess]:
    if label < 0:
        yield guess
        return
    told = graph.inputs[label]
    if told.whole is not False:
        for classes in _classes(graph):
            yield replace(guess, label=label, classes=classes)
    if not told.whole:
        known = [told.shape[0]] if told.shape is not None and len(told.shape) == 1 else list(_classes(graph))
        for classes in known:
            if classes <= limits.MAX_CLASSES:
                yield replace(guess, label=label, classes=classes, one_hot=True)


def _classes(graph: Program) -> tuple[int, ...]:
    """How many classes there may be, most first: of fewer all that is known of more holds as well."""
    told = [side for value in graph.tensors.values() if value.dim() == 2 for side in value.shape]
    return tuple(sorted({side for side in (*told, *CLASSES) if 2 <= side <= limits.MAX_CLASSES}, reverse=True))


def _latents(graph: Program) -> Iterator[Shape]:
    """Shapes that the noise may have, by the sides of weights."""
    tensors = [value for value in graph.tensors.values() if value.dim() in (2, 4)]
    widths = dict.fromkeys(value.shape[1] for value in tensors if value.dim() == 2)
    lengths = {value.shape[1] for value in tensors if value.dim() == 2 and value.shape[0] <= limits.MAX_CLASSES}
    deep = dict.fromkeys(side for value in tensors if value.dim() == 4 for side in value.shape[:2])
    plain = dict.fromkeys(side for value in tensors for side in (value.shape[1], value.shape[0]))
    flat = [
        *plain,
        *(width - less for width in (*widths, *deep) for less in sorted(lengths | {*CLASSES}) if width > less),
    ]
    for width in dict.fromkeys(flat):
        yield (width,)
    for width in dict.fromkeys(flat):
        yield (width, 1, 1)
    for side in (2, 4, 8, 16):
        for width in deep:
            yield (width, side, side)


def _pictures(graph: Program) -> Iterator[Shape]:
    """Images that a critic may judge."""
    told = [one.shape for one in graph.inputs if one.shape is not None and _is_picture(one.shape)]
    if told:
        yield told[0]
        return
    for side in sides():
        for channels in (1, 3):
            yield channels, side, side
