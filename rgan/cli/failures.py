"""Bad images among thousands."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from rgan.cli.common import (
    Subparsers,
    add_class,
    add_search_options,
    difference_json,
    gradients,
    load_gan,
    print_report,
    share_json,
    stopping,
)
from rgan.common.devices import DEVICES


def add(commands: Subparsers) -> None:
    command = commands.add_parser("failures", help="bad images among thousands: how common, which kinds, and a zip")
    command.set_defaults(command=run)
    command.add_argument("a", help="checkpoint of model A")
    command.add_argument("b", nargs="?", help="checkpoint of model B, which is given the same noise")
    command.add_argument("--out", required=True, help="folder of failures.csv, failures.zip and sheets of images")
    command.add_argument("--pool", type=int, default=2000, help="noise to search (default 2000)")
    command.add_argument("--keep", type=int, default=6, help="worst failures of each model in the zip (default 6)")
    command.add_argument(
        "--judge", metavar="FILE", help="measures; default: that of A's data which comes with RGAN Lab"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")
    add_search_options(command)


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.attack.search import Attack
    from rgan.common import files
    from rgan.common.images import to_uint8
    from rgan.metrics import judges
    from rgan.robustness.failures import export, failure, links
    from rgan.robustness.failures import modes as failure_modes
    from rgan.robustness.failures import pool as failures
    from rgan.robustness.measured import JudgedGan
    from rgan.robustness.summary import SHOWN

    paths = [Path(path) for path in (options.a, options.b) if path is not None]
    gans = [load_gan(options, path) for path in paths]
    judge = judges.load(options.judge) if options.judge else judges.first([gan.trained_on for gan in gans])
    settings = Attack((options.radius,), options.price, gradients(options), options.method, options.keep_shell)
    plan = failures.PoolPlan(settings, options.pool, options.seed, options.objective)
    judged_gans = [JudgedGan(gan, judge, options.device) for gan in gans]
    folder = Path(options.out)
    files.prepare_folder(folder)
    with (
        stopping("this block") as asked,
        tqdm(total=plan.samples, unit="image", disable=options.json or None) as bar,
    ):
        for pool in failures.pool(judged_gans, plan):
            bar.update(len(pool.z) - bar.n)
            if asked.is_set():
                break
    named = dict(zip(pool.rows, judged_gans, strict=True))
    modes = {side: failure_modes.modes(pool, side, judge) for side in named}
    kept = []
    for (side, judged), path in zip(named.items(), paths, strict=True):
        for index in failures.ranking(pool, side)[: options.keep]:
            found = failure.failure(judged, plan, int(index))
            kept.append((links.permalink(judged.facts, found, path.stem), found))
    written = {"failures.csv": files.as_csv(export.pool_rows(pool, modes)), "failures.zip": export.archive(kept)}
    first = range(min(SHOWN, len(pool.z)))
    written |= {
        f"{side}-{kind}.png": export.sheet(
            to_uint8(judged.of_samples(first).images(pool.noise(side, kind, first))),
            pool.rows[side].measures[kind].bad[: len(first)].numpy(),
        )
        for side, judged in named.items()
        for kind in failures.NOISES
    }
    for name, data in written.items():
        files.write_atomically(folder / name, data)
    said = [*failures.findings(pool), *(f"{side}: {each.sentence}" for side, each in modes.items())]
    report = {
        "models": {
            side: {
                "checkpoint": str(path),
                "bad": {kind: share_json(each) for kind, each in failures.prevalence(pool, side).items()},
                "worst_beyond_random": difference_json(failures.beyond(pool, side, "worst", "random")),
                "found": pool.strength[side].share if side in pool.strength else None,
                "modes": [mode.size for mode in modes[side].modes],
                "alone": len(modes[side].alone),
            }
            for side, path in zip(pool.rows, paths, strict=True)
        },
        "a_beyond_b": {kind: difference_json(failures.between(pool, kind)) for kind in failures.NOISES}
        if len(pool.rows) == 2
        else None,
        "said": said, "samples": len(pool.z), "seed": plan.seed, "against": plan.objective,
        "judge": {"data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy},
        "written": [str(folder / name) for name in written], **dataclasses.asdict(settings),
    }  # fmt: skip
    print_report(options, report, "\n".join([*said, *(str(folder / name) for name in written)]))
