"""Damaged files of every kind that RGAN Lab reads: does each end in words, soon, in bounded memory, running nothing?

`python benchmarks/mutations.py` changes 100,000 files (`--files`), as many of each kind: checkpoints of all containers,
imports and what their shapes allow, graphs (TorchScript and its code, torch.export and its JSON, ONNX), judges, kept
results, runs, data sets as zips, images of many formats, links. A change cuts, doubles, swaps or
overwrites bytes, half of them where the description is, or puts extreme numbers into it; half of the JSON is changed as
JSON. It is told by its kind and number alone, so that `--only KIND NUMBER` makes it again. A process of its own reads;
where it takes more than 5 seconds of processor for a file, needs 2 GiB more or dies, that is noted and another goes on.
Progress is kept in `--kept` every few seconds: the same command goes on. Pickles are read in that process instead of in
one each, by the same code. Half an hour of one core.

Figures: files, refused in words (share), wrong (errors that are not ours, hangs, deaths).
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import multiprocessing
import random
import re
import resource
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlencode

import numpy as np
import torch
from measure import report
from onnx_file import model as onnx_model
from PIL import Image
from safetensors.torch import save as to_safetensors

from rgan.common import records
from rgan.common.errors import CheckpointError, RganError
from rgan.data import datasets
from rgan.importing import containers, conversion, pickle_reader
from rgan.importing.graphs import script_reader
from rgan.metrics import judges
from rgan.models import checkpoints
from rgan.models.gan import Gan, Training, fresh
from rgan.models.recipes import recipe
from rgan.robustness.failures import links
from rgan.stats.intervals import Interval
from rgan.training import runs

SECONDS = 5.0  # of the processor, for one file
HANGS = 60.0  # seconds by the clock: other programs may keep the cores busy
MEMORY = 2 * 2**30  # bytes of a worker
EXTREMES = (b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 8, b"\x01" + b"\x00" * 7)
NUMBERS: tuple[Any, ...] = (
    -1,
    0,
    2**31,
    2**63,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "x" * 5000,
    [],
    {},
)

Reader = Callable[[bytes, Path], object]


@functools.cache
def kinds() -> dict[str, tuple[bytes, Reader]]:
    """A whole file of each kind, and what reads it; both the same at every call."""
    small = recipe("dcgan", width=1, latent=2, channels=1, size=32, batch=8)
    rng = torch.Generator().manual_seed(0)
    real = torch.randint(0, 256, (16, 1, 32, 32), generator=rng, dtype=torch.uint8)
    gan = Gan(small, *fresh(small, 0), training=Training("digits", 1, 0, 1.0, "cpu", "float32"), reference=real)
    weights: dict[str, Any] = {
        "netG": _mlp(rng, 3, 5, 64),
        "netD": _mlp(rng, 64, 5, 1),
        "epoch": 3,
        "lr": [0.1, (2, "x")],
    }
    flat = {f"{player}.{name}": value for player in ("netG", "netD") for name, value in weights[player].items()}
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(gan, f"{folder}/own.safetensors")
        own = Path(folder, "own.safetensors").read_bytes()
        records.save(Interval(0.5, 0.25, 0.75), f"{folder}/record.safetensors")
        record = Path(folder, "record.safetensors").read_bytes()
        run = Path(folder, "run")
        plan = runs.TrainingPlan(small, "digits", 10, 0, "cpu")
        runs.create(run, plan)
        run_json = (run / "run.json").read_bytes()
    link: dict[str, Any] = {
        "checkpoint": "a" * 64, "judge": "b" * 64, "model": "it", "seed": 3, "index": 7, "radius": 1.0, "price": 0.0,
        "gradients": 200, "method": "ascent", "keep_shell": False, "against": "critic", "loss": 1.0, "badness": 0.9,
    }  # fmt: skip
    found: dict[str, tuple[bytes, Reader]] = {
        "TorchScript": (_script(), _convert),
        "TorchScript's code": (_inside(_script(), CODE), _within(_script(), CODE)),
        "torch.export": (_export(), _convert),
        "torch.export's graph": (_inside(_export(), GRAPH), _within(_export(), GRAPH)),
        "ONNX": (_onnx(), _convert),
        "own checkpoint": (own, lambda data, _: checkpoints.loads(data)),
        "import, zip": (_saved(weights), _convert),
        "import, legacy": (_saved(weights, legacy=True), _convert),
        "import, safetensors": (to_safetensors(flat), _convert),
        "shapes": (to_safetensors(_shapes(rng)), _convert),
        "judge": (judges.shipped_path("digits", judges.MEASURING).read_bytes(), _written(judges.load)),
        "kept result": (record, _written(lambda path: records.load(Interval, path))),
        "run": (run_json, _run),
        "link": (parse_qs(links.Permalink(**link).address[1:])[links.PARAMETER][0].encode(), _link),
        "link, older": (urlencode(links.Permalink(**link).query()).encode(), _link),
        "data, zip": (_zipped(), _data("zip")),
    }
    for kind in ("png", "jpg", "gif", "tif", "webp", "bmp", "jp2", "tga", "ppm", "ico"):
        buffer = io.BytesIO()
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8))
        picture.save(buffer, {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(kind, kind.upper()))
        found[f"image, {kind}"] = buffer.getvalue(), _data(kind)
    return found


def _mlp(rng: torch.Generator, *sizes: int) -> dict[str, torch.Tensor]:
    found = {f"{2 * k}.weight": torch.randn(b, a, generator=rng) for k, (a, b) in enumerate(pairwise(sizes))}
    return found | {f"{2 * k}.bias": torch.zeros(size) for k, size in enumerate(sizes[1:])}


def _saved(value: object, *, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def _shapes(rng: torch.Generator) -> dict[str, torch.Tensor]:
    """A generator and a critic that no list has, by their shapes alone: transposed convolutions with norms."""
    found: dict[str, torch.Tensor] = {}
    for place, (name, shape) in enumerate(
        (("G.a.0", (5, 4, 4, 4)), ("G.b.0", (4, 3, 4, 4)), ("G.c.0", (3, 1, 4, 4)),
         ("D.a.0", (3, 1, 4, 4)), ("D.b.0", (4, 3, 4, 4)), ("D.c.0", (1, 4, 4, 4)))
    ):  # fmt: skip
        found[f"{name}.weight"] = torch.randn(shape, generator=rng)
        if place < 2:
            norm = f"{name[:-2]}.1"
            found |= {f"{norm}.{part}": torch.zeros(shape[1]) for part in ("bias", "running_mean")}
            found |= {f"{norm}.{part}": torch.ones(shape[1]) for part in ("weight", "running_var")}
    return found


class _Drawing(torch.nn.Module):
    """A generator as small as one can be that has a reshape and a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.start, self.end = torch.nn.Linear(3, 32), torch.nn.ConvTranspose2d(2, 1, 4, 2, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.start(z)).view(-1, 2, 4, 4)
        return torch.tanh(self.end(h))


