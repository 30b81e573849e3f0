"""What is said of the shipped models in numbers: `probe` of each, `evidence` and `failures` of each pair.

Runs the public command line, keeps what it prints in benchmarks/results/tables.json by the content of the models'
files, and goes on where it was: what is known of a file is not measured again. `--show` prints the tables as Markdown
and measures nothing. Hours of one core, so run it at low priority; names of plain models choose pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rgan.common.files import write_atomically
from rgan.models.checkpoints import glance

CHECKOUT = Path(__file__).resolve().parents[1]
KEPT = CHECKOUT / "benchmarks" / "results" / "tables.json"
UNJUDGED = ("cats-dcgan",)  # their data set has no judge
COMMANDS = {
    "probe": ("--radius", "1", "--samples", "256"),
    "evidence": ("--samples", "256"),
    "failures": ("--pool", "512"),
}
DROPPED = ("checkpoint", "seconds", "written", "health")  # paths, the clock, and what `said` says again


def pairs() -> list[str]:
    """Names of the plain models that have a robust twin."""
    plain = sorted((CHECKOUT / "checkpoints").glob("*.safetensors"))
    return [path.stem for path in plain if file(f"{path.stem}-robust").exists()]


def file(name: str) -> Path:
    return CHECKOUT / "checkpoints" / f"{name}.safetensors"


def jobs(chosen: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Commands with the models they are about, what is quickly done first."""
    for name in chosen:
        for one in (name, f"{name}-robust"):
            yield "probe", (one,)
    for command in ("evidence", "failures"):
        for name in chosen:
            if name not in UNJUDGED:
                yield command, (name, f"{name}-robust")


def key(command: str, models: tuple[str, ...]) -> str:
    digests = [glance(file(name))[1][:12] for name in models]
    return " ".join((command, *models, *digests, *COMMANDS[command]))


def measure(command: str, models: tuple[str, ...]) -> dict[str, Any]:
    """What the command prints, less what differs from run to run."""
    with tempfile.TemporaryDirectory() as out:
        line = [sys.executable, "-m", "rgan", command, *(str(file(name)) for name in models), *COMMANDS[command]]
        line += ["--json", *(("--out", out) if command == "failures" else ())]
        done = subprocess.run(line, cwd=CHECKOUT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(line[1:])} ended with {done.returncode}:\n{done.stderr.decode()}")
    found = _without(json.loads(done.stdout.splitlines()[-1]))
    assert isinstance(found, dict)
    return found


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without(inner) for name, inner in value.items() if name not in DROPPED}
    if isinstance(value, list):
        return [_without(inner) for inner in value]
    return value


def show(kept: dict[str, Any], chosen: list[str]) -> None:
    """Tables of what is known, as Markdown."""

    def of(command: str, *models: str) -> Any:
        return kept.get(key(command, models))

    print("| model | original | worst | random | best of 10 random | worst beats random |\n|---|---|---|---|---|---|")
    for name in (one for plain in chosen for one in (plain, f"{plain}-robust")):
        if found := of("probe", name):
            losses = " | ".join(
                f"{found['loss'][kind]:.2f}" for kind in ("original", "worst", "random", "best_of_random")
            )
            print(f"| `{name}` | {losses} | {100 * found['beats_random']:.3g} % |")
    print("\n| pair | plain | robust | plain starts at | robust starts at | said |\n|---|---|---|---|---|---|")
    for name in chosen:
        if name not in UNJUDGED and (found := of("evidence", name, f"{name}-robust")):
            beyond = [points(found["transfer"]["badness"][side][side]) for side in "AB"]
            start = [f"{100 * found['models'][side]['badness']['original']:.0f} %" for side in "AB"]
            print(f"| `{name}` | {' | '.join(beyond + start)} | {found['said'][0]} |")
    print("\n| model | original noise | worst noise | worst − random | search finds |\n|---|---|---|---|---|")
    for name in chosen:
        if name not in UNJUDGED and (found := of("failures", name, f"{name}-robust")):
            for side, twin in (("A", name), ("B", f"{name}-robust")):
                one = found["models"][side]
                shares = [points(one["bad"][kind]["interval"], sign="") for kind in ("original", "worst")]
                shares.append(points(one["worst_beyond_random"]["difference"]))
                print(f"| `{twin}` | {' | '.join(shares)} | {100 * one['found']:.0f} % |")


def points(interval: dict[str, float], sign: str = "+") -> str:
    """A difference of shares in points, with its interval."""
    mean, low, high = (format(100 * interval[name], f"{sign}.1f").replace("-", "−") for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", default=pairs(), help="plain models, e.g. digits-dcgan (default: all)")
    parser.add_argument("--show", action="store_true", help="print the tables and measure nothing")
    options = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if options.show:
        return show(kept, options.pairs)
    for command, models in jobs(options.pairs):
        name = key(command, models)
        if name not in kept:
            print(name, flush=True)
            kept[name] = measure(command, models)
            write_atomically(KEPT, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode())
    current = {key(*job) for job in jobs(pairs())}
    stale = [name for name in kept if name not in current]
    if stale:
        for name in stale:
            print(f"left out, its models are not these any more: {name}")
            del kept[name]
        write_atomically(KEPT, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode())


if __name__ == "__main__":
    main()
