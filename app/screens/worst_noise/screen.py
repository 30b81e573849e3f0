"""Worst noise: two models, one noise, and the ε and λ that move it."""

from dataclasses import replace

import streamlit as st
from components import board
from components.live_pair import LivePair, finish_run
from components.live_slider import live_slider
from controls import attack
from controls.draw import draw
from controls.objective import objective_choice
from controls.two_models import two_models
from session.chosen import Slot
from session.state import live_paths, together
from session.table import EPS, PICK, SHOW
from theme.language import symbols

from rgan.attack.objectives import CHANGE, CRITIC, JUDGE
from rgan.attack.path import reach
from rgan.common.errors import SettingsError

st.title("Worst noise", anchor=False)
(a, b), gans = two_models(same_noise=True)

try:
    with st.sidebar:
        raised = objective_choice((a, b), gans)
        request = attack.search_controls(reach(gans[0]), raised)
except SettingsError as error:
    st.error(str(error))
    st.stop()
if raised.because:
    st.info(raised.because, icon=":material/info:")
if request.rows:
    st.caption(f"Samples {', '.join(map(str, request.rows))} of seed {request.seed}, in this order.")


@st.fragment
def explore() -> None:
    """Everything that follows ε: only this runs while the slider is held."""
    radius, held = live_slider(
        "ε, how far the noise may move",
        Slot(EPS.key, EPS.default),
        request.reach,
        ends=("0: original noise", f"{request.reach:.2f}: half of ‖z‖"),
    )
    grids = LivePair((a, b), (gans[0].recipe.title, gans[1].recipe.title))
    show, pick = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    with show:
        changes = draw(SHOW)
    picked = 1
    if request.count > 1:
        with pick:
            picked = draw(replace(PICK, high=request.count))
    paths = live_paths((a, b), request, "worst_noise")
    views, more = grids.play(paths, radius, search=not held, changes=changes == "change", picked=picked - 1)
    if not held:  # the strip below leaves the cores to the grids while they move
        strips = together(
            lambda one: board.strip(views[one], *paths[one].strip(views[one], picked - 1), "AB"[one]), [0, 1]
        )
        for html, column in zip(strips, st.columns(2, gap="medium"), strict=True):
            column.html(html)
    finish_run(more)


explore()
raises = {CRITIC: "loss", JUDGE: "distance", CHANGE: "change"}[request.objective]
symbols("z", "‖z‖", "ε", "‖r‖", "λ", "step", raises, "RMS", "gradient calls")
