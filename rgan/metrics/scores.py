"""Scores of generated images: classifier or Inception score (IS), FID and KID, each with its protocol.

The values are torch-fidelity's. A score depends on the features, the number of images and the real set as much as on
the generator: scores of different protocols must not be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from rgan.common.errors import DataError, SettingsError
from rgan.common.images import to_uint8
from rgan.data import datasets
from rgan.metrics import inception
from rgan.metrics.judges import Judge
from rgan.stats.intervals import jackknife_reach, student

PUBLISHED_IMAGES, PUBLISHED_SPLITS = 50_000, 10  # of scores in papers
KID_SUBSETS, KID_SIZE = 100, 1000  # torch-fidelity's
NORMAL = 1.959964  # 97.5 % quantile
NARROW = 512  # features up to which an FID takes less than 0.1 s; of 2,048 it takes 3


@dataclass(frozen=True)
class Protocol:
    """What a score rests on: words for the features, numbers of generated and real images and of splits, the origin of
    the real ones. as_published: weights, images and splits are those of scores in papers. Scores may stand in one
    chart where their `key` is equal."""

    features: str
    images: int
    real: int
    origin: str
    splits: int
    as_published: bool
    key: str

    @property
    def words(self) -> str:
        """ "features of the digits judge (1a2b3c4d), 1,000 images against 359 held-out images of digits, 1 split; not
        comparable with papers"."""
        splits = "1 split" if self.splits == 1 else f"{self.splits} splits"
        papers = "weights, images and splits as in papers" if self.as_published else "not comparable with papers"
        return f"{self.features}, {self.images:,} images against {self.real:,} {self.origin}, {splits}; {papers}"


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval over noise. floor: what as many real images get against the same real ones (KID:
    one half against the other); best: the best possible value. Higher is better only where `higher` says so."""

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
    """What a classifier sees of images: features (N, F) and logits (N, K), float32."""

    features: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Standard:
    """What scores are held against.

    features, origin: words for the features and the real images; reference: these images' features (R, F); score: the
    name of the score of classes, computed in `splits` parts; look: images (N, C, H, W) in [−1, 1] → Seen; published:
    the features are those of scores in papers, with which PUBLISHED_IMAGES images in PUBLISHED_SPLITS splits can be
    compared; key: equal for equal standards only.
    """

    features: str
    reference: Tensor
    origin: str
    classes: int
    score: str
    splits: int
    look: Callable[[Tensor], Seen]
    published: bool
    key: str

    def protocol(self, count: int) -> Protocol:
        """That of scores of `count` images."""
        real = len(self.reference)
        alike = self.published and count >= PUBLISHED_IMAGES and self.splits == PUBLISHED_SPLITS
        key = f"{self.key}/{count}-{real}-{self.splits}"
        return Protocol(self.features, count, real, self.origin, self.splits, alike, key)

    @cached_property
    def statistics(self) -> dict[str, np.ndarray]:
        """Mean and covariance of `reference`, as torch-fidelity names them; of 50,000 images they take seconds."""
        return _statistics(self.reference)

    @cached_property
    def bias(self) -> float:
        """`fid_bias` of `reference`."""
        return fid_bias(self.reference)


def least(features: int) -> int:
    """Images that a score needs: more than there are features, and 100."""
    return max(100, features + 1)


def enough(count: int, features: int) -> None:
    """Raise SettingsError unless `count` images can be scored."""
    if count < least(features):
        raise SettingsError(
            f"expected at least {least(features):,} images to score by {features:,} features, got {count:,}; draw more"
        )


def by_judge(judge: Judge) -> Standard:
    """A judge's features of its held-out real images."""

    def look(images: Tensor) -> Seen:
        features = judge.features(images)
        with torch.no_grad():
            return Seen(features, judge.network.answers(judge.network.score(features))[0])

    apart = judge.facts.apart
    known = judge.digest or hashlib.sha256(judge.reference.numpy().tobytes()).hexdigest()
    return Standard(
        features=f"features of the {judge.data} judge ({judge.digest[:8] or 'unsaved'})",
        reference=judge.reference,
        origin=f"held-out images of {judge.data}{'' if apart else ' (its models were trained on them, too)'}",
        classes=judge.classes,
        score="Classifier score",  # no Inception score: Barratt & Sharma 2018
        splits=1,
        look=look,
        published=False,
        key=f"judge-{judge.data}-{known[:8]}",
    )


