"""Embeddings: t-SNE's processor time over scikit-learn's, UMAP's compilation, and the screen's first picture.

tsne_over_sklearn: processor seconds of a fit of 500 real and 500 generated digits over those of scikit-learn's TSNE
with the same perplexity and start, on one thread; trust_tsne, trust_sklearn: the trustworthiness of both pictures.
umap_first_over_later: what compiling adds to the first UMAP of a process. first_picture_over_floor: from opening panel
(c) for a seed nobody has asked for to its picture, over the same with everything known already.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from measure import ratio, report
from serving import ROOT, Server, chromium
from threadpoolctl import threadpool_limits

from rgan.embedding.figure4 import Choice, panel
from rgan.embedding.projections import Layout, fit
from rgan.models import checkpoints

ROUNDS = 3
CHART = "[class*='st-key-map-c-'] .js-plotly-plot .point"


def processor_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def methods() -> dict[str, float]:
    from sklearn.manifold import TSNE, trustworthiness

    gans = [checkpoints.load(ROOT / f"checkpoints/digits-dcgan{end}.safetensors") for end in ("", "-robust")]
    made = panel("c", *gans, Choice())
    first, second = made.first.sample.points, made.second.sample.points
    points = np.concatenate([first, second])

    def ours() -> np.ndarray:
        drawn = fit(first, second, Layout("tsne", neighbours=30))
        return np.concatenate([drawn.first, drawn.second])

    def peers() -> np.ndarray:
        with threadpool_limits(1):
            return TSNE(perplexity=30, init="pca", random_state=0).fit_transform(points)

    trust = {f"trust_{name}": trustworthiness(points, call()) for name, call in (("tsne", ours), ("sklearn", peers))}
    seconds = [(processor_seconds(ours), processor_seconds(peers)) for _ in range(ROUNDS)]
    umap = [processor_seconds(lambda: fit(first, second, Layout("umap", neighbours=15))) for _ in range(3)]
    return {
        "tsne_seconds": statistics.median(one for one, _ in seconds),
        "tsne_over_sklearn": ratio(*zip(*seconds, strict=True)),
        **trust,
        "umap_first_over_later": umap[0] / min(umap[1:]),
    }


def first_picture() -> dict[str, float]:
    server = Server()
    server.start()
    known, new = [], []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1200})

        def seconds(seed: int) -> float:
            page.goto("about:blank")
            started = time.perf_counter()
            page.goto(f"{server.address}/embeddings?panel=c+real+and+A&map=PCA&seed={seed}")
            page.wait_for_selector(CHART, timeout=120_000)
            return time.perf_counter() - started

        seconds(0)
        page.wait_for_selector(".tests", timeout=120_000)
        page.wait_for_timeout(30_000)  # UMAP is compiled in the background once the page stands still
        for seed in range(1, 1 + 2 * ROUNDS):
            new.append(seconds(seed))
            page.wait_for_selector(".tests", timeout=120_000)
            known.append(seconds(seed))
    server.stop()
    return {
        "floor_seconds": statistics.median(known),
        "first_picture_seconds": statistics.median(new),
        "first_picture_over_floor": ratio(new, known),
    }


def main() -> None:
    torch.set_num_threads(1)
    report("embeddings", methods() | first_picture())


if __name__ == "__main__":
    main()
