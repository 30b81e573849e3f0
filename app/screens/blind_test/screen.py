"""Blind test: two images without labels, one answer each, and at the end what that says against guessing."""

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import streamlit as st
from controls import attack
from controls.draw import draw
from controls.objective import objective_choice
from controls.settings import settings_panel
from controls.two_models import two_models
from screens.blind_test import everybody, view
from session import chosen
from session.answered import Answered, want
from session.chosen import Slot
from session.table import CLASS, QUESTION, SEED, TRIALS
from session.tasks import Work
from session.waiting import redrawn, value
from theme.language import plain

from rgan.attack.objectives import judge_for
from rgan.attack.path import reach
from rgan.common.errors import RganError
from rgan.metrics.judges import MEASURING
from rgan.robustness.blind_test import BlindTestPlan, Pair, Trials, pairs, question_of, strengths

ANSWERS = Slot[Mapping[str, tuple[int, ...]]]("blind_answers", {})  # sides chosen so far, by models and plan


def choose(test: str, made: Sequence[Pair], trial: int, side: int) -> None:
    """Keep an answer; one that has been given stays. The last counts the test among everybody's."""
    given = ANSWERS.get().get(test, ())
    if len(given) == trial:
        ANSWERS.set({**ANSWERS.get(), test: (*given, side)})
        if trial + 1 == len(made):
            everybody.add(test, made, (*given, side), chosen.current(CLASS).strip())


def again() -> None:
    """The next seed: other noise, other sides, another order."""
    chosen.put(SEED, (chosen.current(SEED) + 1) % SEED.high)


names, gans = two_models("Blind test")
with settings_panel():
    question, trials = draw(QUESTION), draw(TRIALS)
    radius = attack.radius(min(map(reach, gans)))
    raised = objective_choice(names, gans)
    seed = draw(SEED)
    group = draw(CLASS).strip()
    of_class = st.container()
    st.caption("What you change here begins another test; the answers of this one are kept.")
try:
    plan = BlindTestPlan(question, trials, radius, raised.objective, seed)
    judge = judge_for(gans, MEASURING)
    of = question_of(gans, plan, judge)
    test = json.dumps(of, sort_keys=True)
    pairs_key, strength_key = ("blind", test), ("blind strength", test)
    made_work = Answered(Trials, of, lambda report: Trials(pairs(gans, plan, judge), {}))
    strength_work = Answered(
        Trials,
        of | {"what": "blind test, checked"},
        lambda report: Trials((), strengths(gans, plan, judge)),
    )
    answers = ANSWERS.get().get(test, ())
    works: dict[Hashable, Work[Any]] = {pairs_key: made_work}
    if len(answers) == plan.trials:
        works[strength_key] = strength_work
    found = want(works)
    with st.spinner("Preparing the pairs …", show_time=True):
        made = value(found[pairs_key]).pairs
except RganError as error:
    st.error(plain(str(error)))
    st.stop()

if group:
    with of_class, st.popover("Result of the class", icon=":material/groups:"):
        view.class_result(group, *everybody.so_far(test, group))
if len(answers) < len(made):
    view.ask(
        question, radius, made[len(answers)], len(answers), len(made),
        lambda trial, side: choose(test, made, trial, side),
    )  # fmt: skip
else:
    task = found[strength_key]
    view.result(question, made, answers, judge, names, everybody.so_far(test))
    redrawn(
        lambda: view.strength(value(task).strength if task.done else {}), waiting=not task.done, over=lambda: task.done
    )
    st.button("Again, with another seed", on_click=again, type="primary", icon=":material/replay:")
