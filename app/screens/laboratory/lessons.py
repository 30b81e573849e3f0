"""The prepared lessons: a menu of them, and what to try and to see in the one that the address names."""

from __future__ import annotations

import streamlit as st
from screens.laboratory import knobs, training
from session import chosen
from session.address import moved
from session.table import LAB_PAST, LAB_STEPS, LESSON
from theme.html import part

from rgan.theory.laboratory.lessons import LESSONS, Lesson

FIRST = (
    "Press ▶ Play: a plain GAN and its robust twin learn the same points; arrows show where noise is worst to move. Or "
    "open a lesson."
)


def lessons() -> None:
    """Draw them."""
    key = st.query_params.get(LESSON.key, "")
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="lessons"):
        with st.popover("Lessons", icon=":material/school:", key=f"lessons-after-{key}"):
            for lesson in LESSONS:
                st.button(lesson.title, on_click=_open, args=(lesson,), key=f"lesson:{lesson.key}", width="stretch")
        one = next((lesson for lesson in LESSONS if lesson.key == key), None)
        st.html(part("laboratory.html", "lesson", one) if one else part("laboratory.html", "first", FIRST))


def arrive() -> None:
    """A link that names a lesson and nothing else opens it."""
    key = st.query_params.get(LESSON.key, "")
    named = next((one for one in LESSONS if one.key == key), None)
    if named is not None and LAB_STEPS.key not in st.query_params and not training.begun():
        _open(named)


def _open(lesson: Lesson) -> None:
    chosen.put_all(knobs.of_lesson(lesson))
    moved(LESSON, lesson.key)
    moved(LAB_STEPS, lesson.plan.steps)
    st.query_params.pop(LAB_PAST.key, None)
    training.aim(lesson.plan)
