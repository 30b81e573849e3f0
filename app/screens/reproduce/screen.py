"""Reproduce: the paper's tables and figures from a study of many models, or from the models at hand."""

from dataclasses import replace

import streamlit as st
from controls.draw import choose, stop_without
from screens.reproduce import at_hand, form, own, view
from session import classroom
from session.state import PLANNED, committed, study_in
from session.table import AT_HAND, STUDY
from theme.language import plain

from rgan.common.errors import RganError
from rgan.paper import watch

st.title("Reproduce", anchor=False)
shipped = committed()
names = [*shipped, AT_HAND, *(name for name in watch.names(PLANNED) if name not in shipped)]
chosen = choose(replace(STUDY, default=next(iter(shipped), AT_HAND)), names)
stop_without(names, chosen)
try:
    if chosen == AT_HAND:
        at_hand.show()
    elif chosen in shipped:
        view.study(study_in(shipped[chosen]))
    else:
        own.show(chosen)
except RganError as error:
    st.error(plain(str(error)))
if not classroom.visiting():
    own.form()
    with st.expander("Or train single models for a table with claims", icon=":material/model_training:"):
        form.what_to_train()
