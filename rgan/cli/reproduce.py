"""The paper's Tables 1 and 2 and Figures 1 to 3."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rgan.cli.common import Subparsers, add_budget, gradients, print_report, stopping
from rgan.common.devices import DEVICES
from rgan.common.errors import RganError

if TYPE_CHECKING:
    from rgan.paper.ablation import LeftOut


def add(commands: Subparsers) -> None:
    command = commands.add_parser(
        "reproduce", help="the paper's Tables 1 and 2 and Figures 1 to 3 from the models at hand"
    )
    command.set_defaults(command=run)
    command.add_argument(
        "models", nargs="*", metavar="MODEL", help="checkpoints, or folders of them (default: checkpoints and runs)"
    )
    command.add_argument("--out", required=True, help="folder of evaluations, CSV files and report.html")
    command.add_argument("--radii", type=float, nargs="+", default=[0.01, 0.5, 1.0, 2.0], metavar="E",
                           help="ε of worst noise, rising (default 0.01 0.5 1 2)")  # fmt: skip
    command.add_argument("--repeats", type=int, default=5, help="times with other noise (default 5, as the paper)")
    command.add_argument("--samples", type=int, default=500, help="images each time (default 500; the paper: 50000)")
    add_budget(command)
    command.add_argument("--features", choices=("judge", "inception"), default="judge", help="what scores rest on")
    command.add_argument("--weights", metavar="FILE", help="Inception's weights (default: torch-fidelity's, fetched)")
    command.add_argument("--data-root", default="data", help="folder of the real images that Inception looks at")
    command.add_argument("--device", choices=DEVICES, default="auto")


def _nothing(left: Sequence[LeftOut]) -> RganError:
    said = "; ".join(f"{one.name}: {one.reason}" for one in left) or "no checkpoint in the folders named"
    return RganError(f"expected models to evaluate, got none ({said}); train some with `python -m rgan train`")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.paper import evaluation, tables
    from rgan.paper import study as reproduce
    from rgan.report import study_page

    folder = Path(options.out)
    settings = evaluation.EvaluationSettings(
        tuple(options.radii),
        options.repeats,
        options.samples,
        gradients(options),
        options.features,
        options.weights or "",
    )
    models, left = reproduce.survey(reproduce.find(options.models or reproduce.places()))
    if not models:
        raise _nothing(left)
    scorings = reproduce.Scorings(settings, device=options.device, data_root=options.data_root)
    with (
        stopping("this piece of an evaluation") as asked,
        tqdm(total=100, unit="%", disable=options.json or None) as bar,
    ):
        for progress in reproduce.run(models, scorings, folder, device=options.device):
            bar.set_description(f"{progress.done} of {progress.total} models, {progress.name}")
            bar.update(round(100 * progress.share) - bar.n)
            if asked.is_set():
                break
    study = reproduce.study(models, (*left, *progress.left), scorings, folder)
    if not study.models and not study.waiting:
        raise _nothing(study.left)
    page = study_page.study_page(study, f"python -m rgan {shlex.join(options.arguments)}")
    tables.write({**tables.files(study), "report.html": page.encode()}, folder)
    for one in study.left:
        print(f"left out {one.name}: {one.reason}", file=sys.stderr)
    if study.waiting:
        print(f"stopped with {len(study.waiting)} models to do; the same command goes on", file=sys.stderr)
    report = {
        "folder": str(folder), "settings": dataclasses.asdict(settings), "models": len(study.models),
        "waiting": list(study.waiting), "left_out": [dataclasses.asdict(one) for one in study.left],
        "table2": tables.table2(study), "claims": tables.claim_rows(study),
    }  # fmt: skip
    lines = [f"{claim.column}: {claim.paper}, by {settings.words(claim.measure)}: {claim.outcome}. {claim.because}"
             for claim in study.claims if claim.test is not None]  # fmt: skip
    print_report(options, report, "\n".join([*lines, f"{folder / 'report.html'}: {len(study.models)} models"]))
