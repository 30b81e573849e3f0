"""A run: one training and the folder that holds all of it, at any moment, whatever kills the process.

| in the folder | |
|---|---|
| run.json | the plan, and the state last known |
| resume.safetensors | all that is needed to continue exactly, rewritten at least every KEEP_SECONDS |
| checkpoint.safetensors | the Gan, for every screen |
| images/00000120.png | what the generator drew from the same noise at iteration 120 |
| events.out.tfevents.* | the curves and pictures for TensorBoard |

Every file is replaced atomically, and a lock that dies with its process keeps two trainings out of one folder.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from torch import Tensor

from rgan.common import limits
from rgan.common.devices import DEVICES, PRECISIONS
from rgan.common.errors import CheckpointError, FileError, RunError, SettingsError, number_between, one_of
from rgan.common.files import prepare_folder, sweep, write_atomically
from rgan.common.images import grid, png, to_uint8
from rgan.data import datasets
from rgan.data.identity import DataIdentity
from rgan.metrics import judges, scores
from rgan.models import checkpoints
from rgan.models.gan import MAX_SEED, prior_noise
from rgan.models.recipes import Recipe
from rgan.models.systems import size_near
from rgan.training import distributed
from rgan.training.tensorboard import Events
from rgan.training.trainer import MAX_ITERATIONS, WHY_MAX_ITERATIONS, Trainer, TrainingError, TrainingStep, train

KEEP_SECONDS = 20.0  # longest time between two writes of resume.safetensors, if an iteration is not longer
PICTURES = 120  # drawn over a whole run, closer together at its start
SHOWN, COLUMNS, SCALE = 40, 10, 2  # images in a picture and in each of its rows, and pixels for one of theirs
SCORES, SCORED = 20, 500  # times a run is scored by the judge of its data, and images of each
SCORE_STRIDE = 50  # fewest iterations between two scores: short runs are for trying things

PLAN, RESUME, CHECKPOINT, IMAGES = "run.json", "resume.safetensors", "checkpoint.safetensors", "images"
STATES = ("queued", "running", "paused", "stopped", "finished", "failed")
LIVE = ("queued", "running", "paused")  # states that need a living process; "interrupted" without one
_KEY = "rgan-lab-run"


@dataclass(frozen=True)
class TrainingPlan:
    """All that decides a run, but for the machine: same plan, same weights, on one thread of one machine."""

    recipe: Recipe
    data: str
    iterations: int
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    data_root: str = "data"

    def __post_init__(self) -> None:
        if not isinstance(self.data, str) or not self.data:
            raise SettingsError(f"expected the name of a data set, got {self.data!r}")
        number_between("iterations", self.iterations, 1, MAX_ITERATIONS, WHY_MAX_ITERATIONS)
        if 0 < self.recipe.decay < self.iterations:
            raise SettingsError(
                f"expected at most {self.recipe.decay:,} iterations, where this training's learning rate reaches 0, "
                f"got {self.iterations:,}; start a new run for more"
            )
        number_between("seed", self.seed, 0, MAX_SEED)
        one_of("device", self.device, DEVICES)
        one_of("precision", self.precision, PRECISIONS)

    def trainer(self, device: str | None = None, report: datasets.Report | None = None) -> Trainer:
        """A Trainer at iteration 0, on `device` if given; `report` is called while images are prepared.

        Raises:
            DataError: the data set is missing.
            SettingsError: there is no such device, or the recipe does not fit the data.
        """
        data = datasets.load(self.data, size=self.recipe.size, root=self.data_root, report=report)
        where = device or self.device
        return Trainer(self.recipe, data, seed=self.seed, device=where, precision=self.precision)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingPlan:
        """Raises SettingsError where a value is missing, unknown or out of range."""
        try:
            return cls(**(dict(values) | {"recipe": Recipe.from_dict(values["recipe"])}))
        except (TypeError, KeyError) as error:
            raise SettingsError("expected the fields of a training plan, got others; start a new run") from error


@dataclass(frozen=True)
class Record:
    """What is known of a run without opening it for training.

    `state` is one of STATES or "interrupted"; `images` are (iteration, file) in order; `left` is the expected time to
    the end in seconds, known only while it trains; `doing` is what it does before its first iteration, or that it is
    about to end; `notes` are `ImageData.notes` of its images, once these were read.
    """

    name: str
    plan: TrainingPlan
    state: str
    message: str
    iteration: int
    seconds: float
    history: tuple[dict[str, float], ...]
    images: tuple[tuple[int, Path], ...]
    checkpoint: Path | None
    left: float | None = None
    doing: str = ""
    notes: tuple[str, ...] = ()


def fitting(system: str, data: str, fields: Mapping[str, Any], data_root: str = "data") -> dict[str, Any]:
    """Fields of a recipe of that system completed by the size and channels of a data set, where they are not given.

    Raises:
        DataError: there is no such data set.
    """
    about = datasets.about(data, data_root)
    return {"channels": about.channels, "size": size_near(system, about.size)} | dict(fields)


def moments(iterations: int) -> tuple[int, ...]:
    """The iterations at which pictures are drawn: each once, from 0 to the last."""
    return tuple(sorted({round(iterations * (k / PICTURES) ** 2) for k in range(PICTURES + 1)}))


def create(folder: Path, plan: TrainingPlan) -> None:
    """Write a new run's plan, as "queued".

    Raises:
        RunError: the folder holds a run already.
        SettingsError: its checkpoint would be larger than one that can be loaded.
        FileError: it cannot be written, or its disk has too little space for this run.
    """
    if (folder / PLAN).exists():
        raise RunError(
            f"expected a new folder, got {folder}, which holds a run; continue that one (--resume), or choose another"
        )
    generator, critic = plan.recipe.parameters()
    beside = plan.recipe.companion_numbers()
    if 4 * (2 * generator + critic + beside) > 0.95 * limits.MAX_BYTES:
        raise SettingsError(
            f"expected networks whose checkpoint stays below {limits.MAX_BYTES // 2**20} MiB, got "
            f"{(2 * generator + critic + beside) // 2**18} MiB; choose a smaller width"
        )
    prepare_folder(folder)
    needed, free = space(plan.recipe), shutil.disk_usage(folder).free
    if free < needed:
        raise FileError(
            f"expected {needed / 2**20:.0f} MiB of free space at {folder}, got {free / 2**20:.0f}; "
            "free some, choose another folder or a smaller width"
        )
    _write_plan(folder, plan, "queued", "", ())


def mark(folder: Path, state: str, message: str = "") -> None:
    """Write down another state of the run in `folder`, which nobody trains.

    Raises:
        RunError, FileError: it cannot be read or written.
    """
    one_of("state", state, STATES)
    plan, _, _, notes = _read_plan(folder)
    _write_plan(folder, plan, state, message, notes)


def space(recipe: Recipe) -> int:
    """Bytes a run's folder may take: weights, averages and optimiser states, each once more while being replaced."""
    generator, critic = recipe.parameters()
    beside = recipe.companion_numbers()
    resume, checkpoint = 4 * generator + 3 * critic + 3 * beside, 2 * generator + critic + beside
    return 4 * 2 * (resume + checkpoint) + PICTURES * 2**17 + 2**22


