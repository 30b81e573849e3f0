"""How much of the true worst noise the search finds where all of it can be looked at: `python benchmarks/plane.py`.

The laboratory's twins in the plane, trained 1,000 steps from several seeds, are attacked at 121 places of noise, at
every price and radius. The truth is the best of a polar grid of the disk that is looked at closer, without a gradient,
and of what any search found. Printed is the share of the true gain in all places together, the smallest over the
seeds, and at how many places less than 99 % of it was found; `--before` measures the same search without its surveys,
and with them where no place lends another what it found.
"""

from __future__ import annotations

import argparse
import itertools

import torch
from measure import report
from torch import Tensor

from rgan.attack.search import BUDGETS, Attack, Loss, WorstNoise, losses, run
from rgan.models.gan import Gan
from rgan.theory.laboratory.moves import Looks, PlaneAttack, field, worst_of_all
from rgan.theory.laboratory.points import REACH, on_grid
from rgan.theory.laboratory.settings import SIDES, Settings
from rgan.theory.laboratory.twins import Twins

PRICES, RADII, STEPS = (0.0, 0.1, 0.5, 1.0), (0.25, 0.5, 1.0, 2.0), 1000
FINE = Looks(32, 96, 6, 8)  # of the truth
NOTHING = 1e-5  # float32 cannot tell a smaller gain from none


class WithoutSurveys(Attack):
    def looks(self, dimensions: int) -> int:
        return 0


def without(loss: Loss, z: Tensor, radius: float, price: float, gradients: int) -> WorstNoise:
    return run(loss, z, WithoutSurveys((radius,), price, gradients))


def alone(loss: Loss, z: Tensor, radius: float, price: float, gradients: int) -> WorstNoise:
    return run(loss, z, PlaneAttack((radius,), price, gradients))


def now(loss: Loss, z: Tensor, radius: float, price: float, gradients: int) -> WorstNoise:
    return field(loss, z, PlaneAttack((radius,), price, gradients))


def trained(seed: int) -> dict[str, Gan]:
    twins = Twins(Settings(seed=seed))
    for _ in range(STEPS):
        twins.step()
    return {side: twins.gan(side) for side in SIDES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--prices", nargs="+", type=float, default=PRICES)
    parser.add_argument("--radii", nargs="+", type=float, default=RADII)
    parser.add_argument("--budgets", nargs="+", choices=BUDGETS, default=["standard", "strong"])
    parser.add_argument("--before", action="store_true", help="also the searches that came before")
    options = parser.parse_args()
    torch.set_num_threads(1)
    gans = {seed: trained(seed) for seed in options.seeds}
    z = on_grid(REACH[Settings().prior], 11)
    kinds = {"without surveys": without, "each place alone": alone} if options.before else {}
    kinds["now"] = now
    smallest: dict[str, float] = {}
    for side, price, radius in itertools.product(SIDES, options.prices, options.radii):
        found: dict[str, list[Tensor]] = {}
        truth = []
        for seed in options.seeds:
            loss = gans[seed][side].probe().loss
            original, best = losses(loss, z), worst_of_all(loss, z, radius, price, FINE)[1]
            for budget, (kind, attack) in itertools.product(options.budgets, kinds.items()):
                value = attack(loss, z, radius, price, BUDGETS[budget]).value[0]
                found.setdefault(f"{budget} {kind}", []).append(value - original)
                best = torch.maximum(best, value)
            truth.append(best - original)
        said = []
        for way, gains in found.items():
            share = min(float(gain.sum() / most.sum()) for gain, most in zip(gains, truth, strict=True))
            missed = sum(int((gain < 0.99 * most - NOTHING).sum()) for gain, most in zip(gains, truth, strict=True))
            said.append(f"{way} {share:.3f} ({missed})")
            key = f"{way} ε {'≤ 1' if radius <= 1 else '> 1'} λ {'0' if price == 0 else '> 0'}"
            smallest[key] = min(smallest.get(key, 1.0), share)
        print(f"{side} λ {price:g} ε {radius:g}:", ", ".join(said), flush=True)
    report("plane", {key: round(share, 4) for key, share in smallest.items()})


if __name__ == "__main__":
    main()
