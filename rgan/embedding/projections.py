"""Samples of points on a plane or in space: PCA, t-SNE and UMAP of two samples together, the same for the same seed.

Only PCA keeps distances. What t-SNE and UMAP draw shows neighbourhoods: sizes, gaps and shapes mean nothing by
themselves (Wattenberg, Viégas & Johnson 2016), so nothing here is a test; those are in `two_sample`.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rgan.common import files
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.formatting import per_cent

Report = Callable[[float], None]  # share done, 0 to 1

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
NEIGHBOURS = {"pca": 30, "tsne": 30, "umap": 15}  # usual ones
_TSNE_STEPS = (250, 500)  # of early exaggeration and after it: openTSNE's own
_PLACING_STEPS = 250  # of openTSNE's `transform`
_UMAP = threading.Lock()  # numba's simplest threading layer ends the process when two threads enter it
_REPORT_EVERY = 25


@dataclass(frozen=True)
class Layout:
    """How to draw: method, dimensions (2 or 3), neighbours (t-SNE's perplexity, UMAP's n_neighbors), seed."""

    method: str = "tsne"
    dimensions: int = 2
    neighbours: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("method", self.method, tuple(METHODS))
        number_between("dimensions", self.dimensions, 2, 3)
        number_between("neighbours", self.neighbours, 2, 1000)
        number_between("seed", self.seed, 0, 2**31 - 1)

    def other_scale(self, count: int) -> Layout | None:
        """The same with a clearly different number of neighbours, for `count` points; None for PCA."""
        if self.method == "pca":
            return None
        return dataclasses.replace(self, neighbours=5 if self.neighbours >= 15 else min(50, (count - 1) // 3))

    @property
    def title(self) -> str:
        """ "t-SNE, perplexity 30"."""
        scale = {"pca": "", "tsne": f", perplexity {self.neighbours}", "umap": f", {self.neighbours} neighbours"}
        return METHODS[self.method] + scale[self.method]


@dataclass(frozen=True)
class Embedding:
    """Two samples as drawn, (n, k) and (m, k), and where each of their points started, if that was asked for.

    axes: words for each axis of PCA; empty for the others, whose axes mean nothing.
    """

    layout: Layout
    first: np.ndarray
    second: np.ndarray
    starts: tuple[np.ndarray | None, np.ndarray | None]
    axes: tuple[str, ...] = ()


def fit(
    first: np.ndarray,
    second: np.ndarray,
    layout: Layout,
    *,
    starts: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    report: Report | None = None,
) -> Embedding:
    """Embed two samples (n, d) and (m, d) together; labels play no part.

    Args:
        starts: where points of either sample were before they moved, (n, d): placed into the finished picture, which
            they do not change.
        report: called now and then with the share that is done.

    Raises:
        SettingsError: more neighbours than the points allow.
    """
    from threadpoolctl import threadpool_limits

    points = np.concatenate([first, second]).astype(np.float32)
    most = (len(points) - 1) // 3 if layout.method == "tsne" else len(points) - 1
    if layout.method != "pca" and layout.neighbours > most:
        raise SettingsError(
            f"expected at most {most} neighbours for {len(points)} points, got {layout.neighbours}; "
            "choose fewer, or more points"
        )
    wanted = [one for one in starts if one is not None]
    more = np.concatenate(wanted).astype(np.float32) if wanted else None
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn, placed, axes = _FITS[layout.method](points, more, layout, report or (lambda _: None))
    rest = iter(np.split(placed, np.cumsum([len(one) for one in wanted])[:-1]) if placed is not None else [])
    places = tuple(None if one is None else next(rest) for one in starts)
    if report:
        report(1.0)
    return Embedding(layout, drawn[: len(first)], drawn[len(first) :], (places[0], places[1]), axes)


def rows(drawn: Embedding, names: tuple[Sequence[str], Sequence[str]]) -> list[dict[str, object]]:
    """The picture as a table: a row a point with its name and coordinates x, y (and z)."""
    return [
        {"name": name, **dict(zip("xyz", map(float, place), strict=False))}
        for words, sample in zip(names, (drawn.first, drawn.second), strict=True)
        for name, place in zip(words, sample, strict=True)
    ]


def as_csv(drawn: Embedding, names: tuple[Sequence[str], Sequence[str]]) -> bytes:
    """`rows` as a CSV file."""
    return files.as_csv(rows(drawn, names))


def pace(layout: Layout) -> float:
    """Processor seconds of a fit in this process for each unit of `_work`; see `seconds`. Compiles UMAP (10 s or more).

    Measured on 400 points, the second time: the first imports and compiles.
    """
    points = np.random.default_rng(0).standard_normal((400, 32))
    small = dataclasses.replace(layout, neighbours=min(layout.neighbours, 100))
    for _ in range(2):
        started = time.thread_time()
        fit(points[:200], points[200:], small)
        taken = time.thread_time() - started
    return taken / _work(len(points))


def seconds(pace: float, count: int) -> float:
    """How long a fit of `count` points takes on a free core, at `pace`: the work grows as n·ln n."""
    return pace * _work(count)


def _work(count: int) -> float:
    return count * math.log(count)


_Drawn = tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]


def _pca(points: np.ndarray, more: np.ndarray | None, layout: Layout, report: Report) -> _Drawn:
    from sklearn.decomposition import PCA

    model = PCA(layout.dimensions, random_state=layout.seed)
    drawn = model.fit_transform(points)
    axes = tuple(
        f"PC {k + 1}, {per_cent(share, 0)} of variance" for k, share in enumerate(model.explained_variance_ratio_)
    )
    return drawn, None if more is None else model.transform(more), axes


def _tsne(points: np.ndarray, more: np.ndarray | None, layout: Layout, report: Report) -> _Drawn:
    """openTSNE with Barnes-Hut and exact neighbours: at these sizes half the time of scikit-learn's."""
    from openTSNE import TSNE

    total = sum(_TSNE_STEPS) + (0 if more is None else _PLACING_STEPS)
    done = 0

    def tell(*_: object) -> None:
        nonlocal done
        done += _REPORT_EVERY
        report(min(done / total, 1.0))

    model = TSNE(
        layout.dimensions,
        perplexity=layout.neighbours,
        initialization="pca",
        neighbors="exact",
        negative_gradient_method="bh",
        early_exaggeration_iter=_TSNE_STEPS[0],
        n_iter=_TSNE_STEPS[1],
        random_state=layout.seed,
        n_jobs=1,
        callbacks=tell,
        callbacks_every_iters=_REPORT_EVERY,
    ).fit(points)
    drawn = np.array(model)
    if more is None:
        return drawn, None, ()
    placed = np.array(model.transform(more))
    return drawn, placed + (drawn - model).mean(axis=0), ()  # placing points moves the picture itself


def _umap(points: np.ndarray, more: np.ndarray | None, layout: Layout, report: Report) -> _Drawn:
    from umap import UMAP

    with _UMAP:
        model = UMAP(layout.neighbours, n_components=layout.dimensions, random_state=layout.seed, n_jobs=1)
        report(0.0)
        drawn = model.fit_transform(points)
        return drawn, None if more is None else model.transform(more), ()


_FITS = {"pca": _pca, "tsne": _tsne, "umap": _umap}
