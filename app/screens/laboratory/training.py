"""The training of this session: it goes on only when the browser asks for more, by turns with those of others."""

from __future__ import annotations

import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
import torch
from session import state
from session.chosen import Slot
from session.places import Places
from session.tasks import Task

from rgan.attack.search import Attack
from rgan.theory.laboratory.experiment import FRAMES, Experiment, Stretch
from rgan.theory.laboratory.frames import Arrays, full_field
from rgan.theory.laboratory.ready import lesson_before, ready
from rgan.theory.laboratory.settings import SIDES, Settings
from rgan.theory.laboratory.twins import MOST_STEPS, PLAYERS, Plan

KEPT = 64  # trainings that somebody has reached by a link, for whoever comes by it next
STRIDES = (1, 2, 5, 10, 20)  # steps from one picture to the next
CATCHING_UP, LONG = 20, 0.8  # steps to a picture, and seconds of the processor, on the way to where a link leads
LATELY = 3  # addresses told that may still stand there while the browser plays
Field = tuple[Arrays, dict[str, float]]

_HELD = Slot[Experiment | None]("laboratory_held", None)
_MEASURED = Slot[tuple[Plan, Attack] | None]("laboratory_measured", None)
_TOLD = Slot[tuple[tuple[str, str], ...]]("laboratory_told", ())
_GOAL = Slot[Plan | None]("laboratory_goal", None)
_AIMS = Slot("laboratory_aims", 0)  # how often another goal was set
OF_ITSELF = ("play", "catch", "look")  # what the browser asks for without anybody's doing


@st.cache_resource(show_spinner=False)
def places() -> Places:
    """As many trainings at once as there are cores, and as many again: each pauses while its pictures are drawn."""
    return Places(2 * (os.cpu_count() or 1))


@st.cache_resource(scope="session", on_release=lambda who: places().leave(who), show_spinner=False)
def _who() -> str:
    return uuid.uuid4().hex


@st.cache_resource(show_spinner=False)
def _computing() -> ThreadPoolExecutor:
    """A thread a core: stretches of all sessions are trained in the order in which they are asked for."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "laboratory", initializer=lambda: torch.set_num_threads(1))


class _Reached:
    """Copies of trainings at the ends of the plans that links gave."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Plan, Experiment] = OrderedDict()

    def put(self, experiment: Experiment) -> None:
        with self._lock:
            self._kept[experiment.at] = experiment.copy()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def get(self, plan: Plan) -> Experiment | None:
        with self._lock:
            found = self._kept.get(plan)
            return None if found is None else found.copy()


@st.cache_resource(show_spinner=False)
def _reached() -> _Reached:
    return _Reached()


@dataclass(frozen=True)
class Answer:
    """stretch: pictures; goal: where it is going by itself. waiting: how many others come before."""

    stretch: Stretch
    at: Plan
    goal: Plan
    waiting: int = 0


def held() -> Experiment:
    """The training as it stands."""
    found = _HELD.get()
    assert found is not None
    return found


def seen() -> str:
    """What the browser has, once it has the pictures of where the training stands."""
    return str(hash(held().at))


def goal() -> Plan:
    """Where it is going by itself, or stands."""
    return _GOAL.get() or held().at


def aims() -> int:
    """How often another goal was set; what the browser asks for of itself names the one it is for."""
    return _AIMS.get()


def begun() -> bool:
    """Whether this session has one."""
    return _HELD.get() is not None


def asked_for(link: tuple[str, str]) -> bool:
    """Whether the address (steps and past) asks for a training, other than by what was told to it lately."""
    if not begun():
        return True
    return link != ("", "") and link not in _TOLD.get()


def tell(link: tuple[str, str]) -> None:
    """What the browser writes into the address after this run."""
    _TOLD.set((*_TOLD.get(), link)[-LATELY:])


