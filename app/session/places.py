"""Places for what only so many sessions may do at a time, by turns."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable


class Places:
    """`count` places. Whoever asks and goes on asking has one, or waits in the order of coming.

    Who has not asked for `patience` seconds has left; while others wait, a place is given up after `turn` seconds.
    """

    def __init__(
        self, count: int, *, patience: float = 12.0, turn: float = 20.0, clock: Callable[[], float] = time.monotonic
    ):
        self.count = count
        self._patience, self._turn, self._clock = patience, turn, clock
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._asked: OrderedDict[str, float] = OrderedDict()  # in the order of coming, those with a place too

    def ask(self, who: str) -> int:
        """0 with a place; else how many come before, and at least 1."""
        with self._lock:
            now = self._clock()
            for gone in [one for one, at in self._asked.items() if now - at > self._patience]:
                self._asked.pop(gone)
                self._since.pop(gone, None)
            self._asked[who] = now
            others_wait = any(one not in self._since for one in self._asked)
            if who in self._since and others_wait and now - self._since[who] > self._turn:
                del self._since[who]
                self._asked.move_to_end(who)
            if who in self._since:
                return 0
            waiting = [one for one in self._asked if one not in self._since]
            before = waiting.index(who) + 1 - (self.count - len(self._since))
            if before > 0:
                return before
            self._since[who] = now
            return 0

    def served(self, who: str) -> None:
        """What they asked for has been done, which may have taken long: their patience begins anew."""
        with self._lock:
            if who in self._asked:
                self._asked[who] = self._clock()

    def leave(self, who: str) -> None:
        """They want none any more."""
        with self._lock:
            self._asked.pop(who, None)
            self._since.pop(who, None)
