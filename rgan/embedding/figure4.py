"""The four panels of the paper's Figure 4 as pairs of samples, with the tests beside them and what those say of it.

(a) original against worst noise, (b) worst real against worst generated images, (c) real images against A's, (d) real
images against B's. Samples that are compared come from independent draws: the "original" noise of (a) is fresh, since a
point and its own perturbed twin are not two samples. Pairs serve only as arrows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.search import BUDGETS, Attack, Loss, SampleLoss, search
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.formatting import per_cent
from rgan.common.geometry import lengths, unit
from rgan.common.images import to_uint8, to_unit
from rgan.data.identity import DataIdentity
from rgan.embedding.projections import Embedding, Layout, Report, fit
from rgan.metrics import judges
from rgan.models.gan import Gan
from rgan.stats.intervals import Interval, Outcome
from rgan.stats.two_sample import LEVEL, Sample, Verdict, classifier, energy, further, mmd, radius

PANELS = {
    "a": "original against worst noise",
    "b": "worst real against worst generated images",
    "c": "real images against A's",
    "d": "real images against B's",
}
FEATURES = {
    "pixels": "pixels",
    "critic-a": "what A's critic sees",
    "critic-b": "what B's critic sees",
    "judge": "what an independent judge sees",
}
SIDES = ("A", "B")
LARGE, CLOSE = 0.25, 0.1  # accuracy above chance that we call a large difference, and one that we call close


@dataclass(frozen=True)
class Choice:
    """What to compare.

    points: of each sample. seed: of the noise. radius, price, gradients: ε, λ and budget of the search for worst noise
    in (a); image_radius: ε₂, length of the worst image step in (b), pixels from −1 to 1. features: space of the images.
    side: whose noise and critic (a) and (b) show.
    """

    points: int = 500
    seed: int = 0
    radius: float = 1.0
    image_radius: float = 1.0
    price: float = 0.0
    gradients: int = BUDGETS["standard"]
    features: str = "pixels"
    side: str = "A"

    def __post_init__(self) -> None:
        number_between("points", self.points, 8, 5000)
        number_between("seed", self.seed, 0, 2**31 - 1)
        one_of("features", self.features, tuple(FEATURES))
        one_of("side", self.side, SIDES)
        self.noise_search, self.image_search  # noqa: B018 - refuses impossible numbers now

    @property
    def noise_search(self) -> Attack:
        return Attack((self.radius,), self.price, self.gradients)

    @property
    def image_search(self) -> Attack:
        return Attack((self.image_radius,), 0.0, self.gradients)


def relevant(letter: str, choice: Choice) -> Choice:
    """The choice with everything that does not touch a panel at its default: equal ones give equal panels."""
    usual = Choice()
    idle = {"a": ("image_radius", "features"), "b": ("radius", "price")}.get(
        letter, ("radius", "image_radius", "price", "gradients", "side")
    )
    return dataclasses.replace(choice, **{name: getattr(usual, name) for name in idle})


@dataclass(frozen=True)
class Points:
    """One sample of a panel: n points, the image of each, uint8 (n, H, W, C), and its name.

    starts: where each point was before it was moved, (n, d), if it was. seed: row i is made from row i of this seed's
    noise; None for real images.
    """

    label: str
    sample: Sample
    images: np.ndarray
    names: tuple[str, ...]
    starts: np.ndarray | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Panel:
    """Two samples to be compared. space: words for what their coordinates are.

    versus: the pair of samples, from the same draws, that the paper's claim compares these two with: in (b) the images
    before they were moved, in (d) real images and A's.
    """

    letter: str
    choice: Choice
    space: str
    first: Points
    second: Points
    versus: tuple[Sample, Sample] | None = None


@dataclass(frozen=True)
class Reading:
    """What the paper reads from a panel, whether these models bear it out, and why."""

    paper: str
    outcome: Outcome
    because: str


@dataclass(frozen=True)
class Tested:
    """The tests of a panel, the same tests of its control (two samples of one distribution), and the paper's claim."""

    verdicts: tuple[Verdict, ...]
    control_words: str
    control_verdicts: tuple[Verdict, ...]
    claim: Reading


@dataclass(frozen=True)
class Findings(Tested):
    """Those with the control itself."""

    control: tuple[Sample, Sample]

    @property
    def alone(self) -> Tested:
        """Without the control."""
        return Tested(self.verdicts, self.control_words, self.control_verdicts, self.claim)


@dataclass(frozen=True)
class LinearView:
    """Noise without distortion: length, and place along the direction in which worst noise is pushed on average.

    first: fresh noise (n, 2). second: worst noise (n, 2). starts: the noise that was pushed (n, 2). band: lengths that
    99 % of the prior's noise has, exact (χ). across, along: what to show of either axis, the same at every ε.
    together: ‖mean r‖ over mean ‖r‖, 1 if all samples are pushed one way, near 1/√n if each goes its own.
    """

    first: np.ndarray
    second: np.ndarray
    starts: np.ndarray
    band: tuple[float, float]
    across: tuple[float, float]
    along: tuple[float, float]
    together: float


