"""What a file is, without loading it."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rgan.cli.common import Subparsers, answer_line, print_report

if TYPE_CHECKING:
    from rgan.importing.conversion import Proposal

WRITERS = {
    "zip": "torch.save", "legacy": "torch.save before 1.6", "torchscript": "torch.jit.save", "onnx": "an ONNX exporter",
}  # fmt: skip


def add(commands: Subparsers) -> None:
    command = commands.add_parser("inspect", help="say what a checkpoint of any program is, without loading it")
    command.set_defaults(command=run)
    command.add_argument("checkpoint")


def run(options: argparse.Namespace) -> None:
    from rgan.importing import conversion
    from rgan.models import checkpoints

    path = Path(options.checkpoint)
    data = checkpoints.read_bytes(path)
    found = conversion.describe(path.name, data)
    if found.ours:
        _inspect_ours(options, data)
        return
    proposals = [] if found.problem else _proposals(path.name, data)
    questions = proposals[0].questions() if proposals else found.questions
    found = dataclasses.replace(found, questions=questions)
    told = [_told(number, one) for number, one in enumerate(proposals, 1)]
    report = dataclasses.asdict(found) | {"proposals": told}
    written = WRITERS.get(found.container, found.container)
    lines = [f"{path}: {len(found.tensors)} tensors, {found.bytes / 2**20:.1f} MiB, written by {written}"]
    lines += [f"  {name} {list(shape)}" for name, shape in found.tensors.items()]
    lines += list(found.parts)
    lines += [answer_line("guessed", one, one.guess) for one in questions]
    for one in told[1:]:
        others = [
            f"{name}={answer}" for name, answer in one["guesses"].items() if told[0]["guesses"].get(name) != answer
        ]
        lines.append(f"proposal {one['proposal']}: {', '.join([one['generator'], *others])}")
    lines += [f"left unread: {', '.join(found.unread)}"] if found.unread else []
    command = f"python -m rgan convert {shlex.quote(str(path))} OUT.safetensors"
    ways = "--set QUESTION=ANSWER changes a guess, --proposal N takes another reading"
    lines += [found.problem or f"{command} makes it a file of RGAN Lab; {ways}"]
    print_report(options, report, "\n".join(lines))


def _proposals(name: str, data: bytes) -> tuple[Proposal, ...]:
    """What the file can be, best first; nothing where its numbers forbid it."""
    from rgan.common.errors import CheckpointError
    from rgan.importing import conversion
    from rgan.models.gan import Gan

    try:
        found = conversion.read([(name, data)])
    except CheckpointError:
        return ()
    return () if isinstance(found, Gan) else found.ranked


def _told(number: int, one: Proposal) -> dict[str, Any]:
    """A proposal: the number that `convert --proposal` takes, its networks, guesses and layers."""
    from rgan.networks import described

    network = one.generator.network({})
    return {
        "proposal": number, "generator": one.generator.words, "critic": one.critic.words if one.critic else None,
        "image": list(network.image) if network else None, "latent": network.latent if network else None,
        "guesses": {question.name: question.guess for question in one.questions()},
        "layers": described.plain(network.layers) if network else [],
    }  # fmt: skip


def _inspect_ours(options: argparse.Namespace, data: bytes) -> None:
    """What a file of RGAN Lab says about itself."""
    from rgan.models import checkpoints

    header = checkpoints.inspect(data, Path(options.checkpoint).name)
    training = dataclasses.asdict(header.training) if header.training else None
    if training is not None:
        training["history"] = training["history"][-1:]
    report = {
        "checkpoint": str(options.checkpoint),
        "sha256": hashlib.sha256(data).hexdigest(),
        "system": header.recipe.title,
        "parameters": dict(zip(("generator", "critic"), header.recipe.parameters(), strict=True)),
        "average": any(name.startswith("average.") for name in header.tensors),
        "reference_images": header.tensors["reference"][1][0] if "reference" in header.tensors else 0,
        "recipe": header.recipe.to_dict(),
        "training": training,
        "origin": dataclasses.asdict(header.origin) if header.origin else None,
    }
    if header.origin is not None:  # nothing else is known of an imported model's recipe
        report["recipe"] = {name: getattr(header.recipe, name) for name in ("size", "channels", "latent", "loss")}
    lines = [
        f"{name}: {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}"
        for name, value in report.items()
        if value is not None
    ]
    print_report(options, report, "\n".join(lines))
