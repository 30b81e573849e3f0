"""The study: the paper's ablation on digits, over seeds, with original, worst and random noise.

`python benchmarks/study.py` trains DCGAN and WGAN-GP plain, with a robust generator, a robust critic and both, SEEDS
seeds each, into runs/study-NAME, and writes tables, figures' numbers and claims to benchmarks/results/study with
`python -m rgan reproduce` of these models alone. The robust part is the paper's (λ 0.1, ε₁ 0.01, ε₂ 4), for DCGAN
also a stronger one. It takes about three hours on one core; started again it goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from rgan.cli.main import main as rgan
from rgan.training import runs

SEEDS = 5
SYSTEMS = {
    "dcgan": "--system dcgan --iterations 2000",
    "wgan-gp": "--system wgan-gp --set critic_steps=3 --iterations 1500",
}
COMMON = "--data digits --width 16 --latent 64 --batch 32 --precision bfloat16"
STRONG = "--noise-radius 1 --image-radius 1 --weight 1"
PLAYERS = ("generator", "critic", "both")
ROWS = {"none": "", **{one: f"--robust paper --players {one}" for one in PLAYERS}}
STRONG_ROWS = {f"strong-{one}": f"{STRONG} --players {one}" for one in PLAYERS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="runs", help="folder of the runs, which the app shows if it is runs")
    parser.add_argument("--out", default="benchmarks/results/study")
    parser.add_argument("--train-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models = {
        Path(options.models) / f"study-{system}-{row}-{seed}": f"{words} {COMMON} {robust} --seed {seed}"
        for seed in range(SEEDS) for system, words in SYSTEMS.items()
        for row, robust in (ROWS | STRONG_ROWS if system == "dcgan" else ROWS).items()
    }  # fmt: skip
    for folder, words in models.items():
        train(folder, words)
    if not options.train_only:
        run("reproduce", *(str(folder / runs.CHECKPOINT) for folder in models), "--out", options.out)


def train(folder: Path, words: str) -> None:
    """One model, unless it is there."""
    if not (folder / runs.PLAN).exists():
        run("train", *words.split(), "--out", str(folder))
    elif runs.read(folder).state != "finished":
        run("train", "--resume", "--out", str(folder))


def run(*arguments: str) -> None:
    if rgan(arguments):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
