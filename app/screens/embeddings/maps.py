"""The panels of Figure 4 on the screen: what each needs to have computed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from session.answered import Answered
from session.state import tasks
from session.tasks import Task, Work

from rgan.embedding.figure4 import Choice, Findings, Panel, Tested, findings, panel
from rgan.embedding.look import Look, drawing_question, look, question
from rgan.embedding.projections import Embedding, Layout, Report, fit
from rgan.models.gan import Gan

MAIN, SECOND, CONTROL = "main", "second", "control"


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
        told = _key(self._question("chart") | {"layout": repr(self.layout), "arrows": self._arrows})
        return f"map-{self.letter}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def preview(self) -> Layout:
        return dataclasses.replace(self.layout, method="pca", neighbours=30)

    @property
    def second(self) -> Layout | None:
        """The other scale drawn beside the first; PCA has none."""
        return self.layout.other_scale(2 * self.choice.points)

    @property
    def _arrows(self) -> bool:
        return self.arrows and self.letter in "ab"

    def _question(self, what: str) -> dict[str, Any]:
        return question(what, self.letter, self.gans, self.choice)

    def panel_key(self) -> Hashable:
        return "panel", _key(self._question("panel"))

    def full_key(self) -> Hashable:
        return "findings", _key(self._question("findings"))

    def look_key(self) -> Hashable:
        return "look", _key(self._question("look"))

    def found_key(self) -> Hashable:
        return "tested", _key(self._question("tested"))

    def drawn_key(self, what: str, layout: Layout) -> Hashable:
        return what, _key(self._drawing_question(what, layout))

    def main_key(self) -> Hashable:
        return self.drawn_key(MAIN, self.layout)

    def drawings(self, *, draw: bool) -> list[tuple[str, Layout]]:
        """What is drawn: "main", alone on the page also "second" and "control"; without `draw` only PCA's."""
        layout = self.layout if draw else self.preview
        if not self.alone:
            return [(MAIN, layout)]
        beside = [(SECOND, self.second)] if draw and self.second else []
        return [(MAIN, layout), *beside, (CONTROL, layout)]

    def known(self) -> bool:
        """Whether the picture as asked for lies on disk or has been drawn."""
        return self._drawing(MAIN, self.layout).there(self.main_key())

    def first_works(self) -> dict[Hashable, Work[Any]]:
        """What is looked at, and its PCA; the samples, where they are needed for it."""
        shown: dict[Hashable, Answered[Any]] = {
            self.look_key(): Answered(Look, self._question("look"), lambda report: look(self._panel())),
            self.drawn_key(MAIN, self.preview): self._drawing(MAIN, self.preview),
        }
        return self._with_samples(shown)

    def later_works(self, *, draw: bool) -> dict[Hashable, Work[Any]]:
        """The picture, the tests, and what stands beside the picture."""
        (main, layout), *beside = self.drawings(draw=draw)
        shown: dict[Hashable, Answered[Any]] = {
            self.drawn_key(main, layout): self._drawing(main, layout),
            self.found_key(): Answered(Tested, self._question("tested"), lambda report: self._findings().alone),
        }
        shown |= {self.drawn_key(what, layout): self._drawing(what, layout) for what, layout in beside}
        return self._with_samples(shown)

    def _with_samples(self, shown: dict[Hashable, Answered[Any]]) -> dict[Hashable, Work[Any]]:
        """And the panel and its control, where one of these cannot do without."""
        missing = [key for key, work in shown.items() if not work.there(key)]
        works: dict[Hashable, Work[Any]] = {self.panel_key(): self._make} if missing else {}
        if any(isinstance(key, tuple) and key[0] in ("tested", CONTROL) for key in missing):
            works[self.full_key()] = self._find
        return works | shown

    def _make(self, report: Report) -> Panel:
        return panel(self.letter, *self.gans, self.choice, report=report)

    def _find(self, report: Report) -> Findings:
        return findings(self._panel(), *self.gans, report=report)

    def _panel(self) -> Panel:
        made: Panel = tasks().value(self.panel_key())
        return made

    def _findings(self) -> Findings:
        found: Findings = tasks().value(self.full_key())
        return found

    def _drawing_question(self, what: str, layout: Layout) -> dict[str, Any]:
        of, arrows = (CONTROL if what == CONTROL else MAIN), self._arrows and what == MAIN
        return drawing_question(self.letter, self.gans, self.choice, layout, what=of, arrows=arrows)

    def _drawing(self, what: str, layout: Layout) -> Answered[Embedding]:
        def draw(report: Report) -> Embedding:
            if what == CONTROL:
                first, second = self._findings().control
                return fit(first.points, second.points, layout, report=report)
            made = self._panel()
            starts = (made.first.starts, made.second.starts) if self._arrows and what == MAIN else (None, None)
            return fit(made.first.sample.points, made.second.sample.points, layout, starts=starts, report=report)

        return Answered(Embedding, self._drawing_question(what, layout), draw)


def _key(of: Mapping[str, Any]) -> str:
    return json.dumps(of, sort_keys=True)


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
        task = found.get(one.drawn_key(MAIN, layout))
        if task is not None and task.done:
            drawn: Embedding = task.value()
            return drawn
    return None