def by_inception(
    data_name: str,
    *,
    weights: str | Path | None,
    root: str | Path = "data",
    size: int,
    report: datasets.Report | None = None,
    device: torch.device | str = "cpu",
) -> Standard:
    """Inception's features of the training images of a data set, of inception.MOST where there are more.

    Args:
        data_name, root, size: as for `datasets.load`.
        weights: a file with torch-fidelity's weights; None fetches it.
        report: called while images are prepared or looked at, which takes long once and is then kept under `root`.

    Raises:
        DataError: the set cannot be read, or has fewer images than Inception has features.
        CheckpointError: the weights cannot be fetched or read, or are others.
    """
    data = datasets.load(data_name, size=size, root=root, report=report)
    if len(data.images) <= inception.FEATURES:
        raise DataError(
            f"expected more real images than Inception's {inception.FEATURES:,} features, got {len(data.images):,} of "
            f"{data.name}; score with a judge, whose features are fewer"
        )
    network = inception.load(weights, device)
    version = network.digest[:8]

    def look(images: Tensor) -> Seen:
        return Seen(*network.look(torch.from_numpy(to_uint8(images)).permute(0, 3, 1, 2)))

    return Standard(
        features=f"Inception's features ({version}{'' if network.published else ', not the published weights'})",
        reference=inception.reference(network, data, root, report),
        origin=f"training images of {data.name} at {size} pixels",
        classes=inception.CLASSES,
        score="Inception score",
        splits=PUBLISHED_SPLITS,
        look=look,
        published=network.published,
        key=f"inception-{version}-{data.name}-{size}-{data.fingerprint}",
    )


def scores(seen: Seen, standard: Standard, *, seed: int = 0) -> tuple[Score, ...]:
    """Classifier (or Inception) score, FID and KID of generated images against a standard's real ones.

    Intervals are over noise, the real images being given: jackknives over groups of the generated images (Efron &
    Tibshirani 1993, ch. 11), of a score in several splits over these, and of KID the infinitesimal one. A bootstrap
    repeats images, which changes their covariance: it made FID's interval 1.6 times too wide at 300 images.

    Args:
        seed: of KID's subsets, and of the halves of the real images for its floor.

    Raises:
        SettingsError: fewer images than features or than 100.
    """
    enough(*seen.features.shape)
    protocol = standard.protocol(len(seen.features))
    return (
        _classifier_score(seen.logits, standard, protocol),
        _fid(seen.features, standard, protocol),
        _kid(seen.features, standard.reference, protocol, seed),
    )


def values(seen: Seen, standard: Standard, *, seed: int = 0) -> dict[str, float]:
    """ "score", "fid" and "kid" alone: the values of `scores`, without intervals and floors, which take far longer.

    Args and errors are those of `scores`.
    """
    enough(*seen.features.shape)
    real = standard.reference
    return {
        "score": _mean_over_splits(seen.logits, standard.splits)[0],
        "fid": _frechet(_statistics(seen.features), standard.statistics),
        "kid": _mean_over_subsets(seen.features, real, _subset_size(seen.features, real), seed)[0],
    }


def fid_bias(real: Tensor) -> float:
    """b, such that n further real images are expected to have an FID of b · (1/n + 1/R) against these, features (R, F).

    FID is biased upwards, to first order by the inverse numbers of both sides (Chong & Forsyth 2020). b is measured on
    random halves of the real images against each other, the mean of several: one pair of halves of 359 digits says
    anything from 2.5 to 6.4.
    """
    draws = 20 if real.shape[1] <= NARROW else 2
    pairs = [halves(real, draw) for draw in range(draws)]
    return float(np.mean([frechet(one, other) / (1 / len(one) + 1 / len(other)) for one, other in pairs]))


def floor(standard: Standard, count: int) -> float:
    """The FID that `count` real images of the same law as the reference are expected to have against it."""
    return standard.bias * (1 / count + 1 / len(standard.reference))


