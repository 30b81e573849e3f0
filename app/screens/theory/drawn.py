"""A loss over a line that somebody has drawn, and where P₀ has mass: as they stand in the address."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from rgan.theory.worst_distribution import Ground, Vector

PLACES = np.linspace(-3, 3, 121)
KNOTS = 25  # heights that are drawn, as many of PLACES apart; between them the curve neither overshoots nor turns
HEIGHTS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of a knot, from 0 to 1
LOSSES = {
    "Two hills": "79bccb97543334579dhnuyyumb4",
    "A cliff": "2222222333344567uwwwwwwww",
    "A bowl": "zskd84200000000000248dksz",
    "A needle": "444444444444444444z444444",
}
LOSSES = {name: one[:KNOTS].ljust(KNOTS, one[-1]) for name, one in LOSSES.items()}
STARTS = (7, 9, 10)  # knots where P₀ has mass at first
MOST_STARTS = 8


class Drawn(NamedTuple):
    """knots: heights 0 to 1 (KNOTS,). starts: knots where P₀ has mass, an equal part each. understood: whether the
    address could be read; where not, the usual stands here."""

    knots: Vector
    starts: tuple[int, ...]
    understood: bool

    @property
    def ground(self) -> Ground:
        """On PLACES."""
        step = (len(PLACES) - 1) // (KNOTS - 1)
        mass = np.full(len(self.starts), 1 / len(self.starts))
        loss = PchipInterpolator(PLACES[::step], self.knots)(PLACES)
        return Ground(PLACES, loss, step * np.array(self.starts), mass)


def read(curve: str, starts: str) -> Drawn:
    """From the parameters of the address; empty ones are the usual."""
    curve_fits = len(curve) == KNOTS and set(curve) <= set(HEIGHTS)
    knots = curve if curve_fits else next(iter(LOSSES.values()))
    words = starts.split(",")[: MOST_STARTS + 1]
    at = sorted({int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 3})
    starts_fit = 0 < len(at) <= MOST_STARTS and at[-1] < KNOTS and len(at) == len(words)
    return Drawn(
        np.array([HEIGHTS.index(one) for one in knots]) / (len(HEIGHTS) - 1),
        tuple(at) if starts_fit else STARTS,
        (curve_fits or not curve) and (starts_fit or not starts),
    )
