"""What all visitors of this server together answered: counts alone, on disk, without names."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from session.paths import answers

from rgan.robustness.blind_test import NOISES, Pair, Tally, tally


@st.cache_resource(show_spinner=False)
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()


def _of(test: str) -> dict[str, Any]:
    """Tests of the same models and settings are counted together, whatever their seed."""
    asked: dict[str, Any] = json.loads(test)
    return asked | {"what": "blind answers", "plan": asked["plan"] | {"seed": None, "trials": None}}


def _known(test: str) -> Mapping[str, Any]:
    return answers().get(_of(test)) or {"tests": 0, "hits": dict.fromkeys(NOISES, 0), "total": dict.fromkeys(NOISES, 0)}


def add(test: str, shown: Sequence[Pair], given: Sequence[int]) -> None:
    """Count one more test."""
    own = {kind: tally(shown, given, kind) for kind in NOISES}
    with _one_at_a_time():
        known = _known(test)
        answers().put(
            _of(test),
            {
                "tests": known["tests"] + 1,
                "hits": {kind: known["hits"][kind] + one.hits for kind, one in own.items()},
                "total": {kind: known["total"][kind] + one.total for kind, one in own.items()},
            },
        )


def so_far(test: str) -> tuple[int, dict[str, Tally]]:
    """How many tests there were, and what they come to by kind of noise."""
    known = _known(test)
    return known["tests"], {kind: Tally(known["hits"][kind], known["total"][kind]) for kind in NOISES}
