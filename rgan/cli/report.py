"""One page on the robustness of a model or two."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from rgan.cli.common import Subparsers, add_budget, add_class, class_word, gradients, load_gan, print_report, share_json
from rgan.common.devices import DEVICES


def add(commands: Subparsers) -> None:
    command = commands.add_parser("report", help="one HTML page on a model or two: controls, curves, failures, limits")
    command.set_defaults(command=run)
    command.add_argument("a", help="checkpoint of model A")
    command.add_argument("b", nargs="?", help="checkpoint of model B, which is given the same noise")
    command.add_argument("-o", "--out", default="report.html", help="the page to write (default report.html)")
    command.add_argument("--radius", type=float, default=1.0, help="ε: largest move of worst noise (default 1)")
    command.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    add_budget(command)
    command.add_argument("--samples", type=int, default=128, help="of the control and each draw of the curves")
    command.add_argument("--pool", type=int, default=512, help="noise to look for failures in (default 512)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--judge", metavar="FILE", help="measures; default: that of A's data which comes with RGAN Lab"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.common import files
    from rgan.metrics import judges
    from rgan.report.robustness_page import robustness_page
    from rgan.robustness import one_radius, summary
    from rgan.robustness.failures import pool
    from rgan.robustness.measured import JudgedGan

    budget = gradients(options)
    asked = summary.Asked(options.radius, options.price, budget, options.samples, options.pool, options.seed)
    paths = [path for path in (options.a, options.b) if path is not None]
    gans = [load_gan(options, path) for path in paths]
    judge = judges.load(options.judge) if options.judge else judges.first([gan.trained_on for gan in gans])
    judged_gans = [JudgedGan(gan, judge, options.device) for gan in gans]
    with tqdm(total=100, unit="%", disable=options.json or None) as bar:
        for progress in summary.examine(judged_gans, [Path(path).stem for path in paths], asked):
            bar.set_description(progress.words)
            bar.update(round(100 * progress.share) - bar.n)
    found = progress.found
    assert found is not None
    more = [word for name in ("judge", "device") if (value := getattr(options, name)) for word in (f"--{name}", value)]
    more += [] if options.label is None else ["--class", class_word(options.label)]
    page = robustness_page(found, asked.command(paths, options.out, more))
    files.write_atomically(Path(options.out), page.encode())
    report = {
        "report": options.out,
        "headline": dataclasses.asdict(found.headline),
        "models": {
            side: {
                "checkpoint": path,
                "badness": {kind: float(measure.badness.mean()) for kind, measure in one.measures.items()},
                "rise": {kind: dataclasses.asdict(rise) for kind, rise in one_radius.rises(one).items()},
                "beyond_random": dataclasses.asdict(one.beyond("random")),
                "beyond_best_of_random": dataclasses.asdict(one.beyond("best")),
                "health": {check.name: check.state for check in found.at_radius.checks[side]},
                "bad": {kind: share_json(each) for kind, each in pool.prevalence(found.pool, side).items()},
                "modes": [mode.size for mode in found.modes[side].modes],
            }
            for (side, one), path in zip(found.at_radius.found.items(), paths, strict=True)
        },
        "judge": {"data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy},
        **dataclasses.asdict(asked),
    }
    print_report(options, report, f"{found.headline.words}\n{options.out}")
