"""A study made from its plan: what is missing is trained and evaluated, by any pool, and the tables are written.

| in the folder | |
|---|---|
| plan.toml | the plan it was last made from |
| models/NAME/ | a run a model |
| evaluations/ | a file a model; of an unfinished one its finished searches |
| progress.json | how far it is, for whoever watches |
| study.json, *.csv, report.html | what was found, from the models that are finished |

Whatever ends it, kill -9 included, the same command goes on: a finished model is never done again, and of one at work
no more is lost than what `runs` and `evaluation` have not written yet.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import filelock

from rgan.common.errors import CheckpointError, DataError, RunError
from rgan.common.files import prepare_folder, sweep, write_atomically
from rgan.paper import archive, study, tables
from rgan.paper.ablation import LeftOut
from rgan.paper.plan import PlannedModel, StudyPlan
from rgan.paper.pools import Event, Pool
from rgan.paper.study import Study
from rgan.paper.work import MODELS, Task
from rgan.training import runs
from rgan.training.runs import CHECKPOINT, TrainingPlan

PLAN, PROGRESS, LOCK = "plan.toml", "progress.json", ".lock"
TRIES = 3  # times that a task is begun whose process or machine is lost
LOOK = 1.0  # seconds between two words


@dataclass(frozen=True)
class StudyState:
    """Where a study stands.

    done: models that are trained and evaluated, of `total`. working: what is at work, in words. share: of all work.
    left: seconds to the end at the pace so far, None before one is known. left_out: what failed.
    """

    done: int
    total: int
    working: tuple[str, ...]
    share: float
    left: float | None
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _Pace:
    """Seconds that whole tasks take, by what they are, as far as this study knows."""

    known: dict[str, list[float]] = field(default_factory=dict)

    def learn(self, key: str, seconds: float) -> None:
        self.known.setdefault(key, []).append(seconds)

    def guess(self, key: str) -> float | None:
        """Of tasks of this kind; else of those of its phase, as those of other families are the best guess."""
        if mine := self.known.get(key):
            return statistics.fmean(mine)
        phase = key.split(" ", 1)[0]
        others = [value for name, values in self.known.items() if name.split(" ", 1)[0] == phase for value in values]
        return statistics.fmean(others) if others else None


@dataclass
class _Work:
    """A task at work: when it began, and at which share."""

    began: float
    first: float | None = None
    share: float = 0.0


class StudyRun:
    """A study at work in `folder`, which nobody else may work in; a context manager.

    Raises:
        RunError: another process works on it, or the folder holds a model of the same name that was trained otherwise.
        FileError: the folder cannot be written.
    """

    def __init__(self, plan: StudyPlan, folder: Path, pool: Pool):
        self.plan, self.folder, self._pool = plan, folder.resolve(), pool
        prepare_folder(self.folder)
        self._lock = filelock.FileLock(self.folder / LOCK, thread_local=False)
        try:
            self._lock.acquire(timeout=2)
        except filelock.Timeout as error:
            raise RunError(
                f"expected {folder} to be free, got a study that another process works on; stop it first"
            ) from error
        sweep(self.folder)
        self._models = {model.name: model for model in plan.models}
        self._scorings = study.Scorings(plan.evaluation, data_root=self._root)
        self._failed: dict[str, LeftOut] = {}
        self._tries: dict[Task, int] = {}
        self._at_work: dict[Task, _Work] = {}
        self._pace = _Pace()
        self._trained: dict[str, bool] = {}
        self._evaluated: dict[str, bool] = {}
        try:
            for model in plan.models:
                self._look(model)
            write_atomically(self.folder / PLAN, plan.text.encode())
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> StudyRun:
        return self

    def __exit__(self, *_: object) -> None:
        state = self.state
        self._pool.close()
        self._write(state, ended=True)
        self._lock.release()

    @property
    def state(self) -> StudyState:
        """Where it stands now."""
        weights = {name: self._seconds(model) for name, model in self._models.items()}
        whole = sum(train + evaluate for train, evaluate in weights.values())
        done = 0.0
        for name, (train, evaluate) in weights.items():
            over = name in self._failed
            done += train * (1.0 if over else self._share(name, False)) + evaluate * (
                1.0 if over else self._share(name, True)
            )
        known = bool(self._pace.known) and all(
            self._pace.guess(self._key(model, evaluate)) is not None
            for model in self.plan.models for evaluate in (False, True)
        )  # fmt: skip
        finished = sum(self._evaluated.values())
        words = [f"{'evaluating' if task.evaluation else 'training'} {task.name}" for task in self._at_work]
        return StudyState(
            finished, len(self._models), tuple(words), done / whole if whole else 1.0,
            (whole - done) / self._pool.workers if known else None, tuple(self._failed.values()),
        )  # fmt: skip

    def steps(self) -> Iterator[StudyState]:
        """Work to the end, telling where it stands about once a second; stop by not asking for the next."""
        said = 0.0
        while True:
            self._fill()
            if not self._at_work:
                break
            for event in self._pool.events(LOOK):
                self._take(event)
            if time.monotonic() - said >= LOOK:
                said = time.monotonic()
                state = self.state
                self._write(state)
                yield state
        yield self.state

    def found(self) -> Study:
        """The study of the models that are finished."""
        files = [self._checkpoint(name) for name, trained in self._trained.items() if trained]
        models, left = study.survey(files)
        failed = {one.path for one in left}
        more = [one for one in self._failed.values() if one.path not in failed]
        return study.study(models, (*left, *more), self._scorings, self.folder)

    def write(self, found: Study, page: str) -> None:
        """Write what was found: the page as well, which the caller has drawn.

        Raises:
            FileError: it cannot be written.
        """
        files = {**tables.files(found), "report.html": page.encode(), archive.FILE: archive.to_json(found)}
        tables.write(files, self.folder)

    @property
    def _root(self) -> str:
        return self.plan.models[0].training.data_root

    def _checkpoint(self, name: str) -> Path:
        return self.folder / MODELS / name / CHECKPOINT

    def _look(self, model: PlannedModel) -> None:
        """What is known of a model from its files."""
        self._trained[model.name], self._evaluated[model.name] = False, False
        run = self.folder / MODELS / model.name
        if not (run / runs.PLAN).exists():
            return
        record = runs.read(run)
        if not _same(record.plan, model.training):
            raise RunError(
                f"expected {model.name} in {self.folder} to be trained as the plan says, got a run of other settings; "
                "choose another folder, or another name in the plan"
            )
        if record.state == "failed" and record.iteration:
            self._failed[model.name] = LeftOut(model.name, str(self._checkpoint(model.name)), record.message)
            return
        if record.state == "finished" and record.iteration >= model.training.iterations:
            self._trained[model.name] = True
            self._pace.learn(self._key(model, False), record.seconds)
            self._check_evaluation(model)

    def _check_evaluation(self, model: PlannedModel) -> None:
        known, left = study.survey([self._checkpoint(model.name)])
        try:
            if left:
                raise CheckpointError(left[0].reason)
            found = study.kept(known[0], self._scorings.of(known[0]), self.plan.evaluation, self.folder)
        except (CheckpointError, DataError) as error:
            self._failed[model.name] = LeftOut(model.name, str(self._checkpoint(model.name)), str(error))
            return
        if found is not None:
            self._evaluated[model.name] = True
            self._pace.learn(self._key(model, True), found.seconds)

    def _fill(self) -> None:
        """Give the pool what it takes: evaluations first, so that models are finished one by one."""
        waiting = [task for evaluate in (True, False) for task in self._tasks(evaluate) if task not in self._at_work]
        while waiting and self._pool.free():
            task = waiting.pop(0)
            self._tries[task] = self._tries.get(task, 0) + 1
            self._at_work[task] = _Work(time.monotonic())
            self._pool.submit(task)

    def _tasks(self, evaluate: bool) -> Iterator[Task]:
        for name, model in self._models.items():
            if name in self._failed or self._evaluated[name] or self._trained[name] is not evaluate:
                continue
            settings = self.plan.evaluation if evaluate else None
            yield Task(name, self.folder, model.training, settings, self.plan.processors, self.plan.gpus)

    def _take(self, event: Event) -> None:
        task, at = event.task, self._at_work[event.task]
        if not event.over:
            if at.first is None:
                at.first, at.began = event.share, time.monotonic()  # what was kept before costs nothing now
            at.share = event.share
            return
        del self._at_work[task]
        model = self._models[task.name]
        path = str(self._checkpoint(task.name))
        if event.error:
            self._failed[task.name] = LeftOut(task.name, path, event.error)
        elif event.lost and self._tries[task] >= TRIES:
            reason = f"its process ended {TRIES} times without a word; is there enough memory?"
            self._failed[task.name] = LeftOut(task.name, path, reason)
        elif event.done and task.evaluation is None:
            self._trained[task.name] = True
            self._pace.learn(self._key(model, False), runs.read(task.run).seconds)
        elif event.done:
            self._check_evaluation(model)

    def _key(self, model: PlannedModel, evaluate: bool) -> str:
        return f"{'evaluate' if evaluate else 'train'} {model.alike}"

    def _share(self, name: str, evaluate: bool) -> float:
        if (self._evaluated if evaluate else self._trained)[name]:
            return 1.0
        at_work = ((task, at) for task, at in self._at_work.items() if task.name == name)
        return next((at.share for task, at in at_work if (task.evaluation is not None) is evaluate), 0.0)

    def _seconds(self, model: PlannedModel) -> tuple[float, float]:
        """Of training and of evaluating it; where nothing is known, equal shares."""
        train, evaluate = (self._guess(model, phase) for phase in (False, True))
        return train or evaluate or 1.0, evaluate or train or 1.0

    def _guess(self, model: PlannedModel, evaluate: bool) -> float | None:
        key = self._key(model, evaluate)
        if key not in self._pace.known:
            for task, at in self._at_work.items():  # from what is at work, once it has gone far enough to tell
                mine = self._key(self._models[task.name], task.evaluation is not None)
                if mine == key and at.first is not None and at.share - at.first > 0.02:
                    return (time.monotonic() - at.began) / (at.share - at.first)
        return self._pace.guess(key)

    def _write(self, state: StudyState, ended: bool = False) -> None:
        told = asdict(state) | {"ended": ended, "title": self.plan.title, "process": os.getpid()}
        write_atomically(self.folder / PROGRESS, json.dumps(told, indent=1).encode())


def _same(kept: TrainingPlan, planned: TrainingPlan) -> bool:
    """Whether a run is the planned one, wherever it computes; a precision that was measured once stays."""

    def told(plan: TrainingPlan) -> Mapping[str, object]:
        elsewhere = ("device", "precision", "data_root")
        return {name: value for name, value in plan.to_dict().items() if name not in elsewhere}

    return told(kept) == told(planned) and planned.precision in ("auto", kept.precision)
