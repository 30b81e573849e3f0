"""Train an independent judge of images."""

from __future__ import annotations

import argparse

from rgan.cli.common import Subparsers, add_data_options, load_data, print_report
from rgan.common.errors import SettingsError
from rgan.common.formatting import per_cent


def add(commands: Subparsers) -> None:
    command = commands.add_parser("judge", help="train an independent judge of images")
    command.set_defaults(command=run)
    command.add_argument("name", help="digits, mnist, cifar10, faces, or a folder or zip of your own images")
    command.add_argument(
        "--role", choices=("measuring", "attacked"), default="measuring",
        help="the judge that only measures (default) or that may be attacked; each learns from half the images",
    )  # fmt: skip
    command.add_argument(
        "--out",
        help="the judge's file (default: judge-NAME.safetensors; of your own images: where all screens look for it)",
    )
    command.add_argument("--size", type=int, help="pixels of your own images (default: that of trainings on them)")
    command.add_argument("--epochs", type=int, help="passes over the images (default: by data set)")
    command.add_argument("--width", type=int, default=16, help="features of the first layer (default 16)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    add_data_options(command)


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.metrics import judge_training, judges

    known = options.name in judges.EPOCHS
    if known and options.size is not None:
        raise SettingsError(f"expected no --size for {options.name}, whose judges have one; drop it")
    data = load_data(options, options.name, judges.SIZES.get(options.name, judges.SIZE) if known else options.size)
    epochs = judge_training.usual_epochs(data) if options.epochs is None else options.epochs
    steps = judge_training.train(
        data, options.data_root, role=options.role, epochs=epochs, width=options.width, seed=options.seed,
        precision=options.precision,
    )  # fmt: skip
    judge = None
    with tqdm(unit="step", disable=options.json or None) as bar:
        for progress in steps:
            bar.total, judge = progress.steps, progress.judge
            bar.update()
            if progress.step % 20 == 0:
                bar.set_postfix(loss=f"{progress.loss:.3f}")
    assert judge is not None
    beside = judges.own_path(judge.data, judge.facts.fingerprint, options.role)
    out = options.out or (judges.shipped_path(f"judge-{judge.data}", options.role).name if known else str(beside))
    digest = judges.save(judge, out)
    report = {
        "judge": out, "sha256": digest, "role": options.role, "network": judge.facts.kind,
        "accuracy": judge.accuracy, "rotations": judge.facts.rotations, "held_out": judge.held_out,
        "attributes": judge.facts.rates,
    }  # fmt: skip
    told = "tells the quarter turns of" if judge.facts.rotations else "names"
    right = f"{out}: {told} {per_cent(judge.accuracy)} of {judge.held_out:,} held-out images rightly"
    if judge.facts.rotations:
        right += "; it learned without classes, so it sees less: class folders would teach it more"
    read = [f"{name.replace('_', ' ')} {per_cent(rate)}" for name, rate in judge.facts.rates.items()]
    print_report(options, report, f"{right}; reads {', '.join(read)}" if read else right)
