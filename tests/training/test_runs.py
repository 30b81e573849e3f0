"""Runs and jobs: exact resume, stop, pause, failure, and what a folder tells afterwards."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from rgan.common.errors import DataError, FileError, RunError, SettingsError
from rgan.models import checkpoints
from rgan.models.gan import prior_noise
from rgan.models.recipes import Robust, recipe
from rgan.models.systems import SYSTEMS
from rgan.networks.companions import Companion
from rgan.report.charts.basic import Line, curves, moving_mean
from rgan.training import runs
from rgan.training.jobs import Gate, Jobs, measure
from rgan.training.runs import Run, TrainingPlan
from rgan.training.trainer import Trainer
from tests.nightly import mostly_nightly

COMPANIONS = [name for name, one in SYSTEMS.items() if one.family.companion is not Companion]
SMALL = {"channels": 1, "width": 4, "latent": 6, "batch": 8}


def plan(iterations: int = 8, system: str = "dcgan") -> TrainingPlan:
    return TrainingPlan(
        recipe(system, Robust(1.0, 1.0, 1.0), **SMALL), "digits", iterations, precision="float32", device="cpu"
    )


def until(jobs: Jobs, name: str, state: str) -> runs.Record:
    for _ in range(600):
        record = jobs.record(name)
        if record.state == state:
            return record
        time.sleep(0.05)
    raise AssertionError(f"{name} is {record.state}, not {state}: {record.message}")


def once(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited for a minute"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "system", mostly_nightly(["dcgan", "wgan-gp", "wgan", "ct-gan", "sngan-cnn", *COMPANIONS], "wgan-gp", "began")
)
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
    once(lambda: jobs.record("one").iteration >= 3)
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
    bad = TrainingPlan(recipe("dcgan", **SMALL | {"latent": 7}), "digits", 9, precision="float32")
    jobs = Jobs(tmp_path)
    jobs.start({"bad": bad, "good": plan(3)})
    assert "ValueError: no more" in until(jobs, "bad", "failed").message
    until(jobs, "good", "finished")
    jobs.close()


def test_the_gate_holds_training_back_but_never_for_long():
    Gate(patience=3600, linger=3600).wait()  # nobody is interactive, so it returns
    gate = Gate(patience=0.2, linger=3600)
    with gate.interactive():
        started = time.monotonic()
        gate.wait()
        assert time.monotonic() - started > 0.15


def test_names_and_numbers_of_waiting_runs_are_limited(tmp_path):
    jobs = Jobs(tmp_path)
    for bad in ("../up", "", "A b", ".hidden", "x" * 80):
        with pytest.raises(SettingsError, match="expected a name of small letters"):
            jobs.start({"fine": plan(), bad: plan()})
    assert jobs.names() == [], "all of them or none"
    with pytest.raises(RunError, match="at most 20 waiting runs"):
        jobs.start({f"run{index}": plan() for index in range(21)})
    with pytest.raises(RunError, match="found none"):
        jobs.resume("nobody")
    jobs.close()


def test_one_folder_is_trained_by_one_process(tmp_path):
    runs.create(tmp_path / "one", plan())
    other = (
        "import sys, pathlib, rgan.training.runs as runs\n"
        "with runs.Run(pathlib.Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", other, str(tmp_path / "one")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        assert runs.read(tmp_path / "one").state == "running"
        with pytest.raises(RunError, match="another process trains"):
            Run(tmp_path / "one")
        jobs = Jobs(tmp_path)
        with pytest.raises(RunError, match="stop it first"):
            jobs.remove("one")
        with pytest.raises(RunError, match="another process trains it"):
            jobs.stop("one")
        process.kill()
    assert runs.read(tmp_path / "one").state == "interrupted"
    jobs.remove("one")
    assert not (tmp_path / "one").exists()


def test_a_full_disk_stops_nothing_and_what_was_kept_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "KEEP_SECONDS", 0.2)
    full = False
    sync = os.fsync

    def fsync(file):
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    jobs = Jobs(tmp_path)
    jobs.start({"one": plan(1_000_000)})
    once(lambda: jobs.record("one").iteration >= 5 and (tmp_path / "one" / runs.RESUME).exists())
    full = True
    once(lambda: "No space left" in jobs.record("one").message)
    at = jobs.record("one").iteration
    once(lambda: jobs.record("one").iteration >= at + 20)
    assert jobs.record("one").state == "running"
    assert 0 < runs.read(tmp_path / "one").iteration <= at
    jobs.stop("one")
    held = until(jobs, "one", "paused")
    assert "free some space" in held.message and held.iteration > at
    assert not list((tmp_path / "one").glob(".*.part"))
    full = False
    jobs.stop("one")
    stopped = until(jobs, "one", "stopped")
    assert stopped.iteration == held.iteration and not stopped.message
    assert checkpoints.load(stopped.checkpoint).training.iterations == held.iteration
    jobs.close()


def test_a_disk_without_room_for_a_run_is_said_before_training(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(runs.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FileError, match="MiB of free space"):
        runs.create(tmp_path / "one", plan())


def test_the_space_asked_for_covers_what_a_run_writes(tmp_path):
    wide = TrainingPlan(recipe("dcgan", channels=1, width=16, latent=16, batch=8), "digits", 3, device="cpu")
    runs.create(tmp_path / "one", wide)
    with Run(tmp_path / "one") as run:
        for _ in run.steps():
            pass
        run.save()
    written = sum(file.stat().st_size for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert written < runs.space(wide.recipe) < 20 * written


def test_tensorboard_reads_the_curves_also_after_a_resume(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs.create(tmp_path / "one", plan(6))
    with Run(tmp_path / "one") as run:
        for progress in run.steps():
            if progress.iteration == 3:
                run.save()
            if progress.iteration == 4:  # written, never kept: the resumed run makes it again
                break
    with Run(tmp_path / "one") as run:
        for _ in run.steps():
            pass
        history = run.trainer.history
    events = EventAccumulator(str(tmp_path / "one")).Reload()
    for name in ("generator", "critic", "real", "fake", "worst_gap"):
        points = events.Scalars(name)
        assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
        assert np.allclose([point.value for point in points], [row[name] for row in history])
    assert events.Images("images")


def test_scores_of_a_run_are_in_its_history_and_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "SCORE_STRIDE", 3)
    monkeypatch.setattr(runs, "SCORES", 2)
    weights = []
    for name, judged in (("with", True), ("without", False)):
        if not judged:
            monkeypatch.setattr(runs.judges, "SHIPPED", tmp_path)  # no judge of any data lies there
        runs.create(tmp_path / name, plan(8))
        with Run(tmp_path / name) as run:
            for _ in run.steps():
                if judged and run.trainer.iteration == 4:
                    images = run.trainer.images(prior_noise(6, 500, 0))
            weights.append(run.trainer.generator.state_dict())
            found = [row for row in run.trainer.history if "score" in row]
        if not judged:
            assert not found
            continue
        assert [row["iteration"] for row in found] == [4, 8]
        logits = runs.judges.shipped("digits").logits(images).double()
        p = logits.softmax(dim=1)
        divergence = (p * (p.log() - p.mean(dim=0).log())).sum(dim=1).mean().exp()
        assert found[0]["score"] == pytest.approx(float(divergence), rel=1e-5)
    assert all(torch.equal(one, other) for one, other in zip(weights[0].values(), weights[1].values(), strict=True))


def test_a_measured_iteration_takes_about_as_long_as_a_real_one(monkeypatch):
    """An iteration has a critic and a generator update, each slowed down by a known time here."""
    real = torch.optim.Adam.step

    def slow(self):
        time.sleep(0.05)
        return real(self)

    monkeypatch.setattr(torch.optim.Adam, "step", slow)
    assert 0.1 < measure(plan()) < 0.3


def test_diverging_says_so_and_keeps_the_last_good_weights(tmp_path, monkeypatch):
    from rgan.training import trainer

    monkeypatch.setattr(trainer, "KEEP_EVERY", 2)
    real = Trainer.step

    def broken(self, pause):
        metrics = real(self, pause)
        return metrics | {"critic": torch.tensor(float("nan"))} if self.iteration == 7 else metrics

    monkeypatch.setattr(Trainer, "step", broken)
    jobs = Jobs(tmp_path)
    jobs.start({"one": plan(20)})
    failed = until(jobs, "one", "failed")
    assert "weights of iteration 6 are kept" in failed.message
    assert checkpoints.load(failed.checkpoint).training.iterations == 6
    jobs.close()


def test_closing_keeps_the_last_iteration(tmp_path):
    jobs = Jobs(tmp_path)
    jobs.start({"one": plan(1_000_000)})
    once(lambda: jobs.record("one").iteration >= 10)
    at = jobs.record("one").iteration
    jobs.close(60)
    left = runs.read(tmp_path / "one")
    assert left.state == "interrupted" and left.iteration >= at


def test_interactive_work_comes_first(tmp_path):
    """While someone computes, an iteration waits for the gate's patience before each of its two updates."""
    jobs = Jobs(tmp_path)
    jobs.gate.patience = 0.2
    jobs.start({"one": plan(1_000_000)})
    once(lambda: jobs.record("one").iteration >= 3)
    with jobs.gate.interactive():
        time.sleep(0.3)
        at = jobs.record("one").iteration
        time.sleep(1.0)
        assert jobs.record("one").iteration - at <= 4
    once(lambda: jobs.record("one").iteration > at + 8)  # nobody computes any more
    jobs.close()


