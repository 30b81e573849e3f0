"""The picture of a model: a card with some of its images."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from theme.html import part

from rgan.common.images import grid, png
from rgan.report.parts import Picture


def card(name: str, title: str, words: str, images: np.ndarray) -> Markup:
    """HTML of a model's card: samples, name, how it was trained."""
    picture = Picture(png(grid(images, 12, scale=2)), f"{len(images)} samples of {name}")
    return part("board.html", "card", picture, name, (title, words))
