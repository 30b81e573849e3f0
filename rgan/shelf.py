"""A folder of models that somebody brought along: added, renamed and deleted by name, within limits."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from rgan import checkpoints
from rgan.errors import FileError
from rgan.files import check_name, prepare_folder
from rgan.gan import Gan

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Shelf:
    """Checkpoints in `folder`, readable by their owner alone: at most `most_files`, of `most_bytes` together."""

    folder: Path
    most_files: int
    most_bytes: int
    _change: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def files(self) -> dict[str, Path]:
        """Names and files."""
        return {path.stem: path for path in sorted(self.folder.glob(f"*{SUFFIX}"))}

    def add(self, name: str, gan: Gan) -> Path:
        """Keep `gan` under `name`.

        Raises:
            SettingsError: the name is unusable.
            FileError: it is taken, the shelf is full, or its folder cannot be written.
        """
        with self._change:
            path = self._free(name)
            kept = [file.stat().st_size for file in self.files().values()]
            if len(kept) >= self.most_files:
                raise FileError(f"expected at most {self.most_files} models here, got one more; delete one first")
            prepare_folder(self.folder)
            self.folder.chmod(0o700)
            checkpoints.save(gan, path)
            if sum(kept) + path.stat().st_size > self.most_bytes:
                path.unlink()
                raise FileError(
                    f"expected models of at most {self.most_bytes // 2**20} MiB together, got more; delete one first"
                )
            path.chmod(0o600)
            return path

    def rename(self, name: str, new: str) -> None:
        """Give the model another name.

        Raises:
            SettingsError: the new name is unusable.
            FileError: it is taken, or there is no such model any more.
        """
        with self._change:
            there = self._there(name)
            there.rename(self._free(new))

    def remove(self, name: str) -> None:
        """Delete the model's file.

        Raises:
            FileError: there is no such model any more.
        """
        with self._change:
            self._there(name).unlink()

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
