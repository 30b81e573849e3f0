"""From files of other programs to one Gan: which network is in which file, what was guessed, and words when it fails.

    proposal = conversion.read([("netG.pth", data), ("netD.pth", data)])
    proposal.questions()    what the weights do not tell, each with its options and the likeliest answer
    proposal.gan({"upsampling": "nearest"})     the Gan, with these answers and guesses for the others
    proposal.others         less plausible readings of the same tensors, the likeliest first

`checkpoints.save` writes it as a file of RGAN Lab's own. `describe` says what a file is without reading a number.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from rgan.common import limits
from rgan.common.errors import CheckpointError, SettingsError
from rgan.common.safetensors_header import shown
from rgan.data.datasets import REFERENCE_IMAGES
from rgan.importing import containers, formats, modules, points, solver
from rgan.importing.containers import Contents, Group
from rgan.importing.drafting import Draft, MismatchError
from rgan.importing.formats import Network, Question, images, nearest
from rgan.importing.graphs import networks as graphs
from rgan.importing.graphs.program import Program
from rgan.importing.plausibility import Ranked, ranked
from rgan.importing.solver import Reading
from rgan.importing.tensors import PARAMETERS, PLAYERS, ModuleAt, Store, is_average, players, unwrapped, within
from rgan.models import checkpoints
from rgan.models.gan import Gan, Origin
from rgan.models.recipes import IMPORTED, Recipe
from rgan.networks.described import Layers, Shape

# Networks that are often uploaded and are no GAN of noise to images: words in their tensors' names, what they are.
_OTHERS = (
    (("mapping", "synthesis"), "a StyleGAN, whose layers are not supported"),
    (("style", "to_rgb"), "a StyleGAN, whose layers are not supported"),
    (("time_embed",), "a diffusion model, not a GAN"),
    (("time_mlp",), "a diffusion model, not a GAN"),
    (("embed_tokens",), "a language model"),
    (("self_attn",), "a transformer"),
    (("layer1.0.conv1", "fc."), "a ResNet that classifies images"),
    (("features.", "classifier."), "a network that classifies images"),
    (("conv1x1_theta",), "a GAN with self-attention, which is not supported"),
    (("gain.weight",), "a GAN whose batch norms depend on class and noise, which is not supported"),
    (("embed0",), "a GAN whose batch norms depend on class and noise, which is not supported"),
    (("encoder", "decoder"), "an autoencoder, not a GAN"),
)  # fmt: skip


SIZES = 3  # sizes of images that a critic is said to judge, at most
SEEN, JUDGEMENTS = 32, 4  # images that a critic's readings are tried with; how many of them are kept
JUDGED = 2  # sizes of images for which a critic's readings are ranked
PLAIN = 1.0  # cost of a generator's reading up to which it is no critic, unless it is called one
NAMED = 6.0  # what the name of a player speaks for it


class MissingGeneratorError(CheckpointError):
    """There is a critic alone: with its generator's file beside it, it could be used."""


@dataclass(frozen=True)
class Part:
    """A network found in a file: player "generator", "average" (a moving average of a generator's weights) or "critic".

    images: (C, H, W) it can make or judge; a critic may judge several sizes. `where`, for people: file and path in it.
    reading: of its tensors; for a critic the one of the first of its images, until its generator is known. pool,
    further: readings of a generator so far, and where to ask for more.
    """

    player: str
    title: str
    where: str
    images: tuple[Shape, ...]
    store: Store = field(repr=False)
    source: str = ""
    reading: Reading | None = None
    pool: tuple[Reading, ...] = field(default=(), repr=False)
    further: Callable[[], list[Reading]] | None = field(default=None, repr=False)

    @property
    def cost(self) -> float:
        """How unusual the reading is."""
        return self.reading.cost if self.reading is not None else math.inf

    def network(self, answers: Mapping[str, str], image: Shape = ()) -> Network | None:
        """The network under these answers, a critic for images of this shape; None if it judges others.

        Raises:
            SettingsError: an answer is none of its question's options.
        """
        if self.reading is None:
            return None
        draft = Draft(self.store, answers, source=self.source, image=image, guesses=self.reading.guesses)
        try:
            self.reading.write(draft)
            return draft.finish(self.reading.title)
        except MismatchError:
            return None

    @property
    def words(self) -> str:
        """The part in one line."""
        sizes = " or ".join("×".join(map(str, image)) for image in self.images[:3])
        sizes += " or others" if len(self.images) > 3 else ""
        verb = "judges" if self.player == "critic" else "draws"
        name = "generator (moving average)" if self.player == "average" else self.player
        return f"{name}, {self.title}, {verb} {sizes} ({self.where})"


