"""Are two samples of points drawn from one distribution? Tests with exact p-values at any size, and effect sizes.

Samples know which draw each point came from: exchanging labels, which these tests rest on, is only valid between
independent draws. A point and its own perturbed twin are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgan.common.errors import SettingsError, number_between
from rgan.common.formatting import per_cent, per_cent_range
from rgan.stats.intervals import more_hits, share

PERMUTATIONS = 999
LEVEL = 0.01  # p up to which a difference counts as shown; intervals are meant to miss the truth as often
_NORMAL = 2.575829  # quantile of the normal distribution at 1 − LEVEL/2


@dataclass(frozen=True)
class Sample:
    """Points (n, d) and, for each, the draw it was made from: equal numbers mean the same noise or the same image."""

    points: np.ndarray
    draws: np.ndarray

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or len(self.points) < 4 or self.draws.shape != (len(self.points),):
            raise SettingsError(
                f"expected at least 4 points (n, d) with a draw (n,) each, got {self.points.shape} and "
                f"{self.draws.shape}; draw more"
            )


@dataclass(frozen=True)
class Verdict:
    """A test's outcome.

    effect: what `unit` says, 0 where the samples are alike, with its 99 % interval low to high; a share if `share`. p:
    probability of a statistic at least as large if they are alike, never below `smallest`, the resolution of the test.
    sentence: the one thing it shows.
    """

    test: str
    effect: float
    low: float
    high: float
    unit: str
    p: float
    smallest: float
    sentence: str
    share: bool = True

    @property
    def effect_words(self) -> str:
        """ "0.25 %", "0.0051"."""
        return per_cent(self.effect, self._digits) if self.share else f"{self.effect:.4f}"

    @property
    def interval_words(self) -> str:
        """ "0.10 to 0.40 %", "0.0026 to 0.0076"."""
        return per_cent_range(self.low, self.high, self._digits) if self.share else f"{self.low:.4f} to {self.high:.4f}"

    @property
    def _digits(self) -> int:
        return 2 if max(abs(self.low), abs(self.high)) < 0.02 else 1

    @property
    def p_words(self) -> str:
        """ "p ≤ 0.001", "p = 0.24"."""
        floor = max(self.smallest, 1e-4)
        return f"p ≤ {floor:.1g}" if self.p <= floor else f"p = {self.p:.2g}"


@dataclass(frozen=True)
class Difference:
    """How much further apart the first pair of samples is than the second, in shares of distance; 99 % interval."""

    first: float
    second: float
    low: float
    high: float


def mmd(a: Sample, b: Sample, *, permutations: int = PERMUTATIONS, seed: int = 0) -> Verdict:
    """Maximum mean discrepancy with a Gaussian kernel of median width (Gretton et al. 2012), permutation p-value.

    The effect is the unbiased estimate of MMD², with a jackknife interval; it may lie below 0 where samples are alike.
    There the statistic degenerates and the interval may miss 0 in 5 % of cases: read p.

    Raises:
        SettingsError: the samples share draws.
    """
    squared = _distances(a, b) ** 2
    apart = squared[np.triu_indices_from(squared, 1)]
    kernel = np.exp(-squared / max(float(np.median(apart)), np.finfo(float).tiny))
    p = _permuted(kernel, len(a.points), permutations, seed)
    effect = _LeftOut.one_by_one(kernel, len(a.points), share=False)
    low, high = effect.interval()
    said = _differ(a, b, p, f": MMD² is {effect.value:.2g}")
    return Verdict("MMD²", effect.value, low, high, "0 to 2", p, 1 / (permutations + 1), said, share=False)


def energy(a: Sample, b: Sample, *, permutations: int = PERMUTATIONS, seed: int = 0) -> Verdict:
    """Energy distance (Székely & Rizzo 2013), permutation p-value.

    The effect is their coefficient of inhomogeneity, (2E‖a−b‖ − E‖a−a′‖ − E‖b−b′‖) / 2E‖a−b‖, estimated without bias in
    its numerator, with a jackknife interval (see `mmd` on where it fails): 0 alike, 1 two points.

    Raises:
        SettingsError: the samples share draws.
    """
    distances = _distances(a, b)
    p = _permuted(-distances, len(a.points), permutations, seed)
    effect = _LeftOut.one_by_one(-distances, len(a.points), share=True)
    low, high = effect.interval()
    said = _differ(a, b, p, f" by {per_cent(effect.value, 2)} of the distance between them")
    return Verdict(
        "Energy coefficient",
        effect.value,
        low,
        high,
        "share of the way between samples",
        p,
        1 / (permutations + 1),
        said,
    )


def further(first: tuple[Sample, Sample], second: tuple[Sample, Sample]) -> Difference:
    """Energy effect of one pair of samples against that of another, with a jackknife interval of their difference.

    Both pairs come from the same draws in the same order: leaving one out leaves its points out of both pairs.

    Raises:
        SettingsError: the draws differ, or a pair shares draws.
    """
    for one, other in zip(first, second, strict=True):
        if not np.array_equal(one.draws, other.draws):
            raise SettingsError("expected both pairs of samples from the same draws; make them from the same noise")
    effects = [_LeftOut.one_by_one(-_distances(*pair), len(pair[0].points), share=True) for pair in (first, second)]
    low, high = effects[0].minus(effects[1]).interval()
    return Difference(effects[0].value, effects[1].value, low, high)


def classifier(a: Sample, b: Sample, *, seed: int = 0) -> Verdict:
    """Can a nearest-neighbour vote tell them apart? (Lopez-Paz & Oquab 2017.) Half the points train, half are asked.

    The effect is the accuracy above chance, with Wilson's interval; p is Fisher's exact test of answers against truth.

    Raises:
        SettingsError: the samples share draws.
    """
    from sklearn.neighbors import KNeighborsClassifier

    _independent(a, b)
    points = np.concatenate([a.points, b.points])
    truth = np.repeat([0, 1], [len(a.points), len(b.points)])
    order = np.random.default_rng(seed).permutation(len(points))
    train, asked = np.array_split(order, 2)
    neighbours = max(1, round(len(train) ** 0.5)) // 2 * 2 + 1
    answers = KNeighborsClassifier(neighbours).fit(points[train], truth[train]).predict(points[asked])
    hits = int(((answers == 1) & (truth[asked] == 1)).sum())
    total, said, real = len(asked), int(answers.sum()), int(truth[asked].sum())
    p = more_hits((hits, said), (real - hits, total - said))
    right = share(int((answers == truth[asked]).sum()), total, level=LEVEL)
    chance = max(real, total - real) / total
    sentence = f"A vote of {neighbours} neighbours is right for {per_cent(right.mean, 0)} of points it has not seen"
    sentence += "." if p <= LEVEL else ", so it does not tell them apart."
    effect, low, high = (value - chance for value in (right.mean, right.low, right.high))
    return Verdict("Classifier", effect, low, high, "accuracy above chance", p, 0.0, sentence)


def radius(noise: np.ndarray) -> Verdict:
    """Is noise (n, d) as long as that of N(0, I)? Exact: Σ‖z‖² of the prior is χ² with n·d degrees of freedom.

    The effect is the mean squared length over d, minus 1, with an interval from its standard error over points; p is
    two-sided.
    """
    from scipy.stats import chi2

    degrees = noise.size
    total = float(np.square(noise.astype(np.float64)).sum())
    p = min(1.0, 2 * min(float(chi2.cdf(total, degrees)), float(chi2.sf(total, degrees))))
    effect = total / degrees - 1
    lengths = np.square(noise.astype(np.float64)).sum(axis=1) / noise.shape[1]
    reach = _NORMAL * float(lengths.std(ddof=1)) / len(lengths) ** 0.5
    low, high = effect - reach, effect + reach
    if p <= LEVEL:
        sentence = f"Its squared length is {per_cent(abs(effect))} {'above' if effect > 0 else 'below'} the prior's."
    else:
        sentence = f"Its squared length is the prior's within {per_cent(max(abs(low), abs(high)))}."
    return Verdict("Radius (χ²)", effect, low, high, "squared length above the prior's", p, 0.0, sentence)


@dataclass(frozen=True)
class _LeftOut:
    """An estimate, and what it is without each point of the first sample (n,) and of the second (m,)."""

    value: float
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def one_by_one(cls, kernel: np.ndarray, n: int, *, share: bool) -> _LeftOut:
        """k̄(a, a′) + k̄(b, b′) − 2k̄(a, b) over different points; with `share`, over −2k̄(a, b)."""

        def discrepancy(aa: np.ndarray, bb: np.ndarray, ab: np.ndarray) -> np.ndarray:
            found = np.asarray(aa + bb - 2 * ab)
            if not share:
                return found
            apart = -2 * np.asarray(ab)
            return np.asarray(np.divide(found, apart, out=np.zeros(np.broadcast(found, apart).shape), where=apart > 0))

        m = len(kernel) - n
        diagonal = kernel.diagonal()
        row_aa, row_bb = kernel[:n, :n].sum(axis=1) - diagonal[:n], kernel[n:, n:].sum(axis=1) - diagonal[n:]
        row_ab, row_ba = kernel[:n, n:].sum(axis=1), kernel[:n, n:].sum(axis=0)
        aa, bb, ab = row_aa.sum(), row_bb.sum(), row_ab.sum()
        return cls(
            float(discrepancy(aa / (n * (n - 1)), bb / (m * (m - 1)), ab / (n * m))),
            discrepancy((aa - 2 * row_aa) / ((n - 1) * (n - 2)), bb / (m * (m - 1)), (ab - row_ab) / ((n - 1) * m)),
            discrepancy(aa / (n * (n - 1)), (bb - 2 * row_bb) / ((m - 1) * (m - 2)), (ab - row_ba) / (n * (m - 1))),
        )

    def minus(self, other: _LeftOut) -> _LeftOut:
        return _LeftOut(self.value - other.value, self.first - other.first, self.second - other.second)

    def interval(self) -> tuple[float, float]:
        """99 %, from the jackknife's standard error of two independent samples (Efron & Tibshirani 1993, ch. 11)."""
        variance = sum((len(left) - 1) * float(left.var()) for left in (self.first, self.second))
        return self.value - _NORMAL * variance**0.5, self.value + _NORMAL * variance**0.5


