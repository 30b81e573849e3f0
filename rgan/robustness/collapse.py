"""Do images under worst noise become alike? Their diversity beside that under original and random noise."""

from __future__ import annotations

from dataclasses import dataclass

from rgan.common.formatting import decimal, signed
from rgan.metrics.diversity import Diversity, change_of_diversity, diversity
from rgan.robustness.one_radius import OneRadius

KINDS = ("original", "worst", "random")


@dataclass(frozen=True)
class Collapse:
    """Diversity of one model's images under each of KINDS, and that of worst noise beyond "original" and "random"."""

    of: dict[str, Diversity]
    beyond: dict[str, Diversity]

    def sentence(self, name: str) -> str:
        """Whether worst noise makes the images of the model called `name` more alike than random noise does."""
        count, lost = {kind: one.count for kind, one in self.of.items()}, self.beyond["random"].count
        if lost.high < 0:
            outcome = "makes images more alike than random noise of the same length does"
        elif lost.low > 0:
            outcome = "makes images less alike than random noise of the same length does"
        else:
            outcome = "is not shown to make images more alike than random noise of the same length does"
        return (
            f"{name}: worst noise {outcome}: {self.of['worst'].images} images are as different as "
            f"{decimal(count['worst'].mean, 0)} under worst, {decimal(count['random'].mean, 0)} under random and "
            f"{decimal(count['original'].mean, 0)} under original noise; worst minus random {signed(lost.mean, 1)} "
            f"(95 % interval {signed(lost.low, 1)} to {signed(lost.high, 1)})."
        )


def collapse(one: OneRadius, scale: float) -> Collapse:
    """Of the images of one model at one ε; scale: `Judge.scale` of its judge."""
    features = {kind: one.measures[kind].features for kind in KINDS}
    return Collapse(
        {kind: diversity(each, scale) for kind, each in features.items()},
        {kind: change_of_diversity(features["worst"], features[kind], scale) for kind in ("original", "random")},
    )
