"""Frames as JSON, for a browser or a file: pictures as WebP sheets, numbers rounded to what is shown of them.

A sheet has some frames of one kind of noise under one another, each as `columns` images in a row without gaps: frames
are so much alike that together they take half the room. The first frame, the original, has a sheet to itself.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rgan.attack.search import Attack
from rgan.common.errors import DataError
from rgan.common.images import WEBP_SIDE, grid, webp
from rgan.robustness.frames import Frames, Track

VERSION = 2
LENGTH = 3  # decimals of lengths
DIGITS = {"loss": 3, "change": 4, "badness": 4}  # decimals that are kept; change and badness are fractions
KINDS = ("worst", "random")


def encoded(frames: Frames) -> dict[str, Any]:
    """Frames as what JSON can hold; `decoded` reads it back.

    `id` is a digest of all the rest, so equal ones are equal frames. `size` is (samples, height, width, channels).
    What is not finite throughout, as the loss of a model without a critic, is null.
    """
    count, height, width, channels = frames.original.shape
    columns = columns_of(count)
    a_sheet = max(1, WEBP_SIDE // (math.ceil(count / columns) * height))
    attack = frames.attack
    body = {
        "version": VERSION,
        "model": frames.model,
        "radii": [round(radius, 6) for radius in frames.radii],
        "attack": {name: getattr(attack, name) for name in ("price", "gradients", "method", "keep_shell")},
        "seed": frames.seed,
        "gradients": frames.gradients,
        "done": frames.done,
        "names": {name: list(values) for name, values in frames.names.items()},
        "size": [count, height, width, channels],
        "length": _rounded(frames.length, LENGTH),
        "columns": columns,
        "frames_a_sheet": a_sheet,
        "sheets": {"original": [_sheet(frames.worst.images[:1], columns)]}
        | {kind: _sheets(getattr(frames, kind).images[1:], columns, a_sheet) for kind in KINDS},
        **{kind: _numbers(getattr(frames, kind)) for kind in KINDS},
    }
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    return body | {"id": digest[:16]}


def packed(data: Mapping[str, Any]) -> bytes:
    """What `encoded` gives, for a browser: four bytes with the length of the JSON that follows, the lowest first, in
    which each sheet is its length in bytes; then the sheets."""
    sheets = {kind: [base64.b64decode(one) for one in found] for kind, found in data["sheets"].items()}
    lengths = {kind: [len(one) for one in found] for kind, found in sheets.items()}
    body = json.dumps({**data, "sheets": lengths}, separators=(",", ":")).encode()
    return b"".join([len(body).to_bytes(4, "little"), body, *(one for found in sheets.values() for one in found)])


def decoded(data: Mapping[str, Any]) -> Frames:
    """The frames that `encoded` wrote: numbers as they were rounded, grey images exactly, colours nearly.

    Raises:
        DataError: another version wrote it.
    """
    if data.get("version") != VERSION:
        raise DataError(
            f"expected frames of version {VERSION}, got {data.get('version')!r}; they were made by another version of "
            "RGAN Lab: make them anew"
        )
    original = list(_images(data, "original"))
    tracks = {kind: _track(data[kind], np.stack(original + list(_images(data, kind)))) for kind in KINDS}
    return Frames(
        model=data["model"],
        attack=Attack(tuple(data["radii"]), **data["attack"]),
        seed=data["seed"],
        length=np.array(data["length"], np.float32),
        gradients=data["gradients"],
        done=data["done"],
        names={name: tuple(values) for name, values in data["names"].items()},
        **tracks,
    )


def columns_of(count: int) -> int:
    """Images in a row of a sheet."""
    return math.ceil(math.sqrt(count))


def _sheets(images: np.ndarray, columns: int, a_sheet: int) -> list[str]:
    return [_sheet(images[start : start + a_sheet], columns) for start in range(0, len(images), a_sheet)]


def _sheet(images: np.ndarray, columns: int) -> str:
    """Frames (F, N, H, W, C) under one another."""
    picture = np.concatenate([grid(frame, columns, gap=0, background=0) for frame in images])
    return base64.b64encode(webp(picture)).decode()


def _images(data: Mapping[str, Any], kind: str) -> Iterator[np.ndarray]:
    """Each frame's images (N, H, W, C) from the sheets of a kind."""
    from PIL import Image

    count, height, width, channels = data["size"]
    columns = data["columns"]
    rows = math.ceil(count / columns)
    for sheet in data["sheets"][kind]:
        with Image.open(io.BytesIO(base64.b64decode(sheet))) as picture:
            pixels = np.asarray(picture.convert("RGB" if channels >= 3 else "L"))
        pixels = pixels.reshape(-1, rows, height, columns, width, 3 if channels >= 3 else 1)
        for frame in pixels.transpose(0, 1, 3, 2, 4, 5):
            yield frame.reshape(rows * columns, *frame.shape[2:])[:count]


def _numbers(track: Track) -> dict[str, Any]:
    return {
        **{name: _rounded(getattr(track, name), digits) for name, digits in DIGITS.items()},
        "broken": None if track.broken is None else track.broken.astype(int).tolist(),
        "labels": {name: read.tolist() for name, read in track.labels.items()},
    }


def _rounded(values: np.ndarray | None, digits: int) -> list[list[float]] | None:
    if values is None or not np.isfinite(values).all():
        return None
    return [[round(float(value), digits) for value in row] for row in values]


def _track(data: Mapping[str, Any], images: np.ndarray) -> Track:
    def numbers(values: Sequence[Sequence[float]] | None) -> np.ndarray | None:
        return None if values is None else np.array(values, np.float32)

    loss, change = numbers(data["loss"]), numbers(data["change"])
    assert change is not None
    return Track(
        images=images,
        loss=np.full_like(change, np.nan) if loss is None else loss,
        change=change,
        badness=numbers(data["badness"]),
        broken=None if data["broken"] is None else np.array(data["broken"], bool),
        labels={name: np.array(read) for name, read in data["labels"].items()},
    )
