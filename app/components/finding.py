"""The head of a screen's answer: what is found, what its words mean behind a "?", and what is still computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st
from session import chosen
from session.table import BUDGET
from session.tasks import Task
from theme.html import part

from rgan.common.formatting import duration, per_cent
from rgan.robustness.finding import Finding


def finding(
    found: Finding | None, about: str, settings: str, *, waiting: str = "", share: float = 0.0, old: bool = False
) -> None:
    """Draw it; settings: of the search, in short. waiting: what is computed, and how far it is. old: the finding is of
    other settings than those that are asked for."""
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="finding"):
        st.html(part("finding.html", "finding", found, settings, waiting, round(100 * min(share, 1.0), 1), old))
        with st.popover("?", help="What the words mean and how this is measured"):
            st.markdown(about)
    if found is not None and found.weak and not old and not waiting:
        _stronger()


def _stronger() -> None:
    """A button that lets the search spend more, where it can."""
    now = BUDGET.options.index(chosen.current(BUDGET))
    for larger in BUDGET.options[now + 1 : now + 2]:
        st.button(f"Search with the {larger} budget", on_click=chosen.put, args=(BUDGET, larger), type="primary")


def progress(what: str, tasks: Iterable[Task[Any]]) -> tuple[str, float]:
    """How far several pieces of work are together: in words, with the time left where that is known, and as a share."""
    known = list(tasks)
    share = sum(1.0 if task.done else task.share for task in known) / max(1, len(known))
    lefts = [task.left for task in known if not task.done]
    left = sum(one for one in lefts if one is not None)
    time = f", about {duration(left)} left" if left and all(one is not None for one in lefts) else ""
    ahead = max((task.ahead for task in known if not task.done), default=0)
    before = f", {ahead} before this one" if ahead else ""
    return f"{what}: {per_cent(share, 0)}{time}{before}", share
