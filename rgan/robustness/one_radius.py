"""Two models at one ε, with the same noise, seeds and budget: what worst noise does, beside three controls.

The controls are random noise of the same length; the best, by the critic, of as many random directions as the search
had gradient calls; and fresh noise that has nothing to do with the original. Whether images are worse is said by the
judge, not by the critic that the search climbs on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rgan.attack.perturbation import Perturbation, to_move
from rgan.attack.search import Attack
from rgan.common.errors import SettingsError, number_between
from rgan.common.formatting import per_cent, signed
from rgan.common.geometry import lengths
from rgan.robustness import second_opinion
from rgan.robustness.attributes import AttributeChanges, attribute_changes
from rgan.robustness.measured import JudgedGan, Measures, check_noise
from rgan.stats.intervals import Interval, mean_interval, rank_correlation, welch

CONTROLS = {
    "original": "original noise",
    "worst": "worst noise",
    "random": "random noise of the same length",
    "best": "best of as many random as gradients",
    "fresh": "fresh noise",
}
STILL = "ε is 0: nothing moves. Raise ε to see what worst noise does."


@dataclass(frozen=True)
class OneRadius:
    """One model at one ε: worst noise of N samples beside its controls, and a measure of each of CONTROLS.

    second: badness (N,) of the worst images by the other judge of the data, where there is one.
    """

    perturbation: Perturbation
    measures: dict[str, Measures]
    second: Tensor | None = None

    @property
    def radius(self) -> float:
        """ε."""
        return self.perturbation.radius

    def noise(self, kind: str) -> Tensor:
        """Noise (N, d) of one of "original", "worst", "random" and "best"."""
        found = self.perturbation
        if kind == "original":
            return found.z
        move = {"worst": found.r, "random": found.random, "best": found.best_random}[kind]
        assert move is not None
        return found.z + move

    def rise(self, kind: str) -> Tensor:
        """Badness of each sample beyond that of its original, (N,); "fresh" has no original of its own."""
        return self.measures[kind].badness - self.measures["original"].badness

    @property
    def attributes(self) -> AttributeChanges | None:
        """What worst and random noise change in the images, as far as the judge reads it."""
        return attribute_changes(*(self.measures[kind].opinion.attributes for kind in ("original", "worst", "random")))

    @property
    def judges(self) -> second_opinion.Agreement | None:
        """How well the two judges agree on the worst images; None where there is one judge."""
        worst = self.measures["worst"].badness
        return None if self.second is None else second_opinion.agreement(worst, self.second)

    def beyond(self, kind: str) -> Interval:
        """Mean badness of worst noise above that of another of CONTROLS with the same samples."""
        return mean_interval(self.measures["worst"].badness - self.measures[kind].badness)


def one_radius(
    judged: JudgedGan, attack: Attack, *, samples: int, seed: int, report: Callable[[float], None] | None = None
) -> OneRadius:
    """Search at the only radius of `attack` and try the controls; fresh noise comes from the next seed.

    report: is told which share of the search is done.

    Raises:
        SettingsError: fewer than 2 samples, which have no interval.
    """
    number_between("samples", samples, 2, 1_000_000)
    judged, z = judged.of_samples(range(samples)), judged.gan.noise(samples, seed)
    (found,) = judged.perturb(z, attack, seed=seed, best_random=True, report=report)
    assert found.best_random is not None
    tried = {
        "original": z,
        "worst": z + found.r,
        "random": z + found.random,
        "best": z + found.best_random,
        "fresh": judged.gan.noise(samples, seed + 1),
    }
    seen = {kind: judged.look(noise) for kind, noise in tried.items()}
    other = None if judged.raised is judged.judge else judged.raised.opinion(seen["worst"][0]).badness
    return OneRadius(found, {kind: measures for kind, (_, measures) in seen.items()}, other)


def control_words(one: OneRadius) -> dict[str, str]:
    """Names of CONTROLS, with the number of random directions that the best was taken of."""
    return CONTROLS | {"best": f"best of {one.perturbation.tries} random"}


def rises(one: OneRadius) -> dict[str, Interval]:
    """Mean rise of badness over the original's under each other kind of noise, with its interval over samples.

    Fresh noise is another sample, so its interval is Welch's for the difference of two independent means.
    """
    found = {kind: mean_interval(one.rise(kind)) for kind in ("worst", "random", "best")}
    fresh, original = (one.measures[kind].badness for kind in ("fresh", "original"))
    return found | {"fresh": welch(fresh, original)}


def agreement(one: OneRadius) -> dict[str, Interval | None]:
    """Rank correlation of badness with the critic's loss and with the judge's entropy, over worst images."""
    worst = one.measures["worst"]
    compared = {"loss": worst.loss, "entropy": worst.opinion.entropy}
    return {name: rank_correlation(worst.badness, values) for name, values in compared.items()}


def verdict(a: OneRadius, b: OneRadius) -> tuple[str, ...]:
    """Sentences: worst against random noise in A, in B, and A against B, as the judge sees them.

    A difference is claimed only where its 95 % interval leaves out 0, that of two models also beyond random noise.
    Models that start from different badness are told apart in words: a model of bad images has less to lose.
    """
    if a.radius == 0:
        return (STILL,)
    said = [against_random(name, one) for name, one in (("A", a), ("B", b))]
    apart, beyond = differences(a, b)
    if not apart.excludes_zero:
        outcome = "Which of the two suffers less cannot be said"
    elif not beyond.excludes_zero or (beyond.mean > 0) != (apart.mean > 0):
        outcome = "Which of the two suffers less cannot be said, for random noise may explain the difference"
    else:
        better, other = ("B", "A") if apart.mean > 0 else ("A", "B")
        outcome = f"{better}'s images suffer less than {other}'s"
    said.append(
        f"{outcome}: worst noise adds {points(float(a.rise('worst').mean()))} (A) and "
        f"{points(float(b.rise('worst').mean()))} (B); difference {apart.in_points()}."
    )
    start = [float(one.measures["original"].badness.mean()) for one in (a, b)]
    at_start = mean_interval(a.measures["original"].badness - b.measures["original"].badness)
    if at_start.excludes_zero:
        worse, better = ("A", "B") if at_start.mean > 0 else ("B", "A")
        end = mean_interval(a.measures["worst"].badness - b.measures["worst"].badness)
        said.append(
            f"{worse}'s images are worse before anything moves (badness {per_cent(start[0], 0)} for A, "
            f"{per_cent(start[1], 0)} for B), so {worse} has less to lose than {better}. Under worst noise A's badness "
            f"minus B's is {end.in_points()}."
        )
    return tuple(said)


def differences(a: OneRadius, b: OneRadius) -> tuple[Interval, Interval]:
    """What worst noise adds to A's badness beyond what it adds to B's, sample by sample: above the original, and above
    random noise of the same length.

    Raises:
        SettingsError: they have different numbers of samples, which cannot be paired.
    """
    counts = [len(one.perturbation.z) for one in (a, b)]
    if counts[0] != counts[1]:
        raise SettingsError(f"expected as many samples of both models, got {counts[0]} and {counts[1]}; measure again")
    above = [one.measures["worst"].badness - one.measures["random"].badness for one in (a, b)]
    return mean_interval(a.rise("worst") - b.rise("worst")), mean_interval(above[0] - above[1])


def against_random(name: str, one: OneRadius) -> str:
    """A sentence: worst noise against random noise of the same length in the model called `name`, and where it does
    more than that, against the best of many random directions."""
    if not one.perturbation.r.any():
        attack = one.perturbation.attack
        why = "no step is worth its price" if attack.price > 0 else "no step found raises it"
        return f"{name}: {why}, so worst noise is the original noise. To see it move, {to_move(attack)}."
    beyond = one.beyond("random")
    fooled = mean_interval(one.measures["worst"].loss - one.measures["random"].loss)
    outcome = f"worst noise {_makes(beyond)} than random noise of the same length: {beyond.in_points()}"
    if beyond.positive:
        return f"{name}: {outcome}; {against_best(one)}."
    return f"{name}: {'the critic is fooled, but ' if fooled.positive else ''}{outcome}."


def against_best(one: OneRadius) -> str:
    """The end of a sentence: worst noise against the best, by the critic, of as many random directions as gradients."""
    found, tried = one.beyond("best"), f"the best, by the critic, of {one.perturbation.tries} random directions"
    if found.positive:
        return f"against {tried} it is {found.in_points()}"
    return f"that a search does more than {tried} is not shown: {found.in_points()}"


def _makes(beyond: Interval) -> str:
    """What noise does to images, by what it adds to their badness."""
    if beyond.positive:
        return "makes worse images"
    return "makes better images" if beyond.excludes_zero else "is not shown to make worse images"


def points(share: float) -> str:
    """ "+4.2 points" of 0.042: a difference of two percentages."""
    return f"{signed(100 * share, 1)} points"


@dataclass(frozen=True)
class Transfer:
    """What noise found on one model does in another: badness and loss beyond random noise of the same length.

    badness[found on][tried on] and loss likewise; keys "A", "B".
    """

    badness: dict[str, dict[str, Interval]]
    loss: dict[str, dict[str, Interval]]

    def sentence(self) -> str:
        """What is left of each model's worst noise in the other."""
        said = []
        for finder, other in (("A", "B"), ("B", "A")):
            own, moved = self.badness[finder][finder], self.badness[finder][other]
            said.append(
                f"Noise found on {finder} {_makes(moved)} than random noise in {other}: {moved.in_points()}, "
                f"against {points(own.mean)} in {finder} itself."
            )
        return " ".join(said)


