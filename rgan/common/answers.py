"""Results on disk, found again by what they are results of: digests and settings, never a name.

Some travel with the package and are only read; what is computed later is kept in a folder of its own, the oldest
deleted where it grows too large. A file that is damaged or of something else is as good as none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rgan.common import records
from rgan.common.errors import FileError
from rgan.common.files import write_atomically

T = TypeVar("T")
PLAIN, RECORD = ".json", ".safetensors"  # plain values, and dataclasses of arrays


class Answers:
    """Answers in the first of `folders` that has them; new ones go to the last of them, which holds `most` bytes."""

    def __init__(self, folders: Sequence[Path], most: int):
        self.folders, self.most = tuple(folders), most

    def get(self, of: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to `of`, if it is there and whole."""
        for folder in self.folders:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                kept = json.loads((folder / name_of(of)).read_bytes())
                if kept["of"] == json.loads(json.dumps(of)):
                    answer: dict[str, Any] = kept["answer"]
                    return answer
        return None

    def put(self, of: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Keep an answer, where there is room: a full disk is no reason to lose what a visitor waits for."""
        with contextlib.suppress(FileError, OSError):
            write_atomically(self.folders[-1] / name_of(of), json.dumps({"of": of, "answer": answer}).encode())
            self._make_room()

    def result(self, kind: type[T], of: Mapping[str, Any]) -> T | None:
        """The answer to `of` that `keep` has kept, a dataclass of that kind."""
        for folder in self.folders:
            with contextlib.suppress(FileError):
                return records.load(kind, folder / name_of(of, RECORD))
        return None

    def keep(self, of: Mapping[str, Any], result: object) -> None:
        """Keep a result, anything that `records` can write, as `put` keeps plain values."""
        with contextlib.suppress(FileError, OSError):
            records.save(result, self.folders[-1] / name_of(of, RECORD))
            self._make_room()

    def _make_room(self) -> None:
        files = [path for kind in (PLAIN, RECORD) for path in self.folders[-1].glob(f"*{kind}")]
        room = self.most
        for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True):
            room -= path.stat().st_size
            if room < 0:
                path.unlink(missing_ok=True)


def question(what: str, version: int, models: Sequence[Sequence[str]], **settings: Any) -> dict[str, Any]:
    """What a result is an answer to: of which kind, made in which way (`version`), of which models (each with the
    digests of its file and its judges), and with which settings, dataclasses among them."""
    plain = {
        name: dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
        for name, value in settings.items()
    }
    return {"what": what, "version": version, "models": [list(model) for model in models], **plain}


def name_of(of: Mapping[str, Any], kind: str = PLAIN) -> str:
    """The name of an answer's file."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:32] + kind
