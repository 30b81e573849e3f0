"""One Gan scored on original, worst and random noise, several times over: one model of the paper's Figures 1 and 3.

Repeat k draws its noise from seed k, so that models with equally many noise dimensions are scored on the same noise.
Random noise has, sample by sample, the length of the worst noise beside it. Worst noise is found by raising the loss of
the model's own critic, as in the paper, or the distance of a judge that measures nothing here, or each in turn.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, JUDGE, Objective, objective_for
from rgan.attack.perturbation import with_controls
from rgan.attack.search import BUDGETS, Attack, WorstNoise, joined
from rgan.common import records
from rgan.common.devices import choose_device
from rgan.common.errors import FileError, SettingsError, number_between, one_of
from rgan.common.geometry import lengths
from rgan.common.progress import Progress
from rgan.metrics import scores
from rgan.metrics.diversity import mean_distance, vendi
from rgan.metrics.judges import BAD, Judge, Opinion
from rgan.models.gan import Gan, Probe
from rgan.robustness.attributes import changed
from rgan.robustness.checks import LARGER, Strength, measure_strength, tried_on

NOISES = ("original", "worst", "random")
FEATURES = ("judge", "inception")
RAISED = {CRITIC: "the model's own critic", JUDGE: "a judge"}  # whose opinion a search raises, in words

CHUNK = 50  # samples searched together: what a killed evaluation loses
TRIED = 64  # samples that the time is measured on
LOOKING = 3.0  # what drawing and judging an image costs, in gradients of its search, on the shipped models
VERSION = 4  # of what the numbers mean; others are computed anew

T = TypeVar("T", WorstNoise, Strength)


@dataclass(frozen=True)
class Measure:
    """A column of numbers: its words, whether more of it is better for the images, decimals worth reading."""

    words: str
    higher: bool
    decimals: int

    def number(self, value: float, sign: str = "") -> str:
        """The value as people read it; sign "+" writes a plus as well."""
        return f"{value:{sign}.{self.decimals}f}"


MEASURES: dict[str, Measure] = {
    "score": Measure("classifier score", True, 2),
    "fid": Measure("FID", False, 2),
    "kid": Measure("KID", False, 4),
    "badness": Measure("mean badness", False, 3),
    "bad": Measure("share of bad images", False, 3),
    "loss": Measure("generator loss, by the model's own critic", False, 2),
    "diversity": Measure("mean distance between two images", True, 2),
    "vendi": Measure("Vendi score, the number of different images", True, 1),
    "changed": Measure("share of attributes that changed", False, 3),
}


@dataclass(frozen=True)
class EvaluationSettings:
    """What is evaluated: worst noise at rising radii, `repeats` times `samples` images of each kind of noise.

    features: what scores rest on, the judge's or Inception's, whose weights are the file `weights` ("": the usual).
    objectives: what searches for worst noise raise, each for itself: of RAISED.
    """

    radii: tuple[float, ...] = (0.01, 0.5, 1.0, 2.0)
    repeats: int = 5
    samples: int = 500
    gradients: int = BUDGETS["standard"]
    features: str = "judge"
    weights: str = ""
    objectives: tuple[str, ...] = (CRITIC,)

    def __post_init__(self) -> None:
        number_between("repeats", self.repeats, 1, 100)
        number_between("samples", self.samples, 100, 1_000_000)
        one_of("features", self.features, FEATURES)
        if not self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise SettingsError(f"expected {' or '.join(RAISED)}, or both, as objectives, got {self.objectives}")
        for objective in self.objectives:
            one_of("an objective", objective, tuple(RAISED))
        if self.weights and self.features != "inception":
            raise SettingsError(f"expected no weights with features of a {self.features}, got a file; leave them out")
        if not min(self.attack.radii) > 0:
            raise SettingsError("expected radii ε above 0, got 0; the original noise is evaluated anyway: leave 0 out")

    @property
    def attack(self) -> Attack:
        """The search for worst noise."""
        return Attack(tuple(map(float, self.radii)), gradients=self.gradients)

    def words(self, measure: str) -> str:
        """The measure's name with these features: what is the classifier score of a judge is Inception's score."""
        inception = self.features == "inception" and measure == "score"
        return "Inception score" if inception else MEASURES[measure].words

    def title(self, measure: str) -> str:
        """`words` as they begin a sentence."""
        words = self.words(measure)
        return words[0].upper() + words[1:]

    @property
    def kinds(self) -> tuple[tuple[str, float], ...]:
        """Kinds of noise as (name, radius): the original at 0, then worst and random at every radius."""
        return ("original", 0.0), *((noise, radius) for radius in self.attack.radii for noise in NOISES[1:])

    @property
    def all_kinds(self) -> tuple[tuple[str, str, float], ...]:
        """Objective ("" for the original), noise and radius of all rows of a repeat, in order."""
        original, *moved = self.kinds
        return ("", *original), *((objective, *kind) for objective in self.objectives for kind in moved)

    @property
    def key(self) -> str:
        """Of these settings, as 12 hexadecimal digits."""
        told = dataclasses.asdict(self) | {"radii": self.attack.radii}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Scoring:
    """Who looks at the images of models of one data set: `standard` scores them, `judge` says which are bad, what they
    show and how different they are; `attacked` may be raised by a search."""

    standard: scores.Standard
    judge: Judge
    attacked: Judge | None = None

    def key(self, settings: EvaluationSettings) -> str:
        """All that decides the numbers of an evaluation but for the model, as 16 hexadecimal digits.

        Raises:
            SettingsError: too few samples for the scores.
        """
        raised = self.attacked.digest if self.attacked and JUDGE in settings.objectives else ""
        told = settings.key, self.standard.protocol(settings.samples).key, self.judge.digest, raised, VERSION
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Row:
    """The numbers of one repeat and one kind of noise; of the original, radius and length (mean ‖r‖) are 0 and the
    objective is ""."""

    repeat: int
    objective: str
    noise: str
    radius: float
    length: float
    score: float
    fid: float
    kid: float
    badness: float
    bad: float
    loss: float
    diversity: float
    vendi: float
    changed: float


@dataclass(frozen=True)
class Evaluation:
    """All rows of one model. digest: the checkpoint's SHA-256. key: `Scoring.key`. protocol: words for the scores.

    as_published: whether scores in papers have that protocol. floor: `scores.floor`, the FID of as many real images.
    strength: by objective, the share of the worst noise that the search finds at each radius (`checks.Strength`), from
    the first repeat.
    """

    digest: str
    key: str
    protocol: str
    as_published: bool
    floor: float | None
    seconds: float
    rows: tuple[Row, ...]
    strength: Mapping[str, tuple[float, ...]]

    def values(
        self, measure: str, noise: str = "original", radius: float = 0.0, objective: str = CRITIC
    ) -> tuple[float, ...]:
        """One measure of one kind of noise, a number a repeat."""
        asked = ("", "original", 0.0) if noise == "original" else (objective, noise, radius)
        return tuple(getattr(row, measure) for row in self.rows if (row.objective, row.noise, row.radius) == asked)

    def mean(self, measure: str, noise: str = "original", radius: float = 0.0, objective: str = CRITIC) -> float:
        """`values`, their mean."""
        return statistics.fmean(self.values(measure, noise, radius, objective))

    def spread(
        self, measure: str, noise: str = "original", radius: float = 0.0, objective: str = CRITIC
    ) -> float | None:
        """Standard deviation of `values` over repeats, as the paper's Figure 3 has it; None of one repeat."""
        values = self.values(measure, noise, radius, objective)
        return statistics.stdev(values) if len(values) > 1 else None

    def to_json(self) -> bytes:
        """`from_json` reads it back."""
        return json.dumps(dataclasses.asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, settings: EvaluationSettings) -> Evaluation:
        """Read `to_json`'s bytes and check that every row of `settings` is there with finite numbers.

        Raises:
            ValueError: anything is missing, of another type, or not finite.
        """
        try:
            values = json.loads(data)
            rows = tuple(Row(**row) for row in values.pop("rows"))
            strength = {name: tuple(shares) for name, shares in values["strength"].items()}
            found = cls(**values | {"strength": strength}, rows=rows)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("not an evaluation") from error
        expected = [(repeat, *kind) for repeat in range(settings.repeats) for kind in settings.all_kinds]
        if [(row.repeat, row.objective, row.noise, row.radius) for row in rows] != expected:
            raise ValueError("other rows than the settings ask for")
        if [(name, len(shares)) for name, shares in found.strength.items()] != [
            (name, len(settings.radii)) for name in settings.objectives
        ]:
            raise ValueError("other searches than the settings ask for")
        numbers = [
            value for row in rows for name, value in dataclasses.asdict(row).items()
            if name not in ("objective", "noise")
        ]  # fmt: skip
        numbers += [share for shares in found.strength.values() for share in shares]
        if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in numbers):
            raise ValueError("numbers that are none")
        return found