def aim(plan: Plan) -> None:
    """Go to the end of `plan` from now on: from where the training stands if it leads there, else anew."""
    found = _reached().get(plan)
    if found is not None:
        _HELD.set(found)
    elif not begun() or not plan.follows(held().at):
        _HELD.set(_ready(plan) or Experiment.of(plan))
    _GOAL.set(plan)
    _AIMS.set(_AIMS.get() + 1)


def _ready(plan: Plan) -> Experiment | None:
    """The training as it stands at the lesson that the way to this plan comes through, where one stands ready."""
    lesson = lesson_before(plan)
    if lesson is None:
        return None
    found = _reached().get(lesson.plan) or _computing().submit(ready, lesson.plan).result()
    if found is not None:
        _reached().put(found)
    return found


def change(settings: Settings) -> None:
    """Other settings hold from now on."""
    if goal().settings != settings:
        aim(held().at.changed(settings))


def answer(asked: Mapping[str, Any], attack: Attack) -> Answer:
    """What the browser asks for, and in any case the picture of where the training stands.

    What it asked of itself on the way to another goal counts no more: a lesson would end where it begins.

    Raises:
        DivergedError: a weight is no number any more.
        SettingsError: the plan becomes longer than a link can tell.
    """
    kind, stride = asked.get("kind"), asked.get("stride")
    if kind in OF_ITSELF and asked.get("aim") != aims():
        kind = None
    stride = stride if stride in STRIDES else STRIDES[0]
    if kind == "restart":
        aim(Plan(held().at.settings))
    experiment, plan = held(), goal()
    at = experiment.at
    if kind in PLAYERS:
        plan = at.played(str(kind))
    elif kind == "step":
        plan = replace(at, steps=min(MOST_STEPS, at.steps + 1))
    elif kind == "play" and plan == at:
        plan = replace(at, steps=min(MOST_STEPS, at.steps + FRAMES * stride))
    if kind == "catch" and (found := _reached().get(plan)) is not None:
        _HELD.set(found)
        experiment = found
    far = plan.steps > experiment.at.steps
    asks = far and kind in ("play", "catch", "step")
    waiting = places().ask(_who()) if asks else 0
    pace: dict[str, Any] = {"stride": stride}
    if kind == "catch":
        pace = {"stride": CATCHING_UP, "seconds": LONG, "field": False}
    if waiting and asked.get("seen") == seen():
        stretch = Stretch((), {})  # forty who wait would take what four train with
    else:
        towards = experiment.at if waiting or (far and not asks) else plan
        stretch = _computing().submit(experiment.to, towards, attack.radii[0], attack.price, **pace).result()
    if kind == "catch" and experiment.at == plan:
        _reached().put(experiment)
    # Play asks again for what the time did not allow; a look is asked for where somebody has paused.
    _GOAL.set(experiment.at if kind in ("play", "look") else plan)
    places().served(_who()) if asks else places().leave(_who())
    return Answer(stretch, experiment.at, goal(), waiting)


def look(attack: Attack) -> Task[Field]:
    """The worst moves where the training stands, by the attack and by looking everywhere: searched once for all."""
    experiment = held()
    at = experiment.at
    key = ("laboratory", at, attack)
    if _MEASURED.get() != (at, attack):
        _computing().submit(experiment.measure, attack.radii[0], attack.price).result()
        _MEASURED.set((at, attack))
    gans = {side: experiment.twins.gan(side) for side in SIDES}

    def work(report: Callable[..., None]) -> Field:
        arrays: Arrays = {}
        shares: dict[str, float] = {}
        for side, gan in gans.items():
            found, moves = full_field(gan, at.settings, attack, report=report)
            arrays |= {f"{side}.{name}": one for name, one in found.items()}
            gained = (moves.found.value - moves.found.loss_original).sum()
            assert moves.truth_value is not None
            most = (moves.truth_value - moves.found.loss_original).sum()
            shares[side] = float(gained / most) if float(most) > 1e-6 else 1.0
        return arrays, shares

    return state.want({key: work})[key]
