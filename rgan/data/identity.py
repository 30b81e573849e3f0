"""Which images a model or a judge knows: told by what they show, and not by what their folder is called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import Tensor

from rgan.data.datasets import BEFORE, REFERENCE_IMAGES, ImageData


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
        return DataIdentity(data.name, data.fingerprint(), data.own, digest(data.some(REFERENCE_IMAGES)))

    @property
    def told(self) -> str:
        """The fingerprint, or what it was of those known sets that were other once; "" if neither is known."""
        return self.fingerprint or ("" if self.own else BEFORE.get(self.name, ""))

    def same(self, other: DataIdentity) -> bool | None:
        """Whether these are the same images; None if neither fingerprints nor real images tell, and names do not tell
        them apart. Of one size: larger or smaller copies have other fingerprints.
        """
        for mine, theirs in ((self.told, other.told), (self.real, other.real)):
            if mine and theirs:
                return mine == theirs
        return False if self.name and other.name and (self.name, self.own) != (other.name, other.own) else None


def digest(images: Tensor) -> str:
    """A digest of all of these images, uint8 (N, C, H, W)."""
    return hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()[:16]
