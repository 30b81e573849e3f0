"""Break points: the smallest ε at which each sample's image becomes bad, on the path that a sweep has found.

The path of a sample leads from its original noise through its answer at each radius, in straight pieces; a radius in
between is a point of a piece. Bisection narrows the first piece whose end is bad down to TOLERANCE. What is bad may
become good again further out (the search climbs on the critic, not on the judge): such samples are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.degradation import Sweep
from rgan.evidence import Interval
from rgan.judges import BAD
from rgan.trials import Subject

TOLERANCE = 1 / 64  # of the piece between two radii


@dataclass(frozen=True)
class BreakPoints:
    """Of one model under one kind of noise.

    radius: smallest ε found bad, (N,); 0: bad to begin with, infinity: not bad anywhere up to `last`. recovered:
    samples that are good again at some larger radius of the sweep.
    """

    radius: np.ndarray
    last: float
    recovered: int
    threshold: float

    @property
    def censored(self) -> int:
        """Samples that do not break within the sweep."""
        return int(np.isinf(self.radius).sum())

    @property
    def at_once(self) -> int:
        """Samples that are bad before anything moves."""
        return int((self.radius == 0).sum())

    def survival(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Share of samples not yet bad at each ε (n,), with its 95 % interval (Wilson 1927).

        Nobody is censored before the last radius, so this share is the Kaplan–Meier estimate.
        """
        count = len(self.radius)
        share = (self.radius[None, :] > at[:, None]).mean(axis=1)
        z = 1.959964
        centre = (share + z * z / (2 * count)) / (1 + z * z / count)
        reach = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return share, centre - reach, centre + reach

    def median_words(self) -> str:
        """ "half are bad by ε 1.23"."""
        middle = float(np.sort(self.radius)[(len(self.radius) - 1) // 2])
        if np.isinf(middle):
            return f"more than half are still good at ε {self.last:g}"
        return "more than half are bad to begin with" if middle == 0 else f"half are bad by ε {middle:.2f}"


def break_points(state: Sweep, side: str, kind: str, *, threshold: float = BAD) -> BreakPoints:
    """Of the samples of a sweep; `kind` is "worst" or "random"."""
    subject, blocks = state.subjects[side], state.blocks[side]
    z = torch.cat([block.z for block in blocks])
    noise = torch.cat([block.noise[kind] for block in blocks], dim=1)
    path = torch.cat([torch.zeros_like(noise[:1]), noise])
    badness = [torch.cat([block.original.badness for block in blocks])]
    badness += [torch.cat([block.trials[kind][k].badness for block in blocks]) for k in range(len(noise))]
    bad = torch.stack(badness) >= threshold
    radii = torch.tensor([0.0, *state.plan.radii], dtype=torch.float64)
    breaks, first = bad.any(dim=0), bad.int().argmax(dim=0)
    found = torch.where(breaks, radii[first], torch.full_like(radii[first], float("inf")))
    inside = torch.nonzero(breaks & (first > 0)).flatten()
    if len(inside):
        found[inside] = _bisect(subject, z[inside], path[:, inside], first[inside], radii, threshold)
    later = torch.arange(len(bad))[:, None] > first
    recovered = int((breaks & (later & ~bad).any(dim=0)).sum())
    return BreakPoints(found.numpy(), state.plan.radii[-1], recovered, threshold)


def _bisect(subject: Subject, z: Tensor, path: Tensor, first: Tensor, radii: Tensor, threshold: float) -> Tensor:
    """The smallest ε found bad of each sample (N,), good at radii[first − 1] and bad at radii[first]."""
    rows = torch.arange(len(z))
    start, end = path[first - 1, rows], path[first, rows]
    low, high = torch.zeros(len(z)), torch.ones(len(z))
    while float((high - low).max()) > TOLERANCE:
        middle = (low + high) / 2
        bad = subject.trial(z + start + middle[:, None] * (end - start)).badness >= threshold
        low, high = torch.where(bad, low, middle), torch.where(bad, middle, high)
    return radii[first - 1] + high * (radii[first] - radii[first - 1])


def later(a: BreakPoints, b: BreakPoints) -> Interval | None:
    """Among samples (the same noise in both) that break at different ε, the share that breaks later in B.

    With its exact 95 % interval (Clopper & Pearson 1934); 0.5 means neither. None where no sample differs.
    """
    from scipy.stats import binomtest

    count = min(len(a.radius), len(b.radius))
    differ = a.radius[:count] != b.radius[:count]
    if not differ.any():
        return None
    won = int((b.radius[:count] > a.radius[:count])[differ].sum())
    limits = binomtest(won, int(differ.sum())).proportion_ci(0.95)
    return Interval(won / int(differ.sum()), float(limits.low), float(limits.high))
