"""A model on a card: what it draws, and one line on how it came about."""

from __future__ import annotations

import streamlit as st
from state import load

from parts import board
from rgan.gan import Gan
from rgan.images import to_uint8

SAMPLES = 48


def robust_words(gan: Gan) -> str:
    """The robust part in a few words."""
    if gan.origin is not None:
        return "trained elsewhere"
    robust = gan.recipe.robust
    if robust is None:
        return "no robust part"
    return f"ε₁ {robust.noise_radius:g}, ε₂ {robust.image_radius:g}, λ {robust.weight:g}"


def facts(gan: Gan) -> str:
    """How a model came about, in one line."""
    size = f"{gan.recipe.size}×{gan.recipe.size} px"
    words = f"{robust_words(gan)} · {f'{gan.data}, ' if gan.data else ''}{size}"
    if gan.training is not None:
        words += f" · {gan.training.iterations:,} iterations, seed {gan.training.seed}"
    return words if gan.has_critic else f"{words} · no critic"


@st.cache_data(max_entries=64, show_spinner=False)
def card(name: str, digest: str) -> str:
    """HTML of a model's card; `digest` makes a changed file a new card."""
    gan = load(name)
    samples = to_uint8(gan.probe().images(gan.noise(SAMPLES, 0)))
    return board.card(name, gan.recipe.title, facts(gan), samples)
