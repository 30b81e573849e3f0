"""Worst noise: two models, one noise, and the ε and λ that move it."""

import streamlit as st
from parts import board, controls
from parts.live_slider import live_slider
from parts.stage import Stage, finish_run
from state import live_paths, load, models, together

from rgan.errors import RganError
from rgan.live import reach


def follow() -> None:
    """When A changes, B becomes its robust twin, if there is one."""
    twin = f"{st.session_state['a']}-robust"
    if twin in models():
        st.session_state["b"] = twin


names = tuple(models())
if not names:
    st.error("No model found. Train one with `python -m rgan train --system dcgan --data digits …`; see the README.")
    st.stop()
first, second = (names.index(name) if name in names else 0 for name in ("digits-dcgan", "digits-dcgan-robust"))

st.header("Worst noise", anchor=False)
left, right = st.columns(2, gap="medium")
a = left.selectbox(
    "Model A",
    names,
    first,
    key="a",
    bind="query-params",
    on_change=follow,
    help="Usually a baseline; B follows to its twin.",
)
b = right.selectbox(
    "Model B", names, second, key="b", bind="query-params", help="Usually the same system trained robustly."
)
try:
    gans = load(a), load(b)
except RganError as error:
    st.error(str(error))
    st.stop()
if gans[0].recipe.latent != gans[1].recipe.latent:
    st.error(
        f"A draws from {gans[0].recipe.latent} noise dimensions and B from {gans[1].recipe.latent}, so they cannot "
        "share their noise. Choose two models with the same number."
    )
    st.stop()

with st.sidebar:
    request = controls.search_controls(reach(gans[0]))


@st.fragment
def explore() -> None:
    """Everything that follows ε: only this runs while the slider is held."""
    radius, held = live_slider(
        "ε, how far the noise may move",
        "eps",
        request.reach,
        ends=("0: original noise", f"{request.reach:.2f}: half of ‖z‖"),
    )
    stage = Stage((a, b), (gans[0].recipe.title, gans[1].recipe.title))
    show, pick = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    changes = show.segmented_control(
        "Show",
        ("images", "change"),
        default=controls.DEFAULTS["show"],
        key="show",
        bind="query-params",
        required=True,
        help="Change: three times the difference from the original image; grey is no change.",
    )
    picked = pick.slider(
        "Sample on the way from original to worst",
        1,
        request.samples,
        controls.DEFAULTS["pick"],
        key="pick",
        bind="query-params",
        help="The framed sample of every grid, along the straight line z + t·r, with its loss under each picture.",
    )
    paths = live_paths((a, b), request, "worst_noise")
    views, more = stage.play(paths, radius, search=not held, changes=changes == "change", picked=picked - 1)
    if not held:  # the strip below leaves the cores to the grids while they move
        strips = together(lambda one: board.strip(*paths[one].strip(views[one], picked - 1), "AB"[one]), [0, 1])
        for html, column in zip(strips, st.columns(2, gap="medium"), strict=True):
            column.html(html)
    finish_run(more)


explore()