def read(folder: Path) -> Record:
    """The run in `folder` as its files tell it.

    Raises:
        RunError: there is none, or its plan or state cannot be read.
    """
    plan, state, message, notes = _read_plan(folder)
    facts: dict[str, Any] = {"iteration": 0, "seconds": 0.0, "history": []}
    if (folder / RESUME).exists():
        try:
            facts = _read_state(folder / RESUME, with_tensors=False)[1]
        except CheckpointError as error:
            state, message = "failed", str(error)
    if state in LIVE and not busy(folder):
        state = "interrupted"
    return Record(
        name=folder.name,
        plan=plan,
        state=state,
        message=message,
        iteration=int(facts["iteration"]),
        seconds=float(facts["seconds"]),
        history=tuple(facts["history"]),
        images=images(folder, int(facts["iteration"])),
        checkpoint=checkpoint if (checkpoint := folder / CHECKPOINT).exists() else None,
        notes=notes,
    )


def busy(folder: Path) -> bool:
    """Whether a living process trains in `folder`."""
    lock = _lock(folder)
    try:
        lock.acquire(blocking=False)
    except (filelock.Timeout, OSError):
        return True
    lock.release()
    return False


def images(folder: Path, iteration: int) -> tuple[tuple[int, Path], ...]:
    """(iteration, file) of the pictures drawn up to `iteration`, in order."""
    found = sorted((int(path.stem), path) for path in (folder / IMAGES).glob("*.png") if path.stem.isdecimal())
    return tuple((at, path) for at, path in found if at <= iteration)


