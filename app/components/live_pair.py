"""Two models side by side, drawn again and again while their searches go on."""

from __future__ import annotations

import time

import streamlit as st
from components import board
from markupsafe import Markup
from session.state import together
from theme import language

from rgan.attack.path import LivePath, View
from rgan.attack.perturbation import notices, which_loses_less

SLICE = 0.12  # seconds of searching between two pictures: the longest that a click has to wait
SENT = 0.012  # seconds after which what a run has drawn is on its way: Streamlit drops the rest when the next starts
PAINT = 0.04  # seconds left to a browser on the same cores to show a picture, before anything else is computed


def finish_run(more: bool) -> None:
    """End a run whose pictures must be seen, and ask for the next if there is `more` to search."""
    time.sleep(SENT)
    if more:
        st.rerun()


class LivePair:
    """Places for models A and B on the page."""

    def __init__(self, names: tuple[str, str], about: tuple[str, str], *, numbers: bool = True):
        self.names, self.about, self.numbers = names, about, numbers
        self._verdict = st.container()
        self._places = []
        for column in st.columns(2, gap="medium"):
            with column:
                self._places.append([st.container(gap=None) for _ in range(2)])

    def play(
        self, paths: list[LivePath], radius: float, *, search: bool, changes: bool = False, picked: int | None = None
    ) -> tuple[list[View], bool]:
        """Search both models a little further and draw what is known; whether another run has more to do.

        A run of the script draws one whole picture and ends, and the screen asks for the next with `st.rerun`:
        what the user does in between comes first, and no picture mixes two settings.
        """
        more = search and any(together(lambda path: path.advance(radius, SLICE), paths))

        def picture(side: int) -> tuple[View, Markup]:
            view = paths[side].view(radius, best_random=search and not more)
            return view, board.board(view, "AB"[side], changes=changes, picked=picked)

        drawn = together(picture, [0, 1])
        views = [view for view, _ in drawn]
        so_far = "" if all(view.done for view in views) else "So far: "
        said = which_loses_less(views[0].perturbation, views[1].perturbation, ("A", "B"))
        self._verdict.html(Markup('<p class="verdict">{}{}</p>').format(so_far, said))
        for side, (view, grids) in enumerate(drawn):
            title = language.model_title("AB"[side], self.names[side], self.about[side], board.stamp(view))
            below = board.facts(view) if self.numbers else Markup()
            picture_place, notice_place = self._places[side]
            picture_place.html(title + grids + below)  # in one piece: each costs the browser a turn
            if view.done and (noticed := notices(view.perturbation, paths[side].stronger(radius))):
                notice_place.info("  \n".join(noticed), icon=":material/info:")
        if search:
            time.sleep(PAINT)
        return views, more
