"""What the Failures screen needs to have computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import streamlit as st
from session.state import background, together

from rgan.metrics.judges import Judge
from rgan.robustness.failures.failure import Failure, failure
from rgan.robustness.failures.modes import Modes, modes
from rgan.robustness.failures.pool import Pool, PoolPlan, pool
from rgan.robustness.measured import JudgedGan


@st.cache_resource(max_entries=64, show_spinner=False)
def _stop(key: str) -> threading.Event:
    return threading.Event()


@dataclass(frozen=True)
class Hunt:
    """A pool of noise to be searched for both models."""

    judged_gans: tuple[JudgedGan, JudgedGan]
    plan: PoolPlan

    @property
    def key(self) -> Hashable:
        """Of the pool."""
        return "pool", *((each.gan.digest, each.judge.digest) for each in self.judged_gans), self.plan

    @property
    def stop(self) -> threading.Event:
        """Set to end the search early; what it has found stays."""
        return _stop(repr(self.key))

    def search(self, report: Callable[[float, Pool], None]) -> Pool:
        """The pool, or as much of it as there was when it was stopped."""
        for state in pool(self.judged_gans, self.plan, run=background().map):
            report(state.share, state)
            if self.stop.is_set():
                break
        return state


@st.cache_resource(max_entries=32, show_spinner="Grouping near-duplicates …")
def modes_of(key: str, _pool: Pool, side: str, kind: str, _judge: Judge) -> Modes:
    """A model's failure modes in a pool; `key` tells pools apart."""
    return modes(_pool, side, _judge, kind)


@st.cache_resource(max_entries=64, show_spinner="Searching its way again …")
def failure_of(digest: str, judge: str, plan: PoolPlan, index: int, _subject: JudgedGan) -> Failure:
    """One row of one model, found again with its ways."""
    (found,) = together(lambda judged: failure(judged, plan, index), [_subject])
    return found
