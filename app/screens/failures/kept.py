"""Failures that somebody keeps: starred, with notes, shared as a zip or by links; the last change can be undone.

The browser holds them from visit to visit.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import streamlit as st
from screens.failures.links import address, judged_gans
from session.chosen import Slot, told
from theme.html import beside

from rgan.common.errors import SettingsError
from rgan.common.formatting import per_cent
from rgan.robustness.failures import export
from rgan.robustness.failures.failure import failure
from rgan.robustness.failures.links import Permalink, parse
from rgan.robustness.measured import JudgedGan


@dataclass(frozen=True)
class Kept:
    """A link to a failure, and a note."""

    link: Permalink
    note: str = ""


KEPT = Slot[tuple[Kept, ...]]("kept_failures", ())
HEARD = Slot("kept_failures_heard", False)  # what the browser holds from an earlier visit
MOST = 100  # that are taken from the browser
BEFORE = Slot[tuple[tuple[Kept, ...], ...]]("kept_failures_before", ())


_mount = st.components.v2.component(
    "kept_failures", html="<span></span>", js=beside(__file__, "js"), isolate_styles=False
)


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
    texts = json.dumps([one.link.query() | {"note": one.note} for one in KEPT.get()])
    _mount(key="kept", data={"kept": texts, "count": len(KEPT.get()), "heard": HEARD.get()}, on_kept_change=_recall,
           height=1)  # fmt: skip
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
    st.caption("This browser keeps them; the zip and the links can be sent.")


def _recall() -> None:
    """Put what an earlier visit kept before what this one has; what is no failure's link any more is passed over."""
    text = told("kept", "kept")
    if text is None or HEARD.get():
        return
    HEARD.set(True)
    before = [one for row in _rows(str(text)) if (one := _kept(row)) is not None]
    KEPT.set((*before, *(one for one in KEPT.get() if not any(_same(one.link, other.link) for other in before))))


def _rows(text: str) -> list[dict[str, object]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [row for row in found[:MOST] if isinstance(row, dict)] if isinstance(found, list) else []


def _kept(row: dict[str, object]) -> Kept | None:
    try:
        return Kept(parse({name: str(value) for name, value in row.items()})[0], str(row.get("note", "")))
    except SettingsError:
        return None


def _archive(chosen: list[tuple[Kept, list[JudgedGan]]]) -> bytes:
    found = [(one, failure(able[0], one.link.plan, one.link.index)) for one, able in chosen if able]
    return export.archive([(one.link, each) for one, each in found], [one.note for one, _ in found])