def test_curves_are_smoothed_by_a_centred_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(size=101)
    inside = np.convolve(values, np.ones(9) / 9, mode="valid")
    smooth = moving_mean(values, 9)
    assert np.allclose(smooth[4:-4], inside) and smooth[0] == pytest.approx(values[:5].mean())
    figure = curves([Line("loss", range(101), values.tolist(), "#2B7CC9")])
    assert [len(trace.y) for trace in figure.data] == [101, 101]


def test_a_falling_learning_rate_sets_the_last_iteration(tmp_path):
    """A longer run is refused before anything is written, and the run can still be resumed."""
    made = recipe("sngan-cnn", **SMALL, decay=4)
    with pytest.raises(SettingsError, match="at most 4 iterations"):
        TrainingPlan(made, "digits", 5)
    runs.create(tmp_path / "run", TrainingPlan(made, "digits", 4, device="cpu", precision="float32"))
    before = (tmp_path / "run" / runs.PLAN).read_bytes()
    with pytest.raises(SettingsError, match="start a new run"):
        Run(tmp_path / "run", iterations=8)
    assert (tmp_path / "run" / runs.PLAN).read_bytes() == before
    with Run(tmp_path / "run") as run:
        assert [progress.iteration for progress in run.steps()] == [1, 2, 3, 4]
        (rate,) = (group["lr"] for group in run.trainer.critic_optimiser.param_groups)
    assert rate == pytest.approx(2e-4 / 4)


