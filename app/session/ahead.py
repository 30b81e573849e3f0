"""What the first run imports, begun while the server starts and a browser fetches the page."""

from __future__ import annotations

import sys
import threading
from importlib import import_module

MODULES = (
    "torch", "rgan.robustness.play", "rgan.paper.archive", "rgan.training.jobs", "rgan.embedding.look",
    "rgan.embedding.figure4", "rgan.theory.laboratory.lessons", "rgan.report.render", "rgan.models.own",
)  # fmt: skip
OFTEN = 1e-4  # seconds after which threads take turns meanwhile: the server answers in many small steps

_begun: list[threading.Thread] = []


def begin() -> None:
    """Import them in a thread."""
    _begun.append(threading.Thread(target=_import, name="imports", daemon=True))
    _begun[0].start()


def wait() -> None:
    """Until they are imported, where that was begun: two threads never import one module by halves."""
    for thread in _begun:
        thread.join()


def _import() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(OFTEN)
    try:
        for name in MODULES:
            import_module(name)
    finally:
        sys.setswitchinterval(usual)
