"""Embeddings: the four panels of the paper's Figure 4 for two models, each with its control and its tests."""

from dataclasses import replace

import streamlit as st
from controls.two_models import two_models
from screens.embeddings import draw_offer, maps, view
from screens.embeddings.controls import map_controls
from screens.embeddings.push_view import Push
from session.state import drawing_pace, tasks, want

from rgan.attack.path import reach
from rgan.common.errors import RganError
from rgan.embedding.figure4 import PANELS
from rgan.embedding.projections import NEIGHBOURS, Layout

ALL = "Figure 4"
SHORT = {"a": "a noise", "b": "b worst images", "c": "c real and A", "d": "d real and B"}

st.title("Embeddings", anchor=False)
names, gans = two_models()
chosen = str(
    st.segmented_control(
        "Panel", (ALL, *PANELS), default=ALL, key="panel", bind="query-params", required=True,
        format_func=lambda one: SHORT.get(one, one),
        help="The paper's Figure 4 has four: all of them, or one with its control and a second scale beside it.",
    )
)  # fmt: skip
letters = tuple(PANELS) if chosen == ALL else (chosen,)
with st.sidebar:
    choice, layout, arrows = map_controls(letters, min(map(reach, gans)))

shown = [maps.Map(letter, gans, choice, layout, arrows, alone=len(letters) == 1) for letter in letters]
asked: set[str] = st.session_state.setdefault(draw_offer.ASKED, set())
draw = layout.method == "pca" or all(one.key in asked or tasks().finished(one.main_key()) for one in shown)
works = maps.works(shown, draw=draw)
try:
    push = Push(names, gans, choice) if chosen == "a" else None
    found = want(works | (push.works() if push else {}))
    if all(task.done for task in found.values()):
        drawing_pace(Layout("umap", neighbours=NEIGHBOURS["umap"]))  # compiles it in the background, before anyone asks
    if not draw:
        draw_offer.offer(shown, drawing_pace(replace(layout, seed=0)), asked)
    if push:
        if found[push.key].done:
            found[push.key].value()
        push.show(found, arrows)
    view.show(shown, {key: found[key] for key in works}, names)
except RganError as error:
    st.error(str(error))
    st.stop()
view.hover(shown, found)