def linear_view(fresh: Tensor, z: Tensor, r: Tensor, reach: float) -> LinearView:
    """The noise of panel (a) as it is: exact, and fast enough to move with ε. All (n, d); reach: the largest ε."""
    from scipy.stats import chi

    dimensions = z.shape[1]
    mean = r.mean(dim=0, keepdim=True)
    push = unit(mean)[0]

    def place(noise: Tensor) -> np.ndarray:
        return torch.stack([lengths(noise), noise @ push], dim=1).numpy()

    low, high = (float(bound) for bound in chi.ppf([LEVEL / 2, 1 - LEVEL / 2], dimensions))
    moved = float(lengths(r).mean())
    together = float(lengths(mean)[0]) / moved if moved > 0 else 0.0
    widest = 3.5 + reach / 2
    across = max(0.0, low - 0.5 * reach), high + reach
    return LinearView(place(fresh), place(z + r), place(z), (low, high), across, (-widest, widest), together)


def panel(letter: str, a: Gan, b: Gan, choice: Choice, *, device: str = "auto", report: Report | None = None) -> Panel:
    """The samples of one panel of Figure 4 for Gans A and B.

    Raises:
        SettingsError: A and B do not draw images of one shape, or the files hold too few real images.
        CheckpointError: the judge was asked for and their data set has none.
    """
    one_of("panel", letter, tuple(PANELS))
    maker = _Maker(a, b, choice, device, report or (lambda _: None))
    made: Panel = {
        "a": maker.noise,
        "b": maker.worst_images,
        "c": lambda: maker.real_against("A"),
        "d": lambda: maker.real_against("B"),
    }[letter]()
    return made


def findings(made: Panel, a: Gan, b: Gan, *, device: str = "auto", report: Report | None = None) -> Findings:
    """Test a panel and its control, and decide on the paper's claim; the Gans are those that it was made from."""
    maker = _Maker(a, b, made.choice, device, report or (lambda _: None))
    side = {"c": "A", "d": "B"}.get(made.letter, made.choice.side)
    if made.letter == "a":
        control, words = maker.prior_twice(), "two samples of the prior"
    elif made.letter == "b":
        control, words = maker.worst_twice(), f"two samples of {side}'s worst images"
    else:
        control, words = maker.made_twice(side), f"two samples of {side}'s images"
    samples = made.first.sample, made.second.sample
    verdicts, control_verdicts = _tests(*samples), _tests(*control)
    if made.letter == "a":
        verdicts, control_verdicts = (
            (*verdicts, radius(samples[1].points)),
            (*control_verdicts, radius(control[1].points)),
        )
    return Findings(verdicts, words, control_verdicts, _claim(made, side, verdicts), control)


def drawn(
    made: Panel, found: Findings, layout: Layout, *, arrows: bool = False, report: Report | None = None
) -> tuple[Embedding, Embedding | None, Embedding]:
    """A panel, the same at a second scale (PCA has none), and its control, all embedded in the same way."""
    starts = (made.first.starts, made.second.starts) if arrows else (None, None)
    first, second = made.first.sample.points, made.second.sample.points
    return (
        fit(first, second, layout, starts=starts, report=report),
        fit(first, second, other, report=report) if (other := layout.other_scale(len(first) + len(second))) else None,
        fit(found.control[0].points, found.control[1].points, layout, report=report),
    )


def summary(made: Panel, found: Findings) -> dict[str, object]:
    """Everything but the points, as plain values."""
    return {
        "panel": made.letter,
        "title": PANELS[made.letter],
        "first": made.first.label,
        "second": made.second.label,
        "points": [len(made.first.names), len(made.second.names)],
        "space": made.space,
        "tests": [dataclasses.asdict(verdict) for verdict in found.verdicts],
        "control": found.control_words,
        "control_tests": [dataclasses.asdict(verdict) for verdict in found.control_verdicts],
        "paper": found.claim.paper,
        "outcome": found.claim.outcome,
        "because": found.claim.because,
    }


def _tests(a: Sample, b: Sample) -> tuple[Verdict, ...]:
    return mmd(a, b), energy(a, b), classifier(a, b)


