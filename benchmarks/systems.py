"""Cost of a robust training step of every system, and of loading data: `python benchmarks/systems.py`.

For each system: seconds of an iteration with all terms of Algorithm 1 over those of a plain one, and how often each
network runs forward in either. A gradient penalty costs plain and robust steps the same, so the ratio is smaller there.
`data_*`: an iteration that reads its images over one that gets the same batch every time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from measure import interleaved, ratio, report
from PIL import Image

from rgan.data import datasets
from rgan.data.datasets import ImageData
from rgan.models.recipes import Recipe, Robust, recipe
from rgan.models.systems import SYSTEMS
from rgan.training.trainer import Trainer


def passes(trainer: Trainer) -> Counter[str]:
    """Forward passes of one iteration, by network."""
    found: Counter[str] = Counter()
    hooks = [
        network.register_forward_pre_hook(lambda *_, name=name: found.update([name]))
        for name, network in (("generator", trainer.generator), ("critic", trainer.critic.score))
    ]
    trainer.step()
    for hook in hooks:
        hook.remove()
    return found


def systems(options: argparse.Namespace) -> dict[str, float]:
    """The ratio of every system, and a line of passes each on standard output."""
    data, figures = datasets.load("digits"), {}
    for system in options.systems:

        def trainer(robust: Robust | None, system: str = system) -> Trainer:
            made = recipe(system, robust, channels=1, width=options.width)
            return Trainer(made, data, seed=0, device=options.device, precision="float32")

        pair = {"plain": trainer(None), "robust": trainer(Robust(1.0, 1.0, 1.0))}
        counts = {name: passes(one) for name, one in pair.items()}
        seconds = interleaved({name: one.step for name, one in pair.items()}, options.rounds, warm_up=1)
        figures[system] = ratio(seconds["robust"], seconds["plain"])
        told = "; ".join(
            f"{name}: " + ", ".join(f"{n} {count}" for n, count in c.items()) for name, c in counts.items()
        )
        print(f"{system}: {figures[system]:.2f} (forward passes, {told})", flush=True)
    return figures


def loading(options: argparse.Namespace) -> dict[str, float]:
    """Images in memory, and images of a folder mapped from disk."""
    with tempfile.TemporaryDirectory() as folder:
        mine = Path(folder) / "mine"
        mine.mkdir()
        rng = np.random.default_rng(0)
        for index in range(2000):
            Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(mine / f"{index}.png", compress_level=0)
        sets = {
            "memory": (datasets.load("digits"), {"channels": 1}),
            "folder": (datasets.load("mine", root=folder), {"size": 64}),
        }
        return {
            f"data_{name}": _reading(data, recipe("dcgan", width=options.width, **shape), options)
            for name, (data, shape) in sets.items()
        }


def _reading(data: ImageData, made: Recipe, options: argparse.Namespace) -> float:
    reading, constant = (Trainer(made, data, seed=0, device=options.device, precision="float32") for _ in range(2))
    batch = constant._real()
    constant._real = lambda: batch  # type: ignore[method-assign]
    seconds = interleaved({"reading": reading.step, "constant": constant.step}, 3 * options.rounds)
    return ratio(seconds["reading"], seconds["constant"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--systems", nargs="*", default=tuple(SYSTEMS), choices=tuple(SYSTEMS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    report("systems", systems(options) | loading(options))


if __name__ == "__main__":
    main()
