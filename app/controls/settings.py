"""The place of a screen's settings, with the mark that says whether they are as they were shared, and the one reset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from controls import lock
from session import shared
from theme.html import part


@contextmanager
def settings_panel(*, in_browser: bool = True) -> Iterator[None]:
    """Draw a screen's settings into the sidebar, below their mark.

    Args:
        in_browser: whether settings without a widget move without a word to the server, as on the stage.
    """
    with st.sidebar:
        place = st.container(horizontal=True, vertical_alignment="center", key="shared")
        yield
        with place:
            _mark(in_browser)


def _mark(in_browser: bool) -> None:
    """Whether the settings of this run are those of the session's link, and the way back to them."""
    here = shared.settings()
    changed = [one.control.name for one in here if one.value != shared.shared(one.control)]
    linked = any(shared.is_linked(one.control) for one in here)
    bare = {one.control.key: shared.shared(one.control) for one in here if one.bare and in_browser}
    others = any(not one.bare and one.value != shared.shared(one.control) for one in here)
    st.html(part("language.html", "shared", changed, linked, bare, others))
    usual = all(one.value == one.control.default for one in here)
    if changed or (bare and usual):  # the browser may have changed what has no widget
        to = "what the link gave" if linked else "their defaults"
        _button("Reset", f"Settings of every screen back to {to}.", to_link=True)
    elif not (usual or lock.locked()):
        _button("Defaults", "Settings of every screen from the link's to the usual ones.", to_link=False)


def _button(label: str, hint: str, *, to_link: bool) -> None:
    st.button(
        label, key="reset", on_click=shared.put_back, kwargs={"to_link": to_link}, icon=":material/restart_alt:",
        type="tertiary", help=hint,
    )  # fmt: skip