def evaluate(
    gan: Gan, settings: EvaluationSettings, scoring: Scoring, *, device: str = "auto", parts: Path | None = None
) -> Iterator[Progress[Evaluation]]:
    """Evaluate a Gan, yielding now and then; stop by not asking for the next.

    parts: a folder where finished searches are kept until the end, so that the same call goes on after a kill.

    Raises:
        SettingsError: too few samples for the scores, or no such device.
        CheckpointError: a search is to raise a critic or a judge that is not there.
        FileError: `parts` cannot be written.
    """
    started = time.perf_counter()
    rows: list[Row] = []
    strength: dict[str, tuple[float, ...]] = {}
    done = 0.0
    for piece in _pieces(gan, choose_device(device), settings, scoring, _Parts(parts)):
        done += piece.cost
        if piece.row is not None:
            rows.append(piece.row)
        if piece.strength is not None:
            objective, share = piece.strength
            strength[objective] = (*strength.get(objective, ()), share)
        yield Progress(min(done / _cost(settings), 1.0))
    protocol, floor = scoring.standard.protocol(settings.samples), scores.floor(scoring.standard, settings.samples)
    evaluation = Evaluation(
        gan.digest, scoring.key(settings), protocol.words, protocol.as_published, floor,
        round(time.perf_counter() - started, 1), tuple(rows), strength,
    )  # fmt: skip
    yield Progress(1.0, "done", evaluation)
    if parts is not None:
        shutil.rmtree(parts, ignore_errors=True)


