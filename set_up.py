"""Sets up .venv with all that the app needs: `make app` runs it.

What is there already stays, so a set-up that was interrupted goes on where it was. Needs nothing but Python itself.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
KEPT = VENV / "torch-index"  # where torch was taken from, for later set-ups
OLDEST = (3, 11)
DEFAULT = "default"  # of TORCH_INDEX: what pip takes by itself
CPU = "+cpu"  # ends the versions of PyTorch's builds for processors
SIZE = "3 GB to download, 6.6 GB on disk, nearly all of it CUDA"
QUESTION = f"""\
No NVIDIA GPU is found here. The usual build of torch brings CUDA along: {SIZE}.
PyTorch publishes a much smaller build for processors. Its address is on the page "Get started" of pytorch.org: choose
Linux, Pip and CPU there, and copy what stands behind --index-url.
Paste it here, or press Enter for the usual build: """
UNASKED = f"""\
No NVIDIA GPU is found here, and the usual build of torch brings CUDA along: {SIZE}.
For the smaller build name PyTorch's CPU index (pytorch.org, "Get started"): make app TORCH_INDEX=ADDRESS"""


def main() -> None:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        raise SystemExit(f"expected Python 3.11 or later, got {found}; name another: make app PYTHON=python3.12")
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # A folder that was left half made is made anew: its Python may be there, and be no environment of its own yet.
    whole = "import pip, sys; assert sys.prefix != sys.base_prefix"
    if not run([python, "-c", whole], quiet=True) and not run([sys.executable, "-m", "venv", "--clear", VENV]):
        raise SystemExit("expected that `python -m venv` makes .venv, got an error, which stands above")
    pins, named = pinned((HERE / "requirements.txt").read_text()), os.environ.get("TORCH_INDEX", "")
    if named or not installed(python, pins):
        take_torch(pins, named, lambda *words, quiet=False: run([python, "-m", "pip", "install", *words], quiet=quiet))
    print("Installing what requirements.txt lists. What pip has downloaded before is not downloaded again.", flush=True)
    if not run([python, "-m", "pip", "install", "-r", HERE / "requirements.txt"]):
        raise SystemExit(
            "expected that pip installs everything, got an error, which stands above; run `make app` again"
        )


def pinned(requirements: str) -> list[str]:
    """The lines of torch and torchvision: ["torch==2.15.0", …]."""
    return re.findall(r"^torch(?:vision)?==\S+", requirements, re.M)


def installed(python: Path, pins: Sequence[str]) -> bool:
    """Whether .venv has these versions, of whatever build."""
    wanted = [pin.split("==") for pin in pins]
    code = f"from importlib.metadata import version as v\nassert all(v(n).split('+')[0] == w for n, w in {wanted!r})"
    return run([python, "-c", code], quiet=True)


def take_torch(pins: Sequence[str], named: str, install: Callable[..., bool], *, kept: Path = KEPT) -> None:
    """Install torch from the index that is `named`, was kept, is found or is told; else leave it to pip.

    install: runs `pip install` with these words, `quiet` without what it says; whether it worked.

    Raises:
        SystemExit: what was named, kept or told does not have it.
    """
    before = kept.read_text().strip() if kept.exists() else ""
    index = named or before
    if not index and not wants_cpu():
        index = DEFAULT
    if not index:
        smaller = ["--no-deps", *(pin + CPU for pin in pins)]
        if install("--dry-run", *smaller, quiet=True):  # pip's own settings may name such an index
            print("No NVIDIA GPU is found here: taking torch's smaller build, for processors.", flush=True)
            if install(*smaller):
                return
        index = asked()
    words = [] if index == DEFAULT else ["--index-url", index]
    if named and named != before:  # the other build has the same version, and would be kept
        words.append("--force-reinstall")
    if index == DEFAULT and sys.platform == "linux":
        print(f"Downloading torch with CUDA: {SIZE}.", flush=True)
    if not install(*words, *pins):
        where = "pip's own index" if index == DEFAULT else index
        raise SystemExit(
            f"expected torch in {where}, got an error, which stands above; name an index with "
            f"`make app TORCH_INDEX=ADDRESS`, or take the usual build: TORCH_INDEX={DEFAULT}"
        )
    kept.write_text(index)


def wants_cpu() -> bool:
    """Whether the usual build would bring CUDA to a machine without an NVIDIA GPU."""
    gpu = shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists()
    return sys.platform == "linux" and not gpu


def asked() -> str:
    """The index that somebody at a terminal names, or "default" for the usual build, as where nobody is there."""
    if not sys.stdin.isatty():
        print(UNASKED, flush=True)
        return DEFAULT
    return input(QUESTION).strip() or DEFAULT


def run(command: Sequence[str | Path], *, quiet: bool = False) -> bool:
    """Whether a command ended well; quiet: without what it says."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=quiet).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted; `make app` goes on where it was.") from None
