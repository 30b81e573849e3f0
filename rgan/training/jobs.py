"""Training in a background thread: a queue of runs, one at a time, for a program that stays live meanwhile.

Nothing here knows screens. A `Jobs` lives as long as its process; what it trains survives it (see `runs`).
"""

from __future__ import annotations

import atexit
import dataclasses
import shutil
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from rgan.common.devices import in_background
from rgan.common.errors import FileError, RganError, RunError
from rgan.common.files import check_name
from rgan.training import runs
from rgan.training.runs import Record, Run, TrainingPlan
from rgan.training.trainer import seconds_per_iteration

MAX_WAITING = 20
RATE_SECONDS = 30.0  # over which the speed is taken that predicts the end
ERROR = "error.txt"


class Gate:
    """Interactive work first: training waits before each update while someone else computes.

    It waits `patience` seconds at most, so that a screen in constant use slows it but cannot stop it, and `linger`
    seconds after the last interactive work, which tends to come in bursts.
    """

    def __init__(self, patience: float = 0.5, linger: float = 0.1):
        self.patience, self.linger = patience, linger
        self._inside, self._left = 0, -float("inf")
        self._change = threading.Condition()

    @contextmanager
    def interactive(self) -> Iterator[None]:
        """Inside the block training waits."""
        with self._change:
            self._inside += 1
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                self._left = time.monotonic()
                self._change.notify_all()

    def wait(self) -> None:
        """Called by the training thread where it can pause."""
        end = time.monotonic() + self.patience
        with self._change:
            while (now := time.monotonic()) < end:
                if self._inside:
                    self._change.wait(end - now)
                elif now < self._left + self.linger:
                    self._change.wait(min(end, self._left + self.linger) - now)
                else:
                    return


class _GivenUpError(Exception):
    """A run is to end before it began."""


ENDING = {wanted: f"{wanted}s after this iteration" for wanted in ("pause", "stop")}


class _Live:
    """The run in training, as the training thread and its callers share it."""

    def __init__(self, name: str):
        self.name = name
        self.run: Run | None = None
        self.wanted = "run"  # or "pause", "stop", "leave"
        self.state = "running"
        self.message = ""
        self.doing = ""  # before there is a run
        self.warned = False
        self._pace: deque[tuple[float, int]] = deque()

    def preparing(self, done: int, total: int) -> None:
        """Told while images are prepared, before there is a `run`; ends that if the run is to end."""
        self.doing = f"preparing images, {done:,} of {total:,}"
        if self.wanted in ("stop", "leave"):
            raise _GivenUpError

    def note(self, iteration: int) -> None:
        now = time.monotonic()
        self._pace.append((now, iteration))
        while now - self._pace[0][0] > RATE_SECONDS and len(self._pace) > 2:
            self._pace.popleft()

    def left(self, iterations: int) -> float | None:
        """Seconds to the end at the recent pace."""
        if self.state != "running" or len(self._pace) < 2:
            return None
        (since, first), (until, last) = self._pace[0], self._pace[-1]
        return (iterations - last) * (until - since) / (last - first)

    def restart_clock(self) -> None:
        self._pace.clear()


