"""Which images a model or a judge knows: told by what they show, and not by what their folder is called."""

from __future__ import annotations

from dataclasses import dataclass

from rgan.data.datasets import BEFORE, REFERENCE_IMAGES, ImageData, digest


@dataclass(frozen=True)
class DataIdentity:
    """Images as far as a file tells which they are.

    name: of the data set, for people; "" if nobody said. fingerprint: `ImageData.fingerprint`, real: `digest` of the
    real images in a model's file; "" where there are none. own: whether they come from a folder or zip, which may be
    called like a known set.
    """

    name: str
    fingerprint: str = ""
    own: bool = False
    real: str = ""

    @staticmethod
    def of(data: ImageData) -> DataIdentity:
        """Of a data set at hand."""
        return DataIdentity(data.name, data.fingerprint, data.own, digest(data.some(REFERENCE_IMAGES)))

    @property
    def told(self) -> str:
        """The fingerprint, or what it was of those known sets that were other once; "" if neither is known."""
        return self.fingerprint or ("" if self.own else BEFORE.get(self.name, ""))

    def same(self, other: DataIdentity) -> bool | None:
        """Whether these are the same images; None if neither fingerprints nor real images tell, and names do not tell
        them apart. Of one size: larger or smaller copies have other fingerprints.
        """
        if self.told and other.told:
            return same_images(self.told, other.told)
        if self.real and other.real:
            return self.real == other.real
        return False if self.name and other.name and (self.name, self.own) != (other.name, other.own) else None


def same_images(one: str, other: str) -> bool:
    """Whether two fingerprints are of the same images, as far as the shorter one tells."""
    return all(mine == theirs for mine, theirs in zip(one.split("-"), other.split("-"), strict=False))