@dataclass(frozen=True)
class Proposal:
    """Networks that make a Gan: `generator` draws its images unless there is an `average`; `critic` may be missing.

    files: names and SHA-256 of the files they lay in. unread: objects in these that are no tensors. beside: names of
    tensors in these that belong to no player. odd: tensors in these that cannot be used, and why. unrecognised:
    networks in these that are not known, in sentences. others: less plausible readings of the same files, the likeliest
    first. number: its place among all, from 1.
    """

    generator: Part
    average: Part | None
    critic: Part | None
    files: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]
    beside: tuple[str, ...] = ()
    odd: tuple[tuple[str, str], ...] = ()
    unrecognised: tuple[str, ...] = ()
    others: tuple[Proposal, ...] = field(default=(), repr=False)
    number: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from all others: the digests of its files, and its number among their readings."""
        return *(digest for _, digest in self.files), str(self.number)

    @property
    def ranked(self) -> tuple[Proposal, ...]:
        """This proposal and those that are less plausible, best first."""
        return self, *self.others

    def questions(self, answers: Mapping[str, str] | None = None) -> tuple[Question, ...]:
        """What was guessed; answers to some may bring others.

        Raises:
            CheckpointError: the networks do not fit together.
            SettingsError: an answer is none of its question's options.
        """
        generator, critic = self._networks(answers or {})
        return (*generator.questions, *(critic.questions if critic else ()))

    def notes(self, answers: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """What to know of the Gan, in sentences.

        Raises:
            CheckpointError, SettingsError: as `questions`.
        """
        generator, critic = self._networks(answers or {})
        said = [*generator.notes, *(critic.notes if critic else ())]
        if self.average is not None:
            said.append(f"the moving average of the generator's weights draws the images ({self.average.where})")
        if self.critic is None:
            said.append(
                "no critic: its worst noise can be searched by a judge or by the image's change; for the loss of "
                "equation 8 add the critic's file, or train one with `python -m rgan critic`"
            )
        if self.unread:
            said.append(f"objects left unread: {', '.join(self.unread)}")
        said += self.unrecognised
        if self.odd:
            told = (f"{key} ({what.partition(': expected ')[2] or what})" for key, what in self.odd)
            said.append(f"tensors that are no network's left out: {_some(tuple(told))}")
        if self.beside:
            said.append(f"tensors of neither network left out: {_some(self.beside)}")
        return tuple(dict.fromkeys(said))

    def gan(self, answers: Mapping[str, str] | None = None) -> Gan:
        """The Gan under these answers.

        Raises:
            CheckpointError: the networks do not fit together, or give no finite numbers.
            SettingsError: an answer is none of its question's options, or the networks are too large.
        """
        answers = dict(answers or {})
        network, critic = self._networks(answers)
        given = {question.name: question.guess for question in critic.questions} | answers if critic else answers
        layers = Layers(
            network.title
            if critic is None or network.title.startswith(critic.title)
            else f"{network.title}, {critic.title}",
            network.layers,
            critic.layers if critic else (),
            critic.score if critic else 0,
        )
        channels, size, _ = network.image
        recipe = Recipe(
            IMPORTED,
            size=size,
            channels=channels,
            latent=network.latent,
            loss=given.get("loss", "hinge"),
            layers=layers,
        )
        generator, judge = recipe.networks()
        generator.load_state_dict(network.state(), assign=True)
        if critic is not None:
            judge.load_state_dict(critic.state(), assign=True)
        average = None
        if self.average is not None:
            other = self.average.network(answers)
            if other is None or other.layers != network.layers:
                raise CheckpointError(
                    f"expected the moving average of one generator, got two that differ: {self.generator.words} and "
                    f"{self.average.words}; leave one out"
                )
            average = recipe.networks()[0]
            average.load_state_dict(other.state(), assign=True)
        taken = {question.name: question.guess for question in self.questions(answers)} | answers
        made = Gan(
            recipe, generator, judge, average, origin=Origin(self.files, taken), label=int(taken.get("class", 0))
        )
        return checkpoints.checked(made)

    def _networks(self, answers: Mapping[str, str]) -> tuple[Network, Network | None]:
        generator = self.generator.network(answers)
        if generator is None:
            raise CheckpointError(f"expected a generator under these answers, got none: {self.generator.words}")
        if self.critic is None:
            return generator, None
        given = {question.name: question.guess for question in generator.questions} | dict(answers)
        critic = self.critic.network(given, generator.image)
        if critic is None:
            made = "×".join(map(str, generator.image))
            raise CheckpointError(
                f"expected a critic of images of {made} pixels, which the generator draws, got {self.critic.words}; "
                "choose the two files of one training"
            )
        return generator, critic


def read(files: Sequence[tuple[str, bytes]]) -> Proposal | Gan:
    """What these files, (name, bytes) each, are together: a `Proposal`, or a Gan where it is a file of RGAN Lab's own.

    Raises:
        CheckpointError: a file is no checkpoint or built to harm (see `containers.read`), holds no network that is
            known, or the networks make no Gan; with words of what they are.
        MissingGeneratorError: there is only a critic.
    """
    if not 1 <= len(files) <= limits.MAX_FILES:
        raise CheckpointError(f"expected 1 to {limits.MAX_FILES} files, got {len(files)}; choose those of one Gan")
    contents = [containers.read(data, name) for name, data in files]
    if any(_is_ours(one) for one in contents):
        if len(files) > 1:
            raise CheckpointError("expected one file of RGAN Lab, which holds a whole Gan, got more; choose one")
        return checkpoints.loads(files[0][1], contents[0].name)
    told = [_parts(one) for one in contents]
    parts = [part for own, _, _ in told for part in own]
    beside = tuple(name for _, left, _ in told for name in left)
    unrecognised = tuple(words for _, _, said in told for words in said)
    odd = tuple(item for one in contents for item in one.odd.items())
    unread = tuple(dict.fromkeys(name for one in contents for name in one.unread))
    generators, averages, critics = (
        [part for part in parts if part.player == player] for player in ("generator", "average", "critic")
    )
    for several in (generators, averages, critics):
        if len(several) > 1:
            found = "; ".join(part.words for part in several)
            raise CheckpointError(
                f"expected one {several[0].player}, got {len(several)}: {found}; leave all but one out"
            )
    if not generators and not averages:
        raise MissingGeneratorError(
            f"expected a generator, got a critic alone, which makes no images: {critics[0].words}; add its generator's "
            "file"
        )
    first, second = (generators or averages)[0], averages[0] if generators and averages else None
    digests = tuple((shown(name, 255), hashlib.sha256(data).hexdigest()) for name, data in files)
    found_ones = [
        Proposal(
            generator,
            second and dataclasses.replace(second, reading=generator.reading),
            critic,
            digests,
            unread,
            beside,
            odd,
            unrecognised,
        )
        for generator, critic in _pairs(first, critics[0] if critics else None)
    ]
    best, *others = (dataclasses.replace(one, number=place) for place, one in enumerate(found_ones, 1))
    return dataclasses.replace(best, others=tuple(others))


def _pairs(generator: Part, critic: Part | None) -> Iterator[tuple[Part, Part | None]]:
    """The likeliest readings of a generator, each with a likely one of its critic: the best with the best, the second
    with the second where there are so many.
    """
    assert generator.reading is not None, "what was recognised has one"
    generators = ranked(generator.pool, generator.store, source=generator.source, more=generator.further) or [
        Ranked(generator.reading, 0.0, torch.empty(0))
    ]
    critics: dict[Shape, list[Reading]] = {}
    for place, one in enumerate(generators):
        made = dataclasses.replace(generator, reading=one.reading, title=one.reading.title)
        network = made.network({})
        if network is None:
            continue
        made = dataclasses.replace(made, title=network.title, images=(network.image,))
        if critic is None:
            yield made, None
            continue
        if network.image not in critics:
            given = {question.name: question.guess for question in network.questions}
            seen = one.made if len(critics) < JUDGED and one.made.shape[1:] == network.image else None
            critics[network.image] = _critics(critic, seen, network.image, given)
        told = critics[network.image]
        judge = dataclasses.replace(critic, reading=told[min(place, len(told) - 1)]) if told else critic
        yield made, judge


def _critics(critic: Part, images: Tensor | None, image: Shape, given: Mapping[str, str]) -> list[Reading]:
    """The likeliest readings of a critic of these images (N, C, H, W), best first; without images the most usual."""
    pool, further = _readings(critic.store, "critic", critic.source, image)
    if images is None:
        return pool[:1]
    slope = given.get("activation", "")  # a leaky generator's critic leaks as much
    likely = {"critic activation": slope} if slope.startswith("leaky") else {}
    found = ranked(
        pool, critic.store, source=critic.source, images=images[:SEEN], answers=given, likely=likely, most=JUDGEMENTS,
        more=further,
    )  # fmt: skip
    return [one.reading for one in found]


Further = Callable[[], list[Reading]]


def _readings(store: Store, role: str, source: str, image: Shape = ()) -> tuple[list[Reading], Further | None]:
    """Readings of a network as what its module says or as one of a known format, else as all that its shapes allow; and
    where to ask for what shapes allow beside them, None if it is there or there can be nothing.
    """
    if store.graph is not None:
        return graphs.readings(store.graph, role, image), None
    known = modules.readings(store, role, image)
    if not store.layers:
        known = formats.readings(store, role, source=source, image=image)
    shaped = partial(solver.critics, store, image) if image else partial(solver.generators, store)
    if not known:
        return shaped(), None
    certain = modules.is_sequence(store) if store.layers else any(one.own for one in known)
    return known, None if certain else shaped


def trained_on(gan: Gan, name: str, real: Tensor | None) -> Gan:
    """An imported `gan` that knows the name of its data set, and carries some of its images, uint8 (N, C, H, W).

    Raises:
        SettingsError: these images have another shape than the Gan's.
    """
    if not name.isprintable():
        raise SettingsError(f"expected the name of a data set, got {name[:60]!r}; rename its file")
    if gan.origin is None:
        raise SettingsError("expected an imported model, got one that says itself what it was trained on")
    if real is not None:
        expected, shape = (gan.recipe.channels, gan.recipe.size, gan.recipe.size), tuple(real.shape[1:])
        if shape != expected:
            raise SettingsError(
                f"expected real images of {'×'.join(map(str, expected))}, as the model draws, got {name} with "
                f"{'×'.join(map(str, shape))}; choose the data set it was trained on"
            )
    kept = None if real is None else real[:REFERENCE_IMAGES]
    return dataclasses.replace(gan, origin=dataclasses.replace(gan.origin, data=name), reference=kept, _probes={})


@dataclass(frozen=True)
class Description:
    """What a file is, by its names and shapes: container, tensors by their path, and the networks among them.

    ours: whether RGAN Lab wrote it (`checkpoints.inspect` says more then). problem: why it cannot be used alone, "" if
    it can.
    """

    name: str
    container: str
    bytes: int
    tensors: Mapping[str, tuple[int, ...]]
    parts: tuple[str, ...]
    questions: tuple[Question, ...]
    unread: tuple[str, ...]
    ours: bool
    problem: str


def describe(name: str, data: bytes) -> Description:
    """What a file is, without reading a number of its tensors.

    Raises:
        CheckpointError: it is no checkpoint, damaged or built to harm.
    """
    contents = containers.listing(data, name)
    shapes = {
        f"{path}/{key}".lstrip("/"): tuple(value.shape)
        for path, group in contents.groups.items()
        for key, value in group.items()
    }
    parts: list[Part] = []
    problem = ""
    ours = _is_ours(contents)
    if not ours:
        try:
            parts = _parts(contents)[0]
        except CheckpointError as error:
            problem = str(error)
    questions: tuple[Question, ...] = ()
    for part in parts:
        network = part.network({}, part.images[0] if part.player == "critic" else ())
        questions += network.questions if network is not None else ()
    if parts and not any(part.player in ("generator", "average") for part in parts):
        problem = "a critic alone makes no images: convert it together with its generator"
    return Description(
        contents.name, contents.kind, len(data), shapes, tuple(part.words for part in parts),
        tuple({question.name: question for question in questions}.values()), contents.unread, ours, problem,
    )  # fmt: skip


def _is_ours(contents: Contents) -> bool:
    return contents.metadata is not None and checkpoints.KEY in contents.metadata


def _parts(contents: Contents) -> tuple[list[Part], list[str], list[str]]:
    """The networks of a file, the names of tensors beside them, and words about players that are not recognised.

    Raises:
        CheckpointError: there are none that are known; what there is instead is said. Or there is so much that
            recognising it would take long.
    """
    if contents.graph is not None:
        return [_wired(contents, contents.graph)], [], []
    networks: list[tuple[str, Store]] = []
    beside: list[str] = []
    for path, group in contents.groups.items():
        beside += _split(group, path, networks, [ModuleAt(*part) for part in contents.modules.get(path, ())])
    layers = sum(_layers(store) for _, store in networks)
    if len(networks) > limits.MAX_GROUPS or layers > limits.MAX_TRIED:
        raise CheckpointError(
            f"{contents.name}: expected at most {limits.MAX_GROUPS} groups of tensors with {limits.MAX_TRIED} layers "
            f"together, got {len(networks):,} with {layers:,}; save the generator and the critic alone"
        )
    found, unrecognised = [], []
    for path, store in networks:
        part = _part(store, path, contents.name)
        bad = _of(path, contents.odd)
        if part is not None and not bad:
            found.append(part)
        elif part is not None and part.player != "critic":
            raise _unusable(contents, bad[0])
        elif path.rpartition("/")[2].lower() in PLAYERS or part is not None:
            unrecognised.append(_unrecognised(contents, path, store))
    if found:
        return found, beside, unrecognised
    if contents.odd:
        raise _unusable(contents, next(iter(contents.odd)))
    raise CheckpointError(f"{contents.name}: expected the generator or critic of a known GAN, got {_instead(contents)}")


def _wired(contents: Contents, graph: Program) -> Part:
    """The network of a graph.

    Raises:
        CheckpointError: it is none; the first operator that is not known is named.
    """
    part = _part(Store(contents.groups[""], graph=graph), "", contents.name)
    if part is None:
        raise CheckpointError(
            f"{contents.name}: expected a generator or critic of standard operators, got "
            f"{shown(graphs.problem(graph), 200)}; save its state_dict() with torch.save, or wrap it in Python "
            "(rgan.wrap)"
        )
    return part


def _of(path: str, odd: Mapping[str, str]) -> list[str]:
    """Those of the tensors that cannot be used which are a layer's, of the network at this path."""
    inside = f".{path.replace('/', '.')}.".replace("..", ".")
    return [key for key in odd if key.rpartition(".")[2] in PARAMETERS and inside in f".{key.replace('/', '.')}"]


