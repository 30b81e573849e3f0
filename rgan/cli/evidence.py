"""Whether worst noise makes worse images, by a judge."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from rgan.cli.common import Subparsers, add_budget, gradients, print_report
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
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    from rgan.attack.search import Attack
    from rgan.metrics import judges
    from rgan.models import checkpoints
    from rgan.robustness import one_radius
    from rgan.robustness.checks import against, check_attack, strength
    from rgan.robustness.measured import JudgedGan, check_noise

    gans = checkpoints.load(options.a), checkpoints.load(options.b)
    names = [gan.data or "unknown data" for gan in gans]
    judge = judges.load(options.judge) if options.judge else judges.first_shipped(names)
    a, b = (JudgedGan(gan, judge, options.device) for gan in gans)
    check_noise((a, b))
    settings = Attack((options.radius,), options.price, gradients(options), keep_shell=options.keep_shell)
    at_radius = [one_radius.one_radius(one, settings, samples=options.samples, seed=options.seed) for one in (a, b)]
    moved = one_radius.transfer((a, b), (at_radius[0], at_radius[1]))
    found = [one.perturbation for one in at_radius]
    checked = [check_attack(one, each, options.seed) for one, each in zip((a, b), found, strict=True)]
    by_side = dict(zip("AB", checked, strict=True))
    said = tuple(f"No verdict: {why}" for why in against(by_side))
    if not said:
        said = one_radius.verdict(at_radius[0], at_radius[1]) + ((moved.sentence(),) if options.radius else ())
        said += (strength(by_side),) if options.radius else ()
    said += tuple(
        f"{side}: {changes.sentence}"
        for side, one in zip("AB", at_radius, strict=True)
        if options.radius and (changes := one.attributes) is not None
    )
    said += (f"Raised: the loss by each model's own critic. Measured by {judge.words}.",)
    said += tuple(
        f"{side}, agreement with {a.raised.words} on the worst images: {one.judges.words}."
        for side, one in zip("AB", at_radius, strict=True)
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
                "health": [dataclasses.asdict(check) for check in found],
            }
            for side, path, one, found in zip("AB", (options.a, options.b), at_radius, checked, strict=True)
        },
        "transfer": dataclasses.asdict(moved),
        "said": said,
        "judge": _facts(judge),
        "second_judge": _facts(a.raised),
        "raised": "critic",
        "samples": options.samples, "seed": options.seed, **dataclasses.asdict(settings),
        "steps": settings.gradients,
    }  # fmt: skip
    lines = [
        f"{side}, search {check.name}: {check.state}, {check.number}. {check.remedy}".rstrip()
        for side, found in zip("AB", checked, strict=True)
        for check in found
    ]
    print_report(options, report, "\n".join((*said, *lines)))


def _facts(judge: Judge) -> dict[str, object]:
    facts = judge.facts
    return {
        "data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy, "role": facts.role,
        "network": facts.kind,
    }  # fmt: skip
