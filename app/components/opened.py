"""One sample, opened from a tile: its images large, its numbers; which one it is stands in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st
from components.tile_pick import tile_pick
from session.table import OPEN, query
from theme import language
from theme.html import part
from theme.language import plain

from rgan.report.parts import Picture


@dataclass(frozen=True)
class Opened:
    """A sample. pictures: its images. facts: names and values. noise: what the Worst noise screen shows it by, if it
    can."""

    title: str
    pictures: Sequence[Picture]
    facts: Sequence[tuple[str, str]]
    noise: Mapping[str, object] = field(default_factory=dict)


def listen(screen: str) -> None:
    """Once a screen whose tiles open."""
    tile_pick(screen, _open)


def asked() -> str:
    """What the address names; "" for none."""
    return st.query_params.get(OPEN.key, "")


def number(text: str, count: int) -> int | None:
    """A sample's number as the address gives it, if it is one of the first `count`."""
    at = int(text) if text.isdecimal() and len(text) < 10 else count
    return at if at < count else None


def unknown() -> None:
    """Say that what the address names is not on this screen."""
    st.toast(f"This screen has no sample {plain(asked()[:40])}, which the link asks for.", icon=":material/info:")
    close()


def close() -> None:
    """Forget the sample."""
    st.query_params.pop(OPEN.key, None)


def show(one: Opened) -> None:
    """The dialog; Escape closes it."""

    @st.dialog(one.title, width="large" if len(one.pictures) > 1 else "small", on_dismiss=close)
    def dialog() -> None:
        st.html(part("board.html", "tiles", one.pictures))
        st.html(part("board.html", "facts", one.facts))
        if one.noise:
            link = query(**one.noise)
            st.page_link(
                language.WORST_NOISE, label="On the Worst noise screen", icon=":material/explore:", query_params=link
            )

    dialog()


def _open(pick: str) -> None:
    st.query_params[OPEN.key] = pick
