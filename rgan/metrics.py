"""Scores of generated images: classifier score (IS), FID and KID on a judge's features, each with its protocol.

The values are torch-fidelity's. A score depends on the features, the number of images and the real set as much as on
the generator: scores of different protocols must not be compared, and none of these with published ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from rgan.errors import SettingsError
from rgan.judges import Judge

GROUPS = 50  # of images, left out one after the other for an interval
KID_SUBSETS, KID_SIZE = 10, 1000
NORMAL = 1.959964  # 97.5 % quantile


@dataclass(frozen=True)
class Protocol:
    """What a score rests on: words for the features, generated images, real images and their origin."""

    features: str
    images: int
    real: int
    origin: str
    as_published: bool = False
    key: str = ""

    @property
    def words(self) -> str:
        """ "features of the digits judge (1a2b3c4d), 1,000 images against 359 held-out digits"."""
        return f"{self.features}, {self.images:,} images against {self.real:,} {self.origin}"


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval over noise. floor: what real images get against other real images; best: the best
    possible value. Higher is better only where `higher` says so."""

    name: str
    value: float
    low: float
    high: float
    higher: bool
    protocol: Protocol
    floor: float | None = None
    best: float | None = None

    @property
    def words(self) -> str:
        """ "FID 3.2 (95 % interval 2.9 to 3.5; real against real 1.1)"."""
        beside = f"; real against real {self.floor:.3g}" if self.floor is not None else ""
        return f"{self.name} {self.value:.4g} (95 % interval {self.low:.4g} to {self.high:.4g}{beside})"


@dataclass(frozen=True)
class Seen:
    """What a judge sees of images: features (N, F) and logits (N, K), float32."""

    features: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Standard:
    """What images are scored by: a judge's features and its reference images."""

    judge: Judge
    published: bool = False

    @property
    def key(self) -> str:
        """Equal for equal standards only."""
        return f"judge-{self.judge.data}-{self.judge.digest[:8]}"

    def protocol(self, count: int) -> Protocol:
        """That of scores of `count` images.

        Raises:
            SettingsError: fewer images than features or than 100.
        """
        judge, least = self.judge, max(100, self.judge.reference.shape[1] + 1)
        if count < least:
            raise SettingsError(f"expected at least {least} images to score, got {count}; draw more")
        return Protocol(
            f"features of the {judge.data} judge ({judge.digest[:8] or 'unsaved'})", count, len(judge.reference),
            f"held-out images of {judge.data}", key=f"{self.key}/{count}",
        )  # fmt: skip

    def look(self, images: Tensor) -> Seen:
        """Features and logits of images (N, C, H, W) in [−1, 1] from one pass."""
        features = self.judge.features(images)
        with torch.no_grad():
            return Seen(features, self.judge.network.score(features))


def by_judge(judge: Judge) -> Standard:
    """Scores on the features of a judge against its reference images."""
    return Standard(judge)


def scores(seen: Seen, standard: Standard, *, seed: int = 0) -> tuple[Score, ...]:
    """Classifier score, FID and KID of generated images against the judge's reference images.

    Intervals are jackknives over GROUPS groups of the generated images (Efron & Tibshirani 1993, ch. 11), KID's over
    its subsets. A bootstrap repeats images, which changes their covariance: it made FID's interval 1.6 times too wide
    at 300 images.

    Raises:
        SettingsError: fewer images than features or than 100.
    """
    judge = standard.judge
    protocol = standard.protocol(len(seen.features))
    return (
        _classifier_score(seen.logits, judge, protocol),
        _fid(seen.features, judge, protocol, seed),
        _kid(seen.features, judge, protocol, seed),
    )


def _classifier_score(logits: Tensor, judge: Judge, protocol: Protocol) -> Score:
    """exp(E KL(p(y|x) ‖ p(y))) over all images at once; Barratt & Sharma 2018 on why it is no Inception score here."""
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    # A confident classifier's smaller probabilities would be 0, and 0·log 0 no number.
    log_p = log_softmax(logits.double(), dim=1).clamp_min(-600)
    value = isc_features_to_metric(log_p, splits=1, shuffle=False)[KEY_METRIC_ISC_MEAN]
    p = log_p.exp().numpy()
    certain = (p * log_p.numpy()).sum(axis=1)
    left = np.array([1 - np.isin(np.arange(len(p)), group) for group in _groups(len(p))], float)
    left /= left.sum(axis=1, keepdims=True)
    mixed = left @ p
    found = np.exp(left @ certain - (mixed * np.log(np.maximum(mixed, 1e-300))).sum(axis=1))
    return Score("Classifier score", value, *_around(value, found), True, protocol, best=float(judge.classes))


def _fid(features: Tensor, judge: Judge, protocol: Protocol, seed: int) -> Score:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    def distance(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
        return float(fid_statistics_to_metric(one, other, False)[KEY_METRIC_FID])

    real = fid_features_to_statistics(judge.reference.double())
    value = distance(fid_features_to_statistics(features.double()), real)
    order = torch.randperm(len(judge.reference), generator=torch.Generator().manual_seed(seed))
    halves = [fid_features_to_statistics(judge.reference[half].double()) for half in order.chunk(2)]
    found = np.array([distance(one, real) for one in _without_groups(features.double().numpy())])
    return Score("FID", value, *_around(value, found), False, protocol, floor=distance(*halves), best=0.0)


def _kid(features: Tensor, judge: Judge, protocol: Protocol, seed: int) -> Score:
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    size = min(KID_SIZE, len(features) // 2, len(judge.reference) // 2)
    options = {"kid_subsets": KID_SUBSETS, "kid_subset_size": size, "rng_seed": seed, "verbose": False}
    found = kid_features_to_metric(features, judge.reference, **options)
    order = torch.randperm(len(judge.reference), generator=torch.Generator().manual_seed(seed))
    floor = kid_features_to_metric(*(judge.reference[half] for half in order.chunk(2)), **options)
    value = found[KEY_METRIC_KID_MEAN]
    spread = NORMAL * found[KEY_METRIC_KID_STD] / KID_SUBSETS**0.5
    return Score(
        "KID", value, value - spread, value + spread, False, protocol, floor=floor[KEY_METRIC_KID_MEAN], best=0.0
    )


def _groups(count: int) -> list[np.ndarray]:
    """Row numbers of GROUPS groups as equal as can be."""
    return np.array_split(np.arange(count), GROUPS)


def _around(value: float, without: np.ndarray) -> tuple[float, float]:
    """95 % interval of a value from what it is without each group."""
    reach = NORMAL * float(((len(without) - 1) * without.var()) ** 0.5)
    return value - reach, value + reach


def _without_groups(points: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Mean and covariance without each group, as torch-fidelity names them, from sums over the groups."""
    centre = points.mean(axis=0)  # keeps the digits that sums of squares would lose
    centred = points - centre
    total, squares = centred.sum(axis=0), centred.T @ centred
    for group in _groups(len(points)):
        part = centred[group]
        count = len(points) - len(group)
        mean = (total - part.sum(axis=0)) / count
        sigma = (squares - part.T @ part - count * np.outer(mean, mean)) / (count - 1)
        yield {"mu": mean + centre, "sigma": sigma}
