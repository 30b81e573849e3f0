"""Worst noise along a whole range of ε while someone watches.

`LivePath` holds the answers for one Gan, one noise and one λ. Moving ε reads them (`at`); `search` improves the
answer at one ε step by step and may be dropped at any of them without losing what was found. Where a search ends
does not depend on which ε was looked at before, so a link that names the settings reopens the same picture.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.devices import choose_device, choose_dtype
from rgan.evidence import Comparison, compare, pixel_change, straight_path
from rgan.gan import Gan
from rgan.images import difference, to_uint8
from rgan.worst_case import Settings, WorstNoise, look_up, losses, merge, search

GRID = (0.0025, 0.025, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0)  # explored radii as fractions of the largest


@dataclass(frozen=True)
class Request:
    """What to look at: the noise (count and seed), the search, and the largest ε of the range."""

    samples: int
    seed: int
    price: float
    steps: int
    method: str
    restarts: int
    keep_shell: bool
    reach: float

    def settings(self, *radii: float) -> Settings:
        return Settings(radii, self.price, self.steps, self.method, self.restarts, self.keep_shell)


@dataclass(frozen=True)
class View:
    """One Gan at one ε, ready to be drawn: images uint8 (N, H, W, C), their noise, and the numbers.

    change_worst and change_random are the amplified differences from the original; `pixels` holds the root mean
    square change of worst and random images as fractions of the range from black to white, (N,) each.
    """

    comparison: Comparison
    original: np.ndarray
    worst: np.ndarray
    random: np.ndarray
    change_worst: np.ndarray
    change_random: np.ndarray
    pixels: tuple[Tensor, Tensor]
    z: Tensor
    step: int
    steps: int
    gradient_calls: int
    seconds: float
    done: bool


class LivePath:
    """All that is known of one Gan's worst noise under one request. Not for two threads at once."""

    def __init__(self, gan: Gan, request: Request, *, device: str = "auto", precision: str = "auto"):
        where = choose_device(device)
        self.request = request
        self.exact = gan.probe(device=where)
        self.fast = gan.probe(choose_dtype(precision, where), where)
        self.z = gan.noise(request.samples, request.seed)
        self._original = self.exact.images(self.z)
        loss = losses(self.exact.loss, self.z)
        # Known answers over the range: at first r = 0, then a scout's at one ε, at last the explored grid's.
        self._known = WorstNoise(
            request.settings(0.0), self.z, torch.zeros_like(self.z)[None], loss[None], loss, 0, 0, 0.0, done=True
        )
        self._scouted = False
        self._exploring: Iterator[WorstNoise] | None = self._explore(self._known)
        self._found: dict[float, WorstNoise] = {}

    @property
    def started(self) -> bool:
        """Whether `at` knows of any noise but the original."""
        return self._scouted

    def at(self, radius: float) -> WorstNoise:
        """The best answer known at `radius`, at once; `done` if a search at it has ended."""
        if radius in self._found:
            return self._found[radius]
        return dataclasses.replace(look_up(self.exact.loss, self._known, radius), done=radius == 0)

    def search(self, radius: float) -> Iterator[WorstNoise | None]:
        """Search at `radius` until nothing is left to do, yielding what to draw, or None after a step without news.

        The first search under a request scouts from r = 0, for a picture at once, and then explores the whole range.
        Every search ends by climbing from the range's own answer at `radius`.
        """
        if radius == 0 or radius in self._found:
            return
        if self._exploring is not None:
            if not self._scouted:
                for state in self._steps(radius):
                    if state.done:
                        self._known, self._scouted = merge(self._known, state), True
                    yield dataclasses.replace(state, done=False)
            yield from (None for _ in self._exploring)
            self._exploring = None
        start = self.at(radius).noise if self.request.method == "ascent" else None
        for state in self._steps(radius, start=start):
            if state.done:
                self._found[radius] = state
            yield state

    def stronger(self, radius: float) -> float | None:
        """The smaller searched radius with the largest mean loss, if that exceeds the one at `radius`.

        Ascent hardly ever has one; the one-step method does where it overshoots.
        """
        smaller = [k for k, known in enumerate(self._known.settings.radii) if known < radius]
        if not smaller:
            return None
        means = self._known.loss.mean(dim=1)
        best = max(smaller, key=lambda k: float(means[k]))
        return self._known.settings.radii[best] if means[best] > self.at(radius).loss.mean() else None

    def view(self, found: WorstNoise, *, gain: float = 3.0, best_of: bool = False) -> View:
        """Images and numbers for one answer of `at` or `search`."""
        comparison = compare(self.exact.loss, self.z, found, seed=self.request.seed, best_of=best_of)
        worst = self.exact.images(self.z + comparison.noise)
        random = self.exact.images(self.z + comparison.random_noise)
        return View(
            comparison=comparison,
            original=to_uint8(self._original),
            worst=to_uint8(worst),
            random=to_uint8(random),
            change_worst=difference(worst, self._original, gain),
            change_random=difference(random, self._original, gain),
            pixels=(pixel_change(worst, self._original), pixel_change(random, self._original)),
            z=self.z,
            step=found.step,
            steps=1 if self.request.method == "one-step" else self.request.steps,
            gradient_calls=found.gradient_calls,
            seconds=found.seconds,
            done=found.done,
        )

    def strip(self, view: View, sample: int, frames: int = 9) -> tuple[np.ndarray, Tensor]:
        """One sample from original to worst along the straight line: images (frames, H, W, C), losses (frames,)."""
        path = straight_path(self.z[sample], view.comparison.noise[sample], frames)
        return to_uint8(self.exact.images(path)), losses(self.exact.loss, path)

    def _explore(self, origin: WorstNoise) -> Iterator[WorstNoise]:
        """Search the whole range in one batch; its answers and `origin` (r = 0) replace the scout's."""
        # Two decimals: the slider's own positions.
        radii = sorted({max(0.01, round(share * self.request.reach, 2)) for share in GRID})
        for state in self._steps(*radii):
            if state.done:
                self._known = merge(origin, state)
            yield state

    def _steps(self, *radii: float, start: Tensor | None = None) -> Iterator[WorstNoise]:
        settings, seed = self.request.settings(*radii), self.request.seed
        return search(self.fast.loss, self.z, settings, seed=seed, exact=self.exact.loss, start=start)


def reach(gan: Gan) -> float:
    """The largest ε offered: half the prior's radius, in hundredths."""
    return math.floor(gan.prior_radius * 50) / 100
