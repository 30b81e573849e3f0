"""How long a training will take, measured here before it begins."""

from __future__ import annotations

import dataclasses

import streamlit as st
from session.state import jobs, pace
from session.waiting import redrawn
from theme.language import plain

from rgan.common.errors import RganError
from rgan.common.formatting import duration
from rgan.training.runs import TrainingPlan


def say_time_needed(plans: list[TrainingPlan]) -> bool:
    """Say how long the plans take together, measured on a few steps of each; False if one cannot be trained here."""
    waiting = [pace(plan, _cost(plan)) for plan in plans]

    def measured() -> bool:
        return all(one.done() for one in waiting)

    known = measured()

    def show() -> None:
        if not measured():
            st.caption(
                "How long? Measuring a few steps on this machine; images seen for the first time are prepared before …"
            )
        elif any(one.exception() for one in waiting):
            st.warning(plain(str(next(error for one in waiting if (error := one.exception())))))
            for plan in plans:
                pace.clear(plan, _cost(plan))  # tried again at the next change: what was missing may be there
        else:
            seconds = [one.result() for one in waiting]
            total = sum(one * plan.iterations for one, plan in zip(seconds, plans, strict=True))
            each = " and ".join(f"{one:.2g} s" for one in seconds)
            st.caption(
                f"About **{duration(total)}** on this machine: {each} an iteration, measured on a few steps.{_queued()}"
            )

    redrawn(show, waiting=not known, over=measured)
    return not (known and any(one.exception() for one in waiting))


def _queued() -> str:
    """How long the queue is that a new training would wait for; "" without one."""
    before = jobs().queue()
    if not before:
        return ""
    seconds: list[float] = []
    for name in before:
        try:
            record = jobs().record(name)
        except RganError:
            continue  # removed meanwhile
        if record.left is not None:
            seconds.append(record.left)
        elif (one := pace(record.plan, _cost(record.plan))).done() and not one.exception():
            seconds.append(one.result() * (record.plan.iterations - record.iteration))
    runs = "1 run trains or waits" if len(before) == 1 else f"{len(before)} runs train or wait"
    least = "" if len(seconds) == len(before) else " at least"
    return f" Before it {runs}:{least} **{duration(sum(seconds))}** more." if seconds else f" Before it {runs}."


def _cost(plan: TrainingPlan) -> str:
    """All that decides how long an iteration takes."""
    steady = dataclasses.replace(plan.recipe, decay=0)
    return repr(dataclasses.replace(plan, recipe=steady, iterations=1, seed=0))
