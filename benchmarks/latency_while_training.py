"""Slider release → new image while a training runs behind the app: `python benchmarks/latency_while_training.py`.

One server. Moves on the Worst noise screen are timed as in app_latency.py, in blocks that take turns: the training
paused, the training running (a robust DCGAN of width 32 on the digits, 32×32 px). Also what the moves cost the
training: its iterations a second beside them over those when nobody moves anything.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time

from app_latency import latencies, watched
from measure import report
from playwright.sync_api import Page
from serving import IDLE, Server, chromium

NAME = "digits-dcgan-s0-robust"


def press(page: Page, address: str, button: str, then: str) -> int:
    """Press a button of the run on the Train screen and leave it; the run's iteration once its state is `then`."""
    page.goto(f"{address}/train?run={NAME}")
    page.wait_for_selector(IDLE, timeout=60_000)
    page.get_by_role("button", name=button).click()
    page.wait_for_selector(f".run-state[data-state={then}]", timeout=60_000)
    words = page.locator(".run-state").inner_text()
    page.goto("about:blank")
    return int(words.split("iteration ")[1].split(" of")[0].replace(",", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--moves", type=int, default=10, help="in each block")
    options = parser.parse_args()
    rng = random.Random(0)
    idle: list[float] = []
    busy: list[float] = []
    moved: list[float] = []
    alone: list[float] = []
    with tempfile.TemporaryDirectory() as runs:
        server = Server(environment={"RGAN_RUNS": runs})
        server.start()
        try:
            with chromium() as browser:
                control = browser.new_page()
                control.goto(f"{server.address}/train?iterations=1000000")
                control.get_by_text("an iteration, measured").wait_for(timeout=60_000)
                control.get_by_role("button", name="Train this one").click()
                control.wait_for_selector(".run-state[data-state=running]", timeout=60_000)
                page = watched(browser, server.address)
                at = press(control, server.address, "Pause", "paused")
                for _ in range(options.blocks):
                    idle += latencies([page], options.moves, rng)[0]
                    for rates in (moved, alone):
                        press(control, server.address, "Resume", "running")
                        started = time.perf_counter()
                        if rates is moved:
                            busy += latencies([page], options.moves, rng)[0]
                        else:
                            page.wait_for_timeout(10_000)
                        took = time.perf_counter() - started
                        after = press(control, server.address, "Pause", "paused")
                        rates.append((after - at) / took)
                        at = after
        finally:
            server.stop()
    report(
        "latency_while_training",
        {
            "idle_p50_ms": statistics.median(idle),
            "training_p50_ms": statistics.median(busy),
            "training_over_idle": statistics.median(busy) / statistics.median(idle),
            "training_p95_over_idle_p95": statistics.quantiles(busy, n=20)[-1] / statistics.quantiles(idle, n=20)[-1],
            "iterations_while_moving_over_alone": statistics.mean(moved) / statistics.mean(alone),
        },
    )


if __name__ == "__main__":
    main()