def _unusable(contents: Contents, key: str) -> CheckpointError:
    what = contents.odd[key]
    if what == containers.NOT_FINITE:
        return CheckpointError(f"{contents.name}: {key}: expected finite weights, got {what}; the training diverged")
    return CheckpointError(
        what if ": expected " in what else f"{contents.name}: {key}: expected plain weights, got {what}"
    )


def _unrecognised(contents: Contents, path: str, store: Store) -> str:
    """Why a network is none that is known, for people."""
    bad = _of(path, contents.odd)
    if bad:
        what = contents.odd[bad[0]]
        return f"{path} not recognised: {_some(bad)} cannot be used ({what.partition(': expected ')[2] or what})"
    near = nearest(store)
    return f"{path} not recognised: its layers are in no order that is known" + (
        f"; nearest to a {near}" if near else ""
    )


def _split(group: Group, path: str, networks: list[tuple[str, Store]], layers: Sequence[ModuleAt] = ()) -> list[str]:
    """Add tensors that lie together to `networks`, by player where their names begin with one; returns the names of
    those that belong to none. layers: parts of the module that they are of, where it was pickled whole.
    """
    whole = group
    group = unwrapped(group)
    prefix = next(iter(whole), "").removesuffix(next(iter(group), ""))
    layers = within(layers, prefix)
    several, beside = players(group)
    for player, own in several.items():
        beside = beside + _split(own, f"{path}/{player}".lstrip("/"), networks, within(layers, f"{player}."))
    if not several:
        networks.append((path, Store(group, layers)))
    return beside