def halves(real: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Real features (R, F) in two random parts, for what real images get against other real images."""
    one, other = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed)).chunk(2)
    return real[one], real[other]


def _classifier_score(logits: Tensor, standard: Standard, protocol: Protocol) -> Score:
    """exp(E KL(p(y|x) ‖ p(y))), the mean over splits."""
    value, deviation = _mean_over_splits(logits, protocol.splits)
    if protocol.splits > 1:  # independent samples
        freedom = protocol.splits - 1
        reach = student(freedom) * deviation / freedom**0.5
    else:
        reach = jackknife_reach(_scores_without_groups(_log_probabilities(logits).numpy()))
    best = float(standard.classes)
    return Score(standard.score, value, value - reach, value + reach, True, protocol, best=best)


def class_score(logits: Tensor) -> float:
    """The classifier score alone, of logits (N, K), in one part."""
    return _mean_over_splits(logits, 1)[0]


def _mean_over_splits(logits: Tensor, splits: int) -> tuple[float, float]:
    """The score's mean and standard deviation over splits."""
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

    found = isc_features_to_metric(_log_probabilities(logits), splits=splits, shuffle=False)  # noise is in no order
    return float(found[KEY_METRIC_ISC_MEAN]), float(found[KEY_METRIC_ISC_STD])


def _log_probabilities(logits: Tensor) -> Tensor:
    """Float64 (N, K); a confident classifier's smaller probabilities would be 0, and 0·log 0 no number."""
    return log_softmax(logits.double(), dim=1).clamp_min(-600)


def _fid(features: Tensor, standard: Standard, protocol: Protocol) -> Score:
    value, of_real = _frechet(_statistics(features), standard.statistics), floor(standard, len(features))
    rests = _statistics_without_groups(features.double().numpy())
    reach = jackknife_reach([_frechet(rest, standard.statistics) for rest in rests])
    return Score("FID", value, value - reach, value + reach, False, protocol, floor=of_real, best=0.0)


def frechet(features: Tensor, real: Tensor) -> float:
    """The FID alone, of features (N, F) against real ones (R, F)."""
    return _frechet(_statistics(features), _statistics(real))


def _statistics(features: Tensor) -> dict[str, np.ndarray]:
    from torch_fidelity.metric_fid import fid_features_to_statistics

    found: dict[str, np.ndarray] = fid_features_to_statistics(features.double())
    return found


def _frechet(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    return float(fid_statistics_to_metric(one, other, False)[KEY_METRIC_FID])


def _kid(features: Tensor, real: Tensor, protocol: Protocol, seed: int) -> Score:
    size = _subset_size(features, real)
    value, deviation = _mean_over_subsets(features, real, size, seed)
    of_real, _ = _mean_over_subsets(*halves(real, seed), size, seed)
    of_noise = 4 * _pulls(features.numpy(), real.numpy()).var() / len(features)
    of_subsets = deviation**2 / KID_SUBSETS
    reach = NORMAL * float(of_noise + of_subsets) ** 0.5
    return Score("KID", value, value - reach, value + reach, False, protocol, floor=of_real, best=0.0)


def _subset_size(features: Tensor, real: Tensor) -> int:
    """What the halves of the real images can give as well."""
    return min(KID_SIZE, len(features) // 2, len(real) // 2)


def _mean_over_subsets(features: Tensor, real: Tensor, size: int, seed: int) -> tuple[float, float]:
    """The KID's mean and standard deviation over random subsets of that size."""
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    options = {"kid_subsets": KID_SUBSETS, "kid_subset_size": size, "rng_seed": seed, "verbose": False}
    found = kid_features_to_metric(features, real, **options)
    return found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]


def _pulls(points: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Half the change of the squared distance, times N, that each of N images makes: its mean kernel with the other
    images less that with the real ones (N,)."""
    from torch_fidelity.metric_kid import kernel_poly

    found = []
    for rows in np.array_split(np.arange(len(points)), -(-len(points) // 256)):  # N² numbers would not fit
        near = kernel_poly(points[rows], points)
        near[np.arange(len(rows)), rows] = 0
        found.append(near.sum(axis=1) / (len(points) - 1) - kernel_poly(points[rows], real).mean(axis=1))
    return np.concatenate(found)


def _groups(count: int, width: int) -> list[np.ndarray]:
    """Row numbers of groups as equal as can be: 50, and 10 of wide features."""
    return np.array_split(np.arange(count), 50 if width <= NARROW else 10)


def _scores_without_groups(log_p: np.ndarray) -> list[float]:
    """exp(E KL(p(y|x) ‖ p(y))) without each group, from sums over the groups."""
    p = np.exp(log_p)
    certain = (p * log_p).sum(axis=1)
    left = np.array([1 - np.isin(np.arange(len(p)), group) for group in _groups(*p.shape)], float)
    left /= left.sum(axis=1, keepdims=True)
    mixed = left @ p
    return list(np.exp(left @ certain - (mixed * np.log(np.maximum(mixed, 1e-300))).sum(axis=1)))


def _statistics_without_groups(points: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Mean and covariance without each group, as torch-fidelity names them, from sums over the groups."""
    centre = points.mean(axis=0)  # keeps the digits that sums of squares would lose
    centred = points - centre
    total, squares = centred.sum(axis=0), centred.T @ centred
    for group in _groups(*points.shape):
        part = centred[group]
        count = len(points) - len(group)
        mean = (total - part.sum(axis=0)) / count
        sigma = (squares - part.T @ part - count * np.outer(mean, mean)) / (count - 1)
        yield {"mu": mean + centre, "sigma": sigma}
