"""How much of the worst noise the search finds: `python benchmarks/attack_strength.py [MODEL …]`.

The reference is the best, sample by sample, that unlike methods find together: normalised momentum, an APGD in the
manner of auto-attack (Croce & Hein 2020), Adam and foolbox's L2PGD take turns of 1,000 gradients a sample, at least
5,000 in all, until three turns in a row add less than half a per cent to the mean; 30 short steps in full precision
end it. It takes hours and lies in benchmarks/results/attack_reference.json; `--reference` makes what is missing there,
one model, objective and ε at a time, so that it can be stopped at any moment, and run twice with other objectives.
Without it the benchmark measures which share of the reference's mean rise ours finds at 10, 50, 200 and 2,000 gradients
a sample, and with `--peers` foolbox and APGD at their best.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import foolbox
import torch
from measure import interleaved, ratio, report
from torch import Tensor, nn

from rgan.attack.apgd import apgd
from rgan.attack.objectives import Objective, objective_for
from rgan.attack.search import Attack, losses, run
from rgan.common.errors import CheckpointError
from rgan.common.geometry import project_ball, random_in_ball, unit
from rgan.metrics.judges import ATTACKED, first
from rgan.models import checkpoints
from rgan.models.gan import Gan

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
REFERENCE = Path(__file__).resolve().parent / "results" / "attack_reference.json"
OBJECTIVES, RADII, SAMPLES, SEED = ["critic", "judge"], (1.0, 2.0, 0.5, 4.0), 64, 0
BUDGETS = (10, 50, 200, 2000)
TURN, FEWEST, MOST = 1000, 5, 16  # gradients a sample of a turn of the reference; turns
STILL = 0.005  # what three turns must add to go on
ROWS = 128  # a call

Loss = Callable[[Tensor], Tensor]
Method = Callable[[Loss, Tensor, float, int, int], Tensor]


def starts_of(z: Tensor, radius: float, starts: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noise repeated for each start, and r to begin with (starts · N, d): 0, then uniform in the ball."""
    rows = z.repeat(starts, 1)
    r = radius * random_in_ball((len(rows), z.shape[1]), torch.Generator().manual_seed(seed)).to(z)
    r[: len(z)] = 0
    return rows, r


def slope(loss: Loss, at: Tensor) -> tuple[Tensor, Tensor]:
    values, gradients = [], []
    for rows in at.detach().split(ROWS):
        rows.requires_grad_()
        value = loss(rows)
        (gradient,) = torch.autograd.grad(value.sum(), rows)
        values.append(value.detach())
        gradients.append(gradient)
    return torch.cat(values), torch.cat(gradients)


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
    *_, found = objective.search(z, Attack((radius,), gradients=gradients), seed=seed)
    return found.noise[0]


def auto_pgd(objective: Objective, z: Tensor, radius: float, gradients: int, seed: int) -> Tensor:
    return apgd(objective, z, Attack((radius,), gradients=gradients), seed=seed)[0]


def rises(objective: Objective, z: Tensor, r: Tensor) -> Tensor:
    """What r adds to the exact objective, (N,)."""
    after, before = losses(objective.loss, torch.stack([z + r, z]))
    return after - before


def prepared(gan: Gan, name: str) -> tuple[Objective, Tensor, Loss]:
    """The objective, noise, and the objective's coarse loss as a plain function of noise."""
    z = gan.noise(SAMPLES, SEED)
    judge = first([gan.trained_on], ATTACKED) if name == "judge" else None
    objective = objective_for(gan, name, z, judge=judge, device="cpu", precision="auto")
    of = (objective.coarse or objective).loss.of
    return (
        objective,
        z,
        lambda at: of(at, torch.arange(len(at)) % SAMPLES),
    )


def turns(objective: Objective) -> dict[str, Method]:
    """Who takes turns in making the reference."""
    return {
        "momentum": lambda *args: momentum(*args, starts=20),
        "apgd": lambda _, *args: auto_pgd(objective, *args),
        "momentum, longer": lambda *args: momentum(*args, starts=10),
        "adam": lambda *args: adam(*args, starts=10),
        "foolbox": lambda *args: theirs(*args, starts=10),
    }