def _layers(store: Store) -> int:
    """How many layers have to be looked at to recognise these tensors: none if they are too many for any network."""
    return len(store.modules) if len(store.modules) <= limits.MAX_LAYERS else 0


def _part(store: Store, path: str, name: str) -> Part | None:
    """The network that these tensors are, or None: a generator or a critic, whichever is less unusual."""
    if not _layers(store):
        return None
    source = f"{name} {path}"
    where = f"{name}, {path}" if path else name
    called = _called(name, path)
    drawing = _drawing(store, source, where)
    if drawing is None or called == "critic" or drawing.cost > PLAIN:
        judging = _judging(store, source, where)
        if judging is not None:
            favour = {"critic": NAMED, "generator": -NAMED}.get(called, 0.0)
            if drawing is None or judging.cost - favour < drawing.cost:
                return judging
    if drawing is None:
        return None
    return dataclasses.replace(drawing, player="average" if _is_average(name, path) else "generator")


def _called(name: str, path: str) -> str:
    """The player that the names of file and place speak of, "" for none."""
    words = [path.rpartition("/")[2], *re.split(r"[^a-z]+", name.lower().rpartition(".")[0])]
    told = {PLAYERS[word.lower()] for word in words if word.lower() in PLAYERS} - {"average"}
    return told.pop() if len(told) == 1 else ""


