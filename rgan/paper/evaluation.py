"""One Gan scored on original, worst and random noise, several times over: one model of the paper's Figures 1 and 3.

Repeat k draws its noise from seed k, so that models with equally many noise dimensions are scored on the same noise.
Random noise has, sample by sample, the length of the worst noise beside it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, objective_for
from rgan.attack.perturbation import with_controls
from rgan.attack.search import BUDGETS, Attack, WorstNoise, joined, run, search
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.geometry import lengths
from rgan.common.progress import Progress
from rgan.metrics import scores
from rgan.metrics.judges import BAD, Judge
from rgan.models.gan import Gan, Probe
from rgan.robustness.checks import LARGER, measure_strength, tried_on

NOISES = ("original", "worst", "random")
FEATURES = ("judge", "inception")

CHUNK = 250  # samples searched together
TRIED = 64  # samples that the time is measured on
LOOKING = 3.0  # what drawing and judging an image costs, in gradients of its search, on the shipped models
VERSION = 3  # of what the numbers mean; others are computed anew


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
}


@dataclass(frozen=True)
class EvaluationSettings:
    """What is evaluated: worst noise at rising radii, `repeats` times `samples` images of each kind of noise.

    features: what scores rest on, the judge's or Inception's, whose weights are the file `weights` ("": the usual).
    """

    radii: tuple[float, ...] = (0.01, 0.5, 1.0, 2.0)
    repeats: int = 5
    samples: int = 500
    gradients: int = BUDGETS["standard"]
    features: str = "judge"
    weights: str = ""

    def __post_init__(self) -> None:
        number_between("repeats", self.repeats, 1, 100)
        number_between("samples", self.samples, 100, 1_000_000)
        one_of("features", self.features, FEATURES)
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
    def key(self) -> str:
        """Of these settings, as 12 hexadecimal digits."""
        told = dataclasses.asdict(self) | {"radii": self.attack.radii}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Scoring:
    """Who looks at the images of models of one data set: `standard` scores them, `judge` says which are bad."""

    standard: scores.Standard
    judge: Judge

    def key(self, settings: EvaluationSettings) -> str:
        """All that decides the numbers of an evaluation but for the model, as 16 hexadecimal digits.

        Raises:
            SettingsError: too few samples for the scores.
        """
        told = settings.key, self.standard.protocol(settings.samples).key, self.judge.digest, VERSION
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Row:
    """The numbers of one repeat and one kind of noise; radius and length (mean ‖r‖) are 0 for the original."""

    repeat: int
    noise: str
    radius: float
    length: float
    score: float
    fid: float
    kid: float
    badness: float
    bad: float
    loss: float


@dataclass(frozen=True)
class Evaluation:
    """All rows of one model. digest: the checkpoint's SHA-256. key: `Scoring.key`. protocol: words for the scores.

    as_published: whether scores in papers have that protocol. floor: `scores.floor`, the FID of as many real images.
    strength: the share of the worst noise that the search finds at each radius (`checks.Strength`), from the first
    repeat.
    """

    digest: str
    key: str
    protocol: str
    as_published: bool
    floor: float | None
    seconds: float
    rows: tuple[Row, ...]
    strength: tuple[float, ...]

    def values(self, measure: str, noise: str = "original", radius: float = 0.0) -> tuple[float, ...]:
        """One measure of one kind of noise, a number a repeat."""
        return tuple(getattr(row, measure) for row in self.rows if (row.noise, row.radius) == (noise, radius))

    def mean(self, measure: str, noise: str = "original", radius: float = 0.0) -> float:
        """`values`, their mean."""
        return statistics.fmean(self.values(measure, noise, radius))

    def spread(self, measure: str, noise: str = "original", radius: float = 0.0) -> float | None:
        """Standard deviation of `values` over repeats, as the paper's Figure 3 has it; None of one repeat."""
        values = self.values(measure, noise, radius)
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
            found = cls(**values | {"strength": tuple(values["strength"])}, rows=rows)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("not an evaluation") from error
        expected = [(repeat, *kind) for repeat in range(settings.repeats) for kind in settings.kinds]
        if [(row.repeat, row.noise, row.radius) for row in rows] != expected:
            raise ValueError("other rows than the settings ask for")
        if len(found.strength) != len(settings.attack.radii):
            raise ValueError("other radii than the settings ask for")
        numbers = [value for row in rows for value in dataclasses.asdict(row).values() if value not in NOISES]
        numbers += found.strength
        if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in numbers):
            raise ValueError("numbers that are none")
        return found


def evaluate(
    gan: Gan, settings: EvaluationSettings, scoring: Scoring, *, device: str = "auto"
) -> Iterator[Progress[Evaluation]]:
    """Evaluate a Gan, yielding now and then; stop by not asking for the next.

    Raises:
        SettingsError: too few samples for the scores, or no such device.
    """
    started = time.perf_counter()
    rows: list[Row] = []
    strength: list[float] = []
    done = 0.0
    for piece in _pieces(gan, choose_device(device), settings, scoring):
        done += piece.cost
        if piece.row is not None:
            rows.append(piece.row)
        if piece.strength is not None:
            strength.append(piece.strength)
        yield Progress(min(done / _cost(settings), 1.0))
    protocol, floor = scoring.standard.protocol(settings.samples), scores.floor(scoring.standard, settings.samples)
    evaluation = Evaluation(
        gan.digest, scoring.key(settings), protocol.words, protocol.as_published, floor,
        round(time.perf_counter() - started, 1), tuple(rows), tuple(strength),
    )  # fmt: skip
    yield Progress(1.0, "done", evaluation)


