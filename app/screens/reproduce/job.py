"""A study at work in the background: one at a time for the whole server, whoever looks."""

from __future__ import annotations

import streamlit as st
from components.progress import bar_with_stop
from session.state import STUDIES, evaluation_pace, studies
from session.tasks import Task
from session.waiting import redrawn
from theme.language import plain

from rgan.common.devices import in_background
from rgan.common.formatting import duration
from rgan.embedding.projections import Report
from rgan.paper import study, tables
from rgan.paper.ablation import LeftOut, Model, ablations
from rgan.paper.evaluation import EvaluationSettings
from rgan.paper.study import Scorings, StudyStep
from rgan.report import study_page

OWNER = "server"  # constant, so that no session that leaves gives its study up
POLL = 1.0  # seconds between looks


class Job:
    """The models and settings of one study; `latest` is how far it is."""

    def __init__(self, models: tuple[Model, ...], left: tuple[LeftOut, ...], settings: EvaluationSettings):
        self.models, self.left, self.settings = models, left, settings
        self.folder = STUDIES / settings.key
        self.latest = StudyStep("", 0, len(models), 0.0)

    def work(self, report: Report) -> tuple[LeftOut, ...]:
        """Evaluate what is not known yet, and write tables and page; returns what could not be evaluated."""
        in_background()
        scorings = Scorings(self.settings)
        for progress in study.run(self.models, scorings, self.folder):
            self.latest = progress
            report(progress.share)
        found = study.study(self.models, (*self.left, *self.latest.left), scorings, self.folder)
        tables.write({**tables.files(found), "report.html": study_page.study_page(found).encode()}, self.folder)
        return self.latest.left


def current() -> tuple[Job, Task[tuple[LeftOut, ...]]] | None:
    """The study that was begun last, unless it was stopped, and its task."""
    for job, task in studies().wanted(OWNER).items():
        assert isinstance(job, Job)
        return job, task
    return None


def start(job: Job) -> None:
    """Begin a study, unless one runs."""
    running = current()
    if running is None or running[1].done:
        studies().want(OWNER, {job: job.work})


def stop() -> None:
    """Give the study up; the models it has finished stay."""
    studies().want(OWNER, {})


def panel(job: Job, waiting: int) -> None:
    """What runs, or the button that starts `job`, of which `waiting` models are not evaluated yet, with its time."""
    running = current()
    if running is not None and not running[1].done:
        _progress(*running)
        return
    if running is not None and running[1].failed:
        st.error(plain(str(running[1].future.exception())))
    if waiting:
        _offer(job, waiting)


def _progress(job: Job, task: Task[tuple[LeftOut, ...]]) -> None:
    seen = job.latest.done

    def draw() -> None:
        at = job.latest
        words = f"model {min(at.done + 1, at.total)} of {at.total}" + (f", {at.name}" if at.name else "")
        bar_with_stop(
            task.share,
            f"{words}. Goes on if you leave this page or close it.",
            stop,
            "Keeps the models that are finished; Run goes on with the others.",
        )

    redrawn(draw, waiting=True, over=lambda: task.done or job.latest.done != seen, every=POLL)


def _offer(job: Job, waiting: int) -> None:
    scorings = Scorings(job.settings)
    columns = ablations(job.models)[0]
    firsts = [(column.all_models[0], len(column.all_models)) for column in columns]
    paces = [(evaluation_pace(model.digest, model, scorings), count) for model, count in firsts]

    def known() -> bool:
        return all(one.done() for one, _ in paces)

    def words() -> str:
        if not known():
            return "How long? Measuring on this machine …"
        if any(one.exception() for one, _ in paces):
            return ""
        everything = sum(count * one.result().seconds(job.settings) for one, count in paces)
        return f"About {duration(everything * waiting / sum(count for _, count in paces))} on this machine."

    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button("Run", on_click=start, args=(job,), type="primary", icon=":material/science:", width="stretch")
    asked = f"{waiting} of {len(job.models)} models are to be evaluated with these settings."
    with right:
        redrawn(lambda: st.caption(f"{asked} {words()}"), waiting=not known(), over=known)
