"""The Train screen in a real browser, before a real server that is reloaded, watched by two, and killed."""

import multiprocessing
import os
import random
import re
import runpy
import shutil
import sys
import time
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
import torch
from playwright.sync_api import Page, expect

from benchmarks.serving import Server
from rgan.models import checkpoints
from rgan.models.recipes import Robust, recipe
from rgan.training import runs
from rgan.training.runs import Run, TrainingPlan
from tests.conftest import PATIENCE, QUICK_APP, ROOT
from tests.nightly import nightly

pytestmark = [nightly, pytest.mark.timeout(900)]  # each waits for several things
TINY = "data=digits&width=8&latent=16"  # measured and trained in no time


@pytest.fixture
def server(models, tmp_path):
    made = WarmServer(QUICK_APP, environment={"RGAN_RUNS": str(tmp_path / "runs")})
    made.start()
    yield made
    made.kill()


class WarmServer(Server):
    """A server that is forked from a process with most imports done: `start` takes a moment instead of seconds.

    Nothing is imported there that begins threads, as pandas and scikit-learn do: a fork would leave them behind.
    """

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["streamlit.web.cli", "plotly.express", "scipy.stats", "rgan.paper.study"])
        self.process = context.Process(target=_serve, args=(self.command[2:], self._folder, self._environment))
        # Streamlit's AppTest leaves the app's page as this process's main program; it is not to run in the new one.
        with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
            self.process.start()
        self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Turn this process into the program `python -m` with these arguments."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def state(page: Page, name: str):
    """The line of a run's state: `data-state`, and "iteration 12 of 100"."""
    title = page.locator(".model", has=page.get_by_text(name, exact=True))
    return page.locator("[data-testid=stColumn]", has=title).first.locator(".run-state")


def iteration(page: Page, name: str) -> int:
    found = re.search(r"iteration ([\d,]+) of", state(page, name).text_content())
    return int(found[1].replace(",", ""))


def has_state(page: Page, name: str, expected: str) -> None:
    expect(state(page, name)).to_have_attribute("data-state", expected)


def grows(page: Page, name: str, beyond: int) -> None:
    end = time.monotonic() + PATIENCE / 1000  # training has a low priority
    while iteration(page, name) <= beyond:
        assert time.monotonic() < end, f"{name} stays at {beyond}"
        page.wait_for_timeout(100)


def snapshot_after(moment: float, folder: Path) -> None:
    """Wait until the run in this folder has been kept later than this moment."""
    while not (folder / runs.RESUME).exists() or (folder / runs.RESUME).stat().st_mtime <= moment:
        assert time.time() < moment + PATIENCE / 1000, "nothing is kept of a training that runs"
        time.sleep(0.1)


def test_a_pair_is_trained_watched_and_opened(page: Page, browser, server):
    baseline, robust = "digits-dcgan-s0", "digits-dcgan-s0-robust"
    page.goto(f"{server.address}/train?{TINY}&iterations=100000")
    page.get_by_text("About").and_(page.get_by_text("an iteration, measured")).wait_for()
    page.get_by_role("button", name="Train the pair").click()
    has_state(page, baseline, "running")
    has_state(page, robust, "queued")
    grows(page, baseline, 10)

    page.reload()
    has_state(page, baseline, "running")
    context = browser.new_context()
    other = context.new_page()
    other.goto(page.url)
    has_state(other, baseline, "running")
    at = iteration(other, baseline)
    page.close()
    grows(other, baseline, at + 10)

    other.get_by_role("button", name="Pause").click()
    has_state(other, baseline, "paused")
    at = iteration(other, baseline)
    other.wait_for_timeout(1500)
    assert iteration(other, baseline) == at
    other.get_by_role("button", name="Resume").click()
    grows(other, baseline, at)
    other.get_by_role("button", name="Stop").first.click()
    has_state(other, baseline, "stopped")
    has_state(other, robust, "running")
    grows(other, robust, 5)
    other.get_by_role("button", name="Stop").first.click()
    has_state(other, robust, "stopped")

    pictures = other.locator(".board.drawn img")
    expect(pictures).to_have_count(2)
    assert "iteration 0" not in pictures.first.get_attribute("alt")
    thumb = other.get_by_role("slider", name="Moment of the training")
    thumb.focus()
    other.keyboard.press("Home")
    expect(pictures.first).to_have_attribute("alt", f"{baseline}: images at iteration 0")

    other.get_by_role("link", name="Find its worst noise").first.click()
    expect(other.locator(".stage .pane canvas")).to_have_count(2)
    assert f"a=runs%2F{baseline}" in other.url and f"b=runs%2F{robust}" in other.url
    context.close()


def test_a_changed_source_file_disturbs_no_training(page: Page, models, tmp_path):
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    watching = ("--server.runOnSave", "true", "--server.fileWatcherType", "poll")
    server = Server(("-m", "streamlit", "run", "app/Home.py", *watching), folder=tmp_path)
    server.start()
    try:
        page.goto(f"{server.address}/train?{TINY}&iterations=100000&robust=off")
        page.get_by_role("button", name="Train this one").click()
        grows(page, "digits-dcgan-s0", 10)
        header = tmp_path / "app" / "screens" / "train" / "run_view.py"
        header.write_text(header.read_text().replace('"running": "training"', '"running": "being trained"'))
        expect(state(page, "digits-dcgan-s0")).to_contain_text("being trained")
        grows(page, "digits-dcgan-s0", iteration(page, "digits-dcgan-s0") + 5)
        page.get_by_role("button", name="Stop").click()
        has_state(page, "digits-dcgan-s0", "stopped")
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
    finally:
        server.kill()


KEPT = (2, 4)  # before these kills the run has been kept once more; before the others it may have been


def test_kill_at_random_moments_loses_little_and_breaks_nothing(page: Page, server: Server, tmp_path: Path):
    """Again and again: resume in the browser, kill the server some moment later, look at the files it left.

    The weights after all that are those of a training that nobody disturbed.
    """
    folder = tmp_path / "runs" / "victim"
    small = recipe("dcgan", Robust(1.0, 1.0, 1.0), channels=1, width=4, latent=6, batch=8)
    plan = TrainingPlan(small, "digits", 1_000_000, precision="float32", device="cpu")
    runs.create(folder, plan)
    rng = random.Random(0)
    kept = 0
    for kill in range(6):
        page.goto(f"{server.address}/train?{TINY}&robust=off&run=victim")
        has_state(page, "victim", "interrupted")
        page.get_by_role("button", name="Resume").click()
        if kill % 2:  # else: killed perhaps while the run is being opened
            has_state(page, "victim", "running")
        resumed = time.time()
        if kill in KEPT:
            snapshot_after(resumed, folder)
        page.wait_for_timeout(rng.uniform(0, 1000 if kill % 2 else 2000))
        killed = time.time()
        server.kill()
        record = runs.read(folder)
        assert record.state == "interrupted"
        assert record.iteration >= kept + (kill in KEPT), "a kept iteration is lost"
        kept = record.iteration
        last = (folder / runs.RESUME).stat().st_mtime if kept else 0.0
        assert killed - max(last, resumed) < 8, "more than a snapshot's interval is lost"
        if record.checkpoint is not None:
            assert checkpoints.load(record.checkpoint).training.iterations <= kept
        server.start()

    with Run(folder) as run:
        survived = run.trainer.state()[0]
    undisturbed = plan.trainer()
    while undisturbed.iteration < kept:
        undisturbed.step()
    whole = undisturbed.state()[0]
    assert whole.keys() == survived.keys() and all(torch.equal(whole[name], survived[name]) for name in whole)
