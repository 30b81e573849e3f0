"""How a model learned, to look at without its run: pictures of the same noise over the iterations, and the curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rgan.common import answers
from rgan.common.images import webp
from rgan.models.gan import Gan
from rgan.training.runs import COLUMNS, SCALE, SHOWN, Record

VERSION = 1  # of the way it is kept
MOMENTS, ROWS, POINTS = 25, 2, 200  # pictures, rows of images in each, and points of the curves


@dataclass(frozen=True)
class Learned:
    """Of one model: seconds of training, pictures (a WebP each) at `iterations`, and the curves' points."""

    seconds: float
    iterations: tuple[int, ...]
    pictures: tuple[np.ndarray, ...]
    history: tuple[dict[str, float], ...]


def question(gan: Gan) -> dict[str, Any]:
    """What `learned` answers, as `rgan.common.answers` has it."""
    return answers.question("learned", VERSION, [(gan.digest,)])


def learned(run: Record) -> Learned:
    """Of a run that has ended: some of its pictures, spaced as they are, the last among them.

    Raises:
        OSError: a picture cannot be read.
    """
    shown = np.linspace(0, len(run.images) - 1, min(MOMENTS, len(run.images))).round().astype(int)
    chosen = [run.images[k] for k in shown]
    kept = np.linspace(0, len(run.history) - 1, min(POINTS, len(run.history))).round().astype(int)
    scored = {k for k, row in enumerate(run.history) if "score" in row}  # few, and each is wanted
    return Learned(
        run.seconds,
        tuple(at for at, _ in chosen),
        tuple(np.frombuffer(webp(_rows(path)), np.uint8) for _, path in chosen),
        tuple(run.history[k] for k in sorted({*kept.tolist(), *scored})),
    )


def _rows(path: Path) -> np.ndarray:
    """The first rows of a run's picture, uint8 (H, W, C), as large as the images are."""
    from PIL import Image

    picture = np.asarray(Image.open(path).convert("RGB"))[::SCALE, ::SCALE]
    return picture[: round(len(picture) * ROWS / -(-SHOWN // COLUMNS))]
