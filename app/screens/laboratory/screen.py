"""Laboratory: two GANs of points in the plane, trained live side by side, and the worst moves of their noise."""

import streamlit as st
from controls import lock
from controls.settings import settings_panel
from screens.laboratory import knobs, training
from screens.laboratory.bench import bench
from screens.laboratory.lessons import arrive, lessons
from screens.laboratory.yours import opened, yours
from session.table import LAB_PAST, LAB_STEPS
from theme.language import plain

from rgan.common.errors import RganError
from rgan.theory.laboratory.twins import Plan

st.title("Laboratory", anchor=False)
arrive()
lessons()
with settings_panel():
    settings = knobs.settings(opened())
    attack = knobs.attack()
with st.sidebar:
    yours()
    lock.maker()
told = st.query_params.get(LAB_STEPS.key, ""), st.query_params.get(LAB_PAST.key, "")
try:
    if training.asked_for(told):
        try:
            training.aim(Plan(settings, LAB_STEPS.read(told[0]), knobs.read_past(told[1])))
        except RganError as error:
            st.toast(plain(f"The link's training cannot be retraced: {error}"), icon=":material/info:", duration="long")
            training.aim(Plan(settings))
    training.change(settings)
except RganError as error:
    st.error(plain(str(error)))
    st.stop()
bench(attack)
