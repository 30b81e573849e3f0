"""Work in the background that screens wait for: known by its key, done once for all who want it, in fair turns, given
up when nobody wants it.

As many pieces of work compute at a time as there are slots. Each passes its slot on when it reports, to whoever has
computed least so far: somebody's first picture comes before another's hundredth step. Until it has something to show,
for two seconds at most, each is served in the order of coming: in a crowd everybody would wait for the last one's else.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import torch

from rgan.common import memory

T = TypeVar("T")
Work = Callable[[Callable[..., None]], T]  # called with `Task.report`
KEPT = 96  # finished tasks
FIRST = 2.0  # seconds of a slot that count for nothing while there is nothing to show
LOOK = 1.0  # seconds between looks whether the process ends


class GivenUpError(Exception):
    """Nobody waits for this task any more."""


def go_on() -> None:
    """Raise GivenUpError once the process ends: threads that are inside torch then would bring it down."""
    if not threading.main_thread().is_alive():
        raise GivenUpError


class Turns:
    """Slots that many threads take in turn; whoever has had least of them comes next.

    Besides there is the `fast` lane, as many slots more for those who have nothing to show yet: a piece of work may be
    long between two reports, and first pictures do not wait for it.
    """

    def __init__(self, slots: int, fast: int = 0):
        self._free = {"slow": slots, "fast": fast}
        self._lock = threading.Lock()
        self._waiting: list[Turn] = []

    def take(self, turn: Turn) -> None:
        """Wait for a slot.

        Raises:
            GivenUpError: the process ends meanwhile.
        """
        with self._lock:
            held = self._take_free(turn)
        if not held:
            self._wait(turn)

    def give(self, turn: Turn) -> None:
        """Let go of the slot."""
        with self._lock:
            turn.spent += time.monotonic() - turn.since
            self._hand_on(turn.lane)

    def pass_on(self, turn: Turn) -> None:
        """Let whoever has had less go first, and wait for the next slot; all threads of the work that holds it do."""
        with turn.passing:
            with self._lock:
                now = time.monotonic()
                turn.spent, turn.since = turn.spent + now - turn.since, now
                following = self._next(turn.lane)
                stays = not turn.had if turn.lane == "fast" else following is None or following.had >= turn.had
                if stays:
                    return
                self._hand_on(turn.lane)
                held = self._take_free(turn)
            if not held:
                self._wait(turn)

    def ahead(self, turn: Turn) -> int:
        """How many of those who wait come before it."""
        with self._lock:
            order = sorted(self._waiting, key=lambda one: one.had)
            return order.index(turn) if turn in order else 0

    def _take_free(self, turn: Turn) -> bool:
        """Take a free slot, or stand in the queue."""
        for lane in ("slow", *([] if turn.had else ["fast"])):
            if self._free[lane]:
                self._free[lane] -= 1
                turn.begin(lane)
                return True
        turn.called.clear()
        self._waiting.append(turn)
        return False

    def _wait(self, turn: Turn) -> None:
        """Until a slot is handed to this turn; each waits for itself, since hundreds may."""
        try:
            while not turn.called.wait(LOOK):
                go_on()
        except GivenUpError:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:
                    self._hand_on(turn.lane)
            raise

    def _hand_on(self, lane: str) -> None:
        turn = self._next(lane)
        if turn is None:
            self._free[lane] += 1
            return
        self._waiting.remove(turn)
        turn.begin(lane)
        turn.called.set()

    def _next(self, lane: str) -> Turn | None:
        turn = min(self._waiting, key=lambda one: one.had, default=None)
        return None if turn is None or (lane == "fast" and turn.had) else turn


class Turn:
    """What one piece of work has had of the slots: seconds `spent`, and `since` when it holds one."""

    def __init__(self) -> None:
        self.spent, self.since = 0.0, 0.0
        self.shown = False  # whether its work has something to show
        self.lane = ""  # of the slot that it holds
        self.passing = threading.Lock()
        self.called = threading.Event()  # set when a slot is handed over

    @property
    def had(self) -> float:
        """What counts against it."""
        return self.spent if self.shown else max(0.0, self.spent - FIRST)

    def begin(self, lane: str) -> None:
        """Hold a slot from now on."""
        self.lane, self.since = lane, time.monotonic()


class Task(Generic[T]):
    """One piece of work; `share` of it is done, and `so_far` is what it has to show until it is finished."""

    def __init__(self, work: Work[T], turns: Turns):
        self.share = 0.0
        self.begun: float | None = None  # when, in seconds of time.monotonic
        self.so_far: T | None = None
        self.begins = threading.Event()  # set once there is anything to show, or it has ended
        self.wanted = True
        self.future: Future[T] = Future()
        self._work, self._turns, self._turn = work, turns, Turn()
        self._begun = threading.Lock()
        self.future.add_done_callback(lambda _: self.begins.set())

    @property
    def done(self) -> bool:
        return self.future.done()

    def value(self) -> T:
        """The result; waits for it, and raises what the work raised."""
        return self.future.result()

    @property
    def failed(self) -> bool:
        return self.done and self.future.exception() is not None

    @property
    def ahead(self) -> int:
        """How many others are to be computed before it goes on."""
        return self._turns.ahead(self._turn)

    def start(self) -> None:
        """Do the work in a thread of its own when it is its turn.

        Streamlit's threads are daemons, and those that they begin would be: the process would end while one is inside
        torch, which aborts it. This one is waited for; `go_on` ends it soon.
        """
        threading.Thread(target=self._in_turn, name="task", daemon=False).start()

    def _in_turn(self) -> None:
        torch.set_num_threads(1)
        try:
            self._turns.take(self._turn)
        except GivenUpError as error:
            if self._begun.acquire(blocking=False):
                self.future.set_exception(error)
            return
        _here.task = self
        try:
            self.run(self)
            memory.give_back()
        finally:
            self._turns.give(self._turn)

    def run(self, holder: Task[Any]) -> None:
        """Do the work in the turn of `holder`, unless somebody does it or has done it."""
        if not self._begun.acquire(blocking=False):
            return
        self.begun = time.monotonic()

        def report(share: float, so_far: T | None = None) -> None:
            """Called by the work now and then, from any of its threads; ends it where nobody waits for it any more."""
            self.share = share
            if so_far is not None:
                self.so_far = so_far
                self.begins.set()
                holder._turn.shown = True
            if not self.wanted:
                raise GivenUpError
            go_on()
            self._turns.pass_on(holder._turn)

        try:
            report(0.0)
            self.future.set_result(self._work(report))
        except BaseException as error:  # whoever waits gets it
            self.future.set_exception(error)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Wait for something without a slot."""
        self._turns.give(self._turn)
        try:
            yield
        finally:
            self._turns.take(self._turn)

    @property
    def left(self) -> float | None:
        """Seconds it will still take if it goes on as so far; None while that cannot be said."""
        if self.begun is None or self.share < 0.05:
            return None
        return (time.monotonic() - self.begun) * (1 - self.share) / self.share


