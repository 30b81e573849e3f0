"""Pictures in a grid that open at a click or by keyboard: listens to the buttons that templates lay over them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from session.chosen import told
from theme.html import beside

_mount = st.components.v2.component("tile_pick", html="<span></span>", js=beside(__file__, "js"), isolate_styles=False)


def tile_pick(key: str, on_pick: Callable[[str], None]) -> None:
    """Call `on_pick` with the `data-pick` of a button on this page that is pressed; arrow keys step between buttons."""
    slot = f"pick-{key}"

    def picked() -> None:
        if (pick := told(slot, "pick")) is not None:
            on_pick(str(pick))

    _mount(key=slot, on_pick_change=picked, height=1)
