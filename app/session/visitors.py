"""Who looks at this page, and where the models that they upload are kept.

The operator, whose browser runs on the server's own machine, keeps uploads in uploads/ for good and sees no others'.
Other visitors may not upload, unless the operator sets RGAN_VISITORS_UPLOAD=1: then each has a shelf of their own,
seen by nobody else, which ends with the session. In a class (`session.classroom`) nobody has.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import streamlit as st

from rgan.common import limits
from rgan.common.errors import CheckpointError
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf

if TYPE_CHECKING:
    from rgan.importing import conversion

T = TypeVar("T")
UPLOADS = Path(os.environ.get("RGAN_UPLOADS", Path(__file__).resolve().parents[2] / "uploads"))
VISITORS = UPLOADS / "visitors"
PROXIED = ("forwarded", "via", "x-forwarded-", "x-real-ip")  # begin headers of proxies, or of whoever pretends
ADDRESSED = ("Host", "Origin")  # headers with the address that the browser has; without a browser there are none


def is_operator() -> bool:
    """Whether the browser runs on the server's machine, with no proxy in between.

    A proxy on this machine may keep silent about itself; the address that its browsers opened is not this machine's.
    """
    headers = st.context.headers
    if st.context.ip_address is not None or any(name.lower().startswith(PROXIED) for name in headers):
        return False
    return all(_is_here(address) for address in map(headers.get, ADDRESSED) if address is not None)


def _is_here(address: str) -> bool:
    """Whether an address, such as "localhost:8501" or "http://[::1]:8501", is this machine's own."""
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


@st.cache_resource(show_spinner=False)
def sweep() -> None:
    """Once a process, before anybody uploads: delete what visitors of a server that has ended left."""
    shutil.rmtree(VISITORS, ignore_errors=True)


def shelf() -> Shelf | None:
    """Where this visitor's uploads are; None if they may not upload."""
    if is_operator():
        return _own()
    may = os.environ.get("RGAN_VISITORS_UPLOAD") == "1" and os.environ.get("RGAN_CLASSROOM") != "1"
    return _visiting() if may else None


@st.cache_resource(show_spinner=False)
def _own() -> Shelf:
    return Shelf(UPLOADS, limits.OPERATOR_FILES, limits.OPERATOR_BYTES)


@st.cache_resource(scope="session", on_release=Shelf.close, show_spinner=False)
def _visiting() -> Shelf:
    return Shelf(VISITORS / uuid.uuid4().hex, limits.VISITOR_FILES, limits.VISITOR_BYTES, limits.VISITORS_BYTES)


@st.cache_resource(show_spinner=False)
def _reading() -> threading.BoundedSemaphore:
    """Uploads are read one at a time: each may ask for a gigabyte."""
    return threading.BoundedSemaphore(1)


def read(files: Sequence[tuple[str, bytes]]) -> conversion.Proposal | Gan:
    """What uploaded files, (name, bytes) each, are.

    Raises:
        CheckpointError: see `conversion.read`; or others upload too much at this moment.
    """
    from rgan.importing import conversion  # which the first picture need not wait for

    return reading(conversion.read, files)


def reading(read_by: Callable[[Sequence[tuple[str, bytes]]], T], files: Sequence[tuple[str, bytes]]) -> T:
    """The same by another reader, in its turn.

    Raises:
        CheckpointError: the reader's; or others upload too much at this moment.
    """
    if not _reading().acquire(timeout=60):
        raise CheckpointError("expected a free moment to read this, got many uploads at once; try again in a minute")
    try:
        return read_by(files)
    finally:
        _reading().release()
