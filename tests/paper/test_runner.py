"""A study at work: what is killed, lost or failed costs itself alone, and the numbers are those of its parts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rgan.common.errors import RunError
from rgan.metrics import judges, scores
from rgan.models import checkpoints
from rgan.paper import archive, evaluation, study, tables
from rgan.paper.plan import parse
from rgan.paper.pools import LocalPool
from rgan.paper.runner import PROGRESS, StudyRun
from rgan.report.study_page import study_page
from rgan.training import runs

PLAN = """
title = "Tiny"
seeds = 1
data = "digits"

[recipes.tiny]
system = "dcgan"
iterations = {iterations}
width = 2
latent = 4
size = 25
batch = 4

[robust.own]
noise_radius = 1
image_radius = 1
weight = 1

[evaluation]
radii = [0.5, 1]
repeats = 1
samples = 100
budget = 2
objectives = ["critic", "judge"]
"""
ENDS = 800.0  # seconds in which whatever is waited for has happened, on a busy machine too


def finished(folder: Path, plan, workers=1):
    """The study of a plan, made to its end."""
    with StudyRun(plan, folder, LocalPool(workers)) as run:
        *_, last = run.steps()
        found = run.found()
        run.write(found, study_page(found))
    return last, found


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A small study: its folder, last state and what was found."""
    folder = tmp_path_factory.mktemp("study")
    return folder, *finished(folder, parse(PLAN.format(iterations=6)))


def weights(folder: Path, name: str) -> dict[str, torch.Tensor]:
    return checkpoints.load(folder / "models" / name / runs.CHECKPOINT).generator.state_dict()


def until(true, what: str) -> None:
    end = time.monotonic() + ENDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_its_models_and_numbers_are_those_of_training_and_evaluating_one_by_one(known, tmp_path):
    folder, last, found = known
    assert (last.done, last.total, last.share, last.left_out) == (2, 2, 1.0, ())
    for model in parse(PLAN.format(iterations=6)).models:
        alone = tmp_path / model.name
        runs.create(alone, model.training)
        with runs.Run(alone) as run:
            list(run.steps())
            run.save()
        mine, theirs = checkpoints.load(alone / runs.CHECKPOINT), weights(folder, model.name)
        assert all(torch.equal(value, theirs[name]) for name, value in mine.generator.state_dict().items())
        judge, attacked = (judges.shipped("digits", role) for role in ("measuring", "attacked"))
        scoring = evaluation.Scoring(scores.by_judge(judge), judge, attacked)
        *_, done = evaluation.evaluate(mine, found.settings, scoring)
        (kept,) = [one.evaluation for one in found.models if one.name == model.name]
        assert kept.rows == done.found.rows and kept.strength == done.found.strength


def test_both_searches_find_what_their_own_measure_calls_worse(known):
    *_, found = known
    for model in found.models:
        gan = checkpoints.load(model.path)
        judge = judges.shipped("digits", "attacked")
        z = gan.noise(100, 0)
        for radius in (0.5, 1.0):
            critic, random = (model.evaluation.mean("loss", noise, radius, "critic") for noise in ("worst", "random"))
            assert critic > max(random, model.evaluation.mean("loss"))
            worst, random = (
                float(judge.opinion(gan.images(z + move)).distance.mean()) for move in moved(gan, judge, z, radius)
            )
            assert worst > random
        assert set(model.evaluation.strength) == {"critic", "judge"}


def moved(gan, judge, z, radius):
    """Worst noise for a judge and random noise as long, searched here once more."""
    from rgan.attack.objectives import JUDGE, objective_for
    from rgan.attack.perturbation import with_controls
    from rgan.attack.search import Attack

    objective = objective_for(gan, JUDGE, z, judge=judge)
    *_, found = objective.search(z, Attack((radius,), gradients=2), seed=0)
    pair = with_controls(objective.loss, found, seed=0, best_random=False)
    return pair.r, pair.random


