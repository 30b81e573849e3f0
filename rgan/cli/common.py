"""What the commands share: options, output, data with progress, an orderly end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rgan.data import datasets
    from rgan.data.datasets import ImageData
    from rgan.importing.formats import Question
    from rgan.models.gan import Gan
    from rgan.stats.intervals import Interval, Share, ShareDifference
ALL = "all"  # classes in turn
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def print_report(options: argparse.Namespace, report: dict[str, Any], text: str) -> None:
    """The report as one JSON line where --json asks for it, else the text."""
    print(json.dumps(report) if options.json else text)


def load_data(options: argparse.Namespace, name: str, size: int | None) -> ImageData:
    """The data set, fetched and prepared if need be, with progress; what was unreadable is named."""
    from rgan.data import datasets

    with preparing(options, f"preparing {name}") as report:
        data = datasets.load(name, size=size, root=options.data_root, download=options.download, report=report)
    for note in data.notes:
        print(f"{name}: {note}", file=sys.stderr)
    return data


@contextmanager
def preparing(options: argparse.Namespace, words: str) -> Iterator[datasets.Report]:
    """A bar of images, for what reports how many it has done."""
    from tqdm import tqdm

    with tqdm(unit="image", desc=words, disable=options.json or None, delay=0.5) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


@contextmanager
def stopping(what: str = "this iteration") -> Iterator[threading.Event]:
    """Ctrl-C, or a scheduler's end, is an event that work looks at after each piece (`what`); again: at once."""
    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        # torchrun passes on a Ctrl-C that the terminal has sent to its children already.
        if asked.is_set() and number == signal.SIGINT and "TORCHELASTIC_RUN_ID" not in os.environ:
            raise KeyboardInterrupt
        asked.set()
        print(f"stopping after {what}", file=sys.stderr)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def add_class(command: argparse.ArgumentParser) -> None:
    """The class of conditional models."""
    command.add_argument(
        "--class", type=_label, dest="label", metavar="K", help="class that conditional models draw, from 0, or "
        "all: in turn, sample i being of class i modulo their number (default: the one that the file says)",
    )  # fmt: skip


def _label(word: str) -> int:
    from rgan.models.gan import EACH

    if word == ALL:
        return EACH
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a class, from 0, or {ALL}, got {word}")
    return int(word)


def class_word(label: int) -> str:
    """A class as `add_class` reads it."""
    return str(label) if label >= 0 else ALL


def load_gan(options: argparse.Namespace, path: str | Path) -> Gan:
    """A model, of the class that `add_class` asks for.

    Raises:
        CheckpointError: the file cannot be used.
        SettingsError: it has no such class, or none at all.
    """
    from rgan.models import checkpoints

    gan = checkpoints.load(path)
    return gan if options.label is None else gan.of_class(options.label)


def add_search_options(command: argparse.ArgumentParser) -> None:
    """Every setting of the search for worst noise."""
    command.add_argument("--radius", type=float, default=1.0, help="ε: largest length of the change (default 1)")
    command.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    add_budget(command)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--method", choices=("ascent", "one-step"), default="ascent")
    command.add_argument("--keep-shell", action="store_true", help="keep the length of each noise vector")
    command.add_argument(
        "--objective", "--against", dest="objective", choices=("critic", "judge", "change"), default="critic",
        help="what to raise: the loss by its critic (default), the distance by a judge, or the change of the image",
    )  # fmt: skip


def add_budget(command: argparse.ArgumentParser) -> None:
    """How much a search may spend; `gradients` reads it. --steps and --restarts are its older names."""
    command.add_argument(
        "--budget", default="standard", metavar="B",
        help="live (10 gradients a sample), standard (200, the default), strong (2,000), or a number",
    )  # fmt: skip
    command.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    command.add_argument("--restarts", type=int, help=argparse.SUPPRESS)


def gradients(options: argparse.Namespace) -> int:
    """The budget of `add_budget` in gradients a sample.

    Raises:
        SettingsError: another word, or a number below 1.
    """
    from rgan.attack.search import budget_of

    if options.steps is None and options.restarts is None:
        return budget_of(options.budget)
    steps, starts = options.steps, options.restarts
    return budget_of((10 if steps is None else steps) * (1 if starts is None else starts))


def add_data_options(command: argparse.ArgumentParser) -> None:
    """Where data sets lie, and whether they may be fetched."""
    command.add_argument(
        "--data-root", default="data", help="folder of data files, torchvision's layout (default data)"
    )
    command.add_argument("--download", action="store_true", help="fetch the data set if it is not there")


def share_json(one: Share) -> dict[str, Any]:
    """How many of the images are bad, and their share."""
    return {"bad": one.hits, "total": one.total, "interval": _interval(one)}


def difference_json(one: ShareDifference) -> dict[str, Any]:
    """Images that are bad in the first alone, in the second alone, and the difference of the shares."""
    return {"first": one.first, "second": one.second, "total": one.total, "difference": _interval(one)}


def _interval(one: Interval) -> dict[str, float]:
    return {"mean": one.mean, "low": one.low, "high": one.high}


def answer_line(how: str, question: Question, answer: str) -> str:
    """A question and its answer, which is "guessed" or "set", with the first of the others."""
    others = [option for option in question.options if option != answer]
    listed = ", ".join(others[:9]) + (", …" if len(others) > 9 else "")
    return f"{how}: {question.name}={answer} ({question.text}; or {listed})"
