"""Failures: the worst images among thousands, ranked, circled, explained, kept and shared, as in Figure 5."""

import streamlit as st
from controls import attack
from controls.draw import draw
from controls.objective import objective_choice
from controls.two_models import two_models
from screens.evidence.works import judge_of
from screens.failures import kept, linked, views
from screens.failures.works import Hunt
from session.state import want
from session.table import BUDGET, LAM, POOL, SEED
from session.waiting import redrawn, settled, value
from theme.language import symbols

from rgan.attack.path import reach
from rgan.attack.search import Attack, budget_of
from rgan.common.errors import RganError
from rgan.robustness.failures.pool import PoolPlan
from rgan.robustness.measured import JudgedGan

POLL = 1.5  # seconds between looks: each draws a hundred images anew

st.title("Failures", anchor=False)
names, gans = two_models(same_noise=True)
with st.sidebar:
    raised = objective_choice(names, gans)
    largest = min(map(reach, gans))
    radius, price, budget = attack.radius(largest), draw(LAM), draw(BUDGET)
    samples, seed = draw(POOL), draw(SEED)
if raised.because:
    st.info(raised.because, icon=":material/info:")

try:
    judge = judge_of(gans)
    plan = PoolPlan(Attack((radius,), price, budget_of(budget)), samples, seed, raised.objective)
    hunt = Hunt((JudgedGan(gans[0], judge), JudgedGan(gans[1], judge)), plan)
    task = want({hunt.key: hunt.search})[hunt.key]
    if task.done:
        value(task)
except RganError as error:
    st.error(str(error))
    st.stop()
linked.show()


def hunted() -> None:
    """The pool so far."""
    pool = value(task) if task.done else task.so_far
    views.progress(hunt, task, pool)
    if pool is not None:
        views.everything(hunt, pool, names, finished=task.done)


redrawn(hunted, waiting=not task.done, over=lambda: settled({hunt.key: task}), every=POLL)
symbols("z", "ε", "λ", "loss", "change")
kept.shelf()
