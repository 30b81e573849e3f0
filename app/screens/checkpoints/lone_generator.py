"""A model that came without its critic: what can be done all the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import cast

import streamlit as st
from components.progress import bar
from session.chosen import Slot
from session.state import DATA, UPLOADED, critics, data_sets, own_name
from session.table import query
from session.tasks import GivenUpError, Task
from session.waiting import redrawn
from theme import language
from theme.language import plain

from rgan.attack.objectives import CHANGE, JUDGE, judge_for
from rgan.common.devices import in_background
from rgan.common.errors import FileError
from rgan.common.files import LONGEST_NAME
from rgan.data import datasets
from rgan.importing import conversion
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf
from rgan.training import critic
from rgan.training.critic import CriticStep

OWNER = "server"  # constant, so that no session that leaves gives its critic up
PROBLEM = Slot("critic_problem", "")


def offers(name: str, gan: Gan, shelf: Shelf | None) -> None:
    """The ways to look for its worst noise, and a critic to be trained for it."""
    judge = judge_for((gan,))
    with st.container(border=True):
        st.markdown(
            "**It has no critic**, so the loss of equation 8 cannot be raised. What can be done: look where its images "
            "change most, beside random directions; search against a judge of real images; or let a critic be trained "
            "for it here."
        )
        ways = {CHANGE: ("Random directions and the largest change", ":material/explore:")}
        if judge is not None:
            ways[JUDGE] = f"Search against the judge of {plain(judge.data)}", ":material/balance:"
        with st.container(horizontal=True):
            for against, (words, icon) in ways.items():
                asked = query(a=name, b=name, against=against)
                st.page_link(language.WORST_NOISE, label=words, query_params=asked, icon=icon)
        if judge is None:
            st.caption("No judge comes with RGAN Lab for its data, or nobody said what they are.")
        if shelf is not None and name.startswith(UPLOADED):
            _critic(own_name(name), gan, shelf)


def _critic(name: str, gan: Gan, shelf: Shelf) -> None:
    """One critic is trained at a time, for the whole server: its progress, or the button that begins one."""
    if said := PROBLEM.pop():
        st.error(plain(said))
    busy = False
    for key, task in critics().wanted(OWNER).items():
        folder, digest, real = cast("tuple[Path, str, str]", key)  # as _begin made it
        busy = not task.done
        if (folder, digest) != (shelf.folder, gan.digest):
            continue
        if busy:
            _progress(real, task)
            return
        if task.failed:
            st.error(plain(str(task.future.exception())))
        else:
            st.success(
                plain(f"A critic was trained for it on {real}: {task.value().words()}. The model with it is here too.")
            )
    choose, begin = st.columns([2, 1], vertical_alignment="bottom")
    options = data_sets()
    likely = options.index(gan.data) if gan.data in options else 0
    data = str(choose.selectbox("Real images to tell its own from", options, likely, key="critic_data"))
    begin.button(
        "Train a critic", on_click=_begin, args=(name, gan, data, shelf), disabled=busy, width="stretch",
        icon=":material/model_training:", key="train_critic",
        help="One is trained at a time on this server." if busy else "A minute or two, in the background.",
    )  # fmt: skip


def _begin(name: str, gan: Gan, data: str, shelf: Shelf) -> None:
    """Begin a critic, unless one is trained, perhaps since this page was drawn, or there is no room to keep it."""
    if any(not task.done for task in critics().wanted(OWNER).values()):
        PROBLEM.set("expected no critic in training, got one that was begun meanwhile; wait for its end")
        return
    own = shelf.files().get(name)
    try:
        shelf.check_room(own.stat().st_size if own else 0)  # the critic comes on top of it
    except FileError as error:
        PROBLEM.set(str(error))
        return
    key = shelf.folder, gan.digest, data
    critics().again(key)
    critics().want(OWNER, {key: functools.partial(_train, name, gan, data, shelf)})


def _train(name: str, gan: Gan, data: str, shelf: Shelf, report: Callable[[float, CriticStep], None]) -> CriticStep:
    """Train the critic, and keep the model with it on the shelf."""
    in_background()
    real = datasets.load(data, size=gan.recipe.size, root=DATA)
    told = gan if gan.data else conversion.trained_on(gan, data, real.some(datasets.REFERENCE_IMAGES))
    for progress in critic.train(told, real):
        report(progress.step / progress.steps, progress)
        if shelf.closed:  # whose visitor has left
            raise GivenUpError
    assert progress.gan is not None
    taken = shelf.files()
    names = (f"{name[: LONGEST_NAME - 10]}-critic{number}" for number in ("", *range(2, 1000)))
    shelf.add(next(one for one in names if one not in taken), progress.gan)
    return progress


def _progress(data: str, task: Task[CriticStep]) -> None:
    def draw() -> None:
        at = task.so_far
        words = f"Learning to tell its images from {data}" + (f": {at.words()}" if at else "")
        bar(task.share, plain(f"{words}. Goes on if you leave this page."))
        st.button("Stop", on_click=_stop, icon=":material/stop:", key="stop_critic")

    redrawn(draw, waiting=True, over=lambda: task.done)


def _stop() -> None:
    critics().want(OWNER, {})