_here = threading.local()  # `task`: whose work this thread does


class Tasks:
    """The tasks of a process. Each owner (a session) says at every run what it wants; the rest is given up."""

    def __init__(self, slots: int = os.cpu_count() or 1, fast: int = 0) -> None:
        self._lock = threading.Lock()
        self._turns = Turns(slots, fast)
        self.slots = slots + fast  # pieces of work that compute at a time
        self._tasks: OrderedDict[Hashable, Task[Any]] = OrderedDict()
        self._wants: dict[str, frozenset[Hashable]] = {}

    def want(self, owner: str, works: dict[Hashable, Work[Any]], *, also: bool = False) -> dict[Hashable, Task[Any]]:
        """The tasks of these keys, begun in this order where new; what only `owner` wanted before is given up, unless
        it wants these `also`."""
        with self._lock:
            self._wants[owner] = frozenset(works) | (self._wants.get(owner, frozenset()) if also else frozenset())
            wanted = frozenset().union(*self._wants.values())
            for key, task in list(self._tasks.items()):
                if key not in wanted and not task.done:
                    task.wanted = False
                    del self._tasks[key]
            for key, work in works.items():
                if key not in self._tasks or self._given_up(key):
                    self._tasks[key] = Task(work, self._turns)
                    self._tasks[key].start()
                self._tasks.move_to_end(key)
            while len(self._tasks) > KEPT and next(iter(self._tasks)) not in wanted:
                self._tasks.popitem(last=False)
            return {key: self._tasks[key] for key in works}

    def put(self, key: Hashable, value: Any) -> None:
        """A result that is known already, for whoever wants it."""
        with self._lock:
            if key not in self._tasks:
                self._tasks[key] = Task(lambda report: value, self._turns)
                self._tasks[key].share = 1.0
                self._tasks[key].future.set_result(value)

    def wanted(self, owner: str) -> dict[Hashable, Task[Any]]:
        """The tasks that `owner` waits for, or whose results it has not let go of."""
        with self._lock:
            return {key: self._tasks[key] for key in self._wants.get(owner, ()) if key in self._tasks}

    def value(self, key: Hashable) -> Any:
        """The result of a task that somebody wants, for another task: done in its turn if it has not begun."""
        with self._lock:
            task = self._tasks.get(key)
        if task is None:
            raise GivenUpError
        waiting: Task[Any] | None = getattr(_here, "task", None)
        if waiting is None:
            return task.value()
        task.run(waiting)
        if task.done:
            return task.value()
        with waiting.away():
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
