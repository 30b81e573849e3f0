"""TensorBoard event files, written at once and in the caller's thread.

torch's SummaryWriter writes from a thread of its own, where a full disk ends in a traceback on the terminal instead of
an error that the caller can put in words; its pieces are used here without that thread.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from rgan.errors import FileError


class Events:
    """A new event file in `folder`; its points follow those of earlier files there.

    Args:
        purge: the first iteration to come; points of earlier files from there on were written by a process that did
            not live to keep them, and TensorBoard hides them.
    """

    def __init__(self, folder: Path, purge: int):
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._folder = folder
        self._file: FileIO | None = None
        self._write(file_version="brain.Event:2")
        self._write(step=purge, session_log=SessionLog(status=SessionLog.START))

    def add(self, at: int, numbers: Mapping[str, float], picture: np.ndarray | None = None) -> None:
        """Numbers, and a picture uint8 (H, W, C) as "images", at iteration `at`.

        Raises:
            FileError: they cannot be written; the next point opens a new file.
        """
        from torch.utils.tensorboard.summary import image, scalar

        for name, value in numbers.items():
            self._write(step=at, summary=scalar(name, value))
        if picture is not None:
            self._write(step=at, summary=image("images", picture, dataformats="HWC"))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        try:
            if self._file is None:
                name = f"events.out.tfevents.{time.time_ns() // 1000:017d}.{socket.gethostname()}.{os.getpid()}"
                # Unbuffered: nothing is left to fail when the file is closed.
                self._file = (self._folder / name).open("xb", buffering=0)
            RecordWriter(self._file).write(Event(wall_time=time.time(), **content).SerializeToString())
        except OSError as error:
            self.close()  # half a record ends a file for its readers: the next point opens another
            raise FileError(
                f"expected to write TensorBoard events to {self._folder}, got: {error.strerror}; free some space there"
            ) from error
