"""What was chosen in the controls against what the session's link gave, and what of it holds on the other screens.

A control has its screen's default until somebody, or the link, puts it elsewhere; from then on it has that value on
every screen that uses it, until it is put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import streamlit as st
from session.chosen import Slot, put
from session.control import Control
from session.table import CONTROLS, SETTINGS

T = TypeVar("T")

_LINK = Slot[Mapping[str, str] | None]("shared:link", None)  # the parameters that the session began with
_MOVED = Slot[Mapping[str, object]]("shared:moved", {})
_SEEN = Slot[Mapping[str, "Seen"]]("shared:seen", {})
_TIMES = Slot("shared:times", 0)
_PAGE = Slot("shared:page", "")  # the screen of the last run


class Seen(NamedTuple):
    """A control as its screen has it, and its value in this run; `bare`: it has no widget."""

    control: Control[Any]
    value: object
    bare: bool


def begin(page: str) -> None:
    """Once a run, before any control, on the screen called `page`: what was moved elsewhere holds here, unless the
    address says else."""
    if _LINK.get() is None:
        _LINK.set(dict(st.query_params.items()))
    if _PAGE.get() not in ("", page):
        for key in CONTROLS:
            if key in st.query_params:
                continue
            if key in _MOVED.get():
                st.session_state[key] = _MOVED.get()[key]
            else:
                st.session_state.pop(key, None)
    _PAGE.set(page)
    _SEEN.set({})


def give(settings: Mapping[str, object]) -> None:
    """Take these values of controls as shared, as those of a link."""
    given = {key: CONTROLS[key].write(value) for key, value in settings.items() if key in CONTROLS}
    _LINK.set({**(_LINK.get() or {}), **given})


def seen(control: Control[T], value: T, *, bare: bool = False) -> None:
    """Note that a control, with the default that it has on this screen, is there and has this value."""
    _SEEN.set({**_SEEN.get(), control.key: Seen(control, value, bare)})
    moved = dict(_MOVED.get())
    if value != control.default or (is_linked(control) and value == shared(control)):
        moved[control.key] = value
    elif moved.get(control.key, value) != value:
        del moved[control.key]
    _MOVED.set(moved)


def settings() -> list[Seen]:
    """The settings that there are so far in this run."""
    return [one for key, one in _SEEN.get().items() if key in SETTINGS]


def times_put_back() -> int:
    """How often, in this session."""
    return _TIMES.get()


def is_moved(control: Control[Any]) -> bool:
    """Whether it stands where somebody or the link put it, not where its screen does."""
    return control.key in _MOVED.get()


def is_linked(control: Control[Any]) -> bool:
    """Whether the session's link gives it a value."""
    return control.key in (link := _LINK.get() or {}) and control.understands(link[control.key])


def shared(control: Control[T]) -> T:
    """The value that the session's link gives it; its default where it gives none."""
    return control.read((_LINK.get() or {})[control.key]) if is_linked(control) else control.default


def put_back(*, to_link: bool) -> None:
    """All settings, of every screen, back to what the session's link gave, or to their defaults."""
    kept = {key: value for key, value in _MOVED.get().items() if key not in SETTINGS}
    linked = {key: shared(one) for key, one in SETTINGS.items() if to_link and is_linked(one)}
    _MOVED.set(kept | linked)
    _TIMES.set(_TIMES.get() + 1)
    for control, _, bare in settings():
        value = shared(control) if to_link else control.default
        put(control, value)
        if bare:
            st.query_params[control.key] = control.write(value)
