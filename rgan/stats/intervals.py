"""Estimates with their intervals: means, differences, shares and rank correlations, by scipy wherever it has them."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from rgan.common.errors import SettingsError
from rgan.common.formatting import decimal, per_cent, signed

Outcome = Literal["supported", "not supported", "undecided"]
LEVEL = 0.05  # an interval misses the truth as often
NORMAL = 1.959964  # quantile of the normal distribution at 1 − LEVEL/2


@dataclass(frozen=True)
class Interval:
    """An estimate (a mean, unless said otherwise) and its interval, 95 % unless said otherwise."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside: a difference is shown."""
        return self.low > 0 or self.high < 0

    @property
    def outcome(self) -> Outcome:
        """What it says of the claim that the estimate is above 0."""
        return "supported" if self.low > 0 else "not supported" if self.high < 0 else "undecided"

    @property
    def positive(self) -> bool:
        """Whether all of it lies above 0."""
        return self.low > 0

    def points(self) -> tuple[str, str]:
        """A difference of two percentages and its interval: "+4.2 points" and "+1.0 to +7.1"."""
        mean, low, high = self._in_hundredths()
        return f"{mean} points", f"{low} to {high}"

    def bracketed_points(self) -> str:
        """ "+4.2 (+1.0 to +7.1)", as `bracketed`."""
        mean, low, high = self._in_hundredths()
        return f"{mean} ({low} to {high})"

    def _in_hundredths(self) -> tuple[str, str, str]:
        """One that excludes 0 has as many digits as show it."""
        digits = 1
        while self.excludes_zero and digits < 4 and not all(round(100 * end, digits) for end in (self.low, self.high)):
            digits += 1
        mean, low, high = (signed(100 * share, digits) for share in (self.mean, self.low, self.high))
        return mean, low, high

    def in_points(self) -> str:
        """ "+4.2 points (95 % interval +1.0 to +7.1)" """
        mean, limits = self.points()
        return f"{mean} (95 % interval {limits})"

    def in_per_cent(self, digits: int = 1) -> str:
        """ "12.3 % (95 % interval 11.0 % to 13.8 %)" """
        mean, low, high = (per_cent(share, digits) for share in (self.mean, self.low, self.high))
        return f"{mean} (95 % interval {low} to {high})"

    def bracketed(self) -> str:
        """ "12.3 % (11.0 to 13.8)", where the words beside it say what the brackets hold."""
        mean, low, high = (decimal(100 * share, 1) for share in (self.mean, self.low, self.high))
        return f"{mean} % ({low} to {high})"


@dataclass(frozen=True)
class TTest(Interval):
    """A mean with its t interval, and the two-sided p of the mean 0, from `count` values."""

    p: float
    count: int


@dataclass(frozen=True)
class Share(Interval):
    """`hits` of `total`."""

    hits: int
    total: int


@dataclass(frozen=True)
class ShareDifference(Interval):
    """Of two shares over the same rows: rows in the first alone, in the second alone, all rows."""

    first: int
    second: int
    total: int


def mean_interval(values: ArrayLike) -> Interval:
    """Mean of (n,) with its t interval.

    Raises:
        SettingsError: fewer than 2 values.
    """
    found = t_test(values)
    return Interval(found.mean, found.low, found.high)


def mean_intervals(rows: ArrayLike) -> list[Interval]:
    """`mean_interval` of each row of (k, n).

    Raises:
        SettingsError: fewer than 2 values in a row.
    """
    from scipy.stats import ttest_1samp

    samples = np.asarray(rows, dtype=np.float64)
    _enough(samples.shape[1])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of rows without spread, which are not asked
        limits = ttest_1samp(samples, 0.0, axis=1).confidence_interval(1 - LEVEL)
    flat = samples.min(axis=1) == samples.max(axis=1)
    mean, low, high = (np.where(flat, samples[:, 0], one) for one in (samples.mean(axis=1), limits.low, limits.high))
    return [Interval(*map(float, each)) for each in zip(mean, low, high, strict=True)]


