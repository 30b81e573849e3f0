"""Choosing the two models of a screen."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from controls import lock
from controls.draw import draw, stop_without
from controls.model_choice import choose_model
from session import chosen
from session.state import load, models, shown
from session.table import LABEL, A, B
from session.twins import twins
from theme.language import plain

from rgan.common.errors import RganError
from rgan.models.gan import EACH, Gan


def two_models(title: str = "", *, same_noise: bool = False) -> tuple[tuple[str, str], tuple[Gan, Gan]]:
    """Draw the choices of A and B and return names and Gans; ends the run in words where a file cannot be used.

    title: of the screen, which stands before them in one line where there is room. same_noise: refuse models that
    cannot be given the same noise.
    """
    place, left, right = (
        st.columns([2, 3, 3], gap="medium") if title else (st.container(), *st.columns(2, gap="medium"))
    )
    if title:
        place.title(title, anchor=False)
    names = tuple(models())
    if not names:
        st.error(
            "No model found. Train one with `python -m rgan train --system dcgan --data digits …`; docs/tutorial.md "
            "goes through it."
        )
        st.stop()
    with left:
        a = choose_model(A, names, on_change=_follow)
    with right:
        b = choose_model(B, names)
    with st.sidebar:
        lock.maker()
    stop_without(names, a, b)
    try:
        classes(load(a), load(b))
        gans = shown(a), shown(b)
    except RganError as error:
        st.error(plain(str(error)))
        st.stop()
    dimensions = [gan.recipe.latent for gan in gans]
    if same_noise and dimensions[0] != dimensions[1]:
        st.error(
            f"A draws from {dimensions[0]} noise dimensions and B from {dimensions[1]}, so they cannot share their "
            "noise. Choose two models with the same number."
        )
        st.stop()
    return (a, b), gans


def classes(*gans: Gan) -> None:
    """Draw the choice of the class, if any of these has some."""
    conditional = [gan for gan in gans if gan.classes]
    if conditional:
        with st.sidebar:
            most = max(gan.classes for gan in conditional)
            draw(replace(LABEL, options=(EACH, *range(most)), default=conditional[0].label))


def _follow() -> None:
    """When A changes to a baseline, B becomes its robust twin, if there is one."""
    a = chosen.current(A)
    baseline, robust = twins(a)
    if a == baseline and robust in models():
        chosen.put(B, robust)
