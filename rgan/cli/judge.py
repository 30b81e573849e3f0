"""Train an independent judge of images."""

from __future__ import annotations

import argparse

from rgan.cli.common import Subparsers, add_data_options, load_data, print_report


def add(commands: Subparsers) -> None:
    command = commands.add_parser("judge", help="train an independent judge of images on a labelled data set")
    command.set_defaults(command=run)
    command.add_argument("name", help="digits, mnist or cifar10")
    command.add_argument("--out", help="the judge's file (default judge-NAME.safetensors)")
    command.add_argument("--epochs", type=int, help="passes over the images (default: by data set)")
    command.add_argument("--width", type=int, default=16, help="features of the first layer (default 16)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    add_data_options(command)


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.metrics import judges

    data = load_data(options, options.name, judges.SIZE)
    epochs = judges.EPOCHS.get(data.name, 10) if options.epochs is None else options.epochs
    steps = judges.train(
        data, options.data_root, epochs=epochs, width=options.width, seed=options.seed, precision=options.precision
    )
    judge = None
    with tqdm(unit="step", disable=options.json or None) as bar:
        for progress in steps:
            bar.total, judge = progress.steps, progress.judge
            bar.update()
            if progress.step % 20 == 0:
                bar.set_postfix(loss=f"{progress.loss:.3f}")
    assert judge is not None
    out = options.out or f"judge-{judge.data}.safetensors"
    digest = judges.save(judge, out)
    report = {"judge": out, "sha256": digest, "accuracy": judge.accuracy, "held_out": judge.held_out}
    right = f"names {judge.accuracy:.2%} of {judge.held_out:,} held-out images rightly"
    print_report(options, report, f"{out}: {right}")
