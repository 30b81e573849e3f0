"""What worst noise does to a model: at one radius, along curves, minimal radii, checks, failures (Figure 5).

`rgan.robustness(gan, …)`, a call of this package, measures all of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rgan.metrics.judges import Judge
    from rgan.models.gan import Gan
    from rgan.robustness.summary import Robustness


class _Package(ModuleType):
    """The public face has a function of the package's name."""

    def __call__(
        self,
        *gans: Gan,
        radius: float = 1.0,
        price: float = 0.0,
        samples: int = 128,
        pool: int = 512,
        seed: int = 0,
        budget: str | int = "standard",
        names: Sequence[str] = (),
        judge: Judge | None = None,
        device: str = "auto",
    ) -> Robustness:
        """All that is measured of one Gan, or of two with the same noise: what `python -m rgan report` writes.

        Args:
            radius: ε of the attack. price: λ. samples: for the control, the checks and each draw of the curves. pool:
                noise to look for failures in.
            budget: "live" (10 gradients a sample), "standard" (200), "strong" (2,000), or a number.
            names: of the Gans, for sentences. judge: by default the one for their data.

        Returns:
            Plain results without a network; `headline.words` says in a sentence what they allow to say.

        Raises:
            SettingsError: no Gan or more than two, of different numbers of noise dimensions, or impossible numbers.
            CheckpointError: a Gan has no critic, or there is no judge for the data.
        """
        from rgan.attack.search import budget_of
        from rgan.metrics.judges import first
        from rgan.robustness.measured import JudgedGan
        from rgan.robustness.summary import Asked, examine

        judge = judge or first([gan.trained_on for gan in gans])
        asked = Asked(radius, price, budget_of(budget), samples, pool, seed)
        judged_gans = [JudgedGan(gan, judge, device) for gan in gans]
        *_, last = examine(judged_gans, names or ["A", "B"][: len(gans)], asked)
        assert last.found is not None
        return last.found


sys.modules[__name__].__class__ = _Package
