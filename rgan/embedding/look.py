"""A panel of Figure 4 as it is looked at: its points' names and images without the points, which may be large.

What is shown of a panel are three results, each found again by its own question: the look, the tests, the drawings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rgan.common import answers
from rgan.common.images import from_webp, tiles, webp
from rgan.embedding.figure4 import Choice, Panel, Tested, relevant
from rgan.embedding.projections import Layout
from rgan.models.gan import Gan
from rgan.robustness.finding import Finding

POINTS = 250  # of each cloud at first; the paper draws 500
_OUTCOME = {
    "supported": "So it is here.",
    "not supported": "Not so here.",
    "undecided": "Here that cannot be said.",
}
_OUTCOMES = {"supported": "bear out", "not supported": "contradict", "undecided": "leave open"}
VERSION = 1  # of the way panels are made, tested and drawn


@dataclass(frozen=True)
class Look:
    """Of two clouds: label, number of points, and the noise's seed of each, None for real images.

    space: words for what the coordinates are. picture: a WebP of all images, the first cloud's first, `columns` a row,
    each of `size` (height, width).
    """

    letter: str
    side: str
    space: str
    labels: tuple[str, str]
    counts: tuple[int, int]
    seeds: tuple[int | None, int | None]
    picture: np.ndarray
    columns: int
    size: tuple[int, int]

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of each cloud's points."""
        first, second = (
            tuple(f"{label} {k}" for k in range(count)) for label, count in zip(self.labels, self.counts, strict=True)
        )
        return first, second

    def images(self, index: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images, uint8 (n, H, W, 3), by their numbers among all."""
        sheet, (height, width) = from_webp(self.picture.tobytes()), self.size
        places = [(k // self.columns * height, k % self.columns * width) for k in index]
        return np.stack([sheet[top : top + height, left : left + width] for top, left in places])


def look(made: Panel) -> Look:
    """Of a panel."""
    images = np.concatenate([made.first.images, made.second.images])
    sheet, columns = tiles(images)
    height, width = images.shape[1:3]
    return Look(
        made.letter,
        made.choice.side,
        made.space,
        (made.first.label, made.second.label),
        (len(made.first.names), len(made.second.names)),
        (made.first.seed, made.second.seed),
        np.frombuffer(webp(sheet), np.uint8),
        columns,
        (height, width),
    )


def finding(found: Mapping[str, Tested]) -> Finding:
    """What the paper reads from panels, by letter, that these models bear out."""
    if len(found) == 1:
        ((_, one),) = found.items()
        return Finding(f"{one.claim.paper} {_OUTCOME[one.claim.outcome]}", (one.claim.because.rstrip("."),))
    parts = []
    for outcome, words in _OUTCOMES.items():
        letters = [f"({letter})" for letter, one in found.items() if one.claim.outcome == outcome]
        if letters:
            parts.append(f"{words} {' and '.join(filter(None, [', '.join(letters[:-1]), letters[-1]]))}")
    return Finding(f"Of what the paper reads from its Figure 4, these two models {'; '.join(parts)}.")


def question(what: str, letter: str, gans: tuple[Gan, Gan], choice: Choice, **settings: Any) -> dict[str, Any]:
    """What a result on a panel answers, as `rgan.common.answers` has it; only what touches the panel counts."""
    of = gans if letter != "a" else (gans["AB".index(choice.side)],)
    models = [(gan.digest,) for gan in of]
    return answers.question(what, VERSION, models, letter=letter, choice=relevant(letter, choice), **settings)


def drawing_question(
    letter: str, gans: tuple[Gan, Gan], choice: Choice, layout: Layout, *, what: str = "main", arrows: bool = False
) -> dict[str, Any]:
    """The same of a drawing: "main", or "control"."""
    return question("drawing", letter, gans, choice, layout=layout, of=what, arrows=arrows)
