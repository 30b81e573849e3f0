"""What all visitors of this server, and those of a class, together answered: counts alone, on disk, without names."""

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


def _of(test: str, group: str) -> dict[str, Any]:
    """Tests of the same models and settings are counted together, whatever their seed."""
    asked: dict[str, Any] = json.loads(test)
    together = asked | {"what": "blind answers", "plan": asked["plan"] | {"seed": None, "trials": None}}
    return together | ({"class": group} if group else {})


def _known(test: str, group: str) -> Mapping[str, Any]:
    return answers().get(_of(test, group)) or {
        "tests": 0,
        "hits": dict.fromkeys(NOISES, 0),
        "total": dict.fromkeys(NOISES, 0),
    }


def add(test: str, shown: Sequence[Pair], given: Sequence[int], group: str = "") -> None:
    """Count one more test, among all and among those of its class `group`."""
    own = {kind: tally(shown, given, kind) for kind in NOISES}
    for counted in {"", group}:
        with _one_at_a_time():
            known = _known(test, counted)
            answers().put(
                _of(test, counted),
                {
                    "tests": known["tests"] + 1,
                    "hits": {kind: known["hits"][kind] + one.hits for kind, one in own.items()},
                    "total": {kind: known["total"][kind] + one.total for kind, one in own.items()},
                },
            )


def so_far(test: str, group: str = "") -> tuple[int, dict[str, Tally]]:
    """How many tests there were, all or those of a class, and what they come to by kind of noise."""
    known = _known(test, group)
    return known["tests"], {kind: Tally(known["hits"][kind], known["total"][kind]) for kind in NOISES}
