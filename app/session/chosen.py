"""What a session has chosen in the controls of the table, and what it remembers beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import streamlit as st
from session.control import Control, Number, OneOf, number_in
from theme.language import plain

T = TypeVar("T")


@dataclass(frozen=True)
class Slot(Generic[T]):
    """A value that the session keeps under a key, a widget's or one of its own; `default` until it is set."""

    key: str
    default: T

    def get(self) -> T:
        return cast(T, st.session_state.get(self.key, self.default))

    def set(self, value: T) -> None:
        st.session_state[self.key] = value

    def pop(self) -> T:
        """The value, which is forgotten."""
        return cast(T, st.session_state.pop(self.key, self.default))


def current(control: Control[T]) -> T:
    """The value of a control, drawn or not: the session's, or else that of the address."""
    if control.key in st.session_state:
        return cast(T, st.session_state[control.key])
    return control.read(st.query_params[control.key]) if control.key in st.query_params else control.default


def is_chosen(control: Control[Any]) -> bool:
    """Whether the session or the address gives a control a value."""
    return control.key in st.session_state or control.key in st.query_params


def told(key: str, name: str) -> Any:
    """What the component under `key` tells by `name`, for its callback; None where its screen was left before that was
    heard."""
    said = st.session_state.get(key)
    return None if said is None else said[name]


def put(control: Control[T], value: T) -> None:
    """Set a control that is not yet drawn in this run."""
    st.session_state[control.key] = value


def put_all(state: Mapping[str, object]) -> None:
    """Set controls, by their keys."""
    st.session_state.update(state)


def move_into_range(control: Control[Any]) -> None:
    """Before a control is drawn: a number from a link or another page that is out of range is moved into it, what is no
    value gives way to the default, and both are said; without this, Streamlit would be silent, or fail.
    """
    key = control.key
    asked = st.session_state.get(key, st.query_params.get(key))
    if asked == "" and key in st.query_params and not control.understands(""):
        del st.query_params[key]  # Streamlit would take it for a choice that somebody has cleared
        st.rerun()
    if key not in st.session_state and isinstance(asked, str) and not control.understands(asked):
        st.toast(
            f"{control.name} is {control.write(control.default)}: the link gives {plain(asked[:40])}, which is no "
            "value of it.", icon=":material/info:", duration="long",
        )  # fmt: skip
        st.session_state[key] = control.default
        return
    if isinstance(control, OneOf) and asked in control.former:
        st.session_state[key] = control.former[asked]
        return
    number, nearest = number_in(asked), control.clamped(asked)
    if number is None or nearest is None:
        return
    infinite = Slot(f"infinite:{key}", False)  # a whole number that Streamlit fails to read, so that this run ends
    if isinstance(control, Number) and control.widget == "field" and isinstance(asked, str) and math.isinf(number):
        st.query_params[key] = control.write(nearest)
        infinite.set(True)
        st.rerun()
    if number != nearest or infinite.pop():
        what = "What the link asks for" if number == nearest else f"{control.name} {number:g}"
        st.toast(
            f"{what} is not offered here; {control.name} is {control.write(nearest)} now.",
            icon=":material/info:", duration="long",
        )  # fmt: skip
    if asked != nearest:
        st.session_state[key] = nearest
