"""List data sets, or fetch and prepare one."""

from __future__ import annotations

import argparse
import sys

from rgan.cli.common import Subparsers, add_data_options, load_data, print_report
from rgan.data.datasets import DATA_SETS


def add(commands: Subparsers) -> None:
    command = commands.add_parser("data", help="list data sets, or fetch and prepare one")
    command.set_defaults(command=run)
    command.add_argument("name", nargs="?", help=f"{', '.join(DATA_SETS)}, or a folder or zip of images")
    command.add_argument("--size", type=int, help="pixels (default: the data set's)")
    add_data_options(command)


def run(options: argparse.Namespace) -> None:
    from rgan.data import datasets

    if options.name is None:
        sets = {name: about.what for name, about in datasets.KNOWN.items()}
        sets |= dict.fromkeys(datasets.own_sets(options.data_root), "a folder or zip of images")
        for reason in datasets.broken_zips(options.data_root).values():
            print(f"rgan: {reason}", file=sys.stderr)
        print_report(options, sets, "\n".join(f"{name:10} {what}" for name, what in sets.items()))
        return
    data = load_data(options, options.name, options.size)
    report = {"name": data.name, "images": list(data.images.shape), "skipped": list(data.skipped),
        "classes": list(data.classes), "remarks": list(data.remarks),
    }  # fmt: skip
    count, channels, height, width = data.images.shape
    colours = "grey" if channels == 1 else f"{channels} channels"
    print_report(options, report, f"{data.name}: {count:,} images of {height}×{width} pixels, {colours}")