def _claim(made: Panel, side: str, verdicts: tuple[Verdict, ...]) -> Reading:
    _, distance, vote = verdicts[:3]
    confidence = f"{per_cent(1 - LEVEL, 0)} interval"
    if made.letter == "a":
        length = verdicts[3]
        return Reading(
            "Worst noise covers a wider area than the original noise, above all where that is thin.",
            _outcome(length.low, length.high) if length.p <= LEVEL else "undecided",
            f"At ε {made.choice.radius:g} the squared length of {side}'s worst noise differs from the prior's by "
            f"{per_cent(length.effect, sign=True)} ({confidence} {length.interval_words}).",
        )
    right = f"(a vote right for {per_cent(0.5 + LARGE, 0)} or more)"
    if made.letter == "c":
        return Reading(
            f"The baseline's images differ largely {right} from real ones.",
            _outcome(vote.low - LARGE, vote.high - LARGE),
            f"{distance.sentence} {vote.sentence}",
        )
    assert made.versus is not None
    change = further(made.versus, (made.first.sample, made.second.sample))
    before, after = per_cent(change.first, 2), per_cent(change.second, 2)
    bounds = f"{per_cent(change.low, 2, sign=True)} to {per_cent(change.high, 2, sign=True)}"
    if made.letter == "b":
        return Reading(
            "The worst real and the worst generated images are more alike than the images they were made from.",
            _outcome(change.low, change.high),
            f"Moving both by ε₂ {made.choice.image_radius:g} takes their energy coefficient from {before} to {after} "
            f"({confidence} of the fall {bounds}).",
        )
    parts = _outcome(change.low, change.high), _outcome(CLOSE - vote.high, CLOSE - vote.low)
    outcome: Outcome = "supported" if set(parts) == {"supported"} else "undecided"
    return Reading(
        f"The robust model's images look close to real ones (a vote right for less than {per_cent(0.5 + CLOSE, 0)}), "
        "and closer than the baseline's.",
        "not supported" if "not supported" in parts else outcome,
        f"B's energy coefficient against real images is {after}, A's {before} ({confidence} of the difference "
        f"{bounds}). {vote.sentence}",
    )


