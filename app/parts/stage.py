"""Two models side by side, drawn again and again while their searches go on."""

from __future__ import annotations

import streamlit as st
from state import together

from parts import board, language
from rgan.evidence import notices, verdict
from rgan.live import LivePath, View

ENDED = object()


class Stage:
    """Places for models A and B on the page. `play` fills them; a newer run of the script takes over at any drawing."""

    def __init__(self, names: tuple[str, str], about: tuple[str, str], *, numbers: bool = True):
        self.names, self.about, self.numbers = names, about, numbers
        self._verdict = st.empty()
        self._places = []
        for column in st.columns(2, gap="medium"):
            with column:
                self._places.append([st.empty() for _ in range(4)])

    def play(
        self, paths: list[LivePath], radius: float, *, refine: bool, changes: bool = False, picked: int | None = None
    ) -> list[View]:
        """Draw what is known at `radius` at once, then, with `refine`, search on until nothing is left to find."""
        views: list[View] = []

        def draw(found: list, *, final: bool = False) -> None:
            pairs = list(zip(paths, found, strict=True))
            views[:] = together(lambda pair: pair[0].view(pair[1], best_of=final), pairs)
            self._draw(views, changes, picked)

        if not refine or radius == 0 or all(path.started for path in paths):
            draw(together(lambda path: path.at(radius), paths))
        if refine:
            searches = [path.search(radius) for path in paths]
            while (found := together(lambda steps: next(steps, ENDED), searches))[0] is not ENDED:
                if found[0] is None:
                    self._give_way()
                else:
                    draw(found)
            draw(together(lambda path: path.at(radius), paths), final=True)
            for path, view, place in zip(paths, views, self._places, strict=True):
                if said := notices(view.comparison, path.stronger(radius)):
                    place[3].info("  \n".join(said), icon=":material/info:")
        return views

    def _draw(self, views: list[View], changes: bool, picked: int | None) -> None:
        said = verdict(views[0].comparison, views[1].comparison, ("A", "B"))
        self._verdict.html(f'<p class="verdict">{said}</p>')
        for side, view, name, about, place in zip("AB", views, self.names, self.about, self._places, strict=True):
            place[0].html(language.model_title(side, name, about, board.stamp(view)))
            place[1].html(board.board(view, side, changes=changes, picked=picked))
            if self.numbers:
                place[2].html(board.facts(view))

    def _give_way(self) -> None:
        """Any call into Streamlit lets a newer run of the script take over."""
        self._places[0][3].empty()
