"""The panels of Figure 4 on the screen: what each needs to have computed, and how it is drawn as that comes in."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from plotly.graph_objects import Figure
from state import tasks
from tasks import Task, Work

from rgan.clouds import Choice, Findings, Panel, findings, panel, relevant
from rgan.embeddings import Embedding, Layout, fit
from rgan.figures import scatter
from rgan.gan import Gan
from rgan.report import groups, sheet

Report = Callable[[float], None]
HEIGHTS = {"main": 560, "overview": 380, "small": 262}


@dataclass(frozen=True)
class Drawn:
    """An embedding and its figure."""

    embedding: Embedding
    figure: Figure


@dataclass(frozen=True)
class Made:
    """A panel's clouds, their PCA and their images as one sheet."""

    panel: Panel
    preview: Drawn
    sheet: dict[str, object]


@dataclass(frozen=True)
class Map:
    """One panel as asked for: which, of which Gans, how drawn."""

    letter: str
    gans: tuple[Gan, Gan]
    choice: Choice
    layout: Layout
    arrows: bool
    alone: bool  # on the page, with its second scale and its control

    @property
    def key(self) -> str:
        """Of the chart: letters, digits and dashes; other settings, another key."""
        told = repr((self._of, self.layout, self.arrows, self.alone))
        return f"map-{self.letter}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def second(self) -> Layout | None:
        """The other scale drawn beside the first; PCA has none."""
        if self.layout.method == "pca":
            return None
        return dataclasses.replace(self.layout, neighbours=5 if self.layout.neighbours >= 15 else 50)

    @property
    def _preview(self) -> Layout:
        return dataclasses.replace(self.layout, method="pca")

    @property
    def _of(self) -> Hashable:
        return self.letter, *(gan.digest for gan in self.gans), relevant(self.letter, self.choice)

    def made_key(self) -> Hashable:
        return "panel", self._of, self.layout.dimensions, self.arrows

    def found_key(self) -> Hashable:
        return "findings", self._of

    def drawn_key(self, what: str, layout: Layout) -> Hashable:
        return what, self._of, layout, self.arrows, self.alone

    def main_key(self) -> Hashable:
        return self.drawn_key("main", self.layout)

    def drawings(self, *, draw: bool) -> list[tuple[str, Layout]]:
        """What is drawn: "main", alone on the page also "second" and "control"; without `draw` only PCA's."""
        if not draw:
            return [("control", self._preview)] if self.alone else []
        if not self.alone:
            return [("main", self.layout)]
        beside = [("second", self.second)] if self.second else []
        return [("main", self.layout), *beside, ("control", self.layout)]

    def first_works(self) -> dict[Hashable, Work[Any]]:
        """The clouds and their PCA."""
        return {self.made_key(): self._make}

    def later_works(self, *, draw: bool) -> dict[Hashable, Work[Any]]:
        """The tests, and with `draw` the pictures."""
        works: dict[Hashable, Work[Any]] = {self.found_key(): self._find}
        for what, layout in self.drawings(draw=draw):
            works[self.drawn_key(what, layout)] = self._drawing(what, layout)
        main = self.main_key()  # what is looked at most comes first
        return {main: works.pop(main)} | works if main in works else works

    def _make(self, report: Report) -> Made:
        made = panel(self.letter, *self.gans, self.choice, report=report)
        preview = self._draw(made, "main", self._preview, report)
        return Made(made, preview, sheet(made.first, made.second))

    def _find(self, report: Report) -> Findings:
        return findings(tasks().value(self.made_key()).panel, *self.gans, report=report)

    def _drawing(self, what: str, layout: Layout) -> Work[Drawn]:
        return lambda report: self._draw(tasks().value(self.made_key()).panel, what, layout, report)

    def _draw(self, made: Panel, what: str, layout: Layout, report: Report) -> Drawn:
        height = HEIGHTS[("main" if self.alone else "overview") if what == "main" else "small"]
        looks = groups(made)
        if what == "control":
            first, second = (cloud.points for cloud in tasks().value(self.found_key()).control)
            embedding = fit(first, second, layout, report=report)
            return Drawn(embedding, scatter(embedding, looks, height=height))
        starts = (made.first.starts, made.second.starts) if self.arrows else (None, None)
        embedding = fit(made.first.cloud.points, made.second.cloud.points, layout, starts=starts, report=report)
        names = (made.first.names, made.second.names) if what == "main" else None
        return Drawn(embedding, scatter(embedding, looks, names=names, height=height))


def works(shown: list[Map], *, draw: bool) -> dict[Hashable, Work[Any]]:
    """All that these panels need, what is seen first coming first; the pictures only with `draw`."""
    found: dict[Hashable, Work[Any]] = {}
    for one in sorted(shown, key=lambda one: "cdab".index(one.letter)):  # those without a search first
        found |= one.first_works()
    for one in shown:
        found |= one.later_works(draw=draw)
    return found


def best_drawing(one: Map, found: dict[Hashable, Task[Any]]) -> Drawn | None:
    """The picture as asked for, else PCA's, else None while not even that is there."""
    asked = found.get(one.main_key())
    if asked is not None and asked.done:
        drawn: Drawn = asked.value()
        return drawn
    made = found[one.made_key()]
    return made.value().preview if made.done else None
