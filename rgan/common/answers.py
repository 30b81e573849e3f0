"""Results on disk, found again by what they are results of: digests and settings, never a name.

Some travel with the package and are only read; what is computed later is kept in a folder of its own, the oldest
deleted where it grows too large. A file that is damaged or of something else is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rgan.common.errors import FileError
from rgan.common.files import write_atomically

SUFFIX = ".json"


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
        folder = self.folders[-1]
        with contextlib.suppress(FileError, OSError):
            write_atomically(folder / name_of(of), json.dumps({"of": of, "answer": answer}).encode())
            files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
            room = self.most
            for path in files:
                room -= path.stat().st_size
                if room < 0:
                    path.unlink(missing_ok=True)


def name_of(of: Mapping[str, Any]) -> str:
    """The name of an answer's file."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:32] + SUFFIX
