"""TensorBoard event files, written at once and in the caller's thread.

torch's SummaryWriter writes from a thread of its own, where a full disk ends in a traceback on the terminal instead of
an error that the caller can put in words; its pieces are used here without that thread.
"""

from __future__ import annotations

import errno
import io
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rgan.common.errors import FileError


class Events:
    """A new event file in `folder`; its points follow those of earlier files there.

    Args:
        purge: the first iteration to come; points of earlier files from there on were written by a process that did
            not live to keep them, and TensorBoard hides them.

    Raises:
        FileError: the file cannot be made.
    """

    def __init__(self, folder: Path, purge: int):
        name = f"events.out.tfevents.{time.time_ns() // 1000:017d}.{socket.gethostname()}.{os.getpid()}"
        self._path, self._purge, self._end = folder / name, purge, 0
        try:
            self._file = self._path.open("xb", buffering=0)
        except OSError as error:
            raise self._trouble(error) from error

    def add(self, at: int, numbers: Mapping[str, float], picture: np.ndarray | None = None) -> None:
        """Numbers, and a picture uint8 (H, W, C) as "images", at iteration `at`.

        Raises:
            FileError: they cannot be written; the file is as before.
        """
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from torch.utils.tensorboard.summary import image, scalar

        records = []
        if self._end == 0:
            records.append(_record(file_version="brain.Event:2"))
            records.append(_record(step=self._purge, session_log=SessionLog(status=SessionLog.START)))
        records += [_record(step=at, summary=scalar(name, value)) for name, value in numbers.items()]
        if picture is not None:
            records.append(_record(step=at, summary=image("images", picture, dataformats="HWC")))
        data = b"".join(records)
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # Half a record would end the file for its readers.
            self._file.truncate(self._end)
            self._file.seek(self._end)
            raise self._trouble(error) from error
        self._end += len(data)

    def close(self) -> None:
        self._file.close()

    def _trouble(self, error: OSError) -> FileError:
        return FileError(f"expected to write curves to {self._path}, got: {error.strerror}; free some space there")


def _record(**content: Any) -> bytes:
    """One event as the bytes of an event file."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    RecordWriter(buffer).write(Event(wall_time=time.time(), **content).SerializeToString())
    return buffer.getvalue()