class Run:
    """A run opened for training; nobody else can open it until `close`. A context manager.

    `report` is called while images are prepared; what it raises ends the opening. In a group of processes each opens
    it, and process 0 alone writes. `trouble` says what could not be written last, if anything: training goes on, and
    the next write tries again.

    Raises:
        RunError: another process trains it, or its plan cannot be read.
        CheckpointError: its saved state cannot be used.
        DataError, SettingsError: see `TrainingPlan.trainer`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        iterations: int | None = None,
        device: str | None = None,
        report: datasets.Report | None = None,
    ):
        self.folder, self.trouble = folder, ""
        self._writes = distributed.rank() == 0
        self._lock = _lock(folder)
        self._events: Events | None = None
        if self._writes:
            try:
                self._lock.acquire(timeout=2)
            except filelock.Timeout as error:
                raise RunError(
                    f"expected {folder.name} to be free, got a run that another process trains; stop it there first"
                ) from error
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            self.plan, *_ = _read_plan(folder)
            if iterations is not None:
                self.plan = dataclasses.replace(self.plan, iterations=iterations)
            self.trainer = self.plan.trainer(device, report)
            # What "auto" measured once stays, or a resumed run would differ from an uninterrupted one.
            precision = str(self.trainer.dtype).removeprefix("torch.")
            self.plan = dataclasses.replace(self.plan, precision=precision)
            if (folder / RESUME).exists():
                self.trainer.restore(*_read_state(folder / RESUME))
            if self._writes:
                sweep(folder)
                sweep(folder / IMAGES)
            self.mark("running")
            undo.pop_all()
        self._noise = prior_noise(self.plan.recipe.latent, max(SHOWN, self.plan.recipe.batch), self.plan.seed)
        last = self.plan.iterations
        self._milestones = set(moments(last))
        self._score_stride = max(SCORE_STRIDE, -(-last // SCORES))
        self._interval = 1.0
        self._keep_due = time.monotonic() + self._interval
        self._checkpoint_due = time.monotonic() + 3 * KEEP_SECONDS

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder. What was not kept is lost."""
        if self._events is not None:
            self._events.close()
        self._lock.release()

    def steps(self, pause: Callable[[], None] = lambda: None) -> Iterator[TrainingStep]:
        """Train to the plan's end, keeping and drawing on the way. Stop by not asking for the next, then `save`.

        Raises:
            TrainingError: training diverged; the last good weights are in checkpoint.safetensors.
        """
        if self.trainer.iteration == 0:
            self._attempt(self._draw)
        try:
            for progress in train(self.trainer, self.plan.iterations, pause):
                self._attempt(functools.partial(self._note, progress.iteration))
                yield progress
        except TrainingError as error:
            if error.gan is not None and self._writes:
                checkpoints.save(error.gan, self.folder / CHECKPOINT)
            raise

    def save(self) -> str:
        """Write resume state and checkpoint now, as `keep` does; the checkpoint's SHA-256, empty if none was written.

        Raises:
            FileError: one of them cannot be written; training can still go on and `save` be tried again.
        """
        self.keep()
        if not self._writes or not self.trainer.finite():
            return ""
        return checkpoints.save(self.trainer.gan(), self.folder / CHECKPOINT)

    def keep(self) -> None:
        """Write the resume state, unless a weight has gone bad since the losses were last looked at.

        Raises:
            FileError: see `save`.
        """
        if not self._writes or not self.trainer.finite():
            return
        from safetensors.torch import save as to_bytes

        tensors, facts = self.trainer.state()
        whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        write_atomically(self.folder / RESUME, to_bytes(whole, metadata={_KEY: json.dumps(facts)}))
        self.trouble = ""

    def mark(self, state: str, message: str = "") -> None:
        """Write down the run's state.

        Raises:
            FileError: it cannot be written.
        """
        one_of("state", state, STATES)
        if self._writes:
            _write_plan(self.folder, self.plan, state, message, self.trainer.data.notes)

    def _note(self, at: int) -> None:
        """After iteration `at`: curves, pictures and files that are due."""
        if not self._writes:
            return
        if self.trainer.history and self.trainer.history[-1]["iteration"] == at:
            self._log(self.trainer.history[-1])
        if at in self._milestones:
            self._draw()
        if at % self._score_stride == 0:
            self._score()
        now = time.monotonic()
        if now >= self._keep_due:
            # Often at first, so that a young run loses little; seldom later, so that disks are spared.
            self._interval = min(2 * self._interval, KEEP_SECONDS)
            self._keep_due = now + self._interval
            self.keep()
        if now >= self._checkpoint_due:
            self.save()
            took = time.monotonic() - now
            self._checkpoint_due = now + max(3 * KEEP_SECONDS, 20 * took)

    def _attempt(self, write: Callable[[], None]) -> None:
        """`write`, where failing must not end the training."""
        try:
            write()
        except FileError as error:
            self.trouble = str(error)

    def _draw(self) -> None:
        if not self._writes:
            return
        drawn = to_uint8(self.trainer.images(self._noise)[:SHOWN])
        picture = grid(drawn, COLUMNS, scale=SCALE)
        write_atomically(self.folder / IMAGES / f"{self.trainer.iteration:08d}.png", png(picture))
        self._log({}, picture)

    def _score(self) -> None:
        """Add classifier score and FID of SCORED images to the history, where a judge of the data comes with us."""
        try:
            judge = judges.of(DataIdentity.of(self.trainer.data))
        except CheckpointError:
            return
        noise = prior_noise(self.plan.recipe.latent, SCORED, 0)
        standard = scores.by_judge(judge)
        seen = standard.look(self.trainer.images(noise))
        found = {"score": scores.class_score(seen.logits), "fid": scores.frechet(seen.features, judge.reference)}
        self.trainer.note(found, standard.protocol(SCORED).words)
        self._log(self.trainer.history[-1])

    def _log(self, row: Mapping[str, float], picture: np.ndarray | None = None) -> None:
        """Curves and pictures for TensorBoard."""
        at = self.trainer.iteration
        if self._events is None:
            self._events = Events(self.folder, purge=at)
        self._events.add(at, {name: value for name, value in row.items() if name != "iteration"}, picture)


