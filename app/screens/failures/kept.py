"""Failures that somebody keeps: starred, with notes, shared as a zip or by links; the last change can be undone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import streamlit as st
from screens.failures.links import address, judged_gans
from session.chosen import Slot

from rgan.common.formatting import per_cent
from rgan.robustness.failures import export
from rgan.robustness.failures.failure import failure
from rgan.robustness.failures.links import Permalink
from rgan.robustness.measured import JudgedGan


@dataclass(frozen=True)
class Kept:
    """A link to a failure, and a note."""

    link: Permalink
    note: str = ""


KEPT = Slot[tuple[Kept, ...]]("kept_failures", ())
BEFORE = Slot[tuple[tuple[Kept, ...], ...]]("kept_failures_before", ())


def _change(now: tuple[Kept, ...]) -> None:
    BEFORE.set((*BEFORE.get()[-20:], KEPT.get()))
    KEPT.set(now)


def holds(link: Permalink) -> bool:
    """Whether it is kept already."""
    return any(_same(one.link, link) for one in KEPT.get())


def keep(link: Permalink) -> None:
    """Add a failure."""
    if not holds(link):
        _change((*KEPT.get(), Kept(link)))


def _drop(link: Permalink) -> None:
    _change(tuple(one for one in KEPT.get() if not _same(one.link, link)))


def _note(link: Permalink) -> None:
    noted = dataclasses.replace(next(one for one in KEPT.get() if _same(one.link, link)), note=_written(link).get())
    _change(tuple(noted if _same(one.link, link) else one for one in KEPT.get()))


def _undo() -> None:
    *earlier, last = BEFORE.get()
    BEFORE.set(tuple(earlier))
    KEPT.set(last)
    for one in last:
        _written(one.link).set(one.note)  # the text box follows


def _written(link: Permalink) -> Slot[str]:
    """What stands in a note's text box."""
    return Slot(f"note:{hash(tuple(link.query().items()))}", "")


def _same(one: Permalink, other: Permalink) -> bool:
    """NaN is a loss like any other here."""
    return one.query() == other.query()


def shelf() -> None:
    """The kept failures, and what can be done with them."""
    if not KEPT.get() and not BEFORE.get():
        return
    st.header("Kept failures", anchor=False)
    for position, one in enumerate(KEPT.get()):
        words, note, remove = st.columns([3, 4, 1], vertical_alignment="center")
        words.markdown(
            f"**{one.link.model}**, noise {one.link.index} of seed {one.link.seed}, ε {one.link.radius:g}, badness "
            f"{per_cent(one.link.badness)} · [open]({address(one.link)})"
        )
        note.text_input("Note", one.note, key=_written(one.link).key, placeholder="a note",
                        label_visibility="collapsed", on_change=_note, args=(one.link,))  # fmt: skip
        remove.button("Remove", key=f"drop:{position}:{one.link.index}", on_click=_drop, args=(one.link,))
    with st.container(horizontal=True):
        chosen = [(one, judged_gans(one.link)) for one in KEPT.get()]
        st.download_button("All as a zip", lambda: _archive(chosen), "failures.zip", "application/zip",
                           on_click="ignore", disabled=not chosen, icon=":material/folder_zip:")  # fmt: skip
        st.button("Undo", on_click=_undo, disabled=not BEFORE.get(), icon=":material/undo:")
    st.caption("They are kept until this tab is reloaded or closed; the zip and the links last.")


def _archive(chosen: list[tuple[Kept, list[JudgedGan]]]) -> bytes:
    found = [(one, failure(able[0], one.link.plan, one.link.index)) for one, able in chosen if able]
    return export.archive([(one.link, each) for one, each in found], [one.note for one, _ in found])
