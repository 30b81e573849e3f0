"""A critic for a generator without one."""

from __future__ import annotations

import argparse

from rgan.cli.common import Subparsers, add_data_options, load_data, print_report
from rgan.common.devices import DEVICES
from rgan.common.errors import RganError
from rgan.data.datasets import REFERENCE_IMAGES


def add(commands: Subparsers) -> None:
    command = commands.add_parser("critic", help="train a critic for an imported model that came without one")
    command.set_defaults(command=run)
    command.add_argument("checkpoint", help="a file that `convert` wrote from a generator alone")
    command.add_argument("--data", help="real images to tell its own from (default: what the model was trained on)")
    command.add_argument("--iterations", type=int, help="batches it learns from (default 3000)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", required=True, help="the file to write, .safetensors")
    command.add_argument("--device", choices=DEVICES, default="auto")
    add_data_options(command)


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.importing import conversion
    from rgan.models import checkpoints
    from rgan.training import critic

    gan = checkpoints.load(options.checkpoint)
    critic.check(gan)
    name = options.data or gan.data
    if not name:
        raise RganError("expected --data for a model that does not say what it was trained on, got none; name the set")
    data = load_data(options, name, gan.recipe.size)
    if not gan.data:
        gan = conversion.trained_on(gan, data.name, data.some(REFERENCE_IMAGES))
    iterations = critic.ITERATIONS if options.iterations is None else options.iterations
    steps = critic.train(gan, data, iterations=iterations, seed=options.seed, device=options.device)
    with tqdm(total=iterations, unit="it", disable=options.json or None) as bar:
        for progress in steps:
            bar.update()
            if progress.step % 20 == 0:
                bar.set_postfix(loss=f"{progress.loss:.3f}", accuracy=f"{progress.accuracy.mean:.1%}")
    assert progress.gan is not None and progress.gan.origin is not None
    digest = checkpoints.save(progress.gan, options.out)
    report = {
        "checkpoint": str(options.out), "sha256": digest, "iterations": progress.steps, "seed": options.seed,
        "data": data.name, "right": progress.right, "asked": progress.asked, "critic": progress.gan.origin.critic,
    }  # fmt: skip
    print_report(options, report, f"{options.out}: critic {progress.gan.origin.critic}")
