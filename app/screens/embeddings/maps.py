"""The panels of Figure 4 on the screen: what each needs to have computed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from session.state import tasks
from session.tasks import Task, Work

from rgan.embedding.figure4 import Choice, Findings, Panel, findings, panel, relevant
from rgan.embedding.projections import Embedding, Layout, Report, fit
from rgan.models.gan import Gan
from rgan.report.embeddings_page import images_of


@dataclass(frozen=True)
class Made:
    """A panel's samples and all their images as one sheet."""

    panel: Panel
    sheet: dict[str, object]


@dataclass(frozen=True)
class Map:
    """One panel as asked for: which, of which Gans, how drawn.

    Alone on the page it has a second scale and a control beside it.
    """

    letter: str
    gans: tuple[Gan, Gan]
    choice: Choice
    layout: Layout
    arrows: bool
    alone: bool

    @property
    def key(self) -> str:
        """Of the chart: letters, digits and dashes; other settings, another key."""
        told = repr((self._of, self.layout, self._arrows))
        return f"map-{self.letter}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def preview(self) -> Layout:
        return dataclasses.replace(self.layout, method="pca", neighbours=30)

    @property
    def second(self) -> Layout | None:
        """The other scale drawn beside the first; PCA has none."""
        return self.layout.other_scale(2 * self.choice.points)

    @property
    def _of(self) -> Hashable:
        """All that decides over the samples."""
        gans = self.gans if self.letter != "a" else (self.gans["AB".index(self.choice.side)],)
        return self.letter, *(gan.digest for gan in gans), relevant(self.letter, self.choice)

    @property
    def _arrows(self) -> bool:
        return self.arrows and self.letter in "ab"

    def made_key(self) -> Hashable:
        return "panel", self._of

    def found_key(self) -> Hashable:
        return "findings", self._of

    def drawn_key(self, what: str, layout: Layout) -> Hashable:
        return what, self._of, layout, self._arrows and what == "main"

    def main_key(self) -> Hashable:
        return self.drawn_key("main", self.layout)

    def drawings(self, *, draw: bool) -> list[tuple[str, Layout]]:
        """What is drawn: "main", alone on the page also "second" and "control"; without `draw` only PCA's."""
        layout = self.layout if draw else self.preview
        if not self.alone:
            return [("main", layout)]
        beside = [("second", self.second)] if draw and self.second else []
        return [("main", layout), *beside, ("control", layout)]

    def first_works(self) -> dict[Hashable, Work[Any]]:
        """The samples and their PCA."""
        preview = self._drawing("main", self.preview)
        return {self.made_key(): self._make, self.drawn_key("main", self.preview): preview}

    def later_works(self, *, draw: bool) -> dict[Hashable, Work[Any]]:
        """The picture, the tests, and what stands beside the picture."""
        (main, layout), *beside = self.drawings(draw=draw)
        works: dict[Hashable, Work[Any]] = {self.drawn_key(main, layout): self._drawing(main, layout)}
        works[self.found_key()] = self._find
        return works | {self.drawn_key(what, layout): self._drawing(what, layout) for what, layout in beside}

    def _make(self, report: Report) -> Made:
        made = panel(self.letter, *self.gans, self.choice, report=report)
        return Made(made, images_of(made))

    def _find(self, report: Report) -> Findings:
        return findings(tasks().value(self.made_key()).panel, *self.gans, report=report)

    def _drawing(self, what: str, layout: Layout) -> Work[Embedding]:
        def draw(report: Report) -> Embedding:
            if what == "control":
                samples = tasks().value(self.found_key()).control
                return fit(samples[0].points, samples[1].points, layout, report=report)
            made = tasks().value(self.made_key()).panel
            starts = (made.first.starts, made.second.starts) if self._arrows and what == "main" else (None, None)
            return fit(made.first.sample.points, made.second.sample.points, layout, starts=starts, report=report)

        return draw


def works(shown: list[Map], *, draw: bool) -> dict[Hashable, Work[Any]]:
    """All that these panels need, what is seen first coming first; the pictures only with `draw`."""
    found: dict[Hashable, Work[Any]] = {}
    for one in sorted(shown, key=lambda one: "cdab".index(one.letter)):  # those without a search first
        found |= one.first_works()
    for one in shown:
        found |= one.later_works(draw=draw)
    return found


def best_drawing(one: Map, found: dict[Hashable, Task[Any]]) -> Embedding | None:
    """The picture as asked for, else PCA's, else None while not even that is there."""
    for layout in (one.layout, one.preview):
        task = found.get(one.drawn_key("main", layout))
        if task is not None and task.done:
            drawn: Embedding = task.value()
            return drawn
    return None
