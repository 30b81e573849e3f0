"""Failure modes: bad images that are near-duplicates of each other, as the judge sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.common.errors import one_of
from rgan.metrics.judges import Judge, distances
from rgan.robustness.failures.pool import NOISES, Pool

MOST = 1500  # images grouped, since every pair of them is held in memory


@dataclass(frozen=True)
class Mode:
    """Bad images that are near-duplicates: rows of the pool, the most central first, then the worse before the better.

    width: the largest distance between two of them, in the judge's features.
    """

    members: np.ndarray
    width: float

    @property
    def central(self) -> int:
        """The row whose image is on average nearest to the others'."""
        return int(self.members[0])

    @property
    def size(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Modes:
    """All modes of at least two images, the largest first.

    alone: bad images that are like no other, from worst to best. left: bad images that were not grouped, because there
    were more than MOST. real, real_alone: real
    images grouped in the same way, as a control, and those of them that are like no other.
    """

    modes: tuple[Mode, ...]
    alone: np.ndarray
    left: int
    real: int
    real_alone: int

    @property
    def grouped(self) -> int:
        """Bad images that were grouped."""
        return len(self.alone) + sum(mode.size for mode in self.modes)

    @property
    def sentence(self) -> str:
        """What was found, and what near-duplicates are."""
        if not self.grouped:
            return "No bad images, so no failure modes."
        found = f"{self.grouped:,} bad images: {self.grouped - len(self.alone):,} in {len(self.modes):,} failure modes"
        largest = f", the largest of {self.modes[0].size:,}" if self.modes else ""
        left = f" {self.left:,} more bad images were left out." if self.left else ""
        return (
            f"{found}{largest}; {len(self.alone):,} like no other. Two images are near-duplicates when they are nearer "
            f"to each other than half of the held-out real images are to their third nearest real image. Of "
            f"{self.real:,} real images grouped alike, {self.real_alone:,} are like no other.{left}"
        )


def modes(pool: Pool, side: str, judge: Judge, kind: str = "worst") -> Modes:
    """The modes of a model's bad images under one of NOISES, by its judge: no two of a mode are further apart than
    `usual_distance`.

    Complete linkage keeps chains of small differences from joining unlike images. Of more than MOST bad images the
    first ones are grouped, which are as good a sample as any, so sizes keep their proportions.
    """
    one_of("the kind of noise", kind, NOISES)
    measure = pool.rows[side].measures[kind]
    bad = torch.nonzero(measure.bad).flatten()
    kept = bad[:MOST]
    threshold = usual_distance(judge)
    distance = measure.opinion.distance
    found, alone = [], []
    for group in grouped(measure.features[kept], threshold):
        rows = kept[group]
        rows = rows[distance[rows].argsort(descending=True, stable=True)]
        if len(rows) == 1:
            alone.append(int(rows))
            continue
        apart = distances(measure.features[rows], measure.features[rows])
        middle = int(apart.sum(dim=1).argmin())
        order = [middle, *(i for i in range(len(rows)) if i != middle)]
        found.append(Mode(rows[order].numpy(), float(apart.max())))
    found.sort(key=lambda mode: (-mode.size, -float(distance[mode.central])))
    alone.sort(key=lambda row: -float(distance[row]))
    real = judge.reference[: len(kept)]
    real_alone = sum(len(group) == 1 for group in grouped(real, threshold))
    rows_alone = np.array(alone, dtype=np.int64)
    return Modes(tuple(found), rows_alone, len(bad) - len(kept), len(real), real_alone)


def usual_distance(judge: Judge) -> float:
    """Distance of a held-out real image from its third nearest reference image, the median of all."""
    return float(judge.calibration.median())


def grouped(points: Tensor, threshold: float) -> list[Tensor]:
    """Numbers of the points (N, F) in groups, no two points of one further apart than `threshold`."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(points) < 2:
        return [torch.arange(len(points))] if len(points) else []
    labels = torch.from_numpy(fcluster(linkage(points.double().numpy(), "complete"), threshold, "distance"))
    return [torch.nonzero(labels == label).flatten() for label in labels.unique()]