def test_a_run_is_not_continued_on_other_images(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "mine").mkdir()
    for index in range(12):
        pixels = rng.integers(0, 256, (32, 32), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mine" / f"{index}.png")
    made = TrainingPlan(recipe("dcgan", **SMALL), "mine", 5, device="cpu", precision="float32", data_root=str(tmp_path))
    runs.create(tmp_path / "run", made)
    with Run(tmp_path / "run") as run:
        next(run.steps())
        run.save()
    (tmp_path / "mine" / "3.png").unlink()
    with pytest.raises(DataError, match="got others in mine"):
        Run(tmp_path / "run")
    Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(tmp_path / "mine" / "3.png")
    with pytest.raises(DataError, match="put the old ones back"):
        Run(tmp_path / "run")


def test_a_run_of_a_release_that_kept_less_goes_on(tmp_path):
    runs.create(tmp_path / "run", plan(3))
    with Run(tmp_path / "run") as run:
        next(run.steps())
        run.trainer.state = lambda keep=run.trainer.state: (
            keep()[0],
            {k: v for k, v in keep()[1].items() if k != "data"},
        )
        run.save()
    assert runs.read(tmp_path / "run").iteration == 1
    with Run(tmp_path / "run") as run:
        assert [progress.iteration for progress in run.steps()] == [2, 3]


def test_networks_too_large_to_be_loaded_again_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="smaller width"):
        runs.create(tmp_path / "run", TrainingPlan(recipe("dcgan", channels=1, width=512), "digits", 5))
    assert not (tmp_path / "run").exists()


def test_images_are_prepared_in_sight_and_a_stop_is_heeded(tmp_path, monkeypatch):
    from rgan.data.image_files import ImageFiles

    slow = ImageFiles.image
    monkeypatch.setattr(ImageFiles, "image", lambda self, name: (time.sleep(0.01), slow(self, name))[1])
    (tmp_path / "mine").mkdir()
    for index in range(400):
        Image.new("L", (32, 32), index % 256).save(tmp_path / "mine" / f"{index:03}.png")
    jobs = Jobs(tmp_path / "runs")
    made = TrainingPlan(recipe("dcgan", **SMALL), "mine", 3, device="cpu", precision="float32", data_root=str(tmp_path))
    jobs.start({"one": made})
    once(lambda: "of 400" in jobs.record("one").doing)
    jobs.stop("one")
    assert until(jobs, "one", "stopped").iteration == 0
    assert not list((tmp_path / "prepared").glob("*/images.raw"))
    jobs.resume("one")
    finished = until(jobs, "one", "finished")
    assert finished.iteration == 3 and not finished.doing
    jobs.close()
