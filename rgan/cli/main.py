"""The command line: `python -m rgan COMMAND`; `python -m rgan --help` lists them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from rgan import __version__
from rgan.cli.output import survive_any_encoding
from rgan.common.errors import RganError

# Modules of this package, each with `add`; only the one that is asked for is imported.
COMMANDS = (
    "app", "train", "probe", "evidence", "failures", "report", "embed", "score", "reproduce", "study", "inspect",
    "convert", "critic", "recipes", "judge", "data", "answers",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0, 2 with one line on standard error, or 1 if nobody reads on)."""
    survive_any_encoding()
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parser(*(one for one in arguments[:1] if one in COMMANDS)).parse_args(arguments)
    options.arguments = arguments
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
        sys.stdout.flush()
    except RganError as error:
        print(f"rgan: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # as in `rgan … | head`; what is flushed once more at exit must not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def parser(*names: str) -> argparse.ArgumentParser:
    """These commands with their options, by default all; the documentation is made from it."""
    made = argparse.ArgumentParser(prog="rgan", description="Train Gans, robustly or not, and find their worst noise.")
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(required=True, metavar="command")
    for name in names or COMMANDS:
        import_module(f"rgan.cli.{name}").add(commands)
    for name, each in commands.choices.items():
        if name != "app":  # which reports nothing
            each.add_argument("--json", action="store_true", help="one JSON line instead of words and progress bars")
    return made
