"""The study: the paper's ablation on digits, over seeds, with original and worst noise.

`python benchmarks/study.py` trains DCGAN and WGAN-GP plain, with a robust generator, a robust critic and both, SEEDS
seeds each, into runs/study, and writes tables, figures' numbers and claims to benchmarks/results/study with
`python -m rgan reproduce`. It takes about two hours on one core; started again it goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from rgan import cli, runs

SEEDS = 5
PLAYERS = ("none", "generator", "critic", "both")
SYSTEMS = {"dcgan": 2000, "wgan-gp": 1500}  # with iterations
COMMON = "--data digits --width 16 --latent 64 --batch 32 --precision bfloat16 --set critic_steps={critic_steps}"
CRITIC_STEPS = {"dcgan": 1, "wgan-gp": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="runs/study", help="folder of the runs")
    parser.add_argument("--out", default="benchmarks/results/study")
    parser.add_argument("--train-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = Path(options.models)
    for seed in range(SEEDS):
        for system, iterations in SYSTEMS.items():
            for players in PLAYERS:
                train(folder / f"{system}-{players}-{seed}", system, players, seed, iterations)
    if not options.train_only:
        reproduce(folder, Path(options.out))


def train(folder: Path, system: str, players: str, seed: int, iterations: int) -> None:
    """One model, unless it is there."""
    if (folder / runs.PLAN).exists():
        if runs.read(folder).state != "finished":
            run("train", "--resume", "--out", str(folder))
        return
    robust = "--robust none" if players == "none" else f"--robust paper --players {players}"
    common = COMMON.format(critic_steps=CRITIC_STEPS[system])
    words = f"train --system {system} {common} {robust} --seed {seed} --iterations {iterations} --out {folder}"
    run(*words.split())


def reproduce(models: Path, out: Path) -> None:
    """Tables, figures' numbers and claims for all of them."""
    run("reproduce", str(models), "--out", str(out))


def run(*arguments: str) -> None:
    if cli.main(arguments):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
