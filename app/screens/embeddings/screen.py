"""Embeddings: the four panels of the paper's Figure 4 for two models, each with its control and its tests."""

from dataclasses import replace

import streamlit as st
from controls.draw import draw
from controls.settings import settings_panel
from controls.two_models import two_models
from screens.embeddings import draw_offer, maps, view
from screens.embeddings.controls import map_controls
from screens.embeddings.push_view import Push
from session import table
from session.answered import want
from session.state import drawing_pace
from theme.language import plain

from rgan.attack.path import reach
from rgan.common.errors import RganError
from rgan.embedding.figure4 import PANELS
from rgan.embedding.projections import NEIGHBOURS, Layout

names, gans = two_models("Embeddings")
chosen = draw(table.PANEL)
letters = tuple(PANELS) if chosen == table.FIGURE_4 else (chosen,)
with settings_panel():
    choice, layout, arrows = map_controls(letters, min(map(reach, gans)))

shown = [maps.Map(letter, gans, choice, layout, arrows, alone=len(letters) == 1) for letter in letters]
asked = draw_offer.ASKED.get()
drawn = layout.method == "pca" or all(one.key in asked or one.known() for one in shown)
works = maps.works(shown, draw=drawn)
try:
    push = Push(names, gans, choice) if chosen == "a" else None
    found = want(works | (push.works() if push else {}))
    if all(task.done for task in found.values()):
        drawing_pace(Layout("umap", neighbours=NEIGHBOURS["umap"]))  # compiles it in the background, before anyone asks
    view.show(shown, {key: found[key] for key in works}, names)
    if push:
        if found[push.key].done:
            found[push.key].value()
        push.show(found, arrows)
    if not drawn:
        draw_offer.offer(shown, drawing_pace(replace(layout, seed=0)))
except RganError as error:
    st.error(plain(str(error)))
    st.stop()
view.images(shown, found, names)
