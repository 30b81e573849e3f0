"""Failures: the worst images among hundreds, ranked, circled, explained, kept and shared, as in Figure 5."""

import streamlit as st
from components.finding import finding, progress
from controls import attack
from controls.draw import draw
from controls.objective import objective_choice
from controls.settings import settings_panel
from controls.two_models import two_models
from screens.evidence.works import judge_of
from screens.failures import kept, linked, views
from screens.failures.works import Hunt, judged_gan
from session.answered import want
from session.chosen import Slot
from session.table import BUDGET, LAM, POOL, SEED
from session.waiting import redrawn, settled, value
from theme.language import plain

from rgan.attack.objectives import CRITIC
from rgan.attack.path import reach
from rgan.attack.search import Attack, budget_of
from rgan.common.errors import RganError
from rgan.robustness.failures.pool import Pool, PoolPlan
from rgan.robustness.finding import pool as found_in

POLL = 1.5  # seconds between looks: each draws a hundred images anew
LAST = Slot[tuple[Hunt, Pool, tuple[str, str]] | None]("failures:last", None)

names, gans = two_models("Failures", same_noise=True)
with settings_panel():
    raised = objective_choice(names, gans, first=CRITIC)
    radius, price, budget = attack.radius(min(map(reach, gans))), draw(LAM), draw(BUDGET)
    samples, seed = draw(POOL), draw(SEED)
if raised.because:
    st.info(raised.because, icon=":material/info:")

try:
    judge = judge_of(gans)
    plan = PoolPlan(Attack((radius,), price, budget_of(budget)), samples, seed, raised.objective)
    a, b = (judged_gan(gan.digest, judge.digest, gan, judge) for gan in gans)
    hunt = Hunt((a, b), plan)
    task = want({hunt.key: hunt.work})[hunt.key]
    if task.done:
        value(task)
except RganError as error:
    st.error(plain(str(error)))
    st.stop()
linked.show()


def hunted() -> None:
    """The pool so far; before there is one, that of the settings before."""
    pool = value(task) if task.done else task.so_far
    waiting, share = ("", 0.0) if task.done else progress("Searching", [task])
    if pool is not None:
        LAST.set((hunt, pool, names))
    before = LAST.get() if pool is None else None
    if before is not None:
        waiting += f". Until then: {' and '.join(dict.fromkeys(before[2]))}, as set before"
    shown = before or (None if pool is None else (hunt, pool, names))
    found = None if shown is None else found_in(shown[1])
    settings = views.settings(plan if shown is None else shown[1].plan)
    finding(found, views.about(hunt), settings, waiting=waiting, share=share, old=before is not None)
    views.stopping(hunt, task, pool)
    if shown is not None:
        with st.container(key="old" if before else "answer"):
            views.everything(*shown, finished=task.done or before is not None)


redrawn(hunted, waiting=not task.done, over=lambda: settled({hunt.key: task}), every=POLL)
kept.shelf()
