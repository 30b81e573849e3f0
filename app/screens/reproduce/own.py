"""Studies of one's own: planned here, trained and evaluated by a process of their own, watched by whoever looks."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st
from components.progress import bar_with_stop
from screens.reproduce import view
from session import classroom
from session.chosen import put
from session.state import DATA, PLANNED, study_in
from session.table import STUDY
from session.waiting import redrawn
from theme.language import plain

from rgan.common.errors import RganError
from rgan.common.formatting import duration
from rgan.paper import watch
from rgan.paper.runner import PLAN

POLL = 1.0  # seconds between looks
EXAMPLE = """title = "Digits"
seeds = 3
data = "digits"

[recipes.dcgan]
system = "dcgan"
iterations = 2000
width = 16
latent = 64
batch = 32

[robust.paper]
preset = "paper"
players = ["generator", "critic", "both"]

[evaluation]
radii = [0.01, 0.5, 1, 2]
repeats = 1
samples = 500
objectives = ["critic", "judge"]
"""
ABOUT = (
    "Recipes × robust parts × data × seeds, in TOML; a list stands for one model a value. "
    "It goes on where it was after any stop. The same plan runs on several machines: `python -m rgan study --help`."
)


def show(name: str) -> None:
    """How far the study is, and what was found so far."""
    folder = PLANNED / name
    seen = watch.read(folder)
    if seen.running:
        _progress(folder, seen.done)
    elif seen.trouble:
        st.error(plain(seen.trouble))
    if not seen.running and (seen.trouble or seen.done < seen.total) and not classroom.visiting():
        st.button("Go on", on_click=_begin, args=(name, (folder / PLAN).read_text(), 1), icon=":material/play_arrow:")
    if seen.found is not None:
        view.study(study_in(seen.found), folder)


def form() -> None:
    """Plan a study and begin it."""
    with st.expander("A study of your own", icon=":material/science:"):
        text = st.text_area("Plan", EXAMPLE, height=420, help=ABOUT, key="study_plan")
        name, workers, button = st.columns([3, 2, 1], vertical_alignment="bottom")
        with name:
            called = st.text_input("Name", "digits", key="study_name")
        with workers:
            count = st.number_input("Models at once", 1, os.cpu_count() or 1, 1, key="study_workers")
        button.button("Start", on_click=_begin, args=(called, text, count), type="primary", width="stretch")


def _begin(name: str, text: str, workers: int) -> None:
    """Start it and show it; what is wrong is said, and the plan stays as it is written."""
    try:
        watch.start(PLANNED / name, text, workers, str(DATA))
    except RganError as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")
    else:
        put(STUDY, name)


def _progress(folder: Path, done: int) -> None:
    def draw() -> None:
        seen = watch.read(folder)
        left = "" if seen.left is None else f", about {duration(seen.left)} left"
        models = f"{seen.done} of {seen.total} models{left}. " if seen.total else "Starting … "
        bar_with_stop(
            seen.share,
            f"{models}{plain(', '.join(seen.working))}. Goes on if you leave this page or close it.",
            lambda: watch.stop(folder),
            "Keeps all that is trained and evaluated so far; Go on continues.",
        )

    def over() -> bool:
        seen = watch.read(folder)
        return not seen.running or seen.done != done

    redrawn(draw, waiting=True, over=over, every=POLL)
