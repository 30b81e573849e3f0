"""What scoring and degradation curves cost beyond the passes they are made of: `python benchmarks/evidence.py`.

Scoring is held against generating and judging the images once. The curves of two shipped digit models (256 samples × 8
radii × 3 draws) are held against as many gradients, losses and judgements as they make, counted while they run and made
bare, in the largest batches that pay.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import torch
from measure import interleaved, ratio, report
from torch import Tensor

from rgan import checkpoints, judges, metrics, trials
from rgan.degradation import Plan, sweep
from rgan.gan import Probe
from rgan.trials import Subject
from rgan.worst_case import CHUNK

SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)


def counted(plan: Plan, subjects: list[Subject]) -> list[Counter[str]]:
    """Rows that a sweep of each subject gives to gradients, to losses alone, and to the judge."""
    rows = {id(subject.gan): Counter[str]() for subject in subjects}
    loss, trial = Probe.loss, Subject.trial
    owner = {id(probe): id(one.gan) for one in subjects for probe in (one.exact, one.fast)}

    def counting_loss(self: Probe, z: Tensor) -> Tensor:
        rows[owner[id(self)]]["gradient" if z.requires_grad else "loss"] += len(z)
        return loss(self, z)

    def counting_trial(self: Subject, z: Tensor) -> trials.Trial:
        rows[id(self.gan)]["judged"] += len(z)
        return trial(self, z)

    Probe.loss, Subject.trial = counting_loss, counting_trial
    try:
        for _ in sweep(subjects, plan):
            pass
    finally:
        Probe.loss, Subject.trial = loss, trial
    return [rows[id(subject.gan)] for subject in subjects]


def bare(subject: Subject, rows: Counter[str]) -> None:
    """So many gradients, losses and judgements of noise, and nothing else."""
    z = subject.gan.noise(CHUNK, 0)
    for count in chunks(rows["gradient"]):
        start = z[:count].requires_grad_()
        torch.autograd.grad(subject.fast.loss(start).sum(), start)
    with torch.no_grad():
        for count in chunks(rows["loss"]):
            subject.exact.loss(z[:count])
        for count in chunks(rows["judged"]):
            images, _ = subject.exact.judge(z[:count])
            subject.judge.opinion_of(subject.judge.features(images))


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
    subjects = [Subject(checkpoints.load(f"checkpoints/{name}.safetensors"), judge) for name in names]
    standard, z = metrics.by_judge(judge), subjects[0].gan.noise(options.images, 0)

    def look() -> metrics.Seen:
        seen = [standard.look(subjects[0].exact.images(part)) for part in z.split(250)]
        return metrics.Seen(torch.cat([one.features for one in seen]), torch.cat([one.logits for one in seen]))

    def score() -> None:
        metrics.scores(look(), standard)

    scoring = interleaved({"score": score, "look": look}, options.rounds, warm_up=1)
    radii = tuple(round(share * subjects[0].gan.prior_radius / 2, 2) for share in SHARES)
    plan = Plan(radii, options.samples, options.repeats)
    rows = counted(plan, subjects)
    first: list[float] = []

    def curves() -> None:
        started = time.perf_counter()
        for index, _ in enumerate(sweep(subjects, plan)):
            if index == 0:
                first.append(time.perf_counter() - started)

    def passes() -> None:
        for subject, count in zip(subjects, rows, strict=True):
            bare(subject, count)

    seconds = interleaved({"curves": curves, "bare": passes}, options.rounds, warm_up=0)
    print(f"rows of each model: {', '.join(str(dict(count)) for count in rows)}")
    report(
        "evidence",
        {
            "scores_over_images": ratio(scoring["score"], scoring["look"]),
            "curves_over_bare": ratio(seconds["curves"], seconds["bare"]),
            "first_points_over_curves": ratio(first, seconds["curves"]),
        },
    )


if __name__ == "__main__":
    main()