def reference(names: list[str], objectives: list[str]) -> None:
    """Make what is missing of the reference."""
    for radius, name, what in itertools.product(RADII, names, objectives):
        key = f"{name} {what} {radius:g}"
        if key in known() or not made_of(name, what):
            continue
        objective, z, loss = prepared(checkpoints.load(CHECKPOINTS / f"{name}.safetensors"), what)
        best, means, each = Best(torch.zeros_like(z)), [], {}
        best.value = torch.zeros(len(z))
        for turn, (way, method) in zip(range(MOST), itertools.cycle(turns(objective).items()), strict=False):
            r = method(loss, z, radius, TURN, turn)
            rise = rises(objective, z, r)
            best.see(r, rise)
            means.append(float(best.value.mean()))
            each.setdefault(way, round(float(rise.mean()), 4))
            if turn + 1 >= FEWEST and means[-1] < (1 + STILL) * means[-4]:
                break
        polished = polish(objective, z, best.r, radius)
        best.see(polished, rises(objective, z, polished))
        entry = {
            "of": made_of(name, what),
            "mean": round(float(best.value.mean()), 4),
            "gradients": TURN * len(means),
            "last three turns": round(means[-1] / means[-4] - 1, 4),
            "first turns": each,
            "rise": [round(x, 3) for x in best.value.tolist()],
        }
        REFERENCE.write_text(json.dumps(known() | {key: entry}, indent=1, sort_keys=True) + "\n")
        print(key, entry["mean"], entry["gradients"], each, flush=True)


def known() -> dict[str, dict[str, Any]]:
    """The entries of models and judges as they are now."""
    kept = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {}
    return {key: one for key, one in kept.items() if one["of"] == made_of(*key.split()[:2])}


@functools.cache
def made_of(name: str, what: str) -> str:
    """Digests of the model and, where one is raised, of the judge; "" where its data have none."""
    header, digest = checkpoints.glance(CHECKPOINTS / f"{name}.safetensors")
    if what != "judge":
        return digest[:12]
    try:
        return f"{digest[:12]} {first([header.trained_on], ATTACKED).digest[:12]}"
    except CheckpointError:
        return ""


def polish(objective: Objective, z: Tensor, r: Tensor, radius: float, steps: int = 30) -> Tensor:
    """Short falling steps in full precision from r."""
    best, limit = Best(r), torch.full((len(r),), radius)
    for step in range(steps):
        value, gradient = slope(lambda at: objective.loss.of(at, torch.arange(len(at)) % SAMPLES), z + r)
        best.see(r, value)
        r = project_ball(r + 0.1 * radius * (1 - step / steps) * unit(gradient), limit)
    return best.r


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names of shipped models (default: all)")
    parser.add_argument("--reference", action="store_true", help="make what is missing of the reference")
    parser.add_argument("--peers", action="store_true", help="also measure foolbox and APGD at equal gradients")
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS, help="gradients a sample")
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=OBJECTIVES)
    options = parser.parse_args()
    names = options.models or sorted(path.stem for path in CHECKPOINTS.glob("*.safetensors"))
    if options.reference:
        reference(names, options.objectives)
        return
    shares: dict[str, dict[str, float]] = {}
    for key, there in known().items():
        name, what, radius = key.split()
        if name not in names or what not in options.objectives:
            continue
        objective, z, loss = prepared(checkpoints.load(CHECKPOINTS / f"{name}.safetensors"), what)
        found = {}
        for budget in options.budgets:
            found[f"{budget}"] = rises(objective, z, ours(objective, z, float(radius), budget, SEED))
            if options.peers and budget <= 200:
                found[f"apgd {budget}"] = rises(objective, z, auto_pgd(objective, z, float(radius), budget, SEED))
                tried = [rises(objective, z, one(loss, z, float(radius), budget, SEED)) for one in of_foolbox(budget)]
                found[f"foolbox {budget}"] = max(tried, key=lambda rise: float(rise.mean()))
        shares[key] = {way: float(rise.mean()) / there["mean"] for way, rise in found.items()}
        print(key, {way: round(share, 3) for way, share in shares[key].items()}, flush=True)
    report("attack_strength", figures(shares) | {"speed": speed(names)})


def figures(shares: dict[str, dict[str, float]]) -> dict[str, float]:
    """The smallest share over models and objectives, of ε up to 1 and of ε 2."""
    near = [found for key, found in shares.items() if float(key.split()[2]) <= 1]
    far = [found for key, found in shares.items() if float(key.split()[2]) == 2]
    ways = sorted({way for found in near for way in found})
    smallest = {f"share_{way.replace(' ', '_')}": min(found[way] for found in near if way in found) for way in ways}
    for budget in ("200", "2000"):
        if far and budget in far[0]:
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
            "ours": lambda: run(loss, z, Attack((1.0,), gradients=20)),
        },
        5,
    )
    return ratio(seconds["foolbox"], seconds["ours"])


if __name__ == "__main__":
    main()