def _lock(folder: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(folder / ".lock", thread_local=False)


def _write_plan(folder: Path, plan: TrainingPlan, state: str, message: str, notes: tuple[str, ...]) -> None:
    about = {"version": 1, "state": state, "message": message, "notes": notes, "plan": plan.to_dict()}
    write_atomically(folder / PLAN, json.dumps(about, indent=1).encode())


def _read_plan(folder: Path) -> tuple[TrainingPlan, str, str, tuple[str, ...]]:
    try:
        about = json.loads((folder / PLAN).read_bytes())
        state, message = about["state"], str(about["message"])
        one_of("state", state, STATES)
        notes = tuple(map(str, about.get("notes", ())))  # older ones had none
        return TrainingPlan.from_dict(about["plan"]), state, message, notes
    except FileNotFoundError as error:
        raise RunError(f"expected a run in {folder}, found none; check the folder's name") from error
    except SettingsError as error:
        raise RunError(f"{folder / PLAN}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"expected a readable {PLAN} in {folder}, got a damaged one; start a new run") from error


def _read_state(path: Path, *, with_tensors: bool = True) -> tuple[dict[str, Tensor], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
        known = {name: facts[name] for name in ("iteration", "seconds", "history")}
        return tensors, known | {
            name: facts[name] for name in ("data", "protocol") if name in facts
        }  # older ones had none
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: expected the state of a run, got a damaged file; start a new run") from error
