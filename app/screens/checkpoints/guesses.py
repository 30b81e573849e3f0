"""What weights do not tell: the user's answers, with images of each, and what a judge thinks of those."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from screens.checkpoints import keep
from session.state import data_sets
from theme.html import part
from theme.language import plain

from rgan.common.errors import CheckpointError, RganError
from rgan.common.formatting import per_cent
from rgan.common.images import grid, png, to_uint8
from rgan.importing.conversion import Proposal
from rgan.importing.formats import Question
from rgan.metrics.judges import Judge, shipped
from rgan.report.parts import Picture

TRIED, JUDGED = 4, 64  # images under each answer; those judged


def data_of(first: str) -> tuple[str, Judge | None]:
    """The data set that the user says it was trained on, and the judge that knows it."""
    options = (keep.UNKNOWN, *data_sets())
    likely = next((k for k, one in enumerate(options) if k and one in first.lower()), 0)
    data = str(st.selectbox(
        "Trained on", options, likely, key="brought_data",
        help="A judge of these data can then say how bad its images are, and real images stand beside them.",
    ))  # fmt: skip
    try:
        return data, shipped(data)
    except CheckpointError:
        return data, None


def answers_to(found: Proposal, judge: Judge | None) -> dict[str, str]:
    """The user's answers to all that weights do not tell; an answer may bring new questions."""
    answers: dict[str, str] = {}
    st.markdown("**The weights do not tell, so this was guessed. Change what looks wrong:**")
    if judge is not None:
        st.caption(
            f"Under each answer: the mean badness of {JUDGED} images to the judge of {plain(judge.data)}, the share of "
            "real images that look more real. Lower is likelier right; mistaken answers can still look well."
        )
    columns = st.columns(4, gap="medium")
    while new := [question for question in found.questions(answers) if question.name not in answers]:
        for question in new:
            options = tuple(question.options)
            with columns[len(answers) % len(columns)]:
                answers[question.name] = st.selectbox(
                    question.text, options, options.index(question.guess), format_func=question.options.__getitem__,
                    key=f"answer:{found.number}:{question.name}",
                )  # fmt: skip
                _tried(found, question, answers, judge)
    return answers


def _tried(found: Proposal, question: Question, answers: Mapping[str, str], judge: Judge | None) -> None:
    """The same few images under each answer, if it changes them."""
    tried: dict[str, np.ndarray] = {}
    under = {}
    for option in question.options:
        given = tuple((dict(answers) | {question.name: option}).items())
        try:
            tried[option] = images(found.key, given, TRIED, found)
        except RganError:
            continue  # an answer that fits no network shows nothing
        under[option] = given
    pictures = list(tried.values())
    if all(np.array_equal(one, pictures[0]) for one in pictures):
        return
    shown = []
    for option, drawn in tried.items():
        words = question.options[option]
        seen = "" if judge is None else f"badness {per_cent(_badness(judge.data, found.key, under[option], found))}"
        shown.append((Picture(png(grid(drawn, TRIED, scale=2)), f"{TRIED} images with {words}", words), seen))
    st.html(part("checkpoints.html", "tried", shown))


@st.cache_data(max_entries=256, show_spinner=False)
def images(key: tuple[str, ...], answers: tuple[tuple[str, str], ...], count: int, _found: Proposal) -> np.ndarray:
    """Images uint8 (count, H, W, C) under these answers."""
    gan = _found.gan(dict(answers))
    return to_uint8(gan.probe().images(gan.noise(count, 0)))


@st.cache_data(max_entries=256, show_spinner="Asking the judge …")
def _badness(data: str, key: tuple[str, ...], answers: tuple[tuple[str, str], ...], _found: Proposal) -> float:
    """Mean badness of images under these answers."""
    gan = _found.gan(dict(answers))
    return float(shipped(data).opinion(gan.probe().images(gan.noise(JUDGED, 0))).badness.mean())
