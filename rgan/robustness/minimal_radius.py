"""Minimal radius: the ε at which each sample's image first turns bad, on the path that a sweep has found.

The path of a sample leads from its original noise through its answer at each radius, in straight pieces; a radius in
between is a point of a piece. What is bad may become good again further out, since the search climbs on the critic and
not on the judge. So every piece is looked at in PARTS parts, and bisection narrows down the crossing in the first part
whose end is bad, to TOLERANCE: an image that is bad within one part alone goes unseen. Samples that become good again
are counted, and the share that is good at each radius stands beside the share that has been good all the way there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.common.formatting import per_cent
from rgan.metrics.judges import BAD
from rgan.robustness.curves import Curves
from rgan.robustness.measured import JudgedGan
from rgan.stats.intervals import Interval, share

PARTS = 4  # of the piece between two radii
TOLERANCE = 1 / 64  # of that piece


@dataclass(frozen=True)
class MinimalRadii:
    """Of one model under one kind of noise.

    radius: ε of the first crossing found, (N,); 0: bad to begin with, infinity: bad nowhere. recovered: samples that
    are good again at one of the larger `radii`. radii, good: 0 and the sweep's radii, and the share of samples that are
    good at each of them.
    """

    radius: np.ndarray
    recovered: int
    radii: np.ndarray
    good: np.ndarray

    @property
    def last(self) -> float:
        """The largest radius of the sweep."""
        return float(self.radii[-1])

    @property
    def censored(self) -> int:
        """Samples that do not break within the sweep."""
        return int(np.isinf(self.radius).sum())

    @property
    def at_once(self) -> int:
        """Samples that are bad before anything moves."""
        return int((self.radius == 0).sum())

    def survival(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Share of samples that have not been bad up to each ε (n,), with its 95 % interval (Wilson 1927).

        Nobody is censored before the last radius, so this share is the Kaplan–Meier estimate.
        """
        count = len(self.radius)
        unbroken = [share(int(good), count) for good in (self.radius[None, :] > at[:, None]).sum(axis=1)]
        mean, low, high = (np.array([getattr(one, name) for one in unbroken]) for name in ("mean", "low", "high"))
        return mean, low, high

    def median_words(self) -> str:
        """ "half are bad by ε 1.23"."""
        middle = float(np.sort(self.radius)[(len(self.radius) - 1) // 2])
        if np.isinf(middle):
            return f"more than half have never been bad up to ε {self.last:g}"
        return "half are bad to begin with" if middle == 0 else f"half have been bad by ε {middle:.2f}"


def minimal_radii(judged: JudgedGan, state: Curves, side: str, kind: str) -> MinimalRadii:
    """Of the samples of the curves of `judged`, which are those of `side`; `kind` is "worst" or "random"."""
    blocks = state.blocks[side]
    numbers = torch.arange(sum(len(block.z) for block in blocks)) % state.plan.samples  # of each repeat from 0
    z = torch.cat([block.z for block in blocks])
    noise = torch.cat([block.noise[kind] for block in blocks], dim=1)
    path = torch.cat([torch.zeros_like(noise[:1]), noise])
    badness = [torch.cat([block.original.badness for block in blocks])]
    badness += [torch.cat([block.measures[kind][k].badness for block in blocks]) for k in range(len(noise))]
    at_radii = torch.stack(badness) >= BAD
    radii = torch.tensor([0.0, *state.plan.radii], dtype=torch.float64)

    def bad(rows: Tensor, place: Tensor) -> Tensor:
        """Of some samples (B,), each at its place on its path, 0 to K."""
        piece = place.long().clamp(max=len(noise) - 1)
        start, end = path[piece, rows], path[piece + 1, rows]
        return judged.of_samples(numbers[rows]).measure(z[rows] + start + (place - piece)[:, None] * (end - start)).bad

    first = torch.where(at_radii.any(dim=0), at_radii.int().argmax(dim=0).float(), torch.inf)
    good = torch.nonzero(~at_radii[0]).flatten()  # no other can break
    if len(good):
        within = torch.tensor([k + part / PARTS for k in range(len(noise)) for part in range(1, PARTS)])
        seen = torch.stack([bad(good, place.expand(len(good))) for place in within])
        earlier = torch.where(seen, within[:, None], torch.inf).amin(dim=0)
        first[good] = torch.minimum(first[good], earlier)

    broken = torch.nonzero(first.isfinite() & (first > 0)).flatten()
    place = first.clone()
    if len(broken):
        place[broken] = bisect(lambda at: bad(broken, at), first[broken] - 1 / PARTS, first[broken], TOLERANCE)
    later = torch.arange(len(at_radii))[:, None] > first
    return MinimalRadii(
        np.asarray(np.interp(place, np.arange(len(radii)), radii, right=np.inf)),
        int((later & ~at_radii).any(dim=0).sum()),
        radii.numpy(),
        1 - at_radii.double().mean(dim=1).numpy(),
    )


def bisect(bad: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, tolerance: float) -> Tensor:
    """Where each of N samples turns bad, (N,), at most `tolerance` beyond it: `bad` says so of one place a sample.

    It is good at `low` and bad at `high`; of several turns in between, one is found.
    """
    while float((high - low).max()) > tolerance:
        middle = (low + high) / 2
        turned = bad(middle)
        low, high = torch.where(turned, low, middle), torch.where(turned, middle, high)
    return high


def later(a: MinimalRadii, b: MinimalRadii) -> Interval | None:
    """Among samples (the same noise in both) that are good to begin with in both and break at different ε, the share
    that breaks later in B.

    With its exact 95 % interval (Clopper & Pearson 1934); 0.5 means neither. None where no sample differs.
    """
    differ = (a.radius != b.radius) & (a.radius > 0) & (b.radius > 0)
    if not differ.any():
        return None
    won = int((b.radius > a.radius)[differ].sum())
    return share(won, int(differ.sum()), exact=True)


def later_words(a: MinimalRadii, b: MinimalRadii) -> str:
    """`later` in a sentence; empty where no sample differs."""
    won = later(a, b)
    if won is None:
        return ""
    who = "B breaks" if won.low > 0.5 else "A breaks" if won.high < 0.5 else "Neither is shown to break"
    return (
        f"{who} later: of the noise whose images are good to begin with in both and break at different ε, "
        f"{per_cent(won.mean, 0)} breaks later in B (95 % interval {per_cent(won.low, 0)} to {per_cent(won.high, 0)})."
    )
