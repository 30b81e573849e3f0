"""Two Gans under the same attack from the same noise: which loses less, and whether that may be said."""

from __future__ import annotations

from dataclasses import dataclass

from rgan.attack.perturbation import Perturbation, which_loses_less
from rgan.robustness.checks import Strength, strength, too_weak
from rgan.stats.intervals import Interval, mean_interval


@dataclass(frozen=True)
class Comparison:
    """Two Gans under worst noise from the same noise, by the same attack.

    difference: what worst noise adds to B's objective beyond what it adds to A's, mean over samples: above 0, B loses
    more. strength: how much of the worst noise each search finds, by "A" and "B"; empty where that was not measured.
    words: all of it in sentences, without a verdict where a search finds too little.
    """

    a: Perturbation
    b: Perturbation
    difference: Interval
    strength: dict[str, Strength]

    @property
    def words(self) -> str:
        """What may be said."""
        if weak := too_weak(self.strength):
            return " ".join(f"No verdict: {why}" for why in weak)
        found = strength({side: one.words for side, one in self.strength.items()})
        return f"{which_loses_less(self.a, self.b, ('A', 'B'))} {found}".rstrip()


def compared(a: Perturbation, b: Perturbation, strength: dict[str, Strength]) -> Comparison:
    """Sample by sample; both are of the same objective and noise."""
    return Comparison(a, b, mean_interval(b.gain - a.gain), strength)
