"""Blind test: two images without labels, one answer each, and at the end what that says against guessing."""

import streamlit as st
from controls import attack
from controls.objective import objective_choice
from controls.two_models import two_models
from screens.blind_test import view
from session.state import want
from session.waiting import value

from rgan.attack.objectives import judge_for
from rgan.attack.path import reach
from rgan.common.errors import RganError
from rgan.robustness.blind_test import BROKEN, QUESTIONS, BlindTestPlan, pairs

TRIALS = (10, 20, 40)
ANSWERS = "blind_answers"  # session key: sides chosen so far, by models and plan


def choose(test: tuple[object, ...], trial: int, side: int) -> None:
    """Keep an answer; one that has been given stays."""
    given = st.session_state[ANSWERS][test]
    if len(given) == trial:
        given.append(side)


def again() -> None:
    """The next seed: other noise, other sides, another order."""
    st.session_state["seed"] = (st.session_state["seed"] + 1) % attack.LARGEST_SEED


st.title("Blind test", anchor=False)
names, gans = two_models()
with st.sidebar:
    question = str(
        st.segmented_control(
            "Question", QUESTIONS, default=BROKEN, key="question", bind="query-params", required=True,
            help="Broken: original noise of A beside moved noise. Robust: A beside B, both under moved noise.",
        )
    )  # fmt: skip
    trials = st.segmented_control(
        "Pairs", TRIALS, default=TRIALS[1], key="trials", bind="query-params", required=True,
        help="Half of them, nobody knows which, are the control: random noise of the same length.",
    )  # fmt: skip
    radius = attack.radius(min(map(reach, gans)))
    raised = objective_choice(names, gans)
    seed = attack.seed()
    st.caption("What you change here begins another test; the answers of this one are kept.")
try:
    plan = BlindTestPlan(question, int(trials), radius, raised.objective, seed)
    judge = judge_for(gans)
    test = (tuple(gan.digest for gan in gans), plan, judge and judge.digest)
    with st.spinner("Preparing the pairs …"):
        made = value(want({("blind", *test): lambda report: pairs(gans, plan, judge)})[("blind", *test)])
except RganError as error:
    st.error(str(error))
    st.stop()

answers: list[int] = st.session_state.setdefault(ANSWERS, {}).setdefault(test, [])
if len(answers) < len(made):
    view.ask(
        question, radius, made[len(answers)], len(answers), len(made), lambda trial, side: choose(test, trial, side)
    )
else:
    view.result(question, made, answers, judge, names)
    st.button("Again, with another seed", on_click=again, type="primary", icon=":material/replay:")
