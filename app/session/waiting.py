"""Results of work in the background, on the page."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import streamlit as st
from session.state import tasks
from session.tasks import GivenUpError, Task

from rgan.common.errors import RganError

T = TypeVar("T")
POLL = 0.5  # seconds between looks at what is being computed


def redrawn(draw: Callable[[], object], *, waiting: bool, over: Callable[[], bool], every: float = POLL) -> None:
    """Draw, and while the page is `waiting` draw again every so many seconds, until it is `over`: then the whole page
    runs anew.
    """

    def again() -> None:
        if waiting and over():
            st.rerun()
        draw()

    st.fragment(again, run_every=every if waiting else None)()


def settled(found: Mapping[Hashable, Task[Any]]) -> bool:
    """Whether there is nothing to wait for: all have come, or one has failed and the page must say so."""
    return all(task.done for task in found.values()) or any(task.failed for task in found.values())


def value(task: Task[T]) -> T:
    """The task's result. One that was given up is begun again; one that failed is when it is next wanted.

    Raises:
        RganError: what it raised.
    """
    try:
        return task.value()
    except GivenUpError:
        st.rerun()
    except RganError:
        tasks().forget_failed()
        raise
