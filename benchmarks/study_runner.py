"""What running a study costs beyond its trainings and evaluations: `python benchmarks/study_runner.py`.

Forty tiny DCGANs on the digits are trained and evaluated one after the other by bare calls, by `rgan study` with one
worker, and with two. Figures: overhead, a study over the bare calls; two_workers, how many times faster two are.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import torch
from measure import report

from rgan.paper.plan import StudyPlan, parse
from rgan.paper.pools import LocalPool
from rgan.paper.runner import StudyRun
from rgan.paper.work import Task, work

PLAN = """
data = "digits"
seeds = {seeds}
[recipes.tiny]
system = "dcgan"
iterations = {iterations}
size = 25
width = 4
latent = 16
batch = 16
precision = "float32"
[robust.own]
noise_radius = 1
image_radius = 1
weight = 1
players = ["both", "critic", "generator"]
[evaluation]
radii = [0.5, 1]
repeats = 1
samples = 100
budget = 10
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of four models each")
    parser.add_argument("--iterations", type=int, default=150)
    options = parser.parse_args()
    torch.set_num_threads(1)
    plan = parse(PLAN.format(seeds=options.seeds, iterations=options.iterations))
    folder = Path(tempfile.mkdtemp(prefix="rgan-study-"))
    try:
        _bare(plan, folder / "warm", 2)
        bare = _bare(plan, folder / "bare", len(plan.models))
        one, two = (_study(plan, folder / str(workers), workers) for workers in (1, 2))
    finally:
        shutil.rmtree(folder)
    print(f"{len(plan.models)} models: bare {bare:.1f} s, one worker {one:.1f} s, two workers {two:.1f} s")
    report("study_runner", {"overhead": one / bare, "two_workers": one / two})


def _bare(plan: StudyPlan, folder: Path, count: int) -> float:
    """Seconds of the trainings and evaluations alone."""
    folder.mkdir()
    started = time.perf_counter()
    for model in plan.models[:count]:
        for evaluation in (None, plan.evaluation):
            with closing(work(Task(model.name, folder, model.training, evaluation))) as steps:
                for _ in steps:
                    pass
    return time.perf_counter() - started


def _study(plan: StudyPlan, folder: Path, workers: int) -> float:
    started = time.perf_counter()
    with StudyRun(plan, folder, LocalPool(workers)) as run:
        for _ in run.steps():
            pass
        assert not run.state.left_out
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
