"""Failures as files: a picture and an animation of a way, rows of numbers, and a zip of chosen failures.

The same failures give the same bytes with the same versions of Pillow and numpy: nothing holds the time or a path.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rgan.common.files import as_csv
from rgan.common.formatting import per_cent
from rgan.common.images import captioned, circled, png
from rgan.robustness.curves import MOVED
from rgan.robustness.failures.failure import Failure, Way
from rgan.robustness.failures.links import Permalink
from rgan.robustness.failures.modes import Modes
from rgan.robustness.failures.pool import NOISES, Pool

STRIP = 9  # images of a strip
COLUMNS = 8  # of a sheet
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
_ABOUT = """Failures kept from RGAN Lab. numbers.csv has a row a failure; each failure has a folder:
original.png   the image of the original noise z
worst.png      the image of the worst noise, z + r_worst
random.png     the image of random noise as far away, z + r_random
strip.png      the straight way from the original to the worst image
noise.npz      z, r_worst and r_random
ways.csv       numbers along three ways
link.json      all that is needed to find the failure again
"""


def strip(way: Way, *, count: int = STRIP, scale: int = 4) -> bytes:
    """A PNG of `count` images spread evenly over a way, both ends included, with how bad the judge finds each."""
    shown = np.linspace(0, len(way.images) - 1, min(count, len(way.images))).round().astype(int)
    return png(captioned(way.images[shown], [f"bad {per_cent(float(way.badness[t]), 0)}" for t in shown], scale=scale))


def sheet(images: np.ndarray, bad: np.ndarray, *, scale: int = 2) -> bytes:
    """A PNG of images, uint8 (n, H, W, C), with a red ring around each that is bad, (n,)."""
    return png(circled(images, bad, COLUMNS, scale=scale))


def way_rows(ways: Mapping[str, Way]) -> list[dict[str, Any]]:
    """A row a way and point."""
    return [
        {
            "way": name, "at": float(way.at[t]), "loss": float(way.loss[t]), "distance": float(way.distance[t]),
            "badness": float(way.badness[t]), "change": float(way.change[t]),
        }
        for name, way in ways.items()
        for t in range(len(way.at))
    ]  # fmt: skip


def pool_rows(pool: Pool, modes: Mapping[str, Modes] | None = None) -> list[dict[str, Any]]:
    """A row a model and row of the pool; mode: 1 for the largest, empty for what is in none, if they are given."""
    rows = []
    for side, found in pool.rows.items():
        numbered = _numbered(modes[side]) if modes else {}
        lengths = np.linalg.norm(found.noise["worst"].numpy(), axis=1)
        for index in range(len(found)):
            row: dict[str, Any] = {"model": side, "index": index, "length": float(lengths[index])}
            for kind in NOISES:
                measure = found.measures[kind]
                row[f"{kind} badness"] = float(measure.badness[index])
                row[f"{kind} distance"] = float(measure.opinion.distance[index])
                row[f"{kind} loss"] = float(measure.loss[index])
            row |= {f"{kind} change": float(found.change[kind][index]) for kind in MOVED}
            rows.append(row | ({"mode": numbered.get(index, "")} if modes else {}))
    return rows


def archive(kept: Sequence[tuple[Permalink, Failure]], notes: Sequence[str] = ()) -> bytes:
    """A zip of failures with their links, a folder each, and numbers of all; `notes` are one a failure, or none."""
    rows = [_numbers(*each) | {"note": note} for each, note in zip(kept, notes or [""] * len(kept), strict=True)]
    files = {"about.txt": _ABOUT.encode(), "numbers.csv": as_csv(rows)}
    for link, found in kept:
        straight = found.ways["straight"]
        folder = _folder(link)
        files[f"{folder}/original.png"] = png(straight.images[0])
        files[f"{folder}/worst.png"] = png(straight.images[-1])
        files[f"{folder}/random.png"] = png(found.ways["random"].images[-1])
        files[f"{folder}/strip.png"] = strip(straight)
        files[f"{folder}/noise.npz"] = _npz({"z": found.z, "r_worst": found.noise, "r_random": found.random})
        files[f"{folder}/ways.csv"] = as_csv(way_rows(found.ways))
        files[f"{folder}/link.json"] = link.to_json().encode()
    return _zip(files)


def _numbers(link: Permalink, found: Failure) -> dict[str, Any]:
    straight, random = found.ways["straight"], found.ways["random"]
    return {
        "folder": _folder(link), "model": link.model, "seed": link.seed, "index": link.index, "radius": link.radius,
        "original loss": float(straight.loss[0]), "worst loss": found.loss, "random loss": float(random.loss[-1]),
        "original badness": float(straight.badness[0]), "worst badness": found.badness,
        "random badness": float(random.badness[-1]), "turns bad at": "" if found.turns is None else found.turns,
        "change": float(straight.change[-1]),
    }  # fmt: skip


def _folder(link: Permalink) -> str:
    return f"{link.model}-{link.checkpoint[:8]}-seed{link.seed}-{link.index:05}"


def _numbered(modes: Modes) -> dict[int, int]:
    return {int(row): number for number, mode in enumerate(modes.modes, 1) for row in mode.members}


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """As `numpy.savez` writes, which does not promise the same bytes tomorrow."""
    files = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
        files[f"{name}.npy"] = buffer.getvalue()
    return _zip(files)


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            written.writestr(entry, data)
    return buffer.getvalue()
