"""A piece of a study, a training or an evaluation, as any process on any machine does it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import torch

from rgan.common.errors import FileError, RganError
from rgan.paper import study
from rgan.paper.evaluation import EvaluationSettings
from rgan.training import runs
from rgan.training.runs import CHECKPOINT, PLAN, Run, TrainingPlan
from rgan.training.trainer import TrainingError

MODELS = "models"  # the part of a study's folder that holds a run a model


@dataclass(frozen=True)
class Task:
    """A training, or, with `evaluation`, the evaluation of what it made.

    folder: the study's, in which every file of it lies. threads: that torch computes with. gpus: that it needs.
    """

    name: str
    folder: Path
    training: TrainingPlan
    evaluation: EvaluationSettings | None = None
    threads: int = 1
    gpus: float = 0.0

    @property
    def run(self) -> Path:
        """The folder of the model's run."""
        return self.folder / MODELS / self.name


def work(task: Task, device: str = "auto") -> Generator[float, None, None]:
    """Do a task, yielding the share that is done. Stop by closing it: a training is kept as it stands, of an evaluation
    every finished search.

    Raises:
        RganError: it cannot be done, or, of a training, it diverged.
    """
    torch.set_num_threads(task.threads)
    if not task.folder.is_dir():
        raise FileError(
            f"expected the study's folder {task.folder} on every machine that works on it, found none on one; "
            "choose one that all of them share"
        )
    yield from _train(task, device) if task.evaluation is None else _evaluate(task, task.evaluation, device)


def _train(task: Task, device: str) -> Generator[float, None, None]:
    if not (task.run / PLAN).exists():
        runs.create(task.run, task.training)
    with Run(task.run, iterations=task.training.iterations, device=device) as run:
        try:
            for progress in run.steps():
                yield progress.iteration / task.training.iterations
        except TrainingError as error:
            run.mark("failed", str(error))
            raise
        except GeneratorExit:
            run.save()
            run.mark("stopped")
            raise
        run.save()
        run.mark("finished")


def _evaluate(task: Task, settings: EvaluationSettings, device: str) -> Generator[float, None, None]:
    models, left = study.survey([task.run / CHECKPOINT])
    scorings = study.Scorings(settings, device=device, data_root=task.training.data_root)
    for progress in study.run(models, scorings, task.folder, device=device):
        left = (*left, *progress.left)
        yield progress.share
    if left:
        raise RganError(left[0].reason)
