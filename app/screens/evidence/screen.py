"""Evidence: whether worst noise makes worse images, said by a judge that is neither critic, with controls."""

from dataclasses import replace

import streamlit as st
from controls import attack
from controls.draw import draw
from controls.settings import settings_panel
from controls.two_models import two_models
from screens.evidence import views
from screens.evidence.works import CURVES, MINIMAL_RADIUS, REPORT, Asked, judge_of
from session import table
from session.answered import want
from theme.language import plain

from rgan.attack.path import reach
from rgan.attack.search import Attack, budget_of
from rgan.common.errors import RganError
from rgan.robustness.first import SAMPLES

names, gans = two_models("Evidence", same_noise=True)
view = draw(table.VIEW)
with settings_panel():
    radius, price, budget = attack.radius(min(map(reach, gans))), draw(table.LAM), draw(table.BUDGET)
    single = view not in (CURVES, MINIMAL_RADIUS, REPORT)
    shell = single and draw(table.SHELL)
    samples, seed = draw(replace(table.SAMPLES, default=SAMPLES)), draw(table.SEED)
try:
    chosen = Attack((radius,), price, budget_of(budget), keep_shell=shell)
    asked = Asked(names, gans, judge_of(gans), chosen, samples, seed)
    views.show(view, asked, want(asked.works(view)))
except RganError as error:
    st.error(plain(str(error)))
