"""Choosing the two models of a screen."""

from __future__ import annotations

import streamlit as st
from state import load, models

from rgan.errors import RganError
from rgan.gan import Gan


def two_models() -> tuple[tuple[str, str], tuple[Gan, Gan]]:
    """Draw the choices of A and B and return names and Gans; ends the run in words where a file cannot be used."""
    names = tuple(models())
    if not names:
        st.error(
            "No model found. Train one with `python -m rgan train --system dcgan --data digits …`; see the README."
        )
        st.stop()
    first, second = (names.index(name) if name in names else 0 for name in ("digits-dcgan", "digits-dcgan-robust"))
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
    try:
        return (a, b), (load(a), load(b))
    except RganError as error:
        st.error(str(error))
        st.stop()


def _follow() -> None:
    """When A changes, B becomes its robust twin, if there is one."""
    twin = f"{st.session_state['a']}-robust"
    if twin in models():
        st.session_state["b"] = twin
