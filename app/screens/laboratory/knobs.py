"""The sidebar of the laboratory, and how its settings stand in a link."""

from __future__ import annotations

from typing import Any

import streamlit as st
from controls.draw import draw
from session import chosen
from session.control import Control
from session.table import (
    LAB_BUDGET,
    LAB_DRAWN,
    LAB_EPS,
    LAB_METHOD,
    LAB_PRICE,
    LABORATORY,
    ONE_STEP,
)

from rgan.attack.search import BUDGETS, Attack
from rgan.common.errors import SettingsError
from rgan.theory.laboratory.lessons import Lesson
from rgan.theory.laboratory.moves import PlaneAttack
from rgan.theory.laboratory.points import MOST_DRAWN, PLANE
from rgan.theory.laboratory.settings import Settings, Start
from rgan.theory.laboratory.twins import PLAYERS, Event, Plan

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of a drawn point: two, across and up
_FIRST = ("data", "prior")
_TRAINING = ("loss", "penalty", "generator_rate", "critic_rate", "critic_steps")
_ROBUST = ("noise_radius", "image_radius", "weight", "players", "solver_steps")
_NETWORKS = ("generator_layers", "generator_width", "critic_layers", "critic_width", "seed")


def settings(start: Start | None) -> Settings:
    """Draw what the twins are and how they are trained; what is set, from these weights where there are any."""
    found: dict[str, Any] = {}
    for title, names in (("", _FIRST), ("Robust twin B", _ROBUST), ("Both twins", _TRAINING), ("Networks", _NETWORKS)):
        place = st.expander(title, expanded=names is _ROBUST) if title else st.container()
        with place:
            for name in names:
                if name == "penalty" and found["loss"] != "wasserstein":
                    found[name] = chosen.current(LABORATORY[name])
                else:
                    found[name] = draw(LABORATORY[name])
    drawn = read_points(chosen.current(LAB_DRAWN))
    if found["data"] == "drawn" and not drawn:
        drawn = ((0.0, 0.0),)
    return Settings(**found, drawn=drawn if found["data"] == "drawn" else (), start=start)


def attack() -> Attack:
    """Draw how worst moves are searched for; the attack."""
    with st.expander("Worst moves", expanded=True):
        radius, price = draw(LAB_EPS), draw(LAB_PRICE)
        one_step = draw(LAB_METHOD) == ONE_STEP
        budget = BUDGETS[draw(LAB_BUDGET, disabled=one_step)]
    return PlaneAttack((radius,), 0.0 if one_step else price, budget, "one-step" if one_step else "ascent")


def of_lesson(lesson: Lesson) -> dict[str, object]:
    """The values of all controls that the lesson sets, by their keys."""
    plan = lesson.plan
    values = {control.key: getattr(plan.settings, name) for name, control in LABORATORY.items()}
    search = {
        LAB_EPS.key: lesson.radius,
        LAB_PRICE.key: lesson.price,
        LAB_METHOD.key: ONE_STEP if lesson.method == "one-step" else LAB_METHOD.default,
        LAB_BUDGET.key: lesson.budget,
    }
    return values | search


def write_past(plan: Plan) -> str:
    """What happened on the way, for a link: "300.critic,450.lab_e1.0.3", a setting with its value before."""
    words = []
    for event in plan.past:
        if event.name in PLAYERS:
            words.append(f"{event.iteration}.{event.name}")
        else:
            control = LABORATORY[event.name]
            words.append(f"{event.iteration}.{control.key}.{control.write(event.before)}")
    return ",".join(words)


def read_past(text: str) -> tuple[Event, ...]:
    """What `write_past` wrote.

    Raises:
        SettingsError: it was something else.
    """
    by_key: dict[str, tuple[str, Control[Any]]] = {one.key: (name, one) for name, one in LABORATORY.items()}
    events = []
    for word in filter(None, text.split(",")):
        at, _, rest = word.partition(".")
        name, _, before = rest.partition(".")
        if not (at.isascii() and at.isdigit() and len(at) < 7):
            raise SettingsError(f"expected changes such as 300.critic, got {word[:40]!r}")
        if name in PLAYERS and not before:
            events.append(Event(int(at), name))
        elif name in by_key and by_key[name][1].understands(before):
            events.append(Event(int(at), by_key[name][0], by_key[name][1].read(before)))
        else:
            raise SettingsError(f"expected a setting and its value, got {word[:40]!r}")
    return tuple(events)


def read_points(text: str) -> tuple[tuple[float, float], ...]:
    """Points that stand in a link, two of DIGITS each; what is none is passed over."""
    pairs = [text[k : k + 2] for k in range(0, 2 * MOST_DRAWN, 2)]
    scale = 2 * PLANE / (len(DIGITS) - 1)
    return tuple(
        dict.fromkeys(
            (round(DIGITS.index(pair[0]) * scale - PLANE, 4), round(DIGITS.index(pair[1]) * scale - PLANE, 4))
            for pair in pairs
            if len(pair) == 2 and set(pair) <= set(DIGITS)
        )
    )