@dataclass(frozen=True)
class Pace:
    """Seconds here of one gradient of a search, and of drawing and judging one image."""

    gradient: float
    look: float

    def seconds(self, settings: EvaluationSettings) -> float:
        """About how long `evaluate` takes."""
        looks = settings.repeats * settings.samples * len(settings.kinds)
        return self.gradient * (_cost(settings) - LOOKING * looks) + self.look * looks


def pace(gan: Gan, scoring: Scoring, *, device: str = "auto") -> Pace:
    """Measured on a search of two gradients and a look at a few samples."""
    probe, z = gan.probe(device=choose_device(device)), gan.noise(TRIED, 0)
    attack = Attack((0.25, 0.5, 1.0, 2.0), gradients=2)
    for _ in range(2):  # the first warms up
        started = time.perf_counter()
        run(probe.loss, z, attack)
        searched = time.perf_counter()
        _look(probe, z, scoring)
        looked = time.perf_counter()
    return Pace((searched - started) / (TRIED * len(attack.radii) * attack.gradients), (looked - searched) / TRIED)


@dataclass(frozen=True)
class _Piece:
    """A piece of an evaluation: its cost in gradients, and the row or the strength at a radius once one is known."""

    cost: float
    row: Row | None = None
    strength: float | None = None


def _cost(settings: EvaluationSettings) -> float:
    gradients = settings.samples * len(settings.radii) * settings.gradients
    searches = settings.repeats * (gradients + LOOKING * settings.samples * len(settings.kinds))
    return searches + len(settings.radii) * _cost_of_strength(settings)


def _cost_of_strength(settings: EvaluationSettings) -> float:
    """Of one radius, in gradients."""
    return LARGER * settings.gradients * min(settings.samples, tried_on(settings.attack))


def _pieces(gan: Gan, device: torch.device, settings: EvaluationSettings, scoring: Scoring) -> Iterator[_Piece]:
    """The work of an evaluation bit by bit, in a memory that holds one kind of images' features at a time."""
    probe = gan.probe(device=device)
    for repeat in range(settings.repeats):
        z = gan.noise(settings.samples, repeat)
        parts = []
        for chunk in z.split(CHUNK):
            spent = 0
            for state in search(probe.loss, chunk, settings.attack, seed=repeat):
                yield _Piece(len(chunk) * len(settings.radii) * (state.gradients - spent))
                spent = state.gradients
                if state.done:
                    parts.append(state)
        worst = joined(parts)
        if repeat == 0:
            raised = objective_for(gan, CRITIC, z, device=str(device), precision="auto")
            for index, radius in enumerate(settings.attack.radii):
                attack = dataclasses.replace(settings.attack, radii=(radius,))
                found = measure_strength(raised, z, worst.noise[index], attack, repeat)
                yield _Piece(_cost_of_strength(settings), strength=found.share)
        moves = _moves(probe, worst, repeat)
        for noise, radius in settings.kinds:
            move = moves[noise, radius]
            views = []
            for chunk in (z + move).split(CHUNK):
                views.append(_look(probe, chunk, scoring))
                yield _Piece(LOOKING * len(chunk))
            features, logits, badness, loss = (torch.cat(column) for column in zip(*views, strict=True))
            row = Row(
                repeat, noise, radius, float(lengths(move).mean()),
                **scores.values(scores.Seen(features, logits), scoring.standard, seed=repeat),
                badness=float(badness.mean()), bad=float((badness >= BAD).float().mean()), loss=float(loss.mean()),
            )  # fmt: skip
            yield _Piece(0.0, row)


def _moves(probe: Probe, worst: WorstNoise, seed: int) -> dict[tuple[str, float], Tensor]:
    """What is added to noise for each kind of noise, (N, d), from its worst noise at the radii."""
    moves = {("original", 0.0): torch.zeros_like(worst.z)}
    for index, radius in enumerate(worst.attack.radii):
        found = with_controls(probe.loss, worst, seed=seed, index=index, best_random=False)
        moves |= {("worst", radius): found.r, ("random", radius): found.random}
    return moves


def _look(probe: Probe, z: Tensor, scoring: Scoring) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features (n, F), logits (n, K), badness (n,) and generator loss (n,) of noise (n, d)."""
    images, loss = probe.images_and_loss(z)
    seen, judge = scoring.standard.look(images), scoring.judge
    own = scoring.standard.key == scores.by_judge(judge).key  # the judge's features are known already
    opinion = judge.opinion_of(seen.features) if own else judge.opinion(images)
    return seen.features, seen.logits, opinion.badness, loss
