"""A slider that reports while it is dragged; Streamlit's own reports on release only."""

from __future__ import annotations

import streamlit as st
from theme.html import beside

_mount = st.components.v2.component(
    "live_slider",
    html=beside(__file__, "html"),
    css=beside(__file__, "css"),
    js=beside(__file__, "js"),
    isolate_styles=False,
)


def live_slider(label: str, state_key: str, maximum: float, *, ends: tuple[str, str]) -> tuple[float, bool]:
    """A slider over [0, maximum] for the number in `st.session_state[state_key]`: its value, and whether it is held.

    Call it inside a fragment: while the thumb is held only the fragment runs, and the value is not yet in the session.
    Letting go, or a key press, writes it there and runs the whole page, so that other widgets with that key follow.
    """
    key, moved_key = f"{state_key}_live", f"{state_key}_moved"

    def moved() -> None:
        thumb = st.session_state[key].get("thumb")
        if thumb is not None:
            value = round(min(max(float(thumb["value"]), 0.0), maximum), 2)
            st.session_state[moved_key] = value, bool(thumb["dragging"])
            if not thumb["dragging"]:
                st.session_state[state_key] = value

    value, held = st.session_state.pop(moved_key, (st.session_state[state_key], None))
    _mount(
        data={
            "label": label,
            "value": value,
            "max": maximum,
            "step": 0.01,
            "low": ends[0],
            "high": ends[1],
        },
        key=key,
        default={"thumb": None},
        on_thumb_change=moved,
    )
    if held is False:
        st.rerun()
    return value, held is True
