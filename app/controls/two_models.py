"""Choosing the two models of a screen."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from controls import lock
from session.state import load, models

from rgan.common.errors import RganError
from rgan.models.gan import Gan

USUAL = ("digits-dcgan", "digits-dcgan-robust")


def two_models(*, same_noise: bool = False) -> tuple[tuple[str, str], tuple[Gan, Gan]]:
    """Draw the choices of A and B and return names and Gans; ends the run in words where a file cannot be used.

    same_noise: refuse models that cannot be given the same noise.
    """
    names = tuple(models())
    if not names:
        st.error(
            "No model found. Train one with `python -m rgan train --system dcgan --data digits …`; see the README."
        )
        st.stop()
    first, second = (at_first(names, name) for name in USUAL)
    left, right = st.columns(2, gap="medium")
    a = left.selectbox(
        "Model A",
        names,
        first,
        key="a",
        bind="query-params",
        on_change=_follow,
        help="Usually a baseline; B follows to its twin.",
    )
    b = right.selectbox(
        "Model B", names, second, key="b", bind="query-params", help="Usually the same system trained robustly."
    )
    with st.sidebar:
        lock.maker()
    try:
        gans = load(a), load(b)
    except RganError as error:
        st.error(str(error))
        st.stop()
    dimensions = [gan.recipe.latent for gan in gans]
    if same_noise and dimensions[0] != dimensions[1]:
        st.error(
            f"A draws from {dimensions[0]} noise dimensions and B from {dimensions[1]}, so they cannot share their "
            "noise. Choose two models with the same number."
        )
        st.stop()
    return (a, b), gans


def at_first(names: Sequence[str], usual: str) -> int:
    """Where a choice of models begins."""
    return names.index(usual) if usual in names else 0


def _follow() -> None:
    """When A changes, B becomes its robust twin, if there is one."""
    twin = f"{st.session_state['a']}-robust"
    if twin in models():
        st.session_state["b"] = twin