class _Maker:
    """The samples of one choice. The choice's seed is for what is perturbed or shown, the next two for controls."""

    def __init__(self, a: Gan, b: Gan, choice: Choice, device: str, report: Report):
        self.gans = {side: gan.of_samples(range(choice.points)) for side, gan in (("A", a), ("B", b))}
        self.choice, self.report, self.side = choice, report, choice.side
        self.searches = 0  # begun so far
        self.device = choose_device(device)
        self.probes = {side: gan.probe(device=self.device) for side, gan in self.gans.items()}

    def noise(self) -> Panel:
        gan, probe, choice = self.gans[self.side], self.probes[self.side], self.choice
        z = gan.noise(choice.points, choice.seed)
        loss = SampleLoss(lambda at, samples: probe.loss(at, probe.labels(samples)))
        moved = z + self._searched(loss, z, choice.noise_search)
        fresh = gan.noise(choice.points, choice.seed + 1)
        original = Points(
            "original",
            self._noise_sample(1),
            to_uint8(probe.images(fresh)),
            _names("original", fresh),
            seed=choice.seed + 1,
        )
        worst = Points(
            f"worst {self.side}", Sample(moved.numpy(), _noise_draws(moved, choice.seed)),
            to_uint8(probe.images(moved)), _names(f"worst {self.side}", moved), z.numpy(), choice.seed,
        )  # fmt: skip
        return Panel("a", choice, f"noise, {gan.recipe.latent} dimensions", original, worst)

    def prior_twice(self) -> tuple[Sample, Sample]:
        return self._noise_sample(1), self._noise_sample(2)

    def worst_images(self) -> Panel:
        real, made = to_unit(self._real()), self._made(self.side, 0)
        before = self._real_sample(real), self._made_sample(made, 0)
        cost = self.gans[self.side].criterion
        moved = self._worst(real, cost.real), self._worst(made, cost.fake, self._noise(self.side, 0))
        samples = self._real_sample(moved[0]), self._made_sample(moved[1], 0)
        words, seeds = ("worst real", f"worst {self.side}"), (None, self.choice.seed)
        first, second = (
            Points(words[k], samples[k], to_uint8(moved[k]), _names(words[k], moved[k]), before[k].points, seeds[k])
            for k in range(2)
        )
        return Panel("b", self.choice, self._space(), first, second, before)

    def worst_twice(self) -> tuple[Sample, Sample]:
        cost = self.gans[self.side].criterion
        one, other = (
            self._made_sample(self._worst(self._made(self.side, k), cost.fake, self._noise(self.side, k)), k)
            for k in (1, 2)
        )
        return one, other

    def real_against(self, side: str) -> Panel:
        real, made = self._real(), self._made(side, 0)
        sample = self._real_sample(to_unit(real))
        shown = np.ascontiguousarray(real.permute(0, 2, 3, 1).numpy())
        first = Points("real", sample, shown, _names("real", real))
        second = Points(side, self._made_sample(made, 0), to_uint8(made), _names(side, made), seed=self.choice.seed)
        versus = (sample, self._made_sample(self._made("A", 0), 0)) if side == "B" else None
        return Panel("d" if side == "B" else "c", self.choice, self._space(), first, second, versus)

    def made_twice(self, side: str) -> tuple[Sample, Sample]:
        one, other = (self._made_sample(self._made(side, k), k) for k in (1, 2))
        return one, other

    def _noise_sample(self, k: int) -> Sample:
        fresh = self.gans[self.side].noise(self.choice.points, self.choice.seed + k)
        return Sample(fresh.numpy(), _noise_draws(fresh, self.choice.seed + k))

    def _made(self, side: str, k: int) -> Tensor:
        """Images (points, C, H, W) of the k-th seed's noise."""
        return self.probes[side].images(self._noise(side, k))

    def _noise(self, side: str, k: int) -> Tensor:
        return self.gans[side].noise(self.choice.points, self.choice.seed + k)

    def _worst(self, images: Tensor, pays: Callable[[Tensor], Tensor], noise: Tensor | None = None) -> Tensor:
        """Images moved by at most ε₂ to where the critic pays most (eq. 10); noise: that drew them."""
        shape, probe = images.shape[1:], self.probes[self.side]
        flat = images.flatten(1)

        def cost(x: Tensor, samples: Tensor) -> Tensor:
            drawn_of = None if noise is None else noise[samples]
            return pays(probe.score(x.view(-1, *shape), probe.labels(samples), drawn_of))

        move = self._searched(SampleLoss(cost), flat, self.choice.image_search)
        return (flat + move).view(-1, *shape)

    def _real(self) -> Tensor:
        """Real images, uint8 (points, C, H, W), from the file of A, else of B."""
        shapes = {side: (gan.recipe.channels, gan.recipe.size) for side, gan in self.gans.items()}
        if shapes["A"] != shapes["B"]:
            words = {
                side: f"{size}×{size} pixels with {channels} channels" for side, (channels, size) in shapes.items()
            }
            raise SettingsError(
                f"expected A and B to draw images of one shape, got {words['A']} (A) and {words['B']} (B); choose two "
                "models of the same data"
            )
        if self.gans["A"].trained_on.same(self.gans["B"].trained_on) is False:
            names = sorted({gan.data for gan in self.gans.values()})
            got = " and ".join(names) if len(names) > 1 else f"two sets of images, each called {names[0]}"
            raise SettingsError(f"expected A and B to be trained on the same data, got {got}; choose two such models")
        kept = next((gan.reference for gan in self.gans.values() if gan.reference is not None), None)
        if kept is None:
            raise SettingsError("expected real images in the file of A or B, got none; choose a model trained here")
        if len(kept) < self.choice.points:
            raise SettingsError(
                f"expected at most {len(kept)} points, as many as the file holds real images, got "
                f"{self.choice.points}; choose fewer points"
            )
        return kept[: self.choice.points]

    def _searched(self, objective: Loss | SampleLoss, x: Tensor, settings: Attack) -> Tensor:
        """Worst move of each row of x (N, d)."""
        self.searches += 1
        for state in search(objective, x, settings, seed=self.choice.seed):
            self.report(1 - 1 / self.searches + state.gradients / settings.gradients / (2 * self.searches))
        return state.noise[0]

    def _real_sample(self, images: Tensor) -> Sample:
        return self._sample(images, -1 - np.arange(len(images), dtype=np.int64))

    def _made_sample(self, images: Tensor, k: int) -> Sample:
        return self._sample(images, _noise_draws(images, self.choice.seed + k))

    def _sample(self, images: Tensor, draws: np.ndarray) -> Sample:
        if self.choice.features == "pixels":
            return Sample(images.flatten(1).numpy(), draws)
        if self.choice.features == "judge":
            return Sample(judges.of(self._data()).features(images).numpy(), draws)
        return Sample(self.gans[self.choice.features[-1].upper()].features(images).numpy(), draws)

    def _data(self) -> DataIdentity:
        """The images that A, else B, was trained on."""
        return next((gan.trained_on for gan in self.gans.values() if gan.data), DataIdentity("data of unknown origin"))

    def _space(self) -> str:
        dimensions = self._real_sample(to_unit(self._real()[:4])).points.shape[1]
        return f"{FEATURES[self.choice.features]}, {dimensions:,} dimensions"


def _outcome(low: float, high: float) -> Outcome:
    return Interval(math.nan, low, high).outcome


def _names(label: str, images: Tensor) -> tuple[str, ...]:
    return tuple(f"{label} {k}" for k in range(len(images)))


def _noise_draws(rows: Tensor, seed: int) -> np.ndarray:
    """A number for every noise vector of every seed."""
    return np.arange(len(rows), dtype=np.int64) + (seed + 1) * 2**20
