"""Failures that somebody keeps: starred, with notes, shared as a zip or by links; the last change can be undone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import streamlit as st
from screens.failures.links import address, judged_gans

from rgan.common.formatting import per_cent
from rgan.robustness.failures import export
from rgan.robustness.failures.failure import failure
from rgan.robustness.failures.links import Permalink
from rgan.robustness.measured import JudgedGan

KEPT, BEFORE = "kept_failures", "kept_failures_before"


@dataclass(frozen=True)
class Kept:
    """A link to a failure, and a note."""

    link: Permalink
    note: str = ""


def _all() -> tuple[Kept, ...]:
    return tuple(st.session_state.get(KEPT, ()))


def _change(now: tuple[Kept, ...]) -> None:
    st.session_state[BEFORE] = (*st.session_state.get(BEFORE, ())[-20:], _all())
    st.session_state[KEPT] = now


def holds(link: Permalink) -> bool:
    """Whether it is kept already."""
    return any(_same(one.link, link) for one in _all())


def keep(link: Permalink) -> None:
    """Add a failure."""
    if not holds(link):
        _change((*_all(), Kept(link)))


def _drop(link: Permalink) -> None:
    _change(tuple(one for one in _all() if not _same(one.link, link)))


def _note(link: Permalink, key: str) -> None:
    noted = dataclasses.replace(next(one for one in _all() if _same(one.link, link)), note=st.session_state[key])
    _change(tuple(noted if _same(one.link, link) else one for one in _all()))


def _undo() -> None:
    *earlier, last = st.session_state[BEFORE]
    st.session_state[BEFORE], st.session_state[KEPT] = tuple(earlier), last
    for one in last:
        st.session_state[_note_key(one.link)] = one.note  # the text box follows


def _note_key(link: Permalink) -> str:
    return f"note:{hash(tuple(link.query().items()))}"


def _same(one: Permalink, other: Permalink) -> bool:
    """NaN is a loss like any other here."""
    return one.query() == other.query()


def shelf() -> None:
    """The kept failures, and what can be done with them."""
    if not _all() and not st.session_state.get(BEFORE):
        return
    st.header("Kept failures", anchor=False)
    for position, one in enumerate(_all()):
        words, note, remove = st.columns([3, 4, 1], vertical_alignment="center")
        words.markdown(
            f"**{one.link.model}**, noise {one.link.index} of seed {one.link.seed}, ε {one.link.radius:g}, badness "
            f"{per_cent(one.link.badness)} · [open]({address(one.link)})"
        )
        key = _note_key(one.link)
        note.text_input("Note", one.note, key=key, placeholder="a note", label_visibility="collapsed",
                        on_change=_note, args=(one.link, key))  # fmt: skip
        remove.button("Remove", key=f"drop:{position}:{one.link.index}", on_click=_drop, args=(one.link,))
    with st.container(horizontal=True):
        chosen = [(one, judged_gans(one.link)) for one in _all()]
        st.download_button("All as a zip", lambda: _archive(chosen), "failures.zip", "application/zip",
                           on_click="ignore", disabled=not chosen, icon=":material/folder_zip:")  # fmt: skip
        st.button("Undo", on_click=_undo, disabled=not st.session_state.get(BEFORE), icon=":material/undo:")
    st.caption("They are kept until this tab is reloaded or closed; the zip and the links last.")


def _archive(chosen: list[tuple[Kept, list[JudgedGan]]]) -> bytes:
    found = [(one, failure(able[0], one.link.plan, one.link.index)) for one, able in chosen if able]
    return export.archive([(one.link, each) for one, each in found], [one.note for one, _ in found])
