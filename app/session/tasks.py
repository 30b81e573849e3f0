"""Work in the background that screens wait for: one task at a time, known by its key, given up when nobody wants it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import torch

T = TypeVar("T")
Work = Callable[[Callable[..., None]], T]  # called with `Task.report`
KEPT = 96  # finished tasks


class GivenUpError(Exception):
    """Nobody waits for this task any more."""


class Task(Generic[T]):
    """One piece of work; `share` of it is done, and `so_far` is what it has to show until it is finished."""

    def __init__(self, work: Work[T]):
        self.share = 0.0
        self.begun: float | None = None  # when, in seconds of time.monotonic
        self.so_far: T | None = None
        self.wanted = True
        self.future: Future[T] = Future()
        self._work = work
        self._begun = threading.Lock()

    @property
    def done(self) -> bool:
        return self.future.done()

    def value(self) -> T:
        """The result; waits for it, and raises what the work raised."""
        return self.future.result()

    @property
    def failed(self) -> bool:
        return self.done and self.future.exception() is not None

    def run(self) -> None:
        """Do the work, unless somebody does it or has done it."""
        if not self._begun.acquire(blocking=False):
            return
        self.begun = time.monotonic()
        try:
            self.report(0.0)
            self.future.set_result(self._work(self.report))
        except BaseException as error:  # whoever waits gets it
            self.future.set_exception(error)

    @property
    def left(self) -> float | None:
        """Seconds it will still take if it goes on as so far; None while that cannot be said."""
        if self.begun is None or self.share < 0.05:
            return None
        return (time.monotonic() - self.begun) * (1 - self.share) / self.share

    def report(self, share: float, so_far: T | None = None) -> None:
        """Called by the work now and then; ends it where nobody waits for it any more."""
        self.share = share
        if so_far is not None:
            self.so_far = so_far
        if not self.wanted:
            raise GivenUpError


class Tasks:
    """The tasks of a process. Each owner (a session) says at every run what it wants; the rest is given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "tasks", initializer=lambda: torch.set_num_threads(1))
        self._tasks: OrderedDict[Hashable, Task[Any]] = OrderedDict()
        self._wants: dict[str, frozenset[Hashable]] = {}

    def want(self, owner: str, works: dict[Hashable, Work[Any]]) -> dict[Hashable, Task[Any]]:
        """The tasks of these keys, begun in this order where new; what only `owner` wanted before is given up."""
        with self._lock:
            self._wants[owner] = frozenset(works)
            wanted = frozenset().union(*self._wants.values())
            for key, task in list(self._tasks.items()):
                if key not in wanted and not task.done:
                    task.wanted = False
                    del self._tasks[key]
            for key, work in works.items():
                if key not in self._tasks or self._given_up(key):
                    self._tasks[key] = Task(work)
                    self._worker.submit(self._tasks[key].run)
                self._tasks.move_to_end(key)
            while len(self._tasks) > KEPT and next(iter(self._tasks)) not in wanted:
                self._tasks.popitem(last=False)
            return {key: self._tasks[key] for key in works}

    def wanted(self, owner: str) -> dict[Hashable, Task[Any]]:
        """The tasks that `owner` waits for, or whose results it has not let go of."""
        with self._lock:
            return {key: self._tasks[key] for key in self._wants.get(owner, ()) if key in self._tasks}

    def value(self, key: Hashable) -> Any:
        """The result of a task that somebody wants, for another task: done at once if it has not begun."""
        with self._lock:
            task = self._tasks.get(key)
        if task is None:
            raise GivenUpError
        task.run()
        return task.value()

    def forget_failed(self) -> None:
        """Let what failed be tried anew when it is wanted again: the reason may be gone."""
        with self._lock:
            for key in [key for key, task in self._tasks.items() if task.failed]:
                del self._tasks[key]

    def again(self, key: Hashable) -> None:
        """Let a finished task be done anew when it is wanted again."""
        with self._lock:
            if key in self._tasks and self._tasks[key].done:
                del self._tasks[key]

    def _given_up(self, key: Hashable) -> bool:
        task = self._tasks[key]
        return task.failed and isinstance(task.future.exception(), GivenUpError)

    def finished(self, key: Hashable) -> bool:
        """Whether the task of this key has been done and is still kept."""
        with self._lock:
            return key in self._tasks and self._tasks[key].done and not self._tasks[key].failed

    def forget(self, owner: str) -> None:
        """The owner has left: nothing is done for it any more."""
        self.want(owner, {})
        with self._lock:
            del self._wants[owner]
