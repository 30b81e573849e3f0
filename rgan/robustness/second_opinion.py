"""How well the two judges of a data set agree, who have not one image and not one layer in common."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rgan.common.formatting import signed
from rgan.metrics.judges import BAD
from rgan.stats.intervals import Interval, Share, rank_correlation, share


@dataclass(frozen=True)
class Agreement:
    """Of the judge that measures with the other one, on the same N images.

    rank: Spearman's correlation of badness; None where it is the same everywhere. bad: images that both call bad, or
    neither.
    """

    rank: Interval | None
    bad: Share

    @property
    def words(self) -> str:
        """ "rank correlation of badness +0.71 (…); the same verdict on 60 of 64 images: …"."""
        rank = (
            "no rank correlation, for the badness is the same everywhere"
            if self.rank is None
            else f"rank correlation of badness {signed(self.rank.mean)} (95 % interval {signed(self.rank.low)} to "
            f"{signed(self.rank.high)})"
        )
        return f"{rank}; the same verdict on {self.bad.hits:,} of {self.bad.total:,} images: {self.bad.in_per_cent()}"


def agreement(badness: Tensor, second: Tensor) -> Agreement:
    """Of two judges' badness (N,) of the same images."""
    alike = (badness >= BAD) == (second >= BAD)
    return Agreement(rank_correlation(badness, second), share(int(alike.sum()), len(badness)))
