"""Views with some controls hidden, for a class: `?lock=models,lam` in the address, and the place to make such a link.

A hidden control is still drawn, and only its box is taken out of the page: so it keeps its value, its range is checked
as ever, and a link made from a locked view is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from session.address import carried
from session.table import CONTROLS, GROUPS

HIDEABLE = tuple(one.key for group in GROUPS.values() for one in group)
_PARAMETER = "lock"
_ALONG = {"eps": ("eps_live",), "a": ("chooser_a",), "b": ("chooser_b",)}  # boxes that show the same control once more
_ALWAYS = ("lock_maker",)  # which a locked view has no use for
_HTML, _CSS, _JS = (Path(__file__).with_name(f"lock_link.{kind}").read_text() for kind in ("html", "css", "js"))
_link = st.components.v2.component("lock_link", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


def keys(lock: str) -> tuple[str, ...]:
    """The controls that a parameter "models,lam" names; what is neither a group nor a control is passed over."""
    words = [word.strip() for word in lock.split(",")]
    named = {key for word in words for key in ([one.key for one in GROUPS[word]] if word in GROUPS else [word])}
    return tuple(key for key in HIDEABLE if key in named)


def parameter(hidden: Iterable[str]) -> str:
    """The shortest parameter that names exactly these controls."""
    left, words = set(hidden), []
    for name, group in GROUPS.items():
        inside = [one.key for one in group if one.key in left]
        words += [name] if len(inside) == len(group) else inside
    return ",".join(words)


def locked() -> bool:
    """Whether this view has controls hidden."""
    return keys(st.query_params.get(_PARAMETER, "")) != ()


def note(page: str) -> None:
    """Once a run, on the screen called `page`, before any control: hide what the address says, and say so."""
    hidden = keys(carried(_PARAMETER, page))
    if not hidden:
        return
    boxes = [*hidden, *_ALWAYS, *(box for key in hidden for box in _ALONG.get(key, ()))]
    st.html(f"<style>{', '.join(f'.st-key-{box}' for box in boxes)} {{ display: none; }}</style>")
    with st.sidebar:
        st.caption(":material/lock: Locked view: some controls are hidden and keep their values.")
        _link(data={"lock": ""}, key="lock_link_off")


def maker() -> None:
    """Choose controls to hide; the link to this page without them."""
    with st.container(key="lock_maker"), st.popover("Lock this view", type="tertiary", icon=":material/lock:"):
        st.markdown("A link to this page as it is now, without the controls you choose: they keep their values.")
        groups = st.pills(
            "Hide whole groups", tuple(GROUPS), selection_mode="multi", key="lock_groups",
            help="; ".join(f"{name}: {', '.join(one.name for one in group)}" for name, group in GROUPS.items()),
        )  # fmt: skip
        chosen = st.multiselect(
            "Hide these controls", HIDEABLE, format_func=lambda key: CONTROLS[key].name, key="lock_controls"
        )
        hidden = {*chosen, *(one.key for name in groups for one in GROUPS[name])}
        if hidden:
            _link(data={"lock": parameter(hidden)}, key="lock_link_on")
            st.caption("Whoever opens it sees a note, and a link that shows all controls again.")
