"""Evidence: whether worst noise makes worse images, said by a judge that is neither critic, with controls."""

from dataclasses import replace

import streamlit as st
from controls import attack
from controls.draw import draw
from controls.two_models import two_models
from screens.evidence import views
from screens.evidence.works import CURVES, MINIMAL_RADIUS, REPORT, Asked, judge_of
from session import table
from session.state import want
from theme.language import SYMBOLS

from rgan.attack.path import reach
from rgan.attack.search import Attack, budget_of
from rgan.common.errors import RganError
from rgan.common.formatting import per_cent

SAMPLES = 128  # enough for an FID

st.title("Evidence", anchor=False)
names, gans = two_models(same_noise=True)
view = draw(table.VIEW)
largest = min(map(reach, gans))
with st.sidebar:
    radius, price, budget = attack.radius(largest), draw(table.LAM), draw(table.BUDGET)
    single = view not in (CURVES, MINIMAL_RADIUS, REPORT)
    shell = draw(table.SHELL, disabled=not single)
    samples, seed = draw(replace(table.SAMPLES, default=SAMPLES)), draw(table.SEED)
try:
    chosen = Attack((radius,), price, budget_of(budget), keep_shell=single and shell)
    judge = judge_of(gans)
    asked = Asked(names, gans, judge, chosen, samples, seed, largest)
    found = want(asked.works(view))
    flattered = "".join(
        f"{side}: {one.caveat} " for side, one in zip("AB", asked.judged_gans, strict=True) if one.caveat
    )
    st.caption(
        f"Judge: a classifier of real {judge.data} that has seen no model; it names {per_cent(judge.accuracy)} of "
        f"{judge.held_out:,} held-out images rightly. **Badness** of an image is the share of held-out real images "
        "that lie nearer to real ones than it does: 50 % is an ordinary real image, 100 % further off than all. "
        f"{flattered}"
        f"**ε**: {SYMBOLS['ε']}; **λ**: {SYMBOLS['λ']}."
    )
    views.show(view, asked, found)
except RganError as error:
    st.error(str(error))
