"""IS, FID and KID of a model's images."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from rgan.cli.common import Subparsers, add_budget, add_class, gradients, load_gan, preparing, print_report
from rgan.common.devices import DEVICES, choose_device
from rgan.common.errors import RganError

if TYPE_CHECKING:
    import torch

    from rgan.metrics import scores
    from rgan.models.gan import Gan


def add(commands: Subparsers) -> None:
    command = commands.add_parser(
        "score", help="IS, FID and KID of a model's images, as a judge or Inception sees them"
    )
    command.set_defaults(command=run)
    command.add_argument("checkpoint")
    command.add_argument("--samples", type=int, default=5000)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--radius", type=float, default=0.0, help="ε: score images of worst noise (default 0: ordinary)"
    )
    command.add_argument("--price", type=float, default=0.0, help="λ of that search")
    add_budget(command)
    command.add_argument(
        "--features", choices=("judge", "inception"), default="judge", help="who looks (default judge)"
    )
    command.add_argument(
        "--judge", metavar="FILE", help="default: the judge of the model's data that comes with RGAN Lab"
    )
    command.add_argument("--weights", metavar="FILE", help="of Inception (default: torch-fidelity's, fetched once)")
    command.add_argument(
        "--data-root", default="data", help="folder of the real images that Inception looks at (default data)"
    )
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    from rgan.attack.perturbation import perturb
    from rgan.attack.search import Attack
    from rgan.common.formatting import decimal
    from rgan.metrics import scores
    from rgan.metrics.diversity import diversity, neighbour_distance

    gan = load_gan(options, options.checkpoint)
    device = choose_device(options.device)
    standard = _standard(options, gan, device)
    scores.enough(options.samples, standard.reference.shape[1])  # before they are drawn
    attack = Attack((options.radius,), options.price, gradients(options))
    parts = []
    with tqdm(total=options.samples, unit="image", disable=options.json or None) as bar:
        for z in gan.noise(options.samples, options.seed).split(250):
            some = gan.of_samples(range(bar.n, bar.n + len(z)))
            if options.radius:
                worst = perturb(some, z, attack, seed=options.seed, best_random=False, device=options.device)
                z = z + worst.r
            parts.append(standard.look(some.probe(device=device).images(z)))
            bar.update(len(z))
    seen = scores.Seen(torch.cat([one.features for one in parts]), torch.cat([one.logits for one in parts]))
    found = scores.scores(seen, standard, seed=options.seed)
    report = {
        "checkpoint": str(options.checkpoint), "radius": options.radius, "seed": options.seed,
        "protocol": found[0].protocol.words, "scores": [dataclasses.asdict(score) for score in found],
    }  # fmt: skip
    different = diversity(seen.features, neighbour_distance(standard.reference))
    report["diversity"] = dataclasses.asdict(different)
    count = different.count
    lines = [score.words for score in found] + [
        f"{different.images} images are as different as {decimal(count.mean, 1)} without anything in common (Vendi "
        f"score, 95 % interval {decimal(count.low, 1)} to {decimal(count.high, 1)})",
        found[0].protocol.words,
    ]
    print_report(options, report, "\n".join(lines))


def _standard(options: argparse.Namespace, gan: Gan, device: torch.device) -> scores.Standard:
    """What the scores are held against, as --features, --judge and --weights say."""
    from rgan.metrics import inception, judges, scores

    other = "judge" if options.features == "inception" else "weights"
    if getattr(options, other) is not None:
        raise RganError(f"expected no --{other} with --features {options.features}; drop one of them")
    if options.judge is not None:
        return scores.by_judge(judges.load(options.judge))
    if not gan.data:
        mend = "name a judge's file with --judge" if options.features == "judge" else "score with --judge FILE"
        raise RganError(f"expected a model whose data are known, got one that does not say; {mend}")
    name, size = gan.data, gan.recipe.size
    if options.features == "judge":
        return scores.by_judge(judges.of(gan.trained_on))
    scores.enough(options.samples, inception.FEATURES)  # before the real images take hours
    with preparing(options, f"real images of {name}") as report:
        return scores.by_inception(
            name, weights=options.weights, root=options.data_root, size=size, report=report, device=device
        )
