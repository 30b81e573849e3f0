"""What changes in a picture: attributes that a judge reads under the original noise, under worst and under random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rgan.data import faces
from rgan.stats.intervals import Share, ShareDifference, share, share_difference

SAID = 4  # attributes in a sentence beside the eyes, those that worst noise changes most often beyond random noise
_WORDS = {
    "hair": "hair style changed", "cover": "headgear changed", "glasses": "glasses came or went",
    faces.EYES: "eyes no longer alike",
}  # fmt: skip


@dataclass(frozen=True)
class AttributeChange:
    """One attribute of N images, held against that under the original noise.

    worst, random: images that show another class, with Wilson's interval; of eyes, those that are no longer alike.
    beyond: worst minus random, image by image, with the interval of Agresti & Min.
    """

    name: str
    worst: Share
    random: Share
    beyond: ShareDifference

    @property
    def words(self) -> str:
        """ "hair colour changed"."""
        return _WORDS.get(self.name, f"{self.name.replace('_', ' ')} changed")


@dataclass(frozen=True)
class AttributeChanges:
    """All attributes of N images, most changed beyond random noise first."""

    changes: tuple[AttributeChange, ...]
    total: int

    @property
    def sentence(self) -> str:
        """What worst noise is shown to change more often than random noise of the same length."""
        positive = [one for one in self.changes if one.beyond.positive]
        broken = [one for one in positive if one.name == faces.EYES]
        shown = [one for one in positive if one not in broken][:SAID] + broken
        if not shown:
            return "No attribute is shown to change more often than under random noise of the same length."
        counts = [
            f"{one.words} in {one.worst.hits:,}{'' if at else f' of {self.total:,}'} "
            f"({'' if at else 'random noise: '}{one.random.hits:,})"
            for at, one in enumerate(shown)
        ]
        return f"{', '.join(counts)}."

    def rows(self) -> list[dict[str, Any]]:
        """A row an attribute, of plain values."""
        return [
            {
                "attribute": one.name, "images": self.total,
                "worst": one.worst.hits, "worst_low": one.worst.low, "worst_high": one.worst.high,
                "random": one.random.hits, "random_low": one.random.low, "random_high": one.random.high,
                "beyond": one.beyond.mean, "beyond_low": one.beyond.low, "beyond_high": one.beyond.high,
            }
            for one in self.changes
        ]  # fmt: skip


def attribute_changes(
    original: Mapping[str, Tensor], worst: Mapping[str, Tensor], random: Mapping[str, Tensor]
) -> AttributeChanges | None:
    """Compare classes (N,) by attribute, as `Opinion.attributes` has them; None where the judge reads none.

    What a face's head shows is left out: hair and cover tell the same, each for itself.
    """
    if not original:
        return None
    by_worst, by_random = changed(original, worst), changed(original, random)
    total = len(next(iter(original.values())))
    found = []
    for name, moved in by_worst.items():
        hits = [share(int(one[name].sum()), total) for one in (by_worst, by_random)]
        found.append(AttributeChange(name, hits[0], hits[1], share_difference(moved, by_random[name])))
    found.sort(key=lambda one: -one.beyond.mean)
    return AttributeChanges(tuple(found), total)


def changed(original: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By attribute, in which images (N,) it changed; of eyes, which are no longer alike. Without the head's label, as
    above."""
    return {
        name: (before == 0) & (after[name] == 1) if name == faces.EYES else before != after[name]
        for name, before in original.items()
        if name != faces.LABEL
    }
