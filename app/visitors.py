"""Who looks at this page, and where the models that they upload are kept.

The operator, whose browser runs on the server's own machine, keeps uploads in uploads/ for good and sees no others'.
Other visitors may not upload, unless the operator sets RGAN_VISITORS_UPLOAD=1: then each has a shelf of their own,
seen by nobody else, which ends with the session.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from rgan import conversion, limits
from rgan.errors import CheckpointError
from rgan.gan import Gan
from rgan.shelf import Shelf

UPLOADS = Path(os.environ.get("RGAN_UPLOADS", Path(__file__).resolve().parent.parent / "uploads"))
VISITORS = UPLOADS / "visitors"
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")  # set by a proxy in between, or by whoever pretends


def is_operator() -> bool:
    """Whether the browser runs on the server's machine, with no proxy in between."""
    return st.context.ip_address is None and not any(name in st.context.headers for name in FORWARDED)


def shelf() -> Shelf | None:
    """Where this visitor's uploads are; None if they may not upload."""
    if is_operator():
        return _own()
    return _visiting() if os.environ.get("RGAN_VISITORS_UPLOAD") == "1" else None


@st.cache_resource(show_spinner=False)
def _own() -> Shelf:
    shutil.rmtree(VISITORS, ignore_errors=True)  # sessions of a server that has ended
    return Shelf(UPLOADS, limits.OPERATOR_FILES, limits.OPERATOR_BYTES)


def _leave(left: Shelf) -> None:
    shutil.rmtree(left.folder, ignore_errors=True)


@st.cache_resource(scope="session", on_release=_leave, show_spinner=False)
def _visiting() -> Shelf:
    return Shelf(VISITORS / uuid.uuid4().hex, limits.VISITOR_FILES, limits.VISITOR_BYTES)


@st.cache_resource(show_spinner=False)
def _reading() -> threading.BoundedSemaphore:
    """Uploads are read one at a time: each may ask for a gigabyte."""
    return threading.BoundedSemaphore(1)


def read(files: Sequence[tuple[str, bytes]]) -> conversion.Proposal | Gan:
    """What uploaded files, (name, bytes) each, are.

    Raises:
        CheckpointError: see `conversion.read`; or others upload too much at this moment.
    """
    if not _reading().acquire(timeout=60):
        raise CheckpointError("expected a free moment to read this, got many uploads at once; try again in a minute")
    try:
        return conversion.read(files)
    finally:
        _reading().release()