class Jobs:
    """The runs in the folders of `folder`: start, pause, stop, resume, remove, and look.

    Safe to call from any thread. One daemon thread trains, on one processor core or the GPU.
    """

    def __init__(self, folder: Path):
        self.folder, self.gate = folder, Gate()
        self._change = threading.Condition()  # re-entrant
        self._waiting: list[str] = []
        self._live: _Live | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        # A process that ends in good order keeps the last iteration; a killed one loses what `runs` allows.
        atexit.register(_close, weakref.ref(self))

    def start(self, plans: Mapping[str, TrainingPlan]) -> None:
        """Queue new runs, by name, in order: all of them or none.

        Raises:
            SettingsError: a name is unusable.
            RunError: one is taken, or too many runs wait.
            FileError: a folder cannot be written.
        """
        with self._change:
            self._check_queue(len(plans))
            made: list[str] = []
            try:
                for name, plan in plans.items():
                    check_name(name)
                    runs.create(self.folder / name, plan)
                    made.append(name)
            except RganError:
                for name in made:
                    shutil.rmtree(self.folder / name)
                raise
            self._enqueue(made)

    def resume(self, name: str) -> None:
        """Continue a paused run now, or queue one that was stopped, interrupted or failed.

        Raises:
            RunError: it is finished, in training or waiting already, or too many runs wait.
        """
        with self._change:
            if self._live is not None and self._live.name == name:
                self._live.wanted = "run"
                self._change.notify_all()
                return
            record = self.record(name)
            if record.state not in ("stopped", "interrupted", "failed"):
                raise RunError(f"expected a run that can go on, got {name}, which is {record.state}; choose another")
            self._check_queue(1)
            runs.mark(self.folder / name, "queued")
            self._enqueue([name])

    def pause(self, name: str) -> None:
        """Keep the run and hold it after this iteration; the queue waits with it.

        Raises:
            RunError: it is not in training.
        """
        self._want("pause", name)

    def stop(self, name: str) -> None:
        """Keep the run with its checkpoint after this iteration and let the next one train; it can be resumed.

        Raises:
            RunError: it neither trains nor waits.
        """
        with self._change:
            if name in self._waiting:
                self._waiting.remove(name)
                runs.mark(self.folder / name, "stopped")
                return
        self._want("stop", name)

    def remove(self, name: str) -> None:
        """Delete a run and all its files.

        Raises:
            RunError: it trains or waits, here or in another process.
        """
        with self._change:
            self._check_idle(name)
            shutil.rmtree(self.folder / name)

    def rename(self, name: str, new: str) -> None:
        """Give a run another name.

        Raises:
            SettingsError: the new name is unusable.
            RunError: it is taken, or the run trains or waits, here or in another process.
        """
        with self._change:
            check_name(new)
            self._check_idle(name)
            if (self.folder / new).exists():
                raise RunError(f"expected a name that is free, got {new}; choose another")
            (self.folder / name).rename(self.folder / new)

    def record(self, name: str) -> Record:
        """What is known of a run right now.

        Raises:
            RunError: there is none of that name.
        """
        live = self._live
        if live is None or live.name != name or live.run is None:
            record = runs.read(self.folder / name)
            if name in self._waiting:
                record = dataclasses.replace(record, state="queued")
            elif live is not None and live.name == name:
                record = dataclasses.replace(record, state="running", doing=live.doing)
            return record
        run, trainer = live.run, live.run.trainer
        checkpoint = run.folder / runs.CHECKPOINT
        return Record(
            name=name,
            plan=run.plan,
            state=live.state,
            message=live.message or run.trouble,
            iteration=trainer.iteration,
            seconds=trainer.seconds,
            history=tuple(trainer.history),
            images=runs.images(run.folder, trainer.iteration),
            checkpoint=checkpoint if checkpoint.exists() else None,
            left=live.left(run.plan.iterations),
            doing=ENDING.get(live.wanted, "") if live.state == "running" else "",
            notes=trainer.data.notes,
        )

    def names(self) -> list[str]:
        """Every run, those in training and waiting first, then the newest."""
        plans = {path.parent.name: path.stat().st_ctime for path in self.folder.glob(f"*/{runs.PLAN}")}
        first = [name for name in self.queue() if name in plans]
        return first + sorted(plans.keys() - set(first), key=lambda name: -plans[name])

    def queue(self) -> list[str]:
        """The run that trains or pauses, if one does, then those that wait for their turn."""
        with self._change:
            return [*([self._live.name] if self._live else []), *self._waiting]

    def close(self, timeout: float = 5.0) -> None:
        """Keep what is in training and end the thread; waiting runs can be resumed by the next process."""
        with self._change:
            self._closing = True
            if self._live is not None:
                self._live.wanted = "leave"
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _check_idle(self, name: str) -> None:
        if name in self.queue() or runs.busy(self.folder / name):
            raise RunError(f"expected a run that neither trains nor waits, got {name}; stop it first")

    def _check_queue(self, more: int) -> None:
        if len(self._waiting) + more > MAX_WAITING:
            raise RunError(
                f"expected at most {MAX_WAITING} waiting runs, one trains at a time; got {more} more; "
                "let some finish or stop them"
            )

    def _enqueue(self, names: list[str]) -> None:
        self._waiting += names
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="training", daemon=True)
            self._thread.start()
        self._change.notify_all()

    def _want(self, what: str, name: str) -> None:
        with self._change:
            if self._live is None or self._live.name != name:
                raise RunError(
                    f"expected a run that this server trains, got {name}; it has ended, or another process trains it: "
                    "stop it there"
                )
            self._live.wanted = what
            self._change.notify_all()

    def _work(self) -> None:
        """The training thread."""
        in_background()
        while True:
            with self._change:
                while not self._waiting and not self._closing:
                    self._change.wait()
                if self._closing:
                    return
                live = self._live = _Live(self._waiting.pop(0))
            try:
                self._train(live)
            except Exception as error:
                self._fail(live, error)
            finally:
                with self._change:
                    self._live = None

    def _train(self, live: _Live) -> None:
        try:
            opened = Run(self.folder / live.name, report=live.preparing)
        except _GivenUpError:
            if live.wanted == "stop":
                runs.mark(self.folder / live.name, "stopped")
            return
        with opened as run:
            live.run = run
            for progress in run.steps(self.gate.wait):
                live.note(progress.iteration)
                if live.wanted != "run" and not self._hold(live, run):
                    return
            while not self._saved(live, run):
                live.wanted = "pause"
                if not self._hold(live, run):
                    return
            run.mark("finished")

    def _hold(self, live: _Live, run: Run) -> bool:
        """Pause, or end the run as wanted; whether to go on."""
        while True:
            wanted = live.wanted
            saved = self._saved(live, run)
            if wanted == "leave":
                return False
            if wanted == "stop" and (saved or live.warned):
                run.mark("stopped")
                return False
            if wanted == "stop":
                live.wanted, live.warned = "pause", True
            if wanted == "run":
                live.state, live.message, live.warned = "running", "", False
                live.restart_clock()
                run.mark("running")
                return True
            live.state = "paused"
            if saved:
                run.mark("paused")
            with self._change:
                while live.wanted == "pause":
                    self._change.wait()

    def _saved(self, live: _Live, run: Run) -> bool:
        """Save; what cannot be written is said and can be tried again."""
        try:
            run.save()
        except FileError as error:
            live.message = (
                f"{error}. Nothing is lost while this server runs: resume tries again, and stopping twice gives up "
                "what came after the last snapshot"
            )
            return False
        live.message, live.warned = "", False
        return True

    def _fail(self, live: _Live, error: Exception) -> None:
        folder = self.folder / live.name
        try:
            if isinstance(error, RganError):
                message = str(error)
            else:
                (folder / ERROR).write_text("".join(traceback.format_exception(error)))
                short = str(error).splitlines()[0][:200] if str(error) else ""
                message = f"{type(error).__name__}: {short}. What was kept last is kept; details are in {ERROR}"
            if isinstance(error, torch.OutOfMemoryError):
                message = f"the device ran out of memory; choose a smaller width or batch. ({message})"
            runs.mark(folder, "failed", message)
        except (OSError, RganError):
            pass  # the folder is gone or full: `runs.read` finds the state that was written last


def measure(plan: TrainingPlan) -> float:
    """Seconds an iteration of `plan` takes on this machine, from a few steps made and thrown away.

    Raises:
        RganError: the plan cannot be trained here; see `TrainingPlan.trainer`.
    """
    return seconds_per_iteration(plan.trainer())


def _close(jobs: weakref.ref[Jobs]) -> None:
    if (alive := jobs()) is not None:
        alive.close()
