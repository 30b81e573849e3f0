"""A model is chosen from tiles of what it draws, its twin beside it: a button that shows the choice, and a dialog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from session.chosen import told
from session.portraits import about, picture
from session.state import models
from session.twins import twins


def _file(kind: str) -> str:
    return Path(__file__).with_name(f"tiles.{kind}").read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "model_tiles", html=_file("html"), css=_file("css"), js=_file("js"), isolate_styles=False
)


def model_tiles(
    label: str, value: str, names: Sequence[str], key: str, on_pick: Callable[[str], None], *, hint: str = ""
) -> None:
    """Show what is chosen, a name that may be none of `names`; `on_pick` is told of another."""
    slot = f"tiles-{key}"

    def picked() -> None:
        if (pick := told(slot, "pick")) is not None:
            on_pick(str(pick))

    pairs: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        pairs.setdefault(twins(name)[0], []).append(_tile(name))
    gone = [] if value in names else [{"name": value, "lines": ["not here", ""], "picture": ""}]
    data = {"label": label, "hint": hint, "value": value, "pairs": list(pairs.values()), "gone": gone}
    _mount(data=data, key=slot, on_pick_change=picked)


def _tile(name: str) -> dict[str, Any]:
    if name not in models():  # deleted meanwhile
        return {"name": name, "lines": ["not here", ""], "picture": ""}
    return {"name": name, "lines": about(name).words, "picture": picture(name)}