@dataclass(frozen=True)
class _Parts:
    """Finished searches of an evaluation that is not finished, in a folder; without one nothing is kept."""

    folder: Path | None

    def known(self, kind: type[T], name: str) -> T | None:
        """What was kept under that name; None if it is missing or damaged."""
        if self.folder is None:
            return None
        try:
            return records.load(kind, self._path(name))
        except FileError:
            return None

    def keep(self, name: str, found: T) -> None:
        """Raises FileError where it cannot be written."""
        if self.folder is not None:
            records.save(found, self._path(name))

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.safetensors"


@dataclass(frozen=True)
class Pace:
    """Seconds here of one gradient of a search, and of drawing and judging one image."""

    gradient: float
    look: float

    def seconds(self, settings: EvaluationSettings) -> float:
        """About how long `evaluate` takes."""
        looks = settings.repeats * settings.samples * len(settings.all_kinds)
        return self.gradient * (_cost(settings) - LOOKING * looks) + self.look * looks


def pace(gan: Gan, settings: EvaluationSettings, scoring: Scoring, *, device: str = "auto") -> Pace:
    """Measured on searches of two gradients and a look at a few samples."""
    where, z = choose_device(device), gan.noise(TRIED, 0)
    attack = Attack((0.25, 0.5, 1.0, 2.0), gradients=2)
    raised = [_objective(gan, name, z, where, scoring) for name in settings.objectives]
    for _ in range(2):  # the first warms up
        started = time.perf_counter()
        for objective in raised:
            for _ in objective.search(z, attack):
                pass
        searched = time.perf_counter()
        _look(gan.probe(device=where), z, scoring)
        looked = time.perf_counter()
    gradients = TRIED * len(attack.radii) * attack.gradients * len(raised)
    return Pace((searched - started) / gradients, (looked - searched) / TRIED)


@dataclass(frozen=True)
class _Piece:
    """A piece of an evaluation: its cost in gradients, and a row, or an objective and its strength at a radius, if this
    piece found one."""

    cost: float
    row: Row | None = None
    strength: tuple[str, float] | None = None


def _cost(settings: EvaluationSettings) -> float:
    gradients = settings.samples * len(settings.radii) * settings.gradients * len(settings.objectives)
    searches = settings.repeats * (gradients + LOOKING * settings.samples * len(settings.all_kinds))
    return searches + len(settings.radii) * len(settings.objectives) * _cost_of_strength(settings)


def _cost_of_strength(settings: EvaluationSettings) -> float:
    """Of one radius, in gradients."""
    return LARGER * settings.gradients * min(settings.samples, tried_on(settings.attack))


def _objective(gan: Gan, name: str, z: Tensor, device: torch.device, scoring: Scoring) -> Objective:
    return objective_for(gan, name, z, judge=scoring.attacked, device=str(device))


