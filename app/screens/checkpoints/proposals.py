"""What a stranger's file can be, as pictures to choose from."""

from __future__ import annotations

import streamlit as st
from screens.checkpoints import guesses
from session.chosen import Slot
from theme.html import part

from rgan.common.errors import RganError
from rgan.common.images import grid, png
from rgan.importing.conversion import Proposal
from rgan.report.parts import Picture

TILES, IMAGES, ROW = 4, 16, 8  # readings shown, images of each, those beside each other


def picked(found: Proposal) -> Proposal:
    """A tile for each of the likeliest readings; the one that was clicked, at first the best."""
    ranked = found.ranked[:TILES]
    taken = Slot(f"proposal:{found.key}", 1)
    number = min(taken.get(), len(ranked))
    st.markdown("**Weights do not tell how they are wired. Which of these looks like its images?**")
    for column, one in zip(st.columns(TILES), ranked, strict=False):
        with column:
            try:
                drawn = guesses.images(one.key, (), IMAGES, one)
            except RganError:
                continue  # a reading that gives no finite images is none
            st.html(
                part(
                    "board.html",
                    "card",
                    Picture(png(grid(drawn, ROW, scale=1)), f"{IMAGES} images of reading {one.number}"),
                )
            )
            st.button(
                "Taken" if one.number == number else "Take this", key=f"take:{one.number}", width="stretch",
                type="primary" if one.number == number else "secondary",
                on_click=taken.set, args=(one.number,),
            )  # fmt: skip
    return ranked[number - 1]
