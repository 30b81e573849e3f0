"""Every system, plain and robust, trained for a while on one core: `python benchmarks/learning.py --data mnist`.

A plain system trains for as many iterations as fit into `--seconds` at the speed measured first, its robust twin for as
many again. Writes a picture of each and a table to benchmarks/results/learning-DATA/; what is in the table already is
not trained again. `spread` is the mean distance between pairs of generated images over that between pairs of real
ones: 0 if all are equal, about 1 for as much variety as the data. It does not see shapes: a generator that drew one
kind of blob, large and small, had 0.65, and speckles have 0.85. Look at the picture.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import torch

from rgan.common.images import grid, png, to_uint8, to_unit
from rgan.data import datasets
from rgan.models.recipes import Robust, lasting, recipe
from rgan.models.systems import SYSTEMS
from rgan.training.trainer import Trainer, TrainingError, seconds_per_iteration, train

RESULTS = Path(__file__).parent / "results"
COLUMNS = (
    "system", "robust", "width", "latent", "seed", "iterations", "seconds", "generator", "critic", "spread", "ended",
)  # fmt: skip


def spread(images: torch.Tensor) -> float:
    """Mean distance of 200 pairs of images (N, C, H, W)."""
    left, right = images[:200].flatten(1), images[200:400].flatten(1)
    return float((left - right).norm(dim=1).mean())


def learn(
    system: str, robust: Robust | None, iterations: int | None, options: argparse.Namespace
) -> tuple[dict[str, object], bytes]:
    """Train one of them, for options.seconds unless iterations are given; its row and its picture."""
    data = datasets.load(options.data, size=32, root=options.data_root)
    size = {"size": 32, "channels": int(data.images.shape[1])}
    made = recipe(system, robust, width=options.width, latent=options.latent, **size)

    def trainer(iterations: int) -> Trainer:
        return Trainer(lasting(made, iterations), data, seed=options.seed, device="cpu", precision=options.precision)

    if iterations is None:
        iterations = max(1, int(options.seconds / seconds_per_iteration(trainer(1000))))
    learner, ended = trainer(iterations), "finished"
    numbers: dict[str, float] = {}
    try:
        for progress in train(learner, iterations):
            numbers = progress.numbers()
    except TrainingError as error:
        ended = str(error)
    drawn = learner.images(torch.randn(400, made.latent, generator=torch.Generator().manual_seed(options.seed)))
    row = {
        "system": system, "robust": robust is not None, "width": made.width, "latent": made.latent,
        "seed": options.seed, "iterations": learner.iteration, "seconds": round(learner.seconds),
        "generator": round(numbers.get("generator", float("nan")), 3),
        "critic": round(numbers.get("critic", float("nan")), 3),
        "spread": round(spread(drawn) / spread(to_unit(data.some(400))), 3), "ended": ended,
    }  # fmt: skip
    return row, png(grid(to_uint8(drawn[:60]), 12))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="mnist", choices=datasets.DATA_SETS)
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--seconds", type=float, default=150, help="training time of each")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--latent", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--systems", nargs="*", default=tuple(SYSTEMS), choices=tuple(SYSTEMS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = RESULTS / f"learning-{options.data}"
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "table.csv"
    rows = list(csv.DictReader(table.open())) if table.exists() else []
    same = str(options.width), str(options.latent), str(options.seed)
    done = {
        (row["system"], row["robust"]): int(row["iterations"])
        for row in rows
        if (row["width"], row["latent"], row["seed"]) == same
    }
    for system in options.systems:
        for robust in (None, Robust(1.0, 1.0, 1.0)):
            key = system, str(robust is not None)
            if key in done:
                continue
            plain = done.get((system, "False"))
            row, picture = learn(system, robust, plain if robust else None, options)
            done[key] = int(str(row["iterations"]))
            name = f"{system}{'-robust' if robust else ''}-w{options.width}-s{options.seed}.png"
            (folder / name).write_bytes(picture)
            rows.append({name: str(value) for name, value in row.items()})
            with table.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
            print(row, flush=True)


if __name__ == "__main__":
    main()
