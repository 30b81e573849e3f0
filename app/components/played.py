"""Two models on the stage, while their paths are searched and after."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from components.stage import Told, stage
from session.chosen import Slot
from session.paths import Encoded, frames_of, paths
from session.state import load
from session.tasks import Task

from rgan.attack.path import Request
from rgan.common.errors import RganError
from rgan.report.stage import OnStage, stage_data

SOON, LATER = 0.4, 2.0  # seconds between looks for new frames: before the first, and after
THINGS = {"faces": "faces", "digits": "digits", "mnist": "digits"}  # what images of these data sets are of


def played(
    names: tuple[str, str],
    about: tuple[str, str],
    request: Request,
    key: str,
    radius: float,
    *,
    play: bool = False,
    picked: int | None = None,
) -> Told | None:
    """The stage with the best frames there are; None before the first.

    While a new path begins the old one stays, pale.

    Args:
        radius: ε where the stage stands at first.
        play: whether the path is played once when it is first there.
    """
    found = paths(names, request)
    try:
        for task in found:
            if task.done:
                task.value()
    except RganError as error:
        st.error(str(error))
        return None
    last = Slot[tuple[tuple[str, str], list[Encoded]] | None](f"played:{key}", None)
    frames, waiting = frames_of(found), ""
    if frames:
        last.set((names, frames))
    elif (kept := last.get()) is not None and kept[0] == names:
        frames, waiting = kept[1], _waiting(found)
    told = None
    if frames:
        data = stage_data(
            [OnStage(one | {"model": name}, words) for one, name, words in zip(frames, names, about, strict=True)],
            radius=radius,
            play=play,
            picked=picked,
            things=THINGS.get(load(names[0]).data, "images"),
            waiting=waiting,
        )
        told = stage(data, key)
    else:
        st.html(f'<div class="stage-to-come">{_waiting(found)}</div>')
    _watch(found, [one["id"] for one in frames])
    return told


def _waiting(found: Sequence[Task[Encoded]]) -> str:
    ahead = max(task.ahead for task in found)
    before = f" {ahead} before this one." if ahead else ""
    return f"Searching …{before}"


def _watch(found: Sequence[Task[Encoded]], shown: list[str]) -> None:
    """Run the page again when there are frames that are not `shown` yet."""
    if all(task.done for task in found) and [task.value()["id"] for task in found] == shown:
        return

    def look() -> None:
        frames = frames_of(found)
        if [one["id"] for one in frames] != shown or any(task.failed for task in found):
            st.rerun()

    st.fragment(look, run_every=LATER if shown else SOON)()
