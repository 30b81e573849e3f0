"""Cost of one robust training step against a plain one: `python benchmarks/train_step.py`.

DCGAN at 32 px, batch 64, all terms of Algorithm 1 on. `literal` makes a separate pass for each perturbation.
"""

from __future__ import annotations

import argparse

import torch
from literal import literal_critic_loss, literal_generator_loss
from measure import interleaved, ratio, report

from rgan.data import datasets
from rgan.models.recipes import Robust, recipe
from rgan.training.algorithm1 import frozen
from rgan.training.trainer import Trainer


class LiteralTrainer(Trainer):
    """The same optimisers and batches around the literal losses."""

    def step(self) -> dict[str, torch.Tensor]:
        self.critic_optimiser.zero_grad()
        real, z, mix = self._real(), self._noise(), self._mix()
        with frozen(self.generator.parameters()):
            literal_critic_loss(self.generator, self.critic, self.recipe, real, z, mix).backward()
        self.critic_optimiser.step()
        self.generator_optimiser.zero_grad()
        with frozen(self.critic.parameters()):
            literal_generator_loss(self.generator, self.critic, self.recipe, self._noise()).backward()
        self.generator_optimiser.step()
        self.average.update_parameters(self.generator)
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = datasets.load("digits")

    def trainer(kind: type[Trainer], robust: Robust | None, precision: str) -> Trainer:
        made = recipe("dcgan", robust, channels=1, width=options.width)
        return kind(made, data, seed=0, device=options.device, precision=precision)

    everything = Robust(1.0, 1.0, 1.0)
    trainers = {
        "plain": trainer(Trainer, None, "float32"),
        "robust": trainer(Trainer, everything, "float32"),
        "literal": trainer(LiteralTrainer, everything, "float32"),
        "plain_bf16": trainer(Trainer, None, "bfloat16"),
        "robust_bf16": trainer(Trainer, everything, "bfloat16"),
    }
    seconds = interleaved({name: made.step for name, made in trainers.items()}, options.rounds)
    report(
        "train_step",
        {
            "robust_over_plain": ratio(seconds["robust"], seconds["plain"]),
            "literal_over_plain": ratio(seconds["literal"], seconds["plain"]),
            "robust_bf16_over_plain_bf16": ratio(seconds["robust_bf16"], seconds["plain_bf16"]),
            "robust_bf16_over_plain_float32": ratio(seconds["robust_bf16"], seconds["plain"]),
        },
    )


if __name__ == "__main__":
    main()
