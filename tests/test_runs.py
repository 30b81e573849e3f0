"""Runs and jobs: exact resume, stop, pause, failure, and what a folder tells afterwards."""

import time

import pytest
import torch

from rgan import checkpoints, runs
from rgan.errors import RunError
from rgan.jobs import Gate, Jobs
from rgan.recipes import Robust, recipe
from rgan.runs import Plan, Run
from rgan.training import Trainer

SMALL = {"channels": 1, "width": 4, "latent": 6, "batch": 8}


def plan(iterations: int = 8, system: str = "dcgan") -> Plan:
    return Plan(recipe(system, Robust(1.0, 1.0, 1.0), **SMALL), "digits", iterations, precision="float32", device="cpu")


def until(jobs: Jobs, name: str, state: str) -> runs.Record:
    for _ in range(600):
        record = jobs.record(name)
        if record.state == state:
            return record
        time.sleep(0.05)
    raise AssertionError(f"{name} is {record.state}, not {state}: {record.message}")


@pytest.mark.parametrize("system", ["dcgan", "wgan-gp"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path, system):
    for name, stops in (("whole", [8]), ("parts", [3, 4, 8])):
        runs.create(tmp_path / name, plan(system=system))
        for stop in stops:
            with Run(tmp_path / name) as run:
                for progress in run.steps():
                    if progress.iteration == stop:
                        break
                run.save()
    states = []
    for name in ("whole", "parts"):
        with Run(tmp_path / name) as run:
            states.append(run.trainer.state())
    (whole, facts), (parts, other) = states
    assert whole.keys() == parts.keys() and facts["history"] == other["history"] and len(facts["history"]) == 8
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert any(name.startswith("critic_optimiser") for name in whole)


def test_jobs_stop_resume_and_finish(tmp_path):
    jobs = Jobs(tmp_path)
    jobs.start({"one": plan(100_000), "two": plan(5)})
    with pytest.raises(RunError, match="holds a run"):
        jobs.start({"one": plan()})
    while jobs.record("one").iteration < 3:
        time.sleep(0.02)
    assert jobs.record("two").state == "queued"
    jobs.pause("one")
    at = until(jobs, "one", "paused").iteration
    time.sleep(0.3)
    assert jobs.record("one").iteration == at and jobs.record("two").state == "queued"
    jobs.resume("one")
    until(jobs, "one", "running")
    jobs.stop("one")
    stopped = until(jobs, "one", "stopped")
    assert checkpoints.load(stopped.checkpoint).training.iterations == stopped.iteration >= at
    finished = until(jobs, "two", "finished")
    assert finished.iteration == 5 and finished.images[-1][0] == 5
    jobs.remove("two")
    assert jobs.names() == ["one"]
    jobs.close()


def test_an_exception_is_told_in_words_and_the_next_run_trains(tmp_path, monkeypatch):
    real = Trainer.step

    def broken(self, pause):
        if self.recipe.latent == 7 and self.iteration == 2:
            raise ValueError("no more")
        return real(self, pause)

    monkeypatch.setattr(Trainer, "step", broken)
    bad = Plan(recipe("dcgan", **SMALL | {"latent": 7}), "digits", 9, precision="float32")
    jobs = Jobs(tmp_path)
    jobs.start({"bad": bad, "good": plan(3)})
    assert "ValueError: no more" in until(jobs, "bad", "failed").message
    until(jobs, "good", "finished")
    jobs.close()


def test_the_gate_holds_training_back_but_never_for_long():
    gate = Gate(patience=0.2, linger=0.05)
    started = time.monotonic()
    gate.wait()
    assert time.monotonic() - started < 0.1
    with gate.interactive():
        started = time.monotonic()
        gate.wait()
        assert 0.15 < time.monotonic() - started < 2
