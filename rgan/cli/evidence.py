"""Whether worst noise makes worse images, by a judge."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from rgan.cli.common import Subparsers, add_budget, add_class, gradients, load_gan, print_report
from rgan.common.devices import DEVICES

if TYPE_CHECKING:
    from rgan.metrics.judges import Judge


def add(commands: Subparsers) -> None:
    command = commands.add_parser("evidence", help="whether worst noise makes worse images, by a judge, with controls")
    command.set_defaults(command=run)
    command.add_argument("a", help="checkpoint of model A, usually a baseline")
    command.add_argument("b", help="checkpoint of model B, usually its robust twin")
    command.add_argument("--samples", type=int, default=256)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--radius", type=float, default=1.0, help="ε: largest move of worst noise (default 1)")
    command.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    add_budget(command)
    command.add_argument("--keep-shell", action="store_true", help="search where z + r is as long as z")
    command.add_argument(
        "--judge", metavar="FILE", help="measures; default: the judge of A's data that comes with RGAN Lab"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    from rgan.attack.search import Attack
    from rgan.metrics import judges
    from rgan.robustness import one_radius
    from rgan.robustness.at_radius import at_radius
    from rgan.robustness.checks import against
    from rgan.robustness.measured import JudgedGan, check_noise

    gans = load_gan(options, options.a), load_gan(options, options.b)
    judge = judges.load(options.judge) if options.judge else judges.first([gan.trained_on for gan in gans])
    a, b = (JudgedGan(gan, judge, options.device) for gan in gans)
    check_noise((a, b))
    settings = Attack((options.radius,), options.price, gradients(options), keep_shell=options.keep_shell)
    tried = at_radius((a, b), settings, samples=options.samples, seed=options.seed)
    moved = one_radius.transfer((a, b), (tried.found["A"], tried.found["B"]))
    said = tried.said
    if options.radius and not against(tried.checks):
        said += (moved.sentence(),)
    said += (f"Raised: the loss by each model's own critic. Measured by {judge.words}.",)
    said += tuple(
        f"{side}, agreement with {a.raised.words} on the worst images: {one.judges.words}."
        for side, one in tried.found.items()
        if one.judges is not None
    )
    said += tuple(f"{side}: {one.caveat}" for side, one in zip("AB", (a, b), strict=True) if one.caveat)
    report = {
        "models": {
            side: {
                "checkpoint": str(path),
                "badness": {kind: float(measure.badness.mean()) for kind, measure in one.measures.items()},
                "rise": {kind: dataclasses.asdict(rise) for kind, rise in one_radius.rises(one).items()},
                "attributes": None if one.attributes is None else one.attributes.rows(),
                "judges_agree": None if one.judges is None else dataclasses.asdict(one.judges),
                "diversity": dataclasses.asdict(tried.collapse[side]),
                "health": [dataclasses.asdict(check) for check in tried.checks[side]],
            }
            for (side, one), path in zip(tried.found.items(), (options.a, options.b), strict=True)
        },
        "transfer": dataclasses.asdict(moved),
        "said": said,
        "judge": _facts(judge),
        "second_judge": _facts(a.raised),
        "raised": "critic",
        "samples": options.samples, "seed": options.seed, **dataclasses.asdict(tried.found["A"].perturbation.attack),
        "steps": tried.found["A"].perturbation.attack.gradients,
    }  # fmt: skip
    lines = [
        f"{side}, search {check.name}: {check.state}, {check.number}. {check.remedy}".rstrip()
        for side, checks in tried.checks.items()
        for check in checks
    ]
    print_report(options, report, "\n".join((*said, *lines)))


def _facts(judge: Judge) -> dict[str, object]:
    facts = judge.facts
    return {
        "data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy, "role": facts.role,
        "network": facts.kind,
    }  # fmt: skip
