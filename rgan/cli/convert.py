"""Checkpoints of other programs become files of RGAN Lab."""

from __future__ import annotations

import argparse
from pathlib import Path

from rgan.cli.common import Subparsers, add_data_options, answer_line, print_report
from rgan.common.errors import CheckpointError, RganError
from rgan.data.datasets import REFERENCE_IMAGES


def add(commands: Subparsers) -> None:
    command = commands.add_parser("convert", help="make a checkpoint of another program a file of RGAN Lab")
    command.set_defaults(command=run)
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="the generator's file and the critic's, or one of both"
    )
    command.add_argument("out", metavar="OUT", help="the file to write, .safetensors")
    command.add_argument("--overwrite", action="store_true", help="replace OUT even if `convert` did not write it")
    command.add_argument(
        "--set",
        action="append",
        metavar="QUESTION=ANSWER",
        help="instead of a guess that `inspect` and `convert` print",
    )
    command.add_argument(
        "--proposal", type=int, default=1, metavar="N", help="which of the readings that `inspect` lists (default 1)"
    )
    command.add_argument("--data", help="what it was trained on: real images and a judge to hold it against")
    add_data_options(command)


def run(options: argparse.Namespace) -> None:
    from rgan.data import datasets
    from rgan.importing import conversion
    from rgan.models import checkpoints
    from rgan.models.gan import Gan

    out, paths = Path(options.out), [Path(file) for file in options.files]
    if out.suffix != ".safetensors":
        raise RganError(f"expected a last argument that ends in .safetensors, got {out}; name the file to write last")
    if not options.overwrite:
        _check_free(out)
    proposal = conversion.read([(path.name, checkpoints.read_bytes(path)) for path in paths])
    if isinstance(proposal, Gan):
        raise RganError(f"expected files of another program, got one of RGAN Lab, {paths[0]}; use it as it is")
    if not 1 <= options.proposal <= len(proposal.ranked):
        raise RganError(
            f"expected --proposal of 1 to {len(proposal.ranked)}, got {options.proposal}; `inspect` lists them"
        )
    count, proposal = len(proposal.ranked), proposal.ranked[options.proposal - 1]
    answers = dict(text.partition("=")[::2] for text in options.set or ())
    questions = {one.name: one for one in proposal.questions(answers)}
    for name in answers:
        if name not in questions:
            raise RganError(f"expected --set with one of {', '.join(questions)}; got {name!r}")
    gan = proposal.gan(answers)
    if options.data is not None:
        real = datasets.load(options.data, size=gan.recipe.size, root=options.data_root, download=options.download)
        gan = conversion.trained_on(gan, real.name, real.some(REFERENCE_IMAGES))
    digest = checkpoints.save(gan, out)
    taken = {name: answers.get(name, one.guess) for name, one in questions.items()}
    report = {
        "checkpoint": str(out), "sha256": digest, "title": gan.recipe.title, "latent": gan.recipe.latent,
        "image": [gan.recipe.channels, gan.recipe.size, gan.recipe.size], "answers": taken,
        "guessed": [name for name in taken if name not in answers], "proposal": options.proposal,
        "proposals": count, "notes": proposal.notes(answers),
    }  # fmt: skip
    lines = [f"{out}: {gan.recipe.title}, {gan.recipe.latent} noise dimensions, {gan.recipe.size} pixels"]
    lines += [answer_line("set" if name in answers else "guessed", one, taken[name]) for name, one in questions.items()]
    print_report(options, report, "\n".join([*lines, *proposal.notes(answers)]))


def _check_free(out: Path) -> None:
    """Raise RganError if `out` is there, unless this command wrote it: a last file to read is easily taken for it."""
    from rgan.models import checkpoints

    if not out.exists():
        return
    try:
        origin = checkpoints.inspect(checkpoints.read_bytes(out)).origin
    except CheckpointError:
        origin = None
    if origin is None or origin.critic:
        raise RganError(
            f"expected a last argument that names a new file to write, got {out}, which is there already; if it is to "
            "be read, name the file to write behind it, else add --overwrite"
        )
