"""Reproduce: the paper's Tables 1 and 2 and Figures 1 to 3 from the models at hand, computed in the background."""

import streamlit as st
from controls.settings import settings_panel
from screens.reproduce import form, view
from screens.reproduce import job as study_job
from session.state import surveyed
from theme.language import plain

from rgan.common.errors import RganError
from rgan.paper.ablation import ablations
from rgan.paper.study import Scorings, study

st.title("Reproduce", anchor=False)
st.markdown(
    "The paper's **Tables 1 and 2** and **Figures 1 to 3** from the models at hand: who trains robustly, and what "
    "worst noise does to either, with random noise of the same length beside it and the paper's own values beside ours."
)
models, left = surveyed()
if not models:
    st.info("No model that can be evaluated is at hand.")
    form.what_to_train()
    st.stop()

try:
    with settings_panel():
        settings = form.settings_form()
    with st.expander("Models"):
        chosen = form.models_form(ablations(models)[0], left)
    if not chosen:
        st.info("Choose models above.")
        st.stop()
    job = study_job.Job(chosen, left, settings)
    found = study(chosen, left, Scorings(settings), job.folder)
except RganError as error:
    st.error(plain(str(error)))
    st.stop()

study_job.panel(job, len(found.waiting))
if found.models:
    if found.waiting:
        st.caption(f"{len(found.waiting)} of {len(chosen)} models are not evaluated yet and missing below.")
    view.show(found)
    view.downloads(found)
else:
    st.caption("Table 1 as the paper printed it. What these models get stands beside it once they are evaluated.")
    view.table1(found)
with st.expander("What to train for a table with claims", icon=":material/model_training:"):
    form.what_to_train()
