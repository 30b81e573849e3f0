"""Writing files so that a reader, a crash or a full disk never leaves half of one."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from rgan.common.errors import FileError, SettingsError

CHECKOUT = Path(__file__).resolve().parents[2]  # holds app/ and checkpoints/, unless rgan was installed as a wheel
LONGEST_NAME = 61
_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_UNFINISHED = ".part"


def shipped_models() -> Path:
    """Where the models that come with RGAN Lab lie: checkpoints/, or the folder that RGAN_CHECKPOINTS names."""
    return Path(os.environ.get("RGAN_CHECKPOINTS", CHECKOUT / "checkpoints"))


def own_runs() -> Path:
    """Where trainings of one's own lie, and the judges of their data: runs/, or the folder that RGAN_RUNS names."""
    return Path(os.environ.get("RGAN_RUNS", CHECKOUT / "runs"))


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`, durably: a reader sees the old file or the new one, also after a power cut.

    Raises:
        FileError: the folder cannot be written or is full; an older file at `path` is left as it was.
    """
    prepare_folder(path.parent)
    temporary = path.with_name(
        f".{os.getpid()}-{secrets.token_hex(8)}{_UNFINISHED}"
    )  # `path` may have the longest name
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise FileError(
                f"expected a name that the file system takes, got one of {len(os.fsencode(path.name))} bytes; choose a "
                "shorter one"
            ) from error
        raise FileError(
            f"expected to write {len(data) / 2**20:.1f} MiB to {path}, got: {error.strerror}; free some space there, "
            "or choose another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_name(name: str) -> None:
    """Raise SettingsError unless `name` is one for a file or folder that the user names."""
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"expected a name of small letters, digits, '.', '_' and '-', at most {LONGEST_NAME} of them, got "
            f"{name[:80]!r}; choose another"
        )


def usable_name(text: str) -> str:
    """The nearest name that `check_name` lets pass."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:LONGEST_NAME] or "model"


def as_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Rows of equal fields as a CSV file; without rows an empty one."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def prepare_folder(folder: Path) -> None:
    """Make `folder` unless it is there.

    Raises:
        FileError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError as error:
        raise FileError(
            f"expected a folder that can be made at {folder}, got: {error.strerror}; choose another"
        ) from error
    if not writable:
        raise FileError(f"expected a folder that can be written, got {folder}; change its rights or choose another")


def sweep(folder: Path) -> None:
    """Remove what a killed process left unfinished in `folder`; only its one writer may call this."""
    for left in folder.glob(f".*{_UNFINISHED}"):
        left.unlink(missing_ok=True)
