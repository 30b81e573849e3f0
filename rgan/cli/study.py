"""A study from its plan: train what is missing, evaluate it, write tables, claims and page."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path

from rgan.cli.common import Subparsers, print_report, stopping
from rgan.common.devices import DEVICES
from rgan.common.errors import RganError, number_between
from rgan.common.formatting import duration


def add(commands: Subparsers) -> None:
    command = commands.add_parser("study", help="train and evaluate all models of a plan; stops and goes on anywhere")
    command.set_defaults(command=run)
    command.add_argument("plan", metavar="PLAN.toml", help="recipes × robust parts × data × seeds, and what to measure")
    command.add_argument("--out", required=True, help="the study's folder: models, evaluations, tables, report.html")
    command.add_argument(
        "--workers", type=int, default=1, metavar="N", help="models at once on this machine (default 1)"
    )
    command.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on the Ray cluster at this address instead (auto: the one of this machine)",
    )
    command.add_argument(
        "--data-root", default="data", help="folder of data files, torchvision's layout (default data)"
    )
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.paper import plan, pools, tables
    from rgan.paper.runner import StudyRun
    from rgan.report.study_page import study_page

    number_between("--workers", options.workers, 1, 256)
    planned = plan.read(options.plan, data_root=str(Path(options.data_root).resolve()))
    folder = Path(options.out)
    pool: pools.Pool
    if options.ray:
        pool = pools.RayPool(options.ray, options.device)
    else:
        pool = pools.LocalPool(options.workers, options.device)
    with StudyRun(planned, folder, pool) as work:
        with (
            stopping("what is at work is kept") as asked,
            tqdm(
                total=100, unit="%", bar_format="{desc}: {percentage:3.0f} %|{bar}|", disable=options.json or None
            ) as bar,
        ):
            for state in work.steps():
                left = "" if state.left is None else f", about {duration(state.left)} left"
                at = state.working[0] if state.working else "tables"
                bar.set_description_str(f"{state.done} of {state.total} models{left}; {at}", refresh=False)
                bar.update(100 * state.share - bar.n)
                if asked.is_set():
                    break
        found = work.found()
        if found.models:
            work.write(found, study_page(found, f"python -m rgan {shlex.join(options.arguments)}"))
    for one in found.left:
        print(f"left out {one.name}: {one.reason}", file=sys.stderr)
    if state.done + len(state.left_out) < state.total:
        print(f"stopped with {state.done} of {state.total} models done; the same command goes on", file=sys.stderr)
    elif not found.models:
        raise RganError("expected models, got none that could be trained and evaluated; the lines above say why")
    report = {
        "folder": str(folder), "models": len(found.models), "planned": state.total,
        "left_out": [dataclasses.asdict(one) for one in found.left], "claims": tables.claim_rows(found),
    }  # fmt: skip
    print_report(options, report, f"{folder / 'report.html'}: {len(found.models)} of {state.total} models")
