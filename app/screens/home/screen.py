"""Home: the idea as one live picture, what to do next, the models at hand."""

from dataclasses import replace

import streamlit as st
from components import tour
from components.model_card import card
from components.played import played
from session import address
from session.paths import source_of
from session.state import load, load_ahead, models
from session.table import EPS, A, B, query
from session.twins import at_hand
from theme import language

from rgan.common.errors import RganError
from rgan.models.gan import Gan
from rgan.robustness.measured import JudgedGan
from rgan.robustness.play import first_request

RADIUS = replace(EPS, default=2.0)  # where worst noise plainly breaks more than random noise does

st.title("RGAN Lab", anchor=False)
if not tour.under_way():
    st.markdown(
        "**Close to any noise there may be some that makes a generator fail.** Drag ε, the distance: **A** is a plain "
        "GAN, **B** was trained on worst noise too."
    )

gans: dict[str, Gan] = {}
broken: dict[str, str] = {}


def look_at(name: str) -> None:
    """Load a model, or note why it cannot be."""
    try:
        gans[name] = load(name)
    except RganError as error:
        broken[name] = str(error)


pair, names = (A.default, B.default), list(models())
load_ahead(pair)
for name in pair:  # first, so that the stage need not wait for the others
    if name in names:
        look_at(name)
if set(pair) <= gans.keys():
    both = [gans[name] for name in pair]
    request = first_request(both[0], judged=isinstance(source_of(both[0], both), JudgedGan))
    radius = address.kept(RADIUS)
    about = ("baseline", "trained robustly")
    played(pair, about, request, "home", min(radius, request.reach), play=radius > 0, place=RADIUS)
if not tour.under_way():
    tour.start()
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
for name in names:
    if name not in pair:
        look_at(name)
for index, (name, gan) in enumerate(gans.items()):
    with cards[index % 3].container(border=True):
        st.html(card(name, gan.digest))
        base, twin = at_hand(name, gans)
        st.page_link(
            language.WORST_NOISE, label=f"Worst noise of {language.plain(name)}", query_params=query(a=base, b=twin)
        )
for name, words in broken.items():
    st.warning(language.plain(f"{name} cannot be opened. {words}"), icon=":material/warning:")
st.caption("What you train or bring joins them.")
