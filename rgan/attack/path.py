"""Worst noise along a whole range of ε while someone watches.

`LivePath` holds the answers for one Gan, one noise and one λ. Moving ε reads them (`at`); `advance` improves the
answer at one ε for a slice of time and may turn to another ε at any moment. Where a search ends does not depend on
which ε was looked at before, so a link that names the settings reopens the same picture.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, JUDGE, OBJECTIVES, check_method, objective_for
from rgan.attack.search import BUDGETS, Attack, WorstNoise, between, look_up, losses, merge
from rgan.common.errors import SettingsError, one_of
from rgan.metrics.judges import ATTACKED, shipped
from rgan.models.gan import Gan

GRID = (0.0025, 0.025, 0.125, 0.25, 0.5, 0.75, 1.0)  # explored radii as fractions of the largest

MAX_ROWS = 256
GAIN = 3.0  # of the amplified differences


@dataclass(frozen=True)
class Request:
    """What to look at: the noise (count and seed), the search, and the largest ε of the range.

    rows: instead of the first `samples` rows of the seed's noise, these. objective: what is raised, one of OBJECTIVES.
    judge: the data set whose shipped judge measures the distance, where that is raised.
    """

    samples: int
    seed: int
    price: float
    gradients: int
    method: str
    keep_shell: bool
    reach: float
    rows: tuple[int, ...] = ()
    objective: str = CRITIC
    judge: str = ""

    def __post_init__(self) -> None:
        one_of("what the search raises", self.objective, OBJECTIVES)
        check_method(self.objective, self.method)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the samples."""
        return self.rows or tuple(range(self.samples))

    @property
    def count(self) -> int:
        return len(self.rows) or self.samples

    def noise(self, gan: Gan) -> Tensor:
        """z, (count, latent)."""
        return (
            gan.noise(max(self.rows) + 1, self.seed)[list(self.rows)]
            if self.rows
            else gan.noise(self.samples, self.seed)
        )

    def attack(self, *radii: float) -> Attack:
        return Attack(radii, self.price, self.gradients, self.method, self.keep_shell)


class LivePath:
    """All that is known of one Gan's worst noise under one request. Not for two threads at once."""

    def __init__(self, gan: Gan, request: Request, *, device: str = "auto", precision: str = "auto"):
        self.token = uuid.uuid4().hex  # tells this path from all others
        self.request = request
        self.z = request.noise(gan)
        judge = shipped(request.judge, ATTACKED) if request.objective == JUDGE else None
        self.objective = objective_for(
            gan.of_samples(request.numbers), request.objective, self.z, judge=judge, device=device, precision=precision
        )
        loss = losses(self.objective.loss, self.z)
        # Known answers over the range: at first r = 0, then a scout's at one ε, at last the explored grid's.
        self._known = WorstNoise(
            request.attack(0.0), self.z, torch.zeros_like(self.z)[None], loss[None], loss, 0, 0.0, done=True
        )
        self._scouted = False
        self._exploring: Iterator[WorstNoise] | None = self._explore(self._known)
        self._found: dict[float, WorstNoise] = {}
        self._asked: float | None = None  # where `advance` was last
        self._running: tuple[float, Iterator[WorstNoise | None]] | None = None
        self._latest: WorstNoise | None = None
        self._between: WorstNoise | None = None  # the last answer between radii

    def at(self, radius: float) -> WorstNoise:
        """The answer known at `radius`, at once: a finished or running search's, or one between neighbouring radii."""
        if radius in self._found:
            return self._found[radius]
        if self._latest is not None and self._latest.attack.radii == (radius,):
            return self._latest
        if self._between is None or self._between.attack.radii != (radius,):
            noise = between(self._known, radius)
            loss = losses(self.objective.loss, self.z + noise)
            self._between = dataclasses.replace(
                self._known,
                attack=self.request.attack(radius),
                noise=noise[None],
                loss=loss[None],
                done=radius == 0,
            )
        return self._between

    def finished(self, radius: float) -> bool:
        """Whether the search at `radius` has ended."""
        return radius == 0 or radius in self._found

    def noise_at(self, radius: float) -> Tensor:
        """r (N, d) of `at`, without judging it; also while another thread advances."""
        known = self._found.get(radius, self._latest)
        if known is not None and known.attack.radii == (radius,):
            return known.noise[-1]
        return between(self._known, radius)

    def advance(self, radius: float, seconds: float) -> bool:
        """Search at `radius` for about `seconds`, at least one step; whether there is more to do.

        The first call at another radius returns at once where `at` has an answer to draw already.
        """
        moved, self._asked = radius != self._asked, radius
        if radius == 0:
            return False
        if moved and self._scouted:
            return True
        if radius in self._found:
            return False
        if self._running is None or self._running[0] != radius:
            self._running, self._latest = (radius, self._search(radius)), None
        end = time.perf_counter() + seconds
        for state in self._running[1]:
            if state is not None:
                self._latest = state
            if time.perf_counter() >= end:
                break
        return not self.finished(radius)

    def _search(self, radius: float) -> Iterator[WorstNoise | None]:
        """All steps of a search at `radius`, with what to draw after each, or None where there is no news.

        The first search under a request scouts from r = 0, for a picture at once, and then explores the whole range.
        Every search ends by climbing from the range's own answer at `radius`.
        """
        if self._exploring is not None:
            if not self._scouted:
                for state in self._steps(radius, most=BUDGETS["live"]):
                    if state.done:
                        self._scouted = True
                        self._learn(merge(self._known, state))
                    yield dataclasses.replace(state, done=False)
            yield from (None for _ in self._exploring)
            self._exploring = None
        start = look_up(self.objective.loss, self._known, radius).noise if self.request.method == "ascent" else None
        for state in self._steps(radius, start=start):
            if state.done:
                self._found[radius] = state
            yield state

    def _explore(self, origin: WorstNoise) -> Iterator[WorstNoise]:
        """Search the whole range in one batch; its answers and `origin` (r = 0) replace the scout's."""
        # Two decimals: the slider's own positions.
        radii = sorted({max(0.01, round(share * self.request.reach, 2)) for share in GRID})
        for state in self._steps(*radii, most=BUDGETS["live"]):
            if state.done:
                self._learn(merge(origin, state))
            yield state

    def _learn(self, known: WorstNoise) -> None:
        self._known, self._between = known, None

    def _steps(self, *radii: float, start: Tensor | None = None, most: int = sys.maxsize) -> Iterator[WorstNoise]:
        attack = self.request.attack(*radii)
        attack = dataclasses.replace(attack, gradients=min(attack.gradients, most))
        return self.objective.search(self.z, attack, seed=self.request.seed, start=start)


def parse_rows(text: str, most: int = MAX_ROWS) -> tuple[int, ...]:
    """Row numbers of noise from "3, 17 250" or "5-9, 12", in rising order.

    Raises:
        SettingsError: something else stands there, a number above 99,999, or more than `most` of them.
    """
    rows: set[int] = set()
    for word in re.sub(r"\s*[-–]\s*", "-", text).replace(",", " ").split():
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", word, re.ASCII)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        rows |= set(range(first, last + 1))
        if last < first or len(rows) > most:
            raise SettingsError(
                f"expected up to {most} sample numbers below 100,000, such as “3, 17, 250” or “5-9”, got "
                f"“{text[:60]}”; correct it, or leave it empty for the first ones"
            )
    return tuple(sorted(rows))


def reach(gan: Gan) -> float:
    """The largest ε offered: half the prior's radius, in hundredths."""
    return math.floor(gan.prior_radius * 50) / 100