def transfer(judged_gans: tuple[JudgedGan, JudgedGan], at_radius: tuple[OneRadius, OneRadius]) -> Transfer:
    """Put each model's worst noise, and random noise of its lengths, through both.

    Raises:
        SettingsError: the models draw from different numbers of noise dimensions.
    """
    check_noise(judged_gans)
    badness: dict[str, dict[str, Interval]] = {}
    loss: dict[str, dict[str, Interval]] = {}
    for finder, one in zip("AB", at_radius, strict=True):
        found = one.perturbation
        badness[finder], loss[finder] = {}, {}
        for name, judged in zip("AB", judged_gans, strict=True):
            known, judged = one.measures if name == finder else None, judged.of_samples(range(len(found.z)))
            worst = known["worst"] if known else judged.measure(found.z + found.r)
            random = known["random"] if known else judged.measure(found.z + found.random)
            badness[finder][name] = mean_interval(worst.badness - random.badness)
            loss[finder][name] = mean_interval(worst.loss - random.loss)
    return Transfer(badness, loss)


@dataclass(frozen=True)
class Shell:
    """Lengths of noise (N,) before and after moving, for worst and random noise, and the log-density each pays.

    paid: log p(z) − log p(z + r) in nats, ½(‖z + r‖² − ‖z‖²) under N(0, I). dimensions: of the noise.
    """

    dimensions: int
    lengths: dict[str, np.ndarray]
    paid: dict[str, Interval]
    inside: dict[str, float]

    def density(self, at: np.ndarray) -> np.ndarray:
        """Density of the length of N(0, I), the χ distribution, at lengths (n,)."""
        from scipy.stats import chi

        return np.asarray(chi.pdf(at, self.dimensions))


def shell(one: OneRadius) -> Shell:
    """Where original, worst and random noise lie on the prior's shell; inside: share within its central 99 %."""
    from scipy.stats import chi

    found, dimensions = one.perturbation, one.perturbation.z.shape[1]
    moved = {"original": found.z, "worst": found.z + found.r, "random": found.z + found.random}
    sizes = {kind: lengths(noise).double() for kind, noise in moved.items()}
    start = sizes["original"].square()
    low, high = chi.ppf([0.005, 0.995], dimensions)
    return Shell(
        dimensions,
        {kind: size.numpy() for kind, size in sizes.items()},
        {kind: mean_interval((size.square() - start) / 2) for kind, size in sizes.items() if kind != "original"},
        {kind: float(((size >= low) & (size <= high)).double().mean()) for kind, size in sizes.items()},
    )
