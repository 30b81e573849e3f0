"""A study of the models at hand, with settings of one's own, evaluated by this server."""

from __future__ import annotations

import streamlit as st
from controls.settings import settings_panel
from screens.reproduce import form, view
from screens.reproduce import job as study_job
from session import classroom
from session.state import surveyed
from theme.language import plain

from rgan.common.errors import RganError
from rgan.paper.ablation import ablations
from rgan.paper.study import Scorings, study


def show() -> None:
    """Settings, models, what is computed, and what was found."""
    models, left = surveyed()
    if not models:
        st.info("No model that can be evaluated is at hand.")
        return
    try:
        with settings_panel():
            settings = form.settings_form()
        with st.expander("Models"):
            chosen = form.models_form(ablations(models)[0], left)
        if not chosen:
            st.info("Choose models above.")
            return
        job = study_job.Job(chosen, left, settings)
        found = study(chosen, left, Scorings(settings), job.folder)
    except RganError as error:
        st.error(plain(str(error)))
        return
    if not classroom.visiting():
        study_job.panel(job, len(found.waiting))
    if found.models:
        if found.waiting:
            st.caption(f"{len(found.waiting)} of {len(chosen)} models are not evaluated yet and missing below.")
        view.show(found)
        view.downloads(found)
    else:
        st.caption("Table 1 as the paper printed it. What these models get stands beside it once they are evaluated.")
        view.table1(found)
