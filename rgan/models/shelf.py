"""A folder of models that somebody brought along: added, renamed and deleted by name, within limits."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rgan.common.errors import FileError
from rgan.common.files import check_name, prepare_folder
from rgan.common.limits import MIB
from rgan.models import checkpoints
from rgan.models.gan import Gan

SUFFIX = ".safetensors"
_CHANGE = threading.Lock()  # one for all shelves, which may have a limit together


@dataclass(frozen=True)
class Shelf:
    """Checkpoints in `folder`, readable by their owner alone: at most `most_files`, of `most_bytes` together.

    most_around: bytes of all shelves whose folders lie beside this one, this one included; None for no limit.
    """

    folder: Path
    most_files: int
    most_bytes: int
    most_around: int | None = None
    _closed: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def files(self) -> dict[str, Path]:
        """Names and files."""
        return {path.stem: path for path in sorted(self.folder.glob(f"*{SUFFIX}"))}

    @property
    def closed(self) -> bool:
        """Whether it takes no more models."""
        return self._closed.is_set()

    def close(self) -> None:
        """Delete the folder with its models, and take no more."""
        with _CHANGE:
            self._closed.set()
            shutil.rmtree(self.folder, ignore_errors=True)

    def check_room(self, size: int) -> None:
        """Raise FileError if a model of `size` bytes could not be added now."""
        with _CHANGE:
            self._check(1, size)

    def add(self, name: str, gan: Gan) -> Path:
        """Keep `gan` under `name`.

        Raises:
            SettingsError: the name is unusable.
            FileError: it is taken, the shelf is full or closed, or its folder cannot be written.
        """
        with _CHANGE:
            path = self._free(name)
            self._check(1, 0)
            prepare_folder(self.folder)
            self.folder.chmod(0o700)
            checkpoints.save(gan, path)
            try:
                self._check(0, 0)
            except FileError:
                path.unlink()
                raise
            path.chmod(0o600)
            return path

    def rename(self, name: str, new: str) -> None:
        """Give the model another name.

        Raises:
            SettingsError: the new name is unusable.
            FileError: it is taken, or there is no such model any more.
        """
        with _CHANGE:
            there = self._there(name)
            there.rename(self._free(new))

    def remove(self, name: str) -> None:
        """Delete the model's file.

        Raises:
            FileError: there is no such model any more.
        """
        with _CHANGE:
            self._there(name).unlink()

    def _check(self, more: int, size: int) -> None:
        """Raise FileError if `more` models of `size` bytes would be too many."""
        if self.closed:
            raise FileError("expected a visitor who is here, got one who has left; bring the model along again")
        kept = self.files().values()
        if len(kept) + more > self.most_files:
            raise FileError(f"expected at most {self.most_files} models here, got one more; delete one first")
        if _bytes(kept) + size > self.most_bytes:
            raise FileError(
                f"expected models of at most {self.most_bytes // MIB} MiB together, got more; delete one first"
            )
        around = self.folder.parent.glob(f"*/*{SUFFIX}")
        if self.most_around is not None and _bytes(around) + size > self.most_around:
            raise FileError(
                f"expected at most {self.most_around // MIB} MiB of all visitors together, got more; try again when "
                "others have left"
            )

    def _free(self, name: str) -> Path:
        check_name(name)
        path = self.folder / f"{name}{SUFFIX}"
        if path.exists():
            raise FileError(f"expected a name that is free, got {name}; choose another, or delete that model first")
        return path

    def _there(self, name: str) -> Path:
        files = self.files()
        if name not in files:
            raise FileError(f"expected a model that is here, got {name!r}; it has been deleted or renamed")
        return files[name]


def _bytes(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files)
