"""The stage on a screen: worst noise played along ε in the browser, from frames that were computed once.

Nothing that a visitor does on it costs the server anything, unless the screen asks to be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from session.chosen import Slot, told

from rgan.report.render import templates
from rgan.robustness.encoding import packed

PACKED = 32  # frames that are kept ready to be sent, for all sessions together; a megabyte each


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


def stage(
    data: dict[str, Any],
    key: str,
    *,
    on_pick: Callable[[int], None] | None = None,
    parameter: str = "",
    on_leave: Callable[[float], None] | None = None,
) -> None:
    """Play `data`, as `rgan.report.stage.stage_data` made it.

    Under one key a later call replaces frames in their places: ε, what is shown and what is picked stay the visitor's.
    Frames are sent when their `id` changes only.

    Args:
        on_pick: told of another sample that is picked, from 0, before the next run; without it picking asks for no run.
        parameter: of the address, to which ε is written where the slider is let go; that asks for no run.
        on_leave: told ε, where it has been moved, before a link leads away.
    """

    heard = Slot(f"{key}-heard", 0)  # how often ε was told; the browser follows the link once it has grown

    def picked() -> None:
        sample = told(key, "picked")
        if on_pick is not None and sample is not None:
            on_pick(int(sample))

    def left() -> None:
        radius = told(key, "radius")
        if on_leave is not None and radius is not None:
            on_leave(float(radius))
            heard.set(heard.get() + 1)

    with st.container(gap=None):
        _mount(
            data={
                # as text: Streamlit imports pandas, for half a second, to see whether a dictionary is a table
                "stage": json.dumps(data | {"models": [_without_frames(model) for model in data["models"]]}),
                "picks": on_pick is not None,
                "parameter": parameter,
                "heard": heard.get(),
            },
            key=key,
            on_picked_change=picked,
            on_radius_change=left,
        )
        for model in data["models"]:
            frames = model["frames"]
            _carry(data=_packed(frames["id"], frames), key=f"{key}-frames-{model['side']}", height=1)


@st.cache_resource(max_entries=PACKED, show_spinner=False)
def _packed(identity: str, _frames: Mapping[str, Any]) -> bytes:
    return packed(_frames)


def _without_frames(model: Mapping[str, Any]) -> dict[str, Any]:
    return {**model, "frames": {"id": model["frames"]["id"]}}
