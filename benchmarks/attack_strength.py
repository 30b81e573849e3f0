"""How much of the worst noise the search finds: `python benchmarks/attack_strength.py [MODEL …]`.

The reference is the best, sample by sample, that several unlike methods find with thousands of gradients each: our own
search, Adam, normalised momentum, foolbox's L2PGD and an APGD in the manner of auto-attack (Croce & Hein 2020). It
takes hours and lies in benchmarks/results/attack_reference.json; `--reference` makes what is missing there, one model,
objective and ε at a time, so that it can be stopped at any moment. Without it the benchmark measures which share of
the reference's mean rise ours finds at 10, 50, 200 and 2,000 gradients a sample, and foolbox and APGD at their best.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import foolbox
import torch
from measure import interleaved, ratio, report
from torch import Tensor, nn

from rgan.attack.objectives import Objective, objective_for
from rgan.attack.search import Attack, losses, run
from rgan.common.geometry import project_ball, random_in_ball, unit
from rgan.metrics.judges import first_shipped
from rgan.models import checkpoints
from rgan.models.gan import Gan

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
REFERENCE = Path(__file__).resolve().parent / "results" / "attack_reference.json"
OBJECTIVES, RADII, SAMPLES, SEED = ("critic", "judge"), (0.5, 1.0, 2.0, 4.0), 64, 0
BUDGETS = (10, 50, 200, 2000)
LARGE = 4000  # gradients a sample of each method of the reference

Loss = Callable[[Tensor], Tensor]
Method = Callable[[Loss, Tensor, float, int, int], Tensor]


def starts_of(z: Tensor, radius: float, starts: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise repeated for each start, and r to begin with (starts · N, d): 0, then uniform in the ball."""
    rows = z.repeat(starts, 1)
    r = radius * random_in_ball((len(rows), z.shape[1]), torch.Generator().manual_seed(seed)).to(z)
    r[: len(z)] = 0
    return rows, r


def slope(loss: Loss, at: Tensor) -> tuple[Tensor, Tensor]:
    at = at.detach().requires_grad_()
    value = loss(at)
    (gradient,) = torch.autograd.grad(value.sum(), at)
    return value.detach(), gradient


class Best:
    """The best iterate of each row, then of each sample's starts."""

    def __init__(self, r: Tensor):
        self.r, self.value = r.clone(), torch.full((len(r),), -torch.inf)

    def see(self, r: Tensor, value: Tensor) -> Tensor:
        better = value > self.value
        self.r, self.value = torch.where(better[:, None], r, self.r), torch.where(better, value, self.value)
        return better

    def of_samples(self, count: int) -> Tensor:
        chosen = self.value.view(-1, count).argmax(dim=0)
        return self.r.view(-1, count, self.r.shape[1])[chosen, torch.arange(count)]


def momentum(loss: Loss, z: Tensor, radius: float, gradients: int, seed: int, *, starts: int = 5) -> Tensor:
    """Normalised gradients with momentum 0.75 and a step that falls from ε to 0."""
    rows, r = starts_of(z, radius, starts, seed)
    best, velocity, limit, steps = Best(r), torch.zeros_like(r), torch.full((len(r),), radius), gradients // starts
    for step in range(steps):
        value, gradient = slope(loss, rows + r)
        best.see(r, value)
        velocity = 0.75 * velocity + unit(gradient)
        r = project_ball(r + radius * (1 - step / steps) * unit(velocity), limit)
    return best.of_samples(len(z))


def adam(
    loss: Loss, z: Tensor, radius: float, gradients: int, seed: int, *, starts: int = 5, rate: float = 0.1
) -> Tensor:
    """Adam on r, projected after each step; `rate` is a share of ε a coordinate."""
    rows, r = starts_of(z, radius, starts, seed)
    best, limit, steps = Best(r), torch.full((len(r),), radius), gradients // starts
    first, second = torch.zeros_like(r), torch.zeros_like(r)
    for step in range(1, steps + 1):
        value, gradient = slope(loss, rows + r)
        best.see(r, value)
        first, second = 0.9 * first + 0.1 * gradient, 0.99 * second + 0.01 * gradient**2
        move = first / (1 - 0.9**step) / ((second / (1 - 0.99**step)).sqrt() + 1e-12)
        r = project_ball(r + rate * radius * (1 - (step - 1) / steps) * move, limit)
    return best.of_samples(len(z))


