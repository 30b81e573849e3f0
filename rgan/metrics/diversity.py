"""How different images are from each other: mean distance, and how many different ones there seem to be.

The count is the Vendi score (Friedman & Dieng 2023): the exponential of the entropy of the eigenvalues of K/N, where K
holds the similarity of each pair of N images, here exp(−‖a − b‖² / 2s²) of their features, s being as far as a real
image is from its third nearest real image. N images that are all alike count as 1, N that have nothing in common as N.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.common.errors import SettingsError
from rgan.stats.intervals import Interval, jackknife_reach

MOST = 512  # images that are looked at: the count costs the cube of their number
REAL = 2000  # real images that tell the scale
GROUPS = 32  # left out one after the other for the interval


@dataclass(frozen=True)
class Diversity:
    """Of `images` images: mean distance of two of them in feature space, and the Vendi score; or differences of two
    kinds of images in these."""

    distance: Interval
    count: Interval
    images: int


def diversity(features: Tensor, scale: float) -> Diversity:
    """Of images by their features (N, F), the first MOST of them, with 95 % intervals over images (jackknife).

    Args:
        scale: s, the distance at which two images are alike; `Judge.scale`, or `neighbour_distance` of real images.

    Raises:
        SettingsError: fewer than 2 images.
    """
    return _estimated([features], scale, lambda values: values[0])


def change_of_diversity(features: Tensor, before: Tensor, scale: float) -> Diversity:
    """What `diversity` of images (N, F) is beyond that of others (N, F), row i of both coming from the same noise.

    Raises:
        SettingsError: fewer than 2 images, or other numbers of them.
    """
    if len(features) != len(before):
        raise SettingsError(f"expected as many images of both kinds, got {len(features)} and {len(before)}")
    return _estimated([features, before], scale, lambda values: values[0] - values[1])


def vendi(features: Tensor, scale: float) -> float:
    """The Vendi score alone, of images by their features (N, F), the first MOST of them."""
    return _vendi(_squares(features[:MOST]), scale)


def mean_distance(features: Tensor) -> float:
    """Of two images, by their features (N, F), the first MOST of them; without its interval."""
    return _mean_distance(_squares(features[:MOST]))


def _vendi(squares: Tensor, scale: float) -> float:
    shares = torch.linalg.eigvalsh(torch.exp(-squares / (2 * scale**2)) / len(squares)).clamp_min(0)
    shares = shares / shares.sum()
    return float(torch.exp(torch.special.entr(shares).sum()))


def neighbour_distance(real: Tensor) -> float:
    """The usual distance of a real image to its third nearest, of the first REAL by their features (R, F)."""
    distances = _squares(real[:REAL]).sqrt()
    return float(distances.kthvalue(min(4, len(distances)), dim=1).values.median())  # the nearest is itself


def _estimated(kinds: list[Tensor], scale: float, combine: Callable[[list[float]], float]) -> Diversity:
    count = min(len(kinds[0]), MOST)
    if count < 2:
        raise SettingsError(f"expected at least 2 images to be different from each other, got {count}; choose more")
    squares = [_squares(features[:count]) for features in kinds]
    groups = [torch.arange(first, count, min(GROUPS, count)) for first in range(min(GROUPS, count))]

    def interval(of: Callable[[Tensor], float]) -> Interval:
        value = combine([of(one) for one in squares])
        without = []
        for group in groups:
            rest = torch.ones(count, dtype=torch.bool)
            rest[group] = False
            without.append(combine([of(one[rest][:, rest]) for one in squares]))
        reach = jackknife_reach(without)
        return Interval(value, value - reach, value + reach)

    # The count grows with the number of images, a share of it does not: what the jackknife needs.
    share = interval(lambda one: _vendi(one, scale) / len(one))
    return Diversity(
        interval(_mean_distance), Interval(count * share.mean, count * share.low, count * share.high), count
    )


def _mean_distance(squares: Tensor) -> float:
    """Over pairs of two different images."""
    return float(squares.sqrt().sum()) / (len(squares) * max(len(squares) - 1, 1))


def _squares(features: Tensor) -> Tensor:
    distances = torch.cdist(features.double(), features.double(), compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square()