_Drawing.__module__ = "drawing"  # in every process of this benchmark
CODE, GRAPH = r".*/code/__torch__/drawing\.py", r".*/models/model\.json"


@functools.cache
def _script() -> bytes:
    """A TorchScript archive, its code not compressed; once a process, for torch numbers what it has traced."""
    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(_Drawing(), (torch.zeros(2, 3),)), buffer)
    return _packed(buffer.getvalue(), {})


def _export() -> bytes:
    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(_Drawing(), (torch.zeros(2, 3),)), buffer)
    return _packed(buffer.getvalue(), {})


def _onnx() -> bytes:
    torch.manual_seed(0)
    return onnx_model(
        [
            ("Gemm", ["z", "start.weight", "start.bias"], "a", {"transB": 1}),
            ("Relu", ["a"], "b", {}),
            ("Reshape", ["b", "shape"], "c", {}),
            ("ConvTranspose", ["c", "end.weight", "end.bias"], "d", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ("Tanh", ["d"], "image", {}),
        ],
        _Drawing().state_dict() | {"shape": torch.tensor([-1, 2, 4, 4])},
        {"z": [3]},
        "image",
    )


def _packed(archive: bytes, instead: dict[str, bytes]) -> bytes:
    """A zip with its entries stored, some of them others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            if not name.endswith(".debug_pkl"):
                found = next((text for pattern, text in instead.items() if re.fullmatch(pattern, name)), None)
                new.writestr(zipfile.ZipInfo(name), old.read(name) if found is None else found)
    return buffer.getvalue()


def _inside(archive: bytes, pattern: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        return next(old.read(name) for name in old.namelist() if re.fullmatch(pattern, name))


def _within(archive: bytes, pattern: str) -> Reader:
    """Reads an archive in which one entry is what comes."""
    return lambda data, folder: _convert(_packed(archive, {pattern: data}), folder)


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(4):
            image = io.BytesIO()
            Image.new("L", (12, 12), 60 * index).save(image, "PNG")
            archive.writestr(f"class{index % 2}/{index}.png", image.getvalue())
    return buffer.getvalue()


def _convert(data: bytes, _: Path) -> object:
    with mock.patch.object(containers, "_child", _in_this_process):
        made = conversion.read([("theirs", data)])
        return made if isinstance(made, Gan) else made.gan()


def _in_this_process(script: str, header: dict[str, Any], body: bytes, name: str) -> dict[str, Any]:
    """What the reader of pickles or of code says."""
    try:
        if script == script_reader.__file__:
            said: dict[str, Any] = script_reader.read(header["files"], io.BytesIO(body))
        elif header["whole"]:
            said = pickle_reader.whole(body, containers.LIMITS)
        else:
            said = pickle_reader.read(body, containers.LIMITS, legacy=header["legacy"])
        answer: dict[str, Any] = json.loads(json.dumps(said))
    except pickle_reader.RefusedError as refused:
        raise CheckpointError(f"{name}: {refused}") from refused
    return answer


def _link(data: bytes, _: Path) -> object:
    return links.parse(links.fields(data.decode(errors="replace")))


def _written(read: Callable[[Path], object]) -> Reader:
    def reader(data: bytes, folder: Path) -> object:
        path = folder / "it.safetensors"
        path.write_bytes(data)
        return read(path)

    return reader


def _run(data: bytes, folder: Path) -> object:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "run.json").write_bytes(data)
    return runs.read(folder / "run")


def _data(suffix: str) -> Reader:
    def reader(data: bytes, folder: Path) -> object:
        path = folder / ("it.zip" if suffix == "zip" else f"set/it.{suffix}")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return datasets.load(str(folder / ("it.zip" if suffix == "zip" else "set")), size=8, root=folder)

    return reader


def changed(whole: bytes, kind: str, number: int) -> bytes:
    """The damaged file of this kind and number."""
    chance = random.Random(f"{kind} {number}")
    if whole[:1] == b"{" and chance.random() < 0.5:
        return json.dumps(_reworded(json.loads(whole), chance)).encode()
    made = bytearray(whole)
    for _ in range(1 + chance.randrange(4)):
        if not made:
            break
        near = min(1500, len(made))
        at = chance.choice(
            (chance.randrange(near), chance.randrange(len(made)), len(made) - 1 - chance.randrange(near))
        )
        length = 1 + chance.randrange(chance.choice((2, 9, 200)))
        match chance.randrange(6):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length]
            case 3:
                extreme = chance.choice(EXTREMES)
                made[at : at + len(extreme)] = extreme
            case 4:
                del made[at:]
            case _:
                other = chance.randrange(len(made))
                made[at : at + length], made[other : other + length] = (
                    made[other : other + length],
                    made[at : at + length],
                )
    return bytes(made)


def _reworded(value: Any, chance: random.Random) -> Any:
    """One number, word or list somewhere inside is another."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        return value | {key: _reworded(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], _reworded(value[at], chance), *value[at + 1 :]]
    return chance.choice(NUMBERS)


def attempt(reader: Reader, data: bytes, folder: Path) -> str:
    """ "read", "refused", or the error that a reader lets out."""
    try:
        reader(data, folder)
    except RganError as error:
        return "refused" if str(error).strip() else "refused without a word"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return "read"


def work(end: Connection, kind: str) -> None:
    """Answer for each number that comes, until None does."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # Pillow's on what is damaged
    whole, reader = kinds()[kind]
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        end.send("ready")
        while (number := end.recv()) is not None:
            place = Path(folder, str(number))
            place.mkdir()
            begun = _spent()
            said = attempt(reader, changed(whole, kind, number), place)
            took = _spent() - begun
            end.send(said if took <= SECONDS else f"takes {took:.1f} s of the processor")


def _spent() -> float:
    """Seconds of processor that this process and the ended ones that it began have had."""
    mine, ended = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return mine.ru_utime + mine.ru_stime + ended.ru_utime + ended.ru_stime


class Worker:
    """A process that reads damaged files of one kind, and is replaced when it dies or hangs."""

    def __init__(self, kind: str):
        self.kind = kind
        self._start()

    def _start(self) -> None:
        self._mine, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, self.kind), daemon=True)
        self._process.start()
        theirs.close()
        self._mine.recv()

    def ask(self, number: int) -> str:
        self._mine.send(number)
        try:
            if self._mine.poll(HANGS):
                return str(self._mine.recv())
            said = f"has no answer after {HANGS:g} s"
        except EOFError:
            said = "ends its process"
        self._process.kill()
        self._process.join()
        self._start()
        return said

    def close(self) -> None:
        self._mine.send(None)
        self._process.join(5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000, help="of all kinds together")
    parser.add_argument("--kept", type=Path, default=Path("mutations.json"), help="where progress is kept")
    parser.add_argument(
        "--only", nargs=2, metavar=("KIND", "NUMBER"), help="write this file to standard output's folder"
    )
    options = parser.parse_args()
    names = list(kinds())
    if options.only:
        kind, number = options.only[0], int(options.only[1])
        Path(f"{kind} {number}".replace(", ", "-").replace(" ", "-")).write_bytes(
            changed(kinds()[kind][0], kind, number)
        )
        return
    kept = json.loads(options.kept.read_text()) if options.kept.exists() else {}
    each = -(-options.files // len(names))
    for kind in names:
        mine = kept.setdefault(kind, {"done": 0, "counts": {}, "wrong": {}})
        counts, saved = Counter(mine["counts"]), time.monotonic()
        worker = Worker(kind) if mine["done"] < each else None
        while worker and mine["done"] < each:
            said = worker.ask(mine["done"])
            if said not in ("read", "refused"):
                mine["wrong"][str(mine["done"])] = said
                print(f"{kind} {mine['done']}: {said}", flush=True)
            counts[said if said in ("read", "refused") else "wrong"] += 1
            mine["done"] += 1
            if time.monotonic() > saved + 5 or mine["done"] == each:
                mine["counts"], saved = dict(counts), time.monotonic()
                options.kept.write_text(json.dumps(kept, indent=1))
        if worker:
            worker.close()
        print(f"{kind}: {dict(counts)}", flush=True)
    total: Counter[str] = Counter()
    for one in kept.values():
        total.update(one["counts"])
    done = sum(total.values())
    report("mutations", {"files": done, "refused": total["refused"] / done, "wrong": total["wrong"]})


if __name__ == "__main__":
    main()