def apgd(loss: Loss, z: Tensor, radius: float, gradients: int, seed: int, *, starts: int = 1) -> Tensor:
    """Croce & Hein 2020: momentum 0.75, step 2ε, halved where too few steps rose; it then goes on from the best."""
    rows, r = starts_of(z, radius, starts, seed)
    steps, limit = gradients // starts, torch.full((len(rows),), radius)
    best, length = Best(r), torch.full((len(rows),), 2 * radius)
    before, rose, reduced, known = r.clone(), torch.zeros(len(r)), torch.ones(len(r), dtype=torch.bool), best.value
    value, gradient = slope(loss, rows + r)
    best.see(r, value)
    every, since, slopes = max(1, round(0.22 * steps)), 0, gradient
    for step in range(1, steps):
        share = 0.75 if step > 1 else 1.0
        aimed = project_ball(r + length[:, None] * unit(gradient), limit)
        moved = project_ball(r + share * (aimed - r) + (1 - share) * (r - before), limit)
        before, r = r, moved
        last, (value, gradient) = value, slope(loss, rows + r)
        rose += value > last
        better = best.see(r, value)
        slopes = torch.where(better[:, None], gradient, slopes)
        since += 1
        if since == every:
            stuck = (rose < 0.75 * since) | (~reduced & (known >= best.value))
            length = torch.where(stuck, length / 2, length)
            r = torch.where(stuck[:, None], best.r, r)
            gradient = torch.where(stuck[:, None], slopes, gradient)
            value = torch.where(stuck, best.value, value)
            reduced, known, rose, since = stuck, best.value.clone(), torch.zeros_like(rose), 0
            every = max(every - max(1, round(0.03 * steps)), max(1, round(0.06 * steps)))
    return best.of_samples(len(z))


class Peer(foolbox.attacks.L2ProjectedGradientDescentAttack):
    """foolbox's attack on any loss; labels and image bounds play no part."""

    def get_loss_fn(self, model, labels):
        return lambda z: model(z)[:, 0].sum()


class Losses(nn.Module):
    """The "classifier" that foolbox asks for: column 0 is the loss that it climbs."""

    def __init__(self, loss: Loss):
        super().__init__()
        self.loss = loss

    def forward(self, z: Tensor) -> Tensor:
        value = self.loss(z)
        return torch.stack([value, torch.zeros_like(value)], dim=1)


def theirs(
    loss: Loss, z: Tensor, radius: float, gradients: int, seed: int, *, starts: int = 1, share: float = 0.1
) -> Tensor:
    """foolbox's L2PGD: the last iterate, the best of several starts."""
    steps = gradients // starts
    model = foolbox.PyTorchModel(Losses(loss).eval(), bounds=(-1e9, 1e9), device="cpu")
    best, labels = Best(torch.zeros_like(z)), torch.zeros(len(z), dtype=torch.long)
    for start in range(starts):
        torch.manual_seed(seed + start)
        raw, _, _ = Peer(rel_stepsize=share, steps=steps, random_start=start > 0)(model, z, labels, epsilons=[radius])
        with torch.no_grad():
            best.see(raw[0] - z, loss(raw[0]))
    return best.r


def of_foolbox(gradients: int) -> Iterator[Method]:
    """foolbox's attack as its users might set it for so many gradients."""
    for starts, share in itertools.product((1, 5), (0.05, 0.1, 0.25)):
        if gradients >= 5 * starts:
            yield lambda *args, starts=starts, share=share: theirs(*args, starts=starts, share=share)


