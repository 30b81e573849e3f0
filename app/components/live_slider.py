"""A slider that reports while it is dragged; Streamlit's own reports on release only."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from session.chosen import Slot
from theme.html import beside

_mount = st.components.v2.component(
    "live_slider",
    html=beside(__file__, "html"),
    css=beside(__file__, "css"),
    js=beside(__file__, "js"),
    isolate_styles=False,
)


def live_slider(label: str, slot: Slot[float], maximum: float, *, ends: tuple[str, str]) -> tuple[float, bool]:
    """A slider over [0, maximum] for the number in `slot`: its value, and whether it is held.

    Call it inside a fragment: while the thumb is held only the fragment runs, and the value is not yet in the slot.
    Letting go, or a key press, writes it there and runs the whole page, so that other widgets with that key follow.
    """
    thumb = Slot[Mapping[str, Mapping[str, float]]](f"{slot.key}_live", {})
    last = Slot[tuple[float, bool] | None](f"{slot.key}_moved", None)

    def moved() -> None:
        if at := thumb.get().get("thumb"):
            value = round(min(max(float(at["value"]), 0.0), maximum), 2)
            last.set((value, bool(at["dragging"])))
            if not at["dragging"]:
                slot.set(value)

    value, held = last.pop() or (slot.get(), None)
    _mount(
        data={
            "label": label,
            "value": value,
            "max": maximum,
            "step": 0.01,
            "low": ends[0],
            "high": ends[1],
        },
        key=thumb.key,
        default={"thumb": None},
        on_thumb_change=moved,
    )
    if held is False:
        st.rerun()
    return value, held is True
