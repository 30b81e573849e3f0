"""What somebody did is taken in whole, whatever they do next.

Streamlit takes up a request that has come meanwhile, such as one for another page, wherever a run touches the session's
state: also before it has taken in what its own request tells of the widgets, and within a callback, which then breaks
off. What somebody did is lost. Here such a request waits until the callbacks are done. This changes two methods of
Streamlit's own, of the version that requirements.txt pins; tests/app/test_busy_server.py tells whether it works.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.state.safe_session_state import SafeSessionState

_thread = threading.local()


def run_to_their_end() -> None:
    """From the next run of any session on; once a process, more often does nothing."""
    begin, take_up = SafeSessionState.on_script_will_rerun, ScriptRunner._maybe_handle_execution_control_request
    if hasattr(begin, "__wrapped__"):
        return

    @functools.wraps(begin)
    def begun(self: SafeSessionState, *args: Any, **kwargs: Any) -> None:
        _thread.beginning = True
        try:
            begin(self, *args, **kwargs)
        finally:
            _thread.beginning = False

    @functools.wraps(take_up)
    def taken_up(self: ScriptRunner) -> None:
        if not getattr(_thread, "beginning", False):
            take_up(self)

    SafeSessionState.on_script_will_rerun = begun  # type: ignore[method-assign]
    ScriptRunner._maybe_handle_execution_control_request = taken_up  # type: ignore[method-assign]