def ours(objective: Objective, z: Tensor, radius: float, gradients: int, seed: int) -> Tensor:
    starts = {10: 1, 50: 2, 200: 5, 2000: 20}.get(gradients, 40)
    attack = Attack((radius,), steps=gradients // starts, restarts=starts)
    *_, found = objective.search(z, attack, seed=seed)
    return found.noise[0]


def rises(objective: Objective, z: Tensor, r: Tensor) -> Tensor:
    """What r adds to the exact objective, (N,)."""
    after, before = losses(objective.loss, torch.stack([z + r, z]))
    return after - before


def prepared(gan: Gan, name: str) -> tuple[Objective, Tensor, Loss]:
    """The objective, noise, and the objective's coarse loss as a plain function of noise."""
    z = gan.noise(SAMPLES, SEED)
    judge = first_shipped([gan.data]) if name == "judge" else None
    objective = objective_for(gan, name, z, judge=judge, device="cpu", precision="auto")
    of = (objective.coarse or objective).loss.of
    return objective, z, lambda at: of(at, torch.arange(len(at)) % SAMPLES)


def reference(names: list[str]) -> None:
    """Make what is missing of the reference."""
    known = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {}
    for radius, name, what in itertools.product(RADII, names, OBJECTIVES):
        key = f"{name} {what} {radius:g}"
        if key in known:
            continue
        objective, z, loss = prepared(checkpoints.load(CHECKPOINTS / f"{name}.safetensors"), what)
        methods: dict[str, Method] = {
            "momentum": lambda *args: momentum(*args, starts=80),
            "adam": lambda *args: adam(*args, starts=40),
            "apgd": lambda *args: apgd(*args, starts=20),
            "foolbox": lambda *args: theirs(*args, starts=40),
        }
        found = {way: rises(objective, z, method(loss, z, radius, LARGE, 7)) for way, method in methods.items()}
        found["ours"] = rises(objective, z, ours(objective, z, radius, LARGE, 7))
        best = torch.stack(list(found.values())).amax(dim=0)
        means = {way: round(float(rise.mean()), 4) for way, rise in found.items()}
        known[key] = {
            "mean": means | {"best": round(float(best.mean()), 4)},
            "best": [round(x, 4) for x in best.tolist()],
        }
        REFERENCE.write_text(json.dumps(known, indent=1) + "\n")
        print(key, means, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names of shipped models (default: all)")
    parser.add_argument("--reference", action="store_true", help="make what is missing of the reference")
    parser.add_argument("--peers", action="store_true", help="also measure foolbox and APGD at equal gradients")
    options = parser.parse_args()
    names = options.models or sorted(path.stem for path in CHECKPOINTS.glob("*.safetensors"))
    if options.reference:
        reference(names)
        return
    known = json.loads(REFERENCE.read_text())
    shares: dict[str, dict[str, float]] = {}
    for key, there in known.items():
        name, what, radius = key.split()
        if name not in names:
            continue
        objective, z, loss = prepared(checkpoints.load(CHECKPOINTS / f"{name}.safetensors"), what)
        found = {}
        for budget in BUDGETS:
            found[f"{budget}"] = rises(objective, z, ours(objective, z, float(radius), budget, SEED))
            if options.peers and budget <= 200:
                rivals = {"apgd": [apgd], "foolbox": list(of_foolbox(budget))}
                for peer, methods in rivals.items():
                    tried = [rises(objective, z, one(loss, z, float(radius), budget, SEED)).mean() for one in methods]
                    found[f"{peer} {budget}"] = torch.stack(tried).max()
        shares[key] = {way: float(rise.mean()) / there["mean"]["best"] for way, rise in found.items()}
        print(key, {way: round(share, 3) for way, share in shares[key].items()}, flush=True)
    report("attack_strength", figures(shares) | {"speed": speed(names)})


def figures(shares: dict[str, dict[str, float]]) -> dict[str, float]:
    """The smallest share over models and objectives, of ε up to 1 and of ε 2."""
    near = [found for key, found in shares.items() if float(key.split()[2]) <= 1]
    far = [found for key, found in shares.items() if float(key.split()[2]) == 2]
    ways = sorted({way for found in near for way in found})
    smallest = {f"share_{way.replace(' ', '_')}": min(found[way] for found in near if way in found) for way in ways}
    for budget in ("200", "2000"):
        if far:
            smallest[f"share_{budget}_eps2"] = min(found[budget] for found in far)
    return smallest


def speed(names: list[str]) -> float:
    """Our gradients a second over foolbox's in float32, the same number on the same noise."""
    gan = checkpoints.load(CHECKPOINTS / f"{names[0]}.safetensors")
    z, loss = gan.noise(SAMPLES, SEED), gan.probe().loss

    def as_written(at: Tensor) -> Tensor:
        return gan.recipe.criterion.generator(gan.critic(gan.sampler(at)))

    seconds = interleaved(
        {
            "foolbox": lambda: theirs(as_written, z, 1.0, 20, 0),
            "ours": lambda: run(loss, z, Attack((1.0,), steps=20)),
        },
        5,
    )
    return ratio(seconds["foolbox"], seconds["ours"])


if __name__ == "__main__":
    main()
