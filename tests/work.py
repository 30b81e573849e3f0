"""What code costs, told so that a busy machine tells the same."""

import sys
import time
from collections.abc import Callable


def calls(work: Callable[[], object]) -> int:
    """How many functions, Python's and built-in ones, `work` calls on this thread."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def processor(work: Callable[[], object]) -> float:
    """Seconds of processor time that `work` takes, all threads together: to be held against another's."""
    started = time.process_time()
    work()
    return time.process_time() - started
