"""Whether a change of the code changed a number: `record FILE.json` before it, `compare FILE.json` after it.

Runs the public command line alone, one command after the other as processes of this checkout: one thread, no GPU, fixed
seeds, shipped models, small sizes. Keeps what each command prints as JSON and what it writes: rows of CSV files, charts
and tables of pages, archives, and of tensors and pictures a digest of their values. `compare` runs all of it again,
lists what differs, and ends with 1 if anything does. Equal means equal to the last bit: to be had on the same machine
with the same libraries, so `compare` names those that are others. With `--tolerance 1e-6` numbers may differ by that
share, or that much below 1, and a tensor is held against by its mean and spread instead of its digest; pictures are
left out. With `--numbers` texts are held against by the numbers in them.

What changes from run to run is dropped by name, see VOLATILE. UMAP's pictures, t-SNE's and all training are seeded and
repeat themselves bit by bit on one thread. About four minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.metadata
import io
import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open

CHECKOUT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
VOLATILE = {
    "seconds": "of the clock",
    "sha256": "of a trained file, which holds its seconds; tensors have digests of their own",
    "version": "of the program",
    "checkpoint": "a path, or the digest of a file",
    "report": "a path",
    "folder": "a path",
    "written": "paths",
}
UNREAD = ("run.json", "events.*", ".lock")  # files with the time of the day or process numbers in them, or nothing
DIGEST = "digest"  # a key whose value says nothing of how far two things are apart
SHOWN = 8  # differences of one command that are listed


def cases(out: str, uploads: Path) -> dict[str, str]:
    """Commands by name; `{here}` is a folder of their own under `out`, read when they have ended."""
    digits, cifar10 = (
        f"checkpoints/{name}.safetensors checkpoints/{name}-robust.safetensors"
        for name in ("digits-dcgan", "cifar10-dcgan")
    )
    probe = "probe checkpoints/{}.safetensors --precision float32 --samples {} {}".format
    train = "train --data digits --seed 0 --precision float32 --out {here}"
    found = {
        "probe": probe("digits-dcgan", 64, ""),
        "probe-price": probe("digits-wgan-gp", 64, "--radius 2 --price 0.3 --steps 6 --seed 3"),
        "probe-judge": probe("mnist-dcgan", 32, "--against judge"),
        "probe-change": probe("digits-wgan-gp-robust", 64, "--against change --steps 8"),
        "probe-one-step": probe("mnist-dcgan-robust", 64, "--method one-step --radius 0.5"),
        "probe-restarts": probe("digits-dcgan-robust", 48, "--restarts 3 --steps 5"),
        "probe-keep-shell": probe("cifar10-dcgan", 16, "--keep-shell --steps 5"),
        "probe-resnet": probe("cifar10-wgan-gp-res-robust", 8, "--steps 4"),
        "evidence": f"evidence {digits} --samples 64",
        "evidence-shell": f"evidence {cifar10} --samples 16 --steps 3 --keep-shell --price 0.05 --seed 1",
        "score": "score checkpoints/digits-dcgan.safetensors --samples 500",
        "score-worst": "score checkpoints/mnist-dcgan-robust.safetensors --samples 300 --radius 1 --steps 3 --seed 2",
        "embed-tsne": f"embed {digits} --points 60 --steps 5",
        "embed-umap": f"embed {digits} --points 60 --steps 5 --method umap --panel d --features critic-b",
        "embed-pca": f"embed {digits} --points 60 --steps 5 --method pca --panel b --features judge --dimensions 3 "
        "--side B --arrows --html {here}/page.html",
        "failures": f"failures {digits} --pool 100 --keep 2 --steps 6 --out {{here}}",
        "failures-judge": "failures checkpoints/mnist-dcgan.safetensors --pool 64 --keep 1 --steps 4 --against judge "
        "--restarts 2 --seed 5 --out {here}",
        "reproduce": f"reproduce {digits} checkpoints/mnist-dcgan.safetensors --samples 100 --repeats 2 --steps 5 "
        "--radii 0.5 1 --out {here}",
        "report": f"report {digits} --samples 24 --pool 64 --steps 5 -o {{here}}/page.html",
        "report-alone": "report checkpoints/digits-wgan-gp-robust.safetensors --samples 16 --pool 48 --steps 4 --price "
        "0.1 -o {here}/page.html",
        "inspect-own": "inspect checkpoints/cifar10-wgan-gp-res.safetensors",
        "recipes": "recipes",
        "judge": "judge digits --epochs 2 --width 8 --out {here}/judge.safetensors",
        "train-dcgan": f"{train} --system dcgan --robust paper --width 8 --batch 32 --iterations 200",
        "train-wgan-gp": f"{train} --system wgan-gp --robust paper --width 8 --batch 32 --iterations 200",
    }
    others = "wgan wgan-gp-res sngan-cnn sngan bwgan ct-gan layer-norm weight-norm orthonormal"
    for system in others.split():
        found[f"train-{system}"] = f"{train} --system {system} --robust official --width 8 --batch 16 --iterations 4"
    found["train-resumed"] = f"train --resume --out {out}/train-dcgan --iterations 230"
    if uploads.is_dir():
        generator, critic = (f"{uploads}/mlp-mnist-{part}.ckpt" for part in ("generator", "critic"))
        found["inspect-conditional"] = f"inspect {uploads}/conditional-wgan-gp-mnist-generator.pth"
        found["inspect-critic"] = f"inspect {uploads}/dcgan-mnist-netD.pth"
        found["inspect-other"] = f"inspect {uploads}/not-a-gan-vae.pth"
        found["convert"] = f"convert {generator} {critic} {{here}}/model.safetensors"
        found["convert-alone"] = f"convert {generator} --data digits {{here}}/model.safetensors"
        alone = f"{out}/convert-alone/model.safetensors"
        found["critic"] = f"critic {alone} --iterations 60 --out {{here}}/model.safetensors"
        found["probe-imported"] = f"probe {out}/convert/model.safetensors --samples 32 --precision float32"
    return found


def run(name: str, command: str, out: str) -> dict[str, Any]:
    """What one command printed and wrote, or how it failed."""
    here = Path(out, name)
    here.mkdir()
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(CHECKOUT), "CUDA_VISIBLE_DEVICES": ""}
    words = [sys.executable, "-m", "rgan", *command.format(here=here).split(), "--json"]
    done = subprocess.run(words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().rpartition("\n")[2]}
    files = (path for path in sorted(here.rglob("*")) if path.is_file() and not any(map(path.match, UNREAD)))
    written = {str(path.relative_to(here)): read(path.name, path.read_bytes()) for path in files}
    return json.loads(json.dumps(steady({"printed": json.loads(done.stdout), "files": written})).replace(out, "OUT"))


def read(name: str, data: bytes) -> Any:
    """What a file holds, by its kind."""
    kind = Path(name).suffix
    if kind == ".csv":
        rows = csv.DictReader(io.StringIO(data.decode()))
        return [{key: number(value) for key, value in row.items()} for row in rows]
    if kind == ".json":
        return json.loads(data)
    if kind in (".zip", ".npz"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {inner: read(inner, archive.read(inner)) for inner in archive.namelist()}
    if kind == ".npy":
        return values(np.load(io.BytesIO(data)))
    if kind == ".png":
        return {DIGEST: values(np.asarray(Image.open(io.BytesIO(data))))[DIGEST]}
    if kind == ".html":
        return page(data.decode())
    if kind == ".safetensors":
        return tensors(data)
    return {"bytes": len(data)} if kind != ".txt" else data.decode()


def tensors(data: bytes) -> dict[str, Any]:
    """Every tensor of a safetensors file, and its metadata."""
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(data)
        file.flush()
        with safe_open(file.name, "numpy") as opened:
            found = {key: values(opened.get_tensor(key)) for key in sorted(opened.keys())}
            about = {key: json.loads(text) for key, text in (opened.metadata() or {}).items()}
    return {"tensors": found, "metadata": about}


def values(array: np.ndarray) -> dict[str, Any]:
    """An array's shape, a digest, and what says how far from another it is."""
    sums = array.astype(np.float64)
    told = {"mean": sums.mean(), "spread": sums.std()} if array.size else {}
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return {"shape": list(array.shape), DIGEST: digest} | {key: float(value) for key, value in told.items()}