def _drawing(store: Store, source: str, where: str) -> Part | None:
    """The generator that these tensors can be."""
    pool, further = _readings(store, "generator", source)
    for reading in pool:
        part = Part("generator", "", where, (), store, source, reading, tuple(pool), further)
        network = part.network({})
        if network is not None:
            return dataclasses.replace(part, title=network.title, images=(network.image,))
    return None


def _judging(store: Store, source: str, where: str) -> Part | None:
    """The critic that these tensors can be."""
    if store.graph is not None:
        judged = tuple(islice(graphs.images(store.graph), SIZES + 1))
        told = graphs.readings(store.graph, "critic", judged[0]) if judged else []
        return Part("critic", told[0].title, where, judged, store, source, told[0]) if told else None
    found = [(one.title, one.image) for one in islice(images(store, source=source), SIZES + 1)]
    readings = _readings(store, "critic", source, found[0][1])[0][:1] if found else []
    for image in () if found else solver.images(store):
        for reading in solver.critics(store, image, 1)[:1]:
            found.append((reading.title, image))
            readings.append(reading)
        if len(found) == SIZES:
            break
    if not found:
        return None
    return Part("critic", found[0][0], where, tuple(image for _, image in found), store, source, readings[0])


def _is_average(name: str, path: str) -> bool:
    last = path.rpartition("/")[2].lower()
    return PLAYERS.get(last) == "average" or is_average(last) or is_average(name)


