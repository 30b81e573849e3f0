"""The worst-case search against foolbox's L2PGD with the same budget: `python benchmarks/search.py`.

7 radii × 64 samples × 10 gradient steps on a shipped model. foolbox runs on the model as PyTorch users would write
it (evaluation mode, frozen weights, float32) with the step size that served it best here; ours takes the precision
that this machine is fast at, and float32 for comparison. Losses of both are judged in float32.
"""

from __future__ import annotations

import argparse

import foolbox
import torch
from measure import interleaved, ratio, report
from torch import Tensor, nn

from rgan.attack.search import Attack, WorstNoise, losses, run
from rgan.common.devices import choose_dtype
from rgan.models import checkpoints

RADII = (0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 4.0)
STEPS = 10


class OnGan(foolbox.attacks.L2ProjectedGradientDescentAttack):
    """foolbox's attack with the generator's loss; labels and image bounds play no part."""

    def get_loss_fn(self, model, labels):
        return lambda z: model(z)[:, 0].sum()


class Losses(nn.Module):
    """The "classifier" foolbox asks for: column 0 is the loss it climbs."""

    def __init__(self, gan):
        super().__init__()
        self.generator, self.critic, self.cost = gan.sampler, gan.critic, gan.recipe.criterion.generator

    def forward(self, z: Tensor) -> Tensor:
        loss = self.cost(self.critic(self.generator(z)))
        return torch.stack([loss, torch.zeros_like(loss)], dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="checkpoints/digits-dcgan.safetensors")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    gan = checkpoints.load(options.checkpoint)
    z = gan.noise(64, 0)
    exact = gan.probe().loss
    fast = gan.probe(choose_dtype("auto", torch.device("cpu"))).loss
    settings = Attack(RADII, gradients=STEPS)

    model = foolbox.PyTorchModel(Losses(gan).eval(), bounds=(-1e9, 1e9), device="cpu")
    attack = OnGan(rel_stepsize=0.25, steps=STEPS, random_start=False)
    labels = torch.zeros(len(z), dtype=torch.long)

    def theirs() -> list[Tensor]:
        raw, _, _ = attack(model, z, labels, epsilons=list(RADII))
        return raw

    def ours() -> WorstNoise:
        return run(fast, z, settings, exact=exact)

    def ours_float32() -> WorstNoise:
        return run(exact, z, settings)

    seconds = interleaved({"foolbox": theirs, "ours": ours, "ours_float32": ours_float32}, options.rounds)
    found, reached = ours().loss.mean(dim=1), torch.stack([losses(exact, raw).mean() for raw in theirs()])
    for radius, mine, other in zip(RADII, found.tolist(), reached.tolist(), strict=True):
        print(f"radius {radius:<5} mean loss: ours {mine:.3f}, foolbox {other:.3f}")
    report(
        "search",
        {
            "speedup": ratio(seconds["foolbox"], seconds["ours"]),
            "speedup_float32": ratio(seconds["foolbox"], seconds["ours_float32"]),
            "loss_margin": float((found - reached).min()),
        },
    )


if __name__ == "__main__":
    main()
