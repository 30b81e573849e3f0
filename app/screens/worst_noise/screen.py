"""Worst noise: two models, one noise, and every knob of the search for what is worst for them."""

import streamlit as st
from components.played import played
from controls import attack
from controls.objective import objective_choice
from controls.settings import settings_panel
from controls.two_models import two_models
from screens.worst_noise.below import along, strip
from session import address
from session.table import EPS, PICK
from theme.language import plain, symbols

from rgan.attack.objectives import CHANGE, CRITIC, JUDGE
from rgan.attack.path import reach
from rgan.common.errors import SettingsError
from rgan.robustness.play import ROUGH

KEY = "worst_noise"

st.title("Worst noise", anchor=False)
radius, picked = address.kept(EPS), address.kept(PICK)
names, gans = two_models(same_noise=True)

try:
    with settings_panel():
        raised = objective_choice(names, gans)
        request = attack.search_controls(reach(gans[0]), raised)
except SettingsError as error:
    st.error(plain(str(error)))
    st.stop()
if raised.because:
    st.info(raised.because, icon=":material/info:")
if request.rows:
    st.caption(f"Samples {', '.join(map(str, request.rows))} of seed {request.seed}, in this order.")

frames = played(
    names,
    (gans[0].recipe.title, gans[1].recipe.title),
    request,
    KEY,
    min(radius, request.reach),
    pick=PICK,
    place=EPS,
)
if frames and len(frames["A"]["radii"]) > ROUGH + 1:  # the first frames are for the eye alone
    strip(frames, min(picked, frames["A"]["size"][0]) - 1)
    along(frames, min(radius, request.reach))
raises = {CRITIC: "loss", JUDGE: "distance", CHANGE: "change"}[request.objective]
symbols("z", "‖z‖", "ε", "‖r‖", "λ", raises, "gradient calls")
