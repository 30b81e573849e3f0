"""Checkpoints: every model at hand, and the place to bring one's own."""

from dataclasses import replace

import streamlit as st
from components.into_view import into_view
from components.model_card import card
from controls.draw import stop_without
from controls.model_choice import choose_model
from screens.checkpoints import bring, model_view
from session import visitors
from session.state import TRAINED, UPLOADED, load, models, own_code, own_name
from session.table import MODEL, A
from theme.language import plain, symbols

from rgan.common.errors import RganError
from rgan.models.gan import Gan

st.title("Checkpoints", anchor=False)
shelf = visitors.shelf()
bring.drop(shelf)

if problem := own_code()[1]:
    st.warning(plain(problem), icon=":material/warning:")
files = models()
gans: dict[str, Gan] = {}
for name in files:
    try:
        gans[name] = load(name)
    except RganError as error:
        model_view.broken(name, str(error), shelf)
if not gans:
    st.info("No model is here yet. Drop one above, or train one on the Train page.", icon=":material/info:")
    st.stop()

names = tuple(gans)
with st.container(key=model_view.PART):
    left, right = st.columns(2, gap="medium")
into_view(model_view.PART)
with left:
    chosen = choose_model(MODEL, names)
with right:
    about = "Model A of the other pages: the one you have open there."
    opened = choose_model(replace(A, label="Comparable with", help=about), names)
stop_without(names, chosen, opened)
model_view.show(chosen, gans[chosen], files[chosen], (opened, gans[opened]), shelf)

symbols("ε₁", "ε₂", "λ of training")
yours = [name for name in gans if name.startswith((TRAINED, UPLOADED))]
for title, some in (("Trained or brought here", yours), ("From the start", [one for one in gans if one not in yours])):
    if not some:
        continue
    st.header(title, anchor=False)
    cards = st.columns(3, gap="medium")
    for index, name in enumerate(some):
        with cards[index % 3].container(border=True):
            st.html(card(name, gans[name].digest))
            if state := model_view.state_of(name):
                st.caption(state)
            label = f"Show {plain(own_name(name))}"
            st.button(label, key=f"show:{name}", on_click=model_view.choose, args=(name,), disabled=name == chosen)