def _some(names: Sequence[str]) -> str:
    """The first names."""
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")


def _instead(contents: Contents) -> str:
    """What a file without a known network holds, and what to do."""
    if not contents.groups:
        return "no tensors by name; save the network's state_dict() with torch.save"
    names = [key for group in contents.groups.values() for key in group]
    for words, what in _OTHERS:
        if all(any(word in name for name in names) for word in words):
            return f"{what}; choose another file"
    group = max(contents.groups.values(), key=len)
    weights = {
        key.removesuffix("weight").removesuffix("."): value.shape
        for key, value in group.items()
        if key == "weight" or key.endswith(".weight")
    }
    layers = [key for key, shape in weights.items() if len(shape) > 1]
    listed = _some(layers)
    if not layers:
        return f"{len(names)} tensors without a layer among them; save the network's state_dict() with torch.save"
    inputs, outputs = weights[layers[0]][1], weights[layers[-1]][0]
    if len(weights) == 1:
        return f"one layer alone, of {inputs} inputs and {outputs} outputs; choose the file of a whole network"
    if len(weights[layers[-1]]) == 2 and outputs == 2 and inputs <= points.MOST_NOISE:
        return (
            f"layers that make 2 numbers of {inputs} ({listed}), no images: if it is a GAN of points in the plane, "
            "open it on the Laboratory screen"
        )
    if len(weights[layers[0]]) == 2 and inputs == outputs:
        return (
            f"layers that make {outputs} numbers of {inputs} ({listed}): an autoencoder, which is no GAN; "
            "choose the file of a GAN"
        )
    if len(weights[layers[-1]]) == 2 and outputs in range(2, 1001):
        return f"layers that end in {outputs} numbers ({listed}): a classifier perhaps; choose the file of a GAN"
    near = nearest(Store(unwrapped(group)))
    return (
        f"{len(layers)} layers in no order that is known ({listed}); "
        + (f"they are nearest to a {near}: " if near else "")
        + "rename the tensors as one of the formats in docs/how-to/checkpoint.md, or wrap it in Python (rgan.wrap)"
    )
