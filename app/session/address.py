"""Parameters of the address that no widget keeps: those of controls without one, those that go along from page to page,
such as the step of the tour, and those of older links."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st
from session import shared
from session.control import Control, number_in

from rgan.attack.search import budget_name

T = TypeVar("T")
OFF = "off"  # the value that ends one


def former() -> None:
    """Links that named the steps and starts of a search now name the smallest budget that has them."""
    old = [st.query_params.get(name) for name in ("steps", "restarts")]
    if old == [None, None]:
        return
    for name in ("steps", "restarts"):
        st.query_params.pop(name, None)
    if "budget" not in st.query_params:
        steps, starts = (number_in(text or "") or usual for text, usual in zip(old, (10, 1), strict=True))
        st.query_params["budget"] = budget_name(int(steps * starts))


def kept(control: Control[T]) -> T:
    """The value of a control that has no widget on this screen: the address's, where it has one, and else the
    session's, which is written there. Ask before any control is drawn, as `carried`."""
    asked = st.query_params.get(control.key)
    value: T = control.default if asked is None else control.read(asked)
    if asked is None and control.key in st.session_state:
        value = st.session_state[control.key]
        if value != control.default:
            st.query_params[control.key] = control.write(value)
    st.session_state[control.key] = value
    shared.seen(control, value, bare=True)
    return value


def moved(control: Control[T], value: T) -> None:
    """Set such a control, in the session and in the address."""
    st.session_state[control.key] = value
    st.query_params[control.key] = control.write(value)
    shared.seen(control, value, bare=True)


def carried(name: str, page: str) -> str:
    """The parameter's value on the screen called `page`, "" without one; written to the address where it is missing.

    Links to other pages drop it, and a link to the same page leaves the address as it was. Ask before any control is
    drawn: a later write would send the address as it was when the page was opened.
    """
    key = f"carried:{name}"
    before, on = st.session_state.get(key, ("", page))
    value: str = st.query_params.get(name, before)
    if value == OFF:
        value = ""
        del st.query_params[name]
    elif value and (name not in st.query_params or (value != before and on == page)):
        st.query_params[name] = value
    st.session_state[key] = value, page
    return value
