"""Home: what this is, the idea as one live picture, the models at hand, where to go next."""

import streamlit as st
from components import tour
from components.live_pair import LivePair, finish_run
from components.live_slider import live_slider
from components.model_card import card
from session.chosen import Slot
from session.state import live_paths, load, models
from session.table import A, B, query
from session.twins import at_hand
from theme import language

from rgan.attack.path import Request, reach
from rgan.attack.search import BUDGETS
from rgan.common.errors import RganError
from rgan.models.gan import Gan

SAMPLES = 16
RADIUS = Slot("home_eps", 1.0)

st.title("RGAN Lab", anchor=False)
if not tour.under_way():
    st.markdown(
        "A generator turns noise into images, and **close to any noise there may be some that gives other, often worse "
        "images**. RGAN Lab finds that worst noise live and shows it beside random noise of the same length, "
        "for a baseline GAN and for one trained robustly against it. Drag ε to see what it does."
    )
    tour.start()

gans: dict[str, Gan] = {}
broken: dict[str, str] = {}
for name in models():
    try:
        gans[name] = load(name)
    except RganError as error:
        broken[name] = str(error)

pair = (A.default, B.default)
live = st.container()
if set(pair) <= gans.keys():
    largest = reach(gans[pair[0]])
next_place = st.container(horizontal=True)
for screen, label, icon in (
    (language.WORST_NOISE, "Open Worst noise: every knob, both models", "explore"),
    (language.EVIDENCE, "Evidence: are the images really worse?", "balance"),
    (language.FAILURES, "Failures: the worst among thousands", "report"),
    (language.EMBEDDINGS, "Embeddings: the paper's Figure 4", "scatter_plot"),
    (language.BLIND_TEST, "Blind test: can you see it?", "visibility_off"),
    (language.CHECKPOINTS, "Checkpoints: bring your own model", "folder_open"),
    (language.REPRODUCE, "Reproduce: the paper's Table 2 and Figures 1 to 3", "science"),
):
    next_place.page_link(screen, label=label, icon=f":material/{icon}:")

st.header("Models at hand", anchor=False)
language.symbols("ε₁", "ε₂", "λ of training")
cards = st.columns(3, gap="medium")
for index, (name, gan) in enumerate(gans.items()):
    with cards[index % 3].container(border=True):
        st.html(card(name, gan.digest))
        base, twin = at_hand(name, gans)
        st.page_link(language.WORST_NOISE, label=f"Worst noise of {name}", query_params=query(a=base, b=twin))
for name, words in broken.items():
    st.warning(f"{name} cannot be opened. {words}", icon=":material/warning:")
st.caption(
    "Every model here was trained by the command in the README, on data that is free to use. "
    "Train your own with `python -m rgan train`; files in runs/ appear here."
)


@st.fragment
def explore() -> None:
    """The live picture: only this runs while the slider is held."""
    radius, held = live_slider(
        "ε, how far the noise may move",
        RADIUS,
        largest,
        ends=("0: original noise", f"{largest:.2f}: half of the noise's length"),
    )
    grids = LivePair(pair, ("baseline", "trained robustly"), numbers=False)
    request = Request(SAMPLES, 0, 0.0, BUDGETS["standard"], "ascent", False, largest)
    _, more = grids.play(live_paths(pair, request, "home"), radius, search=not held)
    finish_run(more)


if set(pair) <= gans.keys():
    with live:
        explore()
        language.symbols("ε", "λ", "step", "loss")
