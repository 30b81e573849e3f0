"""What the Failures screen needs to have computed."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import streamlit as st
from session.answered import Answered
from session.state import background
from session.tasks import Work

from rgan.metrics.judges import Judge
from rgan.models.gan import Gan
from rgan.robustness import first
from rgan.robustness.failures.failure import Failure, failure, of_pool
from rgan.robustness.failures.modes import Modes, modes
from rgan.robustness.failures.pool import Pool, PoolPlan
from rgan.robustness.measured import JudgedGan


@st.cache_resource(max_entries=64, show_spinner=False)
def _stop(key: str) -> threading.Event:
    return threading.Event()


@st.cache_resource(max_entries=32, show_spinner=False)
def judged_gan(digest: str, judge: str, _gan: Gan, _judge: Judge) -> JudgedGan:
    """The model with its judge, which remembers what it has seen of the model's real images."""
    return JudgedGan(_gan, _judge)


@dataclass(frozen=True)
class Hunt:
    """A pool of noise to be searched for both models."""

    judged_gans: tuple[JudgedGan, JudgedGan]
    plan: PoolPlan

    @functools.cached_property
    def _hunt(self) -> first.Hunt:
        return first.Hunt(self.judged_gans, self.plan)

    @functools.cached_property
    def key(self) -> str:
        """Of the pool."""
        return json.dumps(self._hunt.question, sort_keys=True)

    @property
    def stop(self) -> threading.Event:
        """Set to end the search early; what it has found stays."""
        return _stop(self.key)

    @property
    def work(self) -> Answered[Pool]:
        """The pool, or as much of it as there was when it was stopped, which is not kept."""

        def search(report: Callable[..., None]) -> Pool:
            return self._hunt.pool(report, background().map, self.stop.is_set)

        return Answered(Pool, self._hunt.question, search, lambda pool: pool.share == 1)

    def again(self, side: str, row: int) -> tuple[Hashable, Work[Failure]]:
        """One failure found anew, with the steps of its search."""
        judged = self.judged_gans["AB".index(side)]
        return ("failure", self.key, side, row), lambda report: failure(judged, self.plan, row)


@st.cache_resource(max_entries=32, show_spinner="Grouping near-duplicates …")
def modes_of(key: str, _pool: Pool, side: str, kind: str, _judge: Judge) -> Modes:
    """A model's failure modes in a pool; `key` tells pools apart."""
    return modes(_pool, side, _judge, kind)


@st.cache_resource(max_entries=64, show_spinner=False)
def failure_of(key: str, side: str, index: int, _pool: Pool, _judged: JudgedGan) -> Failure:
    """One row of one model in a pool, with its straight ways; `key` tells pools apart."""
    return of_pool(_judged, _pool, side, index)
