"""Paths along ε for the stage: computed once for all who look at them, or read from disk."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import streamlit as st
import torch
from session.state import RUNS, SHIPPED, jobs, shown, tasks, want
from session.tasks import Task, Work

from rgan.attack.objectives import judge_for
from rgan.attack.path import Request
from rgan.attack.search import BUDGETS
from rgan.common.answers import Answers, name_of
from rgan.metrics.judges import MEASURING
from rgan.models.gan import Gan
from rgan.robustness.encoding import encoded
from rgan.robustness.measured import JudgedGan
from rgan.robustness.play import path_of, play

MOST = 200 * 2**20  # bytes of paths on disk

Encoded = dict[str, Any]


@dataclass(frozen=True)
class SoFar:
    """Frames of a path that is being searched: the first, at few radii, and then the best yet at all."""

    rough: Encoded
    fine: Encoded | None = None


@st.cache_resource(show_spinner=False)
def answers() -> Answers:
    """Paths that came with the models, and those that were computed here."""
    return Answers([SHIPPED / "answers", RUNS / "answers"], MOST)


def source_of(gan: Gan, gans: Sequence[Gan]) -> JudgedGan | Gan:
    """The model with the judge of the pair that it is shown in, or alone where there is none."""
    judge = judge_for(gans, MEASURING)
    return gan if judge is None else JudgedGan(gan, judge)


def paths(names: Sequence[str], request: Request) -> list[Task[Encoded]]:
    """The paths of these models, which this session waits for from now on."""
    gans = [shown(name) for name in names]
    works: dict[Hashable, Work[Any]] = {}
    keys = []
    for gan in gans:
        source = source_of(gan, gans)
        of = path_of(source, request)
        keys.append(name_of(of))
        works[keys[-1]] = _work(source, request, of)
    found = want(works)
    return [found[key] for key in keys]


def frames_of(found: Sequence[Task[Encoded]]) -> list[Encoded]:
    """The best frames there are that all models have; empty where one has none yet."""
    if all(task.done for task in found):
        return [task.value() for task in found]
    known = [task.value() if task.done else _so_far(task) for task in found]
    fine = [one.fine if isinstance(one, SoFar) else one for one in known]
    if all(one is not None for one in fine):
        return [one for one in fine if one is not None]
    rough = [one.rough if isinstance(one, SoFar) else None for one in known]
    return [one for one in rough if one is not None] if all(one is not None for one in rough) else []


def _so_far(task: Task[Any]) -> SoFar | None:
    so_far: SoFar | None = task.so_far
    return so_far


@st.cache_resource(show_spinner=False)
def _computing() -> ThreadPoolExecutor:
    """The threads in which searches make their steps: torch keeps tens of megabytes for every thread it has run in."""
    return ThreadPoolExecutor(tasks().slots, "path", initializer=lambda: torch.set_num_threads(1))


def _work(source: JudgedGan | Gan, request: Request, of: Mapping[str, Any]) -> Work[Encoded]:
    def work(report: Callable[[float, SoFar | None], None]) -> Encoded:
        kept = answers().get(of)
        if kept is not None:
            return kept
        so_far: SoFar | None = None
        steps = play(source, request)
        while True:
            urgent = so_far is None or so_far.fine is None or so_far.fine["gradients"] < BUDGETS["live"]
            # a training waits for the first pictures, and goes on beside the rest
            with jobs().gate.interactive() if urgent else nullcontext():
                step = _computing().submit(next, steps, None).result()
            if step is None:
                break
            if step.found is not None:
                frames = encoded(step.found)
                so_far = SoFar(frames) if so_far is None else SoFar(so_far.rough, frames)
            report(step.share, so_far if step.found is not None else None)
        assert so_far is not None
        last = so_far.fine or so_far.rough
        answers().put(of, last)
        return last

    return work
