"""Worst noise of a model beside random noise of the same length."""

from __future__ import annotations

import argparse

from rgan.cli.common import Subparsers, add_class, add_search_options, gradients, load_gan, print_report
from rgan.common.devices import DEVICES, PRECISIONS
from rgan.common.errors import RganError
from rgan.common.formatting import per_cent


def add(commands: Subparsers) -> None:
    command = commands.add_parser("probe", help="search worst noise and compare it with random noise of equal length")
    command.set_defaults(command=run)
    command.add_argument("checkpoint")
    command.add_argument("--samples", type=int, default=64)
    add_search_options(command)
    command.add_argument(
        "--judge", metavar="FILE", help="to raise; default: the one of the model's data that may be attacked"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")
    command.add_argument("--precision", choices=PRECISIONS, default="auto")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.attack import objectives, perturbation, search
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
    z = gan.noise(options.samples, options.seed)
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
        "samples": options.samples,
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
