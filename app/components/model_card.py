"""A model on a card: what it draws, and one line on how it came about."""

from __future__ import annotations

import streamlit as st
from components import board
from markupsafe import Markup
from session.state import load

from rgan.common.images import to_uint8

SAMPLES = 48


@st.cache_data(max_entries=64, show_spinner=False)
def card(name: str, digest: str) -> Markup:
    """HTML of a model's card; `digest` makes a changed file a new card."""
    gan = load(name)
    samples = to_uint8(gan.first_images(SAMPLES))
    return board.card(name, gan.recipe.title, gan.facts, samples)