def page(text: str) -> dict[str, Any]:
    """Numbers of a page's charts, by chart, and the cells of its tables; digests of its pictures."""
    charts = {}
    for found in re.finditer(r'Plotly\.newPlot\(\s*"([^"]*)",\s*', text):
        traces, _ = json.JSONDecoder().raw_decode(text, found.end())
        charts[found[1]] = [
            {axis: trace[axis] for axis in ("x", "y", "z", "error_x", "error_y") if axis in trace} for trace in traces
        ]
    cells = (re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"(?s)<t[dh]\b[^>]*>(.*?)</t[dh]>", text))
    return {"charts": charts, "cells": list(cells)}


def number(text: str) -> float | str:
    """A cell of a CSV file."""
    try:
        return float(text)
    except ValueError:
        return text


def steady(value: Any) -> Any:
    """`value` without what is VOLATILE; rows as columns, None where a row has no such key."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(row, dict) for row in value):
            keys = dict.fromkeys(key for row in value for key in row if key not in VOLATILE)
            return {key: steady([row.get(key) for row in value]) for key in keys}
        return [steady(inner) for inner in value]
    return value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value with the path to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield path, value
        return
    for key, one in inner:
        yield from leaves(one, f"{path}/{key}")


def same(old: Any, new: Any, options: argparse.Namespace) -> bool:
    """Whether two plain values are equal, as the options mean it."""
    if isinstance(old, str) and isinstance(new, str) and options.numbers:
        old, new = (re.findall(r"[-−+]?\d+(?:[.,]\d+)*", text) for text in (old, new))
    if options.tolerance and all(isinstance(each, (int, float)) for each in (old, new)):
        return math.isclose(old, new, rel_tol=options.tolerance, abs_tol=options.tolerance)
    return bool(old == new) or (old != old and new != new)


def differences(old: Any, new: Any, options: argparse.Namespace) -> list[str]:
    """A line for each plain value that differs, or that only one has."""
    ours, theirs = (dict(leaves(each)) for each in (old, new))
    if options.tolerance:
        ours, theirs = ({p: v for p, v in each.items() if not p.endswith(f"/{DIGEST}")} for each in (ours, theirs))
    lines = [f"{path}: only before ({ours[path]})" for path in ours if path not in theirs]
    lines += [f"{path}: only now ({theirs[path]})" for path in theirs if path not in ours]
    for path in ours:
        if path in theirs and not same(ours[path], theirs[path], options):
            lines.append(f"{path}: {ours[path]} before, {theirs[path]} now")
    return lines


def machine() -> dict[str, str]:
    """What the last digits of numbers depend on, and nothing here decides."""
    libraries = {name: importlib.metadata.version(name) for name in ("torch", "numpy", "scipy", "scikit-learn")}
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return {"processor": model[1] if model else platform.machine(), "python": platform.python_version()} | libraries


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="commands whose name begins so, and what they need")
    parser.add_argument("--tolerance", type=float, default=0.0, help="largest difference as a share (default 0: exact)")
    parser.add_argument("--numbers", action="store_true", help="of texts compare the numbers alone")
    parser.add_argument("--uploads", type=Path, default=Path("uploads"), help="files of other programs")
    options = parser.parse_args()
    before = json.loads(options.file.read_text()) if options.what == "compare" else {}
    for key, value in machine().items() if before else ():
        if before["machine"].get(key) != value:
            print(f"{key}: {before['machine'].get(key)} before, {value} now; last digits may differ")
    now: dict[str, Any] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as out:
        commands = cases(out, options.uploads.resolve())
        wanted = {name for name in commands if not options.only or name.startswith(tuple(options.only))}
        wanted |= {earlier for name in wanted for earlier in re.findall(rf"{out}/([\w-]+)", commands[name])}
        for name in sorted(wanted, key=list(commands).index):
            if before and name not in before["commands"]:
                print(f"{name}: not recorded")
                continue
            started = time.perf_counter()
            now[name] = run(name, commands[name], out)
            lines = [now[name]["failed"]] if "failed" in now[name] else []
            if before and not lines:
                lines = differences(before["commands"][name], now[name], options)
            wrong += len(lines)
            print(f"{name}: {time.perf_counter() - started:.1f} s, " + (f"{len(lines)} differ" if lines else "fine"))
            print(*(f"  {line[:400]}" for line in lines[:SHOWN]), sep="\n", end="\n" if lines else "", flush=True)
    for name in sorted(before.get("commands", {}).keys() - now.keys()) if not options.only else ():
        print(f"{name}: recorded, not run here")
    if options.what == "record":
        tight = (",", ":")
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(found, separators=tight)}" for name, found in now.items())
        about = f'"machine": {json.dumps(machine())},\n"dropped": {json.dumps(VOLATILE)}'
        options.file.write_text(f'{{{about},\n"commands": {{\n{rows}\n}}}}\n')
    print(f"{len(now)} commands, {wrong} differences" if before else f"{len(now)} commands, {wrong} failures")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
