"""What scoring and degradation curves cost beyond the passes they are made of: `python benchmarks/evidence.py`.

Scoring is held against generating and judging the images once. The curves of two shipped digit models (256 samples × 8
radii × 3 draws) are held against as many gradients, losses and judgements as they make, counted while they run and made
bare, in the largest batches that pay. So is a pool of failures (512 samples, 10 steps) of both.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections import Counter
from collections.abc import Callable

import torch
from measure import interleaved, ratio, report
from torch import Tensor

from rgan.attack.search import CHUNK, Attack
from rgan.metrics import judges, scores
from rgan.models import checkpoints
from rgan.models.gan import Probe
from rgan.robustness import measured
from rgan.robustness.curves import CurvesPlan, curves_of
from rgan.robustness.failures import pool
from rgan.robustness.measured import JudgedGan

SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)


def counted(work: Callable[[], object], judged_gans: list[JudgedGan]) -> list[Counter[str]]:
    """Rows of each judged that some work gives to gradients, to losses alone, and to the judge."""
    rows = {id(judged.gan): Counter[str]() for judged in judged_gans}
    loss, look = Probe.loss, JudgedGan._look
    owner = {id(one.probe): id(one.gan) for one in judged_gans}

    def counting_loss(self: Probe, z: Tensor) -> Tensor:
        rows[owner[id(self)]]["gradient" if z.requires_grad else "loss"] += len(z)
        return loss(self, z)

    def counting_look(self: JudgedGan, z: Tensor) -> tuple[Tensor, measured.Measures]:
        rows[id(self.gan)]["judged"] += len(z)
        return look(self, z)

    Probe.loss, JudgedGan._look = counting_loss, counting_look
    try:
        work()
    finally:
        Probe.loss, JudgedGan._look = loss, look
    return [rows[id(judged.gan)] for judged in judged_gans]


def bare(judged: JudgedGan, rows: Counter[str]) -> None:
    """So many gradients, losses and judgements of noise, and nothing else."""
    z = judged.gan.noise(CHUNK, 0)
    for count in chunks(rows["gradient"]):
        start = z[:count].requires_grad_()
        torch.autograd.grad(judged.probe.loss(start).sum(), start)
    with torch.no_grad():
        for count in chunks(rows["loss"]):
            judged.probe.loss(z[:count])
        for count in chunks(rows["judged"]):
            images, _ = judged.probe.images_and_loss(z[:count])
            judged.judge.opinion_of(judged.judge.features(images))


def chunks(rows: int) -> list[int]:
    """Batches of CHUNK rows and the rest."""
    return [CHUNK] * (rows // CHUNK) + [rows % CHUNK] * bool(rows % CHUNK)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    judge = judges.shipped("digits")
    names = ("digits-dcgan", "digits-dcgan-robust")
    judged_gans = [JudgedGan(checkpoints.load(f"checkpoints/{name}.safetensors"), judge) for name in names]
    standard, z = scores.by_judge(judge), judged_gans[0].gan.noise(options.images, 0)

    def look() -> scores.Seen:
        seen = [standard.look(judged_gans[0].probe.images(part)) for part in z.split(250)]
        return scores.Seen(torch.cat([one.features for one in seen]), torch.cat([one.logits for one in seen]))

    def score() -> None:
        scores.scores(look(), standard)

    scoring = interleaved({"score": score, "look": look}, options.rounds, warm_up=1)
    radii = tuple(round(share * judged_gans[0].gan.prior_radius / 2, 2) for share in SHARES)
    plan = CurvesPlan(radii, options.samples, options.repeats)
    first: list[float] = []

    def curves() -> None:
        started = time.perf_counter()
        for index, _ in enumerate(curves_of(judged_gans, plan)):
            if index == 0:
                first.append(time.perf_counter() - started)

    def search_pool() -> None:
        for _ in pool.pool(judged_gans, pool.PoolPlan(Attack((1.0,)), 512)):
            pass

    def passes(rows: list[Counter[str]]) -> None:
        for judged, count in zip(judged_gans, rows, strict=True):
            bare(judged, count)

    ratios = {}
    for name, work in {"curves": curves, "pool": search_pool}.items():
        rows = counted(work, judged_gans)
        print(f"rows of each model, {name}: {', '.join(str(dict(count)) for count in rows)}")
        first.clear()
        seconds = interleaved({name: work, "bare": functools.partial(passes, rows)}, options.rounds, warm_up=0)
        ratios[f"{name}_over_bare"] = ratio(seconds[name], seconds["bare"])
        if name == "curves":
            ratios["first_points_over_curves"] = ratio(first, seconds["curves"])
    report(
        "evidence",
        {
            "scores_over_images": ratio(scoring["score"], scoring["look"]),
            **ratios,
        },
    )


if __name__ == "__main__":
    main()
