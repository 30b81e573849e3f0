"""A few images on a small sheet, by which people know a model before they read its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rgan.common import answers
from rgan.common.images import grid, to_uint8, webp
from rgan.models.gan import Gan

VERSION = 1  # of the way it is made
COLUMNS, ROWS = 4, 2  # of images
SIDE = 64  # pixels of an image at most
SEED = 0  # of their noise


@dataclass(frozen=True)
class Portrait:
    """One model's sheet: bytes of a WebP, uint8 (n,)."""

    sheet: np.ndarray


def question(digest: str) -> dict[str, Any]:
    """What `portrait` of the model with this digest answers, as `rgan.common.answers` has it."""
    return answers.question("portrait", VERSION, [(digest,)])


def portrait(gan: Gan) -> Portrait:
    """Its first images of seed 0, of all classes in turn; those of more than `SIDE` pixels are made smaller."""
    images = to_uint8(gan.first_images(COLUMNS * ROWS, SEED))
    if images.shape[1] > SIDE:
        images = _smaller(images)
    return Portrait(np.frombuffer(webp(grid(images, COLUMNS, gap=0)), np.uint8))


def _smaller(images: np.ndarray) -> np.ndarray:
    from PIL import Image

    colour = images if images.shape[-1] == 3 else images[..., :1].repeat(3, axis=-1)
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BOX)) for one in colour])