def _differ(a: Sample, b: Sample, p: float, how: str) -> str:
    if p <= LEVEL:
        return f"The samples differ{how}."
    return f"No difference shown by {len(a.points)} + {len(b.points)} points."


def _distances(a: Sample, b: Sample) -> np.ndarray:
    """All pairs of all points, (n + m, n + m), after checking that the samples may be compared."""
    from sklearn.metrics import euclidean_distances

    _independent(a, b)
    found: np.ndarray = euclidean_distances(np.concatenate([a.points, b.points]).astype(np.float64))
    return found


def _independent(a: Sample, b: Sample) -> None:
    if a.points.shape[1] != b.points.shape[1]:
        raise SettingsError(
            f"expected points of equal dimension, got {a.points.shape[1]} and {b.points.shape[1]}; use the same"
        )
    shared = len(np.intersect1d(a.draws, b.draws))
    if shared:
        raise SettingsError(
            f"expected independent draws, got {shared} points that both samples were made from; these tests exchange "
            "labels, which pairs forbid: draw fresh noise for one of them"
        )


def _permuted(kernel: np.ndarray, n: int, permutations: int, seed: int) -> float:
    """Share of relabellings, the true one counted, whose sᵀKs is at least the true one's; s is 1/n on a, −1/m on b."""
    number_between("permutations", permutations, 1, 1_000_000)
    total = len(kernel)
    signs = np.concatenate([np.full(n, 1 / n), np.full(total - n, -1 / (total - n))])
    rng = np.random.default_rng(seed)
    relabelled = np.stack([signs, *(rng.permutation(signs) for _ in range(permutations))])
    statistics = np.einsum("pi,pi->p", relabelled @ kernel, relabelled)
    # Equal relabellings may differ by rounding.
    above = statistics >= statistics[0] - 1e-12 * max(1.0, abs(float(statistics[0])))
    return float(above.mean())
