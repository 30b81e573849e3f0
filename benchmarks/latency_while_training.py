"""What a visitor feels while a training runs behind the app, over what they feel when it rests:
`python benchmarks/latency_while_training.py`.

One server. Another seed to its first pictures and dragging, on Worst noise of the digits, as in app_latency.py, in
blocks that take turns: the training paused, the training running (a robust DCGAN of width 32 on the digits, 32×32 px).
Also what visitors cost the training: its iterations a second beside them over those when nobody moves anything.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

from app_latency import SETTLED, Felt, felt, opened
from measure import report
from playwright.sync_api import Page
from serving import IDLE, Server, chromium

NAME = "digits-dcgan-s0-robust"
LINK = "worst-noise?a=digits-dcgan&b=digits-dcgan-robust&budget=live"


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--settings", type=int, default=5, help="other seeds in each block")
    parser.add_argument("--seconds", type=float, default=2, help="of dragging in each block")
    options = parser.parse_args()
    idle: list[Felt] = []
    busy: list[Felt] = []
    moved: list[float] = []
    alone: list[float] = []
    seed = 300
    with tempfile.TemporaryDirectory() as runs:
        server = Server(environment={"RGAN_RUNS": runs})
        server.start()
        try:
            with chromium() as browser:
                control = browser.new_page()
                control.goto(f"{server.address}/train?data=digits&iterations=1000000")
                control.get_by_text("an iteration, measured").wait_for(timeout=60_000)
                control.get_by_role("button", name="Train this one").click()
                control.wait_for_selector(".run-state[data-state=running]", timeout=60_000)
                at = press(control, server.address, "Pause", "paused")
                page, _ = opened(browser, f"{server.address}/{LINK}")

                def block() -> Felt:
                    nonlocal seed
                    found = felt(page, options.seconds, range(seed, seed + options.settings))
                    seed += options.settings
                    return found

                block()  # warms up
                for _ in range(options.blocks):
                    idle.append(block())
                    page.wait_for_function(SETTLED, timeout=600_000)
                    for rates in (moved, alone):
                        press(control, server.address, "Resume", "running")
                        started = time.perf_counter()
                        if rates is moved:
                            busy.append(block())
                        else:
                            page.wait_for_timeout(10_000)
                        took = time.perf_counter() - started
                        after = press(control, server.address, "Pause", "paused")
                        rates.append((after - at) / took)
                        at = after
        finally:
            server.stop()

    def median(found: list[Felt], name: str) -> float:
        return statistics.median(getattr(one, name) for one in found)

    report(
        "latency_while_training",
        {
            "idle_setting_ms": median(idle, "setting"),
            "training_setting_ms": median(busy, "setting"),
            "training_over_idle": median(busy, "setting") / median(idle, "setting"),
            "idle_drag": median(idle, "drag"),
            "training_drag": median(busy, "drag"),
            "iterations_while_moving_over_alone": statistics.mean(moved) / statistics.mean(alone),
        },
    )


if __name__ == "__main__":
    main()
