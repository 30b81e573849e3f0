"""Worst noise of a model beside random noise of the same length."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rgan.cli.common import (
    Subparsers,
    add_class,
    add_data_options,
    add_search_options,
    gradients,
    load_data,
    load_gan,
    print_report,
)
from rgan.common.devices import DEVICES, PRECISIONS
from rgan.common.errors import RganError
from rgan.common.formatting import per_cent

if TYPE_CHECKING:
    from torch import Tensor

    from rgan.models.gan import Gan


def add(commands: Subparsers) -> None:
    command = commands.add_parser("probe", help="search worst noise and compare it with random noise of equal length")
    command.set_defaults(command=run)
    command.add_argument("checkpoint")
    command.add_argument("--samples", type=int, default=64)
    command.add_argument(
        "--real", metavar="NAME", nargs="?", const="",
        help="begin at noise that is read from real images (ALI, EGAN-Ent-VI): of a data set, a folder or a zip, or "
        "those in the model's file",
    )  # fmt: skip
    command.add_argument("--picture", metavar="FILE", help="write original, worst and random images as a PNG")
    add_data_options(command)
    add_search_options(command)
    command.add_argument(
        "--judge", metavar="FILE", help="to raise; default: the one of the model's data that may be attacked"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")
    command.add_argument("--precision", choices=PRECISIONS, default="auto")


def run(options: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    from rgan.attack import objectives, perturbation, search
    from rgan.common.files import write_atomically
    from rgan.common.images import grid, png, to_uint8, to_unit
    from rgan.metrics import judges

    objectives.check_method(options.objective, options.method)
    if options.judge and options.objective != objectives.JUDGE:
        raise RganError(
            f"expected no --judge with --objective {options.objective}; drop it, or raise the judge's distance"
        )
    gan = load_gan(options, options.checkpoint)
    attack = search.Attack(
        radii=(options.radius,),
        price=options.price,
        gradients=gradients(options),
        method=options.method,
        keep_shell=options.keep_shell,
    )
    real = None if options.real is None else _real(options, gan)
    z = gan.noise(options.samples, options.seed) if real is None else gan.encode(to_unit(real))
    judge = None
    if options.objective == objectives.JUDGE:
        judge = judges.load(options.judge) if options.judge else judges.first([gan.trained_on], judges.ATTACKED)
    objective = objectives.objective_for(
        gan, options.objective, z, judge=judge, device=options.device, precision=options.precision
    )
    with tqdm(total=attack.gradients, unit="gradient", disable=options.json or None) as bar:
        for worst in objective.search(z, attack, seed=options.seed):
            bar.update(worst.gradients - bar.n)
    result = perturbation.with_controls(objective.loss, worst, seed=options.seed, words=objective.words)
    report = {
        "checkpoint": str(options.checkpoint),
        "samples": len(z),
        "seed": options.seed,
        "against": options.objective,
        "method": options.method,
        "radius": options.radius,
        "price": options.price,
        "steps": attack.gradients,
        **result.summary(),
        "gradient_calls": result.gradients,
        "seconds": round(worst.seconds, 3),
    }
    said = [result.sentence()]
    if options.picture:
        rows = [gan.images(noise) for noise in (z, z + result.r, z + result.random)]
        shown = to_uint8(torch.cat(rows if real is None else [to_unit(real), *rows]))
        write_atomically(Path(options.picture), png(grid(shown, len(z), scale=2)))
        names = ("original", "worst", "random") if real is None else ("real", "as drawn", "worst", "random")
        said.append(f"{options.picture}: from above {', '.join(names)}.")
    if judge is not None:
        said.append(f"Raised: {judge.words}.")
        report["raised"] = {"judge": judge.data, "sha256": judge.digest, "role": judge.facts.role}
        other = objectives.judge_for((gan,), judges.MEASURING)
        if other is not None and other.digest != judge.digest:
            moved = {"original": z, "worst": z + result.r, "random": z + result.random}
            found = {kind: float(other.opinion(gan.images(noise)).badness.mean()) for kind, noise in moved.items()}
            report["measured"] = {"judge": other.data, "sha256": other.digest, "badness": found}
            badness = ", ".join(f"{kind} {per_cent(mean, 0)}" for kind, mean in found.items())
            said.append(f"Measured by {other.words}: mean badness {badness}.")
    print_report(options, report, "\n".join(said))


def _real(options: argparse.Namespace, gan: Gan) -> Tensor:
    """The first --samples real images that --real asks for, uint8 (N, C, H, W).

    Raises:
        RganError: there are none in the model's file, or the data set's have another shape than the model's.
    """
    wanted = gan.recipe.channels, gan.recipe.size, gan.recipe.size
    images = gan.reference
    if options.real:
        images = load_data(options, options.real, gan.recipe.size).some(options.samples)
    if images is None:
        raise RganError("expected real images in the model's file, got none; name a data set after --real")
    if tuple(images.shape[1:]) != wanted:
        raise RganError(f"expected real images of shape {wanted}, as it draws, got {tuple(images.shape[1:])}")
    return images[: options.samples]
