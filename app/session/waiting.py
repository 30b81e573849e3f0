"""Results of work in the background, on the page."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from typing import Any, TypeVar

import streamlit as st
from session.state import background, tasks
from session.tasks import GivenUpError, Task

from rgan.common.errors import RganError

T = TypeVar("T")
POLL = 0.5  # seconds between looks at what is being computed
SHORT = 0.05  # seconds that a click waits for a run which itself waits


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


def awaited(future: Future[T]) -> T:
    """Its result. A click meanwhile ends this run, which looks for one whenever it asks for the session's state."""
    while not wait([future], SHORT).done:
        st.session_state.get("awaited")
    return future.result()


def apart(function: Callable[..., T], *args: Any) -> T:
    """function(*args), in a thread of its own where the app waits for it as `awaited` does."""
    return awaited(background().submit(function, *args))


def value(task: Task[T]) -> T:
    """The task's result. One that was given up is begun again; one that failed is when it is next wanted.

    Raises:
        RganError: what it raised.
    """
    try:
        return awaited(task.future)
    except GivenUpError:
        st.rerun()
    except RganError:
        tasks().forget_failed()
        raise
