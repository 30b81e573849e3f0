"""The stage on a screen: worst noise played along ε in the browser, from frames that were computed once.

Nothing that a visitor does on it costs the server anything, unless the screen asks to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from rgan.report.render import templates


def _script(name: str) -> str:
    return (Path(__file__).with_name(name)).read_text(encoding="utf-8")


_mount = st.components.v2.component(
    "stage",
    html='<div class="stage-place"></div>',
    css=templates().source("stage.css"),
    js=templates().source("stage.js") + _script("stage.js"),
    isolate_styles=False,
)
_carry = st.components.v2.component("stage_frames", js=_script("frames.js"), isolate_styles=False)


@dataclass(frozen=True)
class Told:
    """What the visitor last did on a stage: the sample picked, from 0, and the ε where the slider was let go."""

    picked: int | None
    radius: float | None


def stage(
    data: dict[str, Any],
    key: str,
    *,
    on_pick: Callable[[], None] | None = None,
    on_release: Callable[[], None] | None = None,
) -> Told:
    """Play `data`, as `rgan.report.stage.stage_data` made it.

    Under one key a later call replaces frames in their places: ε, what is shown and what is picked stay the visitor's.
    Frames are sent when their `id` changes only.

    Args:
        on_pick: called before the next run when another sample is picked; without it picking asks for no run.
        on_release: likewise when the slider is let go at another ε.
    """
    reports = {"picked": on_pick, "released": on_release}
    slots = [f"{key}-frames-{model['side']}" for model in data["models"]]
    with st.container(gap=None):
        found = _mount(
            data={
                "stage": data | {"models": [_without_frames(model) for model in data["models"]]},
                "slots": slots,
                "reports": [name for name, called in reports.items() if called],
            },
            key=key,
            default={"picked": None, "radius": None},
            on_picked_change=on_pick or _nothing,
            on_radius_change=on_release or _nothing,
        )
        for slot, model in zip(slots, data["models"], strict=True):
            _carry(data={"slot": slot, "frames": model["frames"]}, key=slot, height=1)
    return Told(found["picked"], None if found["radius"] is None else float(found["radius"]))


def _without_frames(model: Mapping[str, Any]) -> dict[str, Any]:
    return {**model, "frames": {"id": model["frames"]["id"]}}


def _nothing() -> None:
    """A state has to have a callback to have a default."""
