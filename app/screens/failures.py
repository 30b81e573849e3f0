"""Failures: the worst images among thousands, ranked, circled, explained, kept and shared, as in Figure 5."""

import streamlit as st
from parts import controls, failure_views, kept, opened_failure
from parts.evidence_works import judge_of
from parts.failure_works import Hunt
from parts.language import symbols
from parts.raising import raising
from parts.two_models import two_models
from parts.waiting import settled, value
from state import want

from rgan.errors import RganError
from rgan.failures import Plan
from rgan.live import reach
from rgan.trials import Subject
from rgan.worst_case import Settings

POOLS = (256, 512, 1024, 2048, 4096, 8192)
POLL = 1.5  # seconds between looks: each draws a hundred images anew

st.title("Failures", anchor=False)
names, gans = two_models(same_noise=True)
with st.sidebar:
    raised = raising(names, gans)
    largest = min(map(reach, gans))
    radius, price, steps = controls.radius(largest), controls.price(), controls.steps()
    samples = int(st.select_slider("Noise tried", POOLS, 1024, key="pool", bind="query-params",
                                   help="How many noise vectors are searched, each in both models."))  # fmt: skip
    seed = controls.seed()
if raised.because:
    st.info(raised.because, icon=":material/info:")

try:
    judge = judge_of(gans)
    plan = Plan(Settings((radius,), price, steps), samples, seed, raised.against)
    hunt = Hunt((Subject(gans[0], judge), Subject(gans[1], judge)), plan)
    task = want({hunt.key: hunt.search})[hunt.key]
    if task.done:
        value(task)
except RganError as error:
    st.error(str(error))
    st.stop()
opened_failure.show()
pending = not task.done


@st.fragment(run_every=POLL if pending else None)
def hunted() -> None:
    """The pool so far, redrawn until it is whole."""
    if pending and settled({hunt.key: task}):
        st.rerun()
    pool = value(task) if task.done else task.so_far
    failure_views.progress(hunt, task, pool)
    if pool is not None:
        failure_views.everything(hunt, pool, names, finished=task.done)


hunted()
symbols("z", "ε", "λ", "loss", "change")
kept.shelf()