def test_an_evaluation_that_is_killed_goes_on_with_the_searches_it_has(known, tmp_path):
    _, _, found = known
    (model, *_), judge = found.models, judges.shipped("digits")
    gan = checkpoints.load(model.path)
    scoring = evaluation.Scoring(scores.by_judge(judge), judge, judges.shipped("digits", "attacked"))
    parts = tmp_path / "parts"
    for progress in evaluation.evaluate(gan, found.settings, scoring, parts=parts):
        assert progress.found is None
        if len(list(parts.glob("*"))) == 3:
            break  # two chunks by the critic, and one radius of its strength
    searched = []
    original = evaluation.Objective.search

    def counted(self, z, *rest, **more):
        searched.append(len(z))
        return original(self, z, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation.Objective, "search", counted)
        *_, last = evaluation.evaluate(gan, found.settings, scoring, parts=parts)
    assert searched == [50, 50], "only those by the judge"
    assert last.found.rows == model.evaluation.rows and not parts.exists()


@pytest.mark.timeout(1800)  # whole processes, which a busy machine starts slowly
def test_a_study_that_is_killed_goes_on_without_losing_a_model(tmp_path):
    text = PLAN.format(iterations=80)
    (tmp_path / "plan.toml").write_text(text)
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "rgan", "study", str(tmp_path / "plan.toml"), "--out", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    plain, robust = (folder / "models" / f"tiny-{row}-s0" for row in ("plain", "own"))
    until(lambda: (robust / runs.RESUME).exists(), "the second training was never kept")
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not runs.busy(robust), "the worker of a killed study works on")
    (evaluated,) = (folder / "evaluations").glob("*.json")
    before = evaluated.stat().st_mtime_ns, (plain / runs.CHECKPOINT).stat().st_mtime_ns
    assert runs.read(robust).iteration > 0
    plan = parse(text)
    last, _ = finished(folder, plan)
    assert last.done == 2 and not last.left_out
    assert before == (evaluated.stat().st_mtime_ns, (plain / runs.CHECKPOINT).stat().st_mtime_ns), "done once"
    uninterrupted = tmp_path / "again"
    runs.create(uninterrupted, next(model.training for model in plan.models if "own" in model.name))
    with runs.Run(uninterrupted) as run:
        list(run.steps())
        expected = run.trainer.gan().generator.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in weights(folder, "tiny-own-s0").items())


def test_a_worker_that_dies_costs_its_task_alone_and_what_cannot_be_trained_is_left_out(tmp_path):
    plan = parse(PLAN.format(iterations=40))
    damaged = tmp_path / "out" / "models" / "tiny-own-s0"
    runs.create(damaged, plan.models[1].training)
    (damaged / runs.RESUME).write_bytes(b"not a state")
    pool, killed = LocalPool(2), []
    with StudyRun(plan, tmp_path / "out", pool) as run:
        for _ in run.steps():
            busy = [worker for worker in pool._busy.values() if worker.task.name == "tiny-plain-s0"]
            if busy and not killed:
                killed.append(busy[0].process.pid)
                os.kill(killed[0], signal.SIGKILL)
        found, last = run.found(), run.state
    assert killed and [model.name for model in found.models] == ["tiny-plain-s0"]
    assert [one.name for one in last.left_out] == ["tiny-own-s0"] and "damaged" in last.left_out[0].reason
    assert "expected the state of a run" in study_page(found)
    told = json.loads((tmp_path / "out" / PROGRESS).read_bytes())
    assert (told["done"], told["total"], told["ended"]) == (1, 2, True)


def test_a_folder_keeps_its_models_and_one_study_at_a_time(known):
    folder, _, found = known
    other = parse(PLAN.format(iterations=7))
    with pytest.raises(RunError, match="settings"):
        StudyRun(other, folder, LocalPool(1))
    pool = LocalPool(1)
    with StudyRun(parse(PLAN.format(iterations=6)), folder, pool) as run:
        with pytest.raises(RunError, match="another process"):
            StudyRun(parse(PLAN.format(iterations=6)), folder, LocalPool(1))
        (last,) = run.steps()
        assert last.done == 2 and not pool._idle, "nothing is begun where all is done"
        assert run.found() == found


def test_what_is_archived_is_the_same_study(known):
    folder, _, found = known
    again = archive.load(folder / archive.FILE)
    assert tables.files(again) == tables.files(found)
    assert study_page(again).split("<h2>")[1:] == study_page(found).split("<h2>")[1:]
    for damaged in (b"", b"{}", b'{"version": 9}', (folder / archive.FILE).read_bytes()[:-40]):
        with pytest.raises(archive.FileError, match=r"study\.json"):
            archive.from_json(damaged)
    assert {model.name for model in study.survey(study.find([folder / "models"]))[0]} == {
        model.name for model in again.models
    }
