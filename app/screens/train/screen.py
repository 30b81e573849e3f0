"""Train: start a run or a pair in the background, watch it learn, stop and resume it."""

import streamlit as st
from components import learning, time_needed
from components.finding import finding
from controls.draw import choose, stop_without
from controls.settings import settings_panel
from screens.train import plan_form, run_view
from session import chosen
from session.state import jobs, load, models
from session.table import RUN, A
from session.twins import twins
from session.waiting import redrawn
from theme.language import plain

from rgan.common.errors import RganError
from rgan.robustness.finding import Finding
from rgan.training.runs import Record, TrainingPlan


def start(plans: dict[str, TrainingPlan]) -> None:
    """Queue the plans and show the first."""
    try:
        jobs().start(plans)
    except RganError as error:
        run_view.PROBLEM.set(str(error))
    else:
        chosen.put(RUN, next(iter(plans)))


def records() -> dict[str, Record]:
    """The runs that can be read, in the order of the list; the others are named below it."""
    found = {}
    for name in jobs().names():
        try:
            found[name] = jobs().record(name)
        except RganError as error:
            st.warning(plain(f"{name}: {error}"), icon=":material/warning:")
    return found


with settings_panel():
    plan = plan_form.plan_form()
    robust = plan.recipe.robust is not None
    name = plan_form.name_of(plan, set(jobs().names()))
    _, robust_name = twins(name)
    own = robust_name if robust else name
    baseline, twin = plan_form.pair(plan)
    possible = time_needed.say_time_needed([baseline, twin] if robust else [plan])
    st.button(
        "Train the pair", on_click=start, args=({name: baseline, robust_name: twin},), type="primary",
        disabled=not (robust and possible), icon=":material/join_inner:", width="stretch",
        help="Baseline and robust with the same seed, one after the other. Needs a robust part.",
    )  # fmt: skip
    st.button(
        "Train this one", on_click=start, args=({own: plan},), disabled=not possible, icon=":material/play_arrow:",
        width="stretch", help="In the background: leave this page or close it, training goes on.",
    )  # fmt: skip

st.title("Train", anchor=False)
run_view.problem()
listed = records()
if not listed:
    finding(
        Finding(
            "Your pair will learn like this one, which comes with the app: a baseline and its robust twin, same seed.",
            ("At the end there are two models that every screen opens, with pictures and curves of their training",),
        ),
        "Choose data, system and robust part in the sidebar (» on a phone). **Train the pair** trains a baseline and "
        "its robust twin with the same seed; here you then see both learn. Training goes on while you use other pages, "
        "and survives a closed tab; what a killed server was training can be resumed.",
        "drag through the iterations",
    )
    names = [name for name in twins(A.default) if name in models()]
    if not learning.shipped_pair({name: load(name) for name in names}):
        st.info("No run yet. Choose data, system and robust part in the sidebar (» on a phone).")
    st.stop()

if not chosen.current(RUN):
    chosen.put(RUN, next(iter(listed)))
run = choose(RUN, tuple(listed))
stop_without(listed, run)
active = bool(jobs().queue())


def watch() -> None:
    """The chosen run and its twin, looked at again every second while anything trains."""
    shown = []
    for one in twins(run):
        if one in listed:
            try:
                shown.append(jobs().record(one))
            except RganError:
                st.rerun()  # removed meanwhile, perhaps in another window
    columns = st.columns(len(shown), gap="medium")
    for column, record in zip(columns, shown, strict=True):
        with column:
            run_view.header(record)
    moment = learning.scrubber(shown)
    for column, record in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with column:
            learning.picture(record, moment)
    learning.charts([(record.name, run_view.side_of(record), record.history) for record in shown])
    if queue := jobs().queue():
        st.caption(f"The queue, one trains at a time: {plain(', '.join(queue))}.")
    st.caption(f"Every run lies in a folder of its own; `tensorboard --logdir {jobs().folder}` shows their curves too.")


redrawn(watch, waiting=active, over=lambda: not jobs().queue(), every=1.0)