def _pieces(
    gan: Gan, device: torch.device, settings: EvaluationSettings, scoring: Scoring, parts: _Parts
) -> Iterator[_Piece]:
    """The work of an evaluation bit by bit, in a memory that holds one kind of images' features at a time."""
    probe = gan.probe(device=device)
    for repeat in range(settings.repeats):
        z = gan.noise(settings.samples, repeat)
        moves = {("", "original", 0.0): torch.zeros_like(z)}
        for name in settings.objectives:
            raised = _objective(gan, name, z, device, scoring)
            found = []
            for index, chunk in enumerate(z.split(CHUNK)):
                part, whole = f"{repeat}-{name}-{index}", len(chunk) * len(settings.radii)
                known, spent = parts.known(WorstNoise, part), 0
                if known is None:
                    for state in raised.search(chunk, settings.attack, seed=repeat):
                        yield _Piece(whole * (state.gradients - spent))
                        spent = state.gradients
                        if state.done:
                            known = state
                    assert known is not None
                    parts.keep(part, known)
                else:
                    yield _Piece(whole * known.gradients)
                found.append(known)
            worst = joined(found)
            if repeat == 0:
                yield from _strengths(gan, name, worst, device, settings, scoring, parts)
            moves |= _moves(raised, name, worst, repeat)
        before: Opinion | None = None
        for kind in settings.all_kinds:
            move = moves[kind]
            views = []
            for chunk in (z + move).split(CHUNK):
                views.append(_look(probe, chunk, scoring))
                yield _Piece(LOOKING * len(chunk))
            seen = _View.joined(views)
            before = seen.opinion if before is None else before
            objective, noise, radius = kind
            row = Row(
                repeat, objective, noise, radius, float(lengths(move).mean()),
                **scores.values(scores.Seen(seen.features, seen.logits), scoring.standard, seed=repeat),
                badness=float(seen.opinion.badness.mean()), bad=float((seen.opinion.badness >= BAD).float().mean()),
                loss=float(seen.loss.mean()), diversity=mean_distance(seen.judged),
                vendi=vendi(seen.judged, scoring.judge.scale), changed=share_changed(before, seen.opinion),
            )  # fmt: skip
            yield _Piece(0.0, row)


def _strengths(
    gan: Gan, name: str, worst: WorstNoise, device: torch.device, settings: EvaluationSettings, scoring: Scoring,
    parts: _Parts,
) -> Iterator[_Piece]:  # fmt: skip
    """How much of the worst noise the search finds at each radius."""
    exact = objective_for(gan, name, worst.z, judge=scoring.attacked, device=str(device), precision="auto")
    for index, radius in enumerate(settings.attack.radii):
        part = f"strength-{name}-{index}"
        known = parts.known(Strength, part)
        if known is None:
            attack = dataclasses.replace(settings.attack, radii=(radius,))
            known = measure_strength(exact, worst.z, worst.noise[index], attack, 0)
            parts.keep(part, known)
        yield _Piece(_cost_of_strength(settings), strength=(name, known.share))


def _moves(raised: Objective, name: str, worst: WorstNoise, seed: int) -> dict[tuple[str, str, float], Tensor]:
    """What is added to noise for worst and random noise, (N, d), from the worst at the radii."""
    moves: dict[tuple[str, str, float], Tensor] = {}
    for index, radius in enumerate(worst.attack.radii):
        found = with_controls(raised.loss, worst, seed=seed, index=index, best_random=False)
        moves |= {(name, "worst", radius): found.r, (name, "random", radius): found.random}
    return moves


def share_changed(before: Opinion, after: Opinion) -> float:
    """Share of attributes that differ, over images; of a judge that reads none, of images whose class differs."""
    if not before.attributes:
        return float((before.label != after.label).float().mean())
    moved = changed(before.attributes, after.attributes)
    return float(torch.stack(list(moved.values())).float().mean())


@dataclass(frozen=True)
class _View:
    """What is seen of images: features (n, F) and logits (n, K) of the standard, features of the judge and its opinion,
    and the generator loss (n,)."""

    features: Tensor
    logits: Tensor
    judged: Tensor
    opinion: Opinion
    loss: Tensor

    @staticmethod
    def joined(views: list[_View]) -> _View:
        def cat(name: str) -> Any:
            return torch.cat([getattr(view, name) for view in views])

        opinion = Opinion.joined([view.opinion for view in views])
        return _View(cat("features"), cat("logits"), cat("judged"), opinion, cat("loss"))


def _look(probe: Probe, z: Tensor, scoring: Scoring) -> _View:
    """Images of noise (n, d)."""
    images, loss = probe.images_and_loss(z)
    seen, judge = scoring.standard.look(images), scoring.judge
    own = scoring.standard.key == scores.by_judge(judge).key  # the judge's features are known already
    judged = seen.features if own else judge.features(images)
    return _View(seen.features, seen.logits, judged, judge.opinion_of(judged), loss)
