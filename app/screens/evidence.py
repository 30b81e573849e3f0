"""Evidence: whether worst noise makes worse images, said by a judge that is neither critic, with controls."""

import streamlit as st
from parts import controls, evidence_views
from parts.evidence_works import BREAKS, CONTROL, CURVES, REPORT, VIEWS, Asked, judge_of
from parts.language import SYMBOLS
from parts.two_models import two_models
from state import want

from rgan.errors import RganError
from rgan.live import reach
from rgan.wording import per_cent
from rgan.worst_case import Settings

SAMPLES = 128  # enough for an FID

st.title("Evidence", anchor=False)
names, gans = two_models(same_noise=True)
view = str(st.segmented_control("View", VIEWS, default=CONTROL, key="view", bind="query-params", required=True))
largest = min(map(reach, gans))
with st.sidebar:
    radius, price = controls.radius(largest), controls.price()
    steps = controls.steps()
    single = view not in (CURVES, BREAKS, REPORT)
    restarts = controls.restarts(disabled=not single)
    shell = controls.shell(disabled=not single)
    samples, seed = controls.samples(SAMPLES), controls.seed()
try:
    settings = Settings((radius,), price, steps, restarts=restarts if single else 1, keep_shell=single and shell)
    judge = judge_of(gans)
    asked = Asked(names, gans, judge, settings, samples, seed, largest)
    found = want(asked.works(view))
    st.caption(
        f"Judge: a classifier of real {judge.data} that has seen no model; it names {per_cent(judge.accuracy)} of "
        f"{judge.held_out:,} held-out images rightly. **Badness** of an image is the share of held-out real images "
        "that lie nearer to real ones than it does: 50 % is an ordinary real image, 100 % further off than all. "
        f"{judge.caveat} "
        f"**ε**: {SYMBOLS['ε']}; **λ**: {SYMBOLS['λ']}."
    )
    evidence_views.show(view, asked, found)
except RganError as error:
    st.error(str(error))
