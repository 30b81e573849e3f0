"""Studies of one's own in a folder: begun as processes of their own, watched and stopped by whoever looks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgan.common.errors import RganError, RunError
from rgan.common.files import check_name, prepare_folder, write_atomically
from rgan.paper import archive, plan
from rgan.paper.runner import PLAN, PROGRESS
from rgan.training import runs

LOG = "log.txt"
_begun: dict[Path, subprocess.Popen[bytes]] = {}  # by this process, which hears of their ends


@dataclass(frozen=True)
class Watched:
    """A study as its files tell it. done, total: models. working: what is at work, in words. share: of all work. left:
    seconds to the end, None while unknown. running: whether a process works on it. trouble: why it ended, if it failed.
    """

    name: str
    folder: Path
    title: str
    done: int
    total: int
    working: tuple[str, ...]
    share: float
    left: float | None
    running: bool
    trouble: str = ""

    @property
    def found(self) -> Path | None:
        """The file of what was found so far, if there is one."""
        file = self.folder / archive.FILE
        return file if file.exists() else None


def start(folder: Path, text: str, workers: int, data_root: str) -> None:
    """Begin the study that a plan's text describes in `folder`, or go on with it, in a process that outlives this one.

    Raises:
        SettingsError: the text is no plan, or the folder's name is unusable.
        DataError: a data set is missing.
        RunError: a process works on it already.
        FileError: the folder cannot be written.
    """
    check_name(folder.name)
    plan.parse(text, data_root=data_root)
    if busy(folder):
        raise RunError(f"expected {folder.name} to be free, got a study that is at work; stop it first")
    prepare_folder(folder)
    write_atomically(folder / PLAN, text.encode())
    (folder / PROGRESS).unlink(missing_ok=True)
    command = [sys.executable, "-m", "rgan", "study", str(folder / PLAN), "--out", str(folder), "--json",
               "--workers", str(workers), "--data-root", data_root]  # fmt: skip
    with (folder / LOG).open("wb") as log:
        _begun[folder.resolve()] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def stop(folder: Path) -> None:
    """Let the study in `folder` end as by Ctrl-C; what is at work is kept. Without one at work, nothing happens."""
    process = _told(folder).get("process")
    if busy(folder) and isinstance(process, int):
        os.kill(process, signal.SIGTERM)


def busy(folder: Path) -> bool:
    """Whether a process works on the study in `folder`, which it locks as a training locks its run."""
    return folder.is_dir() and runs.busy(folder)


def read(folder: Path) -> Watched:
    """The study in `folder`.

    Raises:
        RganError: there is none.
    """
    if not (folder / PLAN).exists():
        raise RganError(f"expected a study in {folder.name}, found none; begin one")
    told = _told(folder)
    begun = _begun.get(folder.resolve())
    running = busy(folder) or (begun is not None and begun.poll() is None)
    return Watched(
        folder.name, folder, str(told.get("title", folder.name)), int(told.get("done", 0)), int(told.get("total", 0)),
        tuple(map(str, told.get("working", ()))), float(told.get("share", 0.0)), told.get("left"), running,
        "" if running or told.get("ended") else _last_line(folder),
    )  # fmt: skip


def names(folder: Path) -> list[str]:
    """The studies in the folders of `folder`."""
    return sorted(path.parent.name for path in folder.glob(f"*/{PLAN}"))


def _told(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / PROGRESS).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _last_line(folder: Path) -> str:
    """Of what the study's process wrote: its error, if it had one."""
    try:
        lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("rgan: ")[:500] if lines and not lines[-1].startswith("{") else ""
