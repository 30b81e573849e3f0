"""Blind test: two images without labels, one answer each, and at the end what that says against guessing."""

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st
from controls import attack
from controls.draw import draw
from controls.objective import objective_choice
from controls.two_models import two_models
from screens.blind_test import view
from session import chosen
from session.chosen import Slot
from session.state import want
from session.table import QUESTION, SEED, TRIALS
from session.tasks import Work
from session.waiting import redrawn, value

from rgan.attack.objectives import judge_for
from rgan.attack.path import reach
from rgan.common.errors import RganError
from rgan.metrics.judges import MEASURING
from rgan.robustness.blind_test import BlindTestPlan, pairs, strengths

ANSWERS = Slot[Mapping[object, tuple[int, ...]]]("blind_answers", {})  # sides chosen so far, by models and plan


def choose(test: tuple[object, ...], trial: int, side: int) -> None:
    """Keep an answer; one that has been given stays."""
    given = ANSWERS.get().get(test, ())
    if len(given) == trial:
        ANSWERS.set({**ANSWERS.get(), test: (*given, side)})


def again() -> None:
    """The next seed: other noise, other sides, another order."""
    chosen.put(SEED, (chosen.current(SEED) + 1) % SEED.high)


st.title("Blind test", anchor=False)
names, gans = two_models()
with st.sidebar:
    question, trials = draw(QUESTION), draw(TRIALS)
    radius = attack.radius(min(map(reach, gans)))
    raised = objective_choice(names, gans)
    seed = draw(SEED)
    st.caption("What you change here begins another test; the answers of this one are kept.")
try:
    plan = BlindTestPlan(question, trials, radius, raised.objective, seed)
    judge = judge_for(gans, MEASURING)
    test = (tuple(gan.digest for gan in gans), plan, judge and judge.digest)
    with st.spinner("Preparing the pairs …"):
        made = value(want({("blind", *test): lambda report: pairs(gans, plan, judge)})[("blind", *test)])
except RganError as error:
    st.error(str(error))
    st.stop()

answers = ANSWERS.get().get(test, ())
if len(answers) < len(made):
    view.ask(
        question, radius, made[len(answers)], len(answers), len(made), lambda trial, side: choose(test, trial, side)
    )
else:
    checking = ("blind strength", *test)
    works: dict[Hashable, Work[Any]] = {
        ("blind", *test): lambda report: made,
        checking: lambda report: strengths(gans, plan, judge),
    }
    task = want(works)[checking]
    view.result(question, made, answers, judge, names)
    redrawn(lambda: view.strength(value(task) if task.done else {}), waiting=not task.done, over=lambda: task.done)
    st.button("Again, with another seed", on_click=again, type="primary", icon=":material/replay:")
