"""Two models on the stage, while their paths are searched and after."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from components.stage import stage
from session.address import moved
from session.chosen import Slot, current
from session.control import Control
from session.paths import Encoded, frames_of, paths
from session.shared import times_put_back
from session.state import load
from session.tasks import Task
from session.waiting import value
from theme.language import plain

from rgan.attack.path import Request
from rgan.common.errors import RganError
from rgan.report.stage import OnStage, stage_data

AT_ONCE = 0.3  # seconds
SOON, LATER = 0.25, 2.0  # seconds between looks for new frames: before the first, and after
THINGS = {
    "faces": "faces",
    "digits": "digits",
    "mnist": "digits",
    "cats-64.zip": "cats",
}  # what their images are of


class Standing(NamedTuple):
    """What stands on a stage, and whether it is what was asked for: the old one stays until that comes."""

    names: tuple[str, str]
    frames: list[Encoded]
    asked: bool = True


def played(
    names: tuple[str, str],
    about: tuple[str, str],
    request: Request,
    key: str,
    radius: float,
    *,
    play: bool = False,
    pick: Control[int] | None = None,
    place: Control[float] | None = None,
) -> dict[str, Encoded]:
    """The stage with the best frames there are, which are returned by side; none before the first.

    While a new path begins the old one stays, pale.

    Args:
        radius: ε where the stage stands at first.
        play: whether the path is played once when it is first there.
        pick: the control, from 1, that follows the sample which is picked on the stage.
        place: the control, ε, whose parameter of the address follows the slider.
    """
    found = paths(names, request)
    try:
        end = time.monotonic() + AT_ONCE
        for task in found:  # what is on disk comes with the first paint
            task.begins.wait(max(0.0, end - time.monotonic()))
            if task.done:
                value(task)
    except RganError as error:
        st.error(plain(str(error)))
        return {}
    last = Slot[Standing | None](f"played:{key}", None)
    frames, waiting = frames_of(found), ""
    if frames:
        last.set(Standing(names, frames))
    elif (kept := last.get()) is not None and kept.names == names:
        frames, waiting = kept.frames, _waiting(found)
        last.set(Standing(names, frames, asked=False))
    with st.container(key=f"stage_{key}", gap=None):  # which keeps its height
        if frames:
            count = frames[0]["size"][0]
            data = stage_data(
                [OnStage(one | {"model": name}, words) for one, name, words in zip(frames, names, about, strict=True)],
                radius=radius,
                play=play,
                picked=None if pick is None else min(current(pick), count) - 1,
                things=THINGS.get(load(names[0]).data, "images"),
                waiting=waiting,
            )
            stage(
                data | {"asked": times_put_back()},
                key,
                on_pick=None if pick is None else lambda sample: moved(pick, sample + 1),
                parameter="" if place is None else place.key,
                on_leave=None if place is None else lambda radius: moved(place, radius),
            )
        else:
            st.html(f'<div class="stage-to-come">{_waiting(found)}</div>')
    _watch(found, [] if waiting else [one["id"] for one in frames])
    return dict(zip("AB", frames, strict=False))


def _waiting(found: Sequence[Task[Encoded]]) -> str:
    ahead = max(task.ahead for task in found)
    before = f" {ahead} {'search' if ahead == 1 else 'searches'} before yours." if ahead else ""
    return f"Searching …{before}"


def _watch(found: Sequence[Task[Encoded]], shown: list[str]) -> None:
    """Run the page again when there are frames of theirs that are not `shown` yet."""
    if all(task.done for task in found) and [task.value()["id"] for task in found] == shown:
        return

    def look() -> None:
        if any(task.failed for task in found) or [one["id"] for one in frames_of(found)] != shown:
            st.rerun()

    ahead = max(task.ahead for task in found)
    st.fragment(look, run_every=LATER if shown else min(LATER, SOON * (1 + ahead / 4)))()
