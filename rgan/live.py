"""Worst noise along a whole range of ε while someone watches.

`LivePath` knows the answers found so far for one Gan, one noise and one λ. Moving ε reads them (`at`), then
`refine` searches at exactly that ε and `explore` fills the range; both are iterators that may be dropped at any step
without losing what was found.
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
        self.explored = False
        self._original = self.exact.images(self.z)
        loss = losses(self.exact.loss, self.z)
        self._known = WorstNoise(
            request.settings(0.0), self.z, torch.zeros_like(self.z)[None], loss[None], loss, 0, 0, 0.0, done=True
        )
        self._refined: dict[float, WorstNoise] = {}

    @property
    def started(self) -> bool:
        """Whether any ε above 0 has been searched."""
        return len(self._known.settings.radii) > 1

    def at(self, radius: float) -> WorstNoise:
        """The best answer known at `radius`, at once."""
        found = look_up(self.exact.loss, self._known, radius)
        last = self._refined.get(radius)
        if last is None:
            return dataclasses.replace(found, done=radius == 0)
        return dataclasses.replace(
            found, step=last.step, gradient_calls=last.gradient_calls, seconds=last.seconds, done=True
        )

    def refine(self, radius: float) -> Iterator[WorstNoise]:
        """Search at `radius`, from the answers of other radii, yielding after every step; nothing if it was done."""
        if radius == 0 or radius in self._refined:
            return
        start = self.at(radius).noise if self.started and self.request.method == "ascent" else None
        for state in self._search(start, radius):
            if state.done:
                self._refined[radius] = state
            yield self.at(radius) if state.done else state

    def explore(self) -> Iterator[WorstNoise]:
        """Search the whole range in one batch, yielding after every step; nothing if it was done."""
        if self.explored or not self.request.reach:
            return
        # Two decimals: the slider's own positions.
        radii = sorted({max(0.01, round(share * self.request.reach, 2)) for share in GRID})
        yield from self._search(None, *radii)
        self.explored = True

    def stronger(self, radius: float) -> float | None:
        """A smaller searched radius with a larger mean loss than `radius`: what the one-step method overshoots."""
        loss = self._known.loss.mean(dim=1)
        here = float(self.at(radius).loss.mean())
        better = [
            r for r, mean in zip(self._known.settings.radii, loss.tolist(), strict=True) if r < radius and mean > here
        ]
        return max(better, default=None)

    def curve(self) -> tuple[list[float], Tensor]:
        """Radii searched so far and the loss each adds, (K, N)."""
        return list(self._known.settings.radii), self._known.loss - self._known.original

    def view(self, found: WorstNoise, *, gain: float = 3.0, best_of: bool = False) -> View:
        """Images and numbers for one answer of `at`, `refine` or `explore`."""
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

    def _search(self, start: Tensor | None, *radii: float) -> Iterator[WorstNoise]:
        for state in search(
            self.fast.loss,
            self.z,
            self.request.settings(*radii),
            seed=self.request.seed,
            exact=self.exact.loss,
            start=start,
        ):
            if state.done:
                self._known = merge(self._known, state)
            yield state


def reach(gan: Gan) -> float:
    """The largest ε offered: half the prior's radius, in hundredths."""
    return math.floor(gan.prior_radius * 50) / 100
