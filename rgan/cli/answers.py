"""What the app shows at first of the pairs of models in a folder, computed beforehand."""

from __future__ import annotations

import argparse
from pathlib import Path

from rgan.cli.common import Subparsers, print_report
from rgan.common.files import shipped_models

FOLDER = "answers"  # beside the models


def add(commands: Subparsers) -> None:
    command = commands.add_parser("answers", help="compute beforehand what the app first shows of a pair of models")
    command.set_defaults(command=run)
    command.add_argument("pairs", nargs="+", metavar="NAME", help="baselines; each has its robust twin beside it")
    command.add_argument("--models", default=str(shipped_models()), help="folder of the models (default checkpoints)")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.attack.objectives import judge_for
    from rgan.common.answers import Answers
    from rgan.metrics.judges import MEASURING
    from rgan.models import checkpoints
    from rgan.robustness.encoding import encoded
    from rgan.robustness.measured import JudgedGan
    from rgan.robustness.play import first_request, path_of, play

    models = Path(options.models)
    answers = Answers([models / FOLDER], most=2**40)
    made, known = [], 0
    for name in options.pairs:
        gans = [checkpoints.load(models / f"{name}{end}.safetensors") for end in ("", "-robust")]
        judge = judge_for(gans, MEASURING)
        for gan, end in zip(gans, ("", "-robust"), strict=True):
            source = gan if judge is None else JudgedGan(gan, judge)
            request = first_request(gans[0], judged=judge is not None)
            of = path_of(source, request)
            if answers.get(of) is not None:
                known += 1
                continue
            with tqdm(total=1.0, desc=f"{name}{end}", disable=options.json or None) as bar:
                for step in play(source, request):
                    bar.update(step.share - bar.n)
            assert step.found is not None
            answers.put(of, encoded(step.found))
            made.append(f"{name}{end}")
    report = {"made": made, "known": known, "folder": str(models / FOLDER)}
    print_report(options, report, f"{models / FOLDER}: {len(made)} made, {known} were there")