def t_test(values: ArrayLike) -> TTest:
    """One-sample t test of (n,): of differences, it is the paired test of the values they are differences of.

    Raises:
        SettingsError: fewer than 2 values.
    """
    from scipy.stats import ttest_1samp

    sample = np.asarray(values, dtype=np.float64)
    _enough(len(sample))
    mean = float(sample.mean())
    if sample.min() == sample.max():  # no spread: scipy divides by it
        mean = float(sample[0])
        return TTest(mean, mean, mean, float(mean == 0), len(sample))
    found = ttest_1samp(sample, 0.0)
    limits = found.confidence_interval(1 - LEVEL)
    return TTest(mean, float(limits.low), float(limits.high), float(found.pvalue), len(sample))


def _enough(count: int) -> None:
    if count < 2:
        raise SettingsError(f"expected at least 2 samples for an interval, got {count}; choose more samples")


def welch(first: ArrayLike, second: ArrayLike) -> Interval:
    """Difference of the means of two independent samples (n,) and (m,), with Welch's interval."""
    from scipy.stats import ttest_ind

    one, other = (np.asarray(sample, dtype=np.float64) for sample in (first, second))
    mean = float(one.mean() - other.mean())
    if np.ptp(one) == 0 and np.ptp(other) == 0:
        return Interval(mean, mean, mean)
    limits = ttest_ind(one, other, equal_var=False).confidence_interval(1 - LEVEL)
    return Interval(mean, float(limits.low), float(limits.high))


@functools.lru_cache(maxsize=4096)
def share(hits: int, total: int, *, level: float = LEVEL, exact: bool = False) -> Share:
    """A share; its interval, Wilson's (1927) or the exact one (Clopper & Pearson 1934), misses the truth at `level`."""
    from scipy.stats import binomtest

    limits = binomtest(hits, total).proportion_ci(1 - level, method="exact" if exact else "wilson")
    return Share(hits / total, float(limits.low), float(limits.high), hits, total)


def share_difference(first: ArrayLike, second: ArrayLike) -> ShareDifference:
    """Share of the first minus share of the second, booleans (n,) each over the same rows.

    Half a row is added to each of the four counts (Agresti & Min 2005), so that no difference among few rows is not
    taken for certainty; the t interval would have no width then.
    """
    one, other = (np.asarray(rows, dtype=bool) for rows in (first, second))
    total, more, fewer = len(one), int((one & ~other).sum()), int((other & ~one).sum())
    p, q = ((count + 0.5) / (total + 2) for count in (more, fewer))
    reach = NORMAL * ((p + q - (p - q) ** 2) / (total + 2)) ** 0.5
    mean, low, high = (more - fewer) / total, max(-1.0, p - q - reach), min(1.0, p - q + reach)
    return ShareDifference(mean, low, high, more, fewer, total)


def more_hits(first: tuple[int, int], second: tuple[int, int]) -> float:
    """p of as many hits or more in the first if both hit alike, from (hits, total) each (Fisher's exact, one-sided)."""
    from scipy.stats import fisher_exact

    table = [[hits, total - hits] for hits, total in (first, second)]
    return float(fisher_exact(table, alternative="greater").pvalue)


def rank_correlation(first: ArrayLike, second: ArrayLike) -> Interval | None:
    """Spearman's, of two (n,), with the interval of Bonett & Wright (2000); None where one does not vary, or n < 4."""
    from scipy.stats import spearmanr

    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if len(one) < 4 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    rank = float(spearmanr(one, other).statistic)
    middle = math.atanh(min(max(rank, -1 + 1e-9), 1 - 1e-9))
    reach = 1.96 * ((1 + rank**2 / 2) / (len(one) - 3)) ** 0.5
    return Interval(rank, math.tanh(middle - reach), math.tanh(middle + reach))


def jackknife_reach(without: Sequence[float]) -> float:
    """Half the interval of a value, from what it is without each group (Efron & Tibshirani 1993, ch. 11)."""
    freedom = len(without) - 1
    return student(freedom) * math.sqrt(freedom * float(np.var(without)))


def student(freedom: float) -> float:
    """Quantile of Student's t that leaves LEVEL / 2 above it."""
    from scipy.stats import t

    return float(t.ppf(1 - LEVEL / 2, freedom))


def holm(values: Sequence[float]) -> list[float]:
    """p values after Holm's correction for as many tests (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    corrected, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected
