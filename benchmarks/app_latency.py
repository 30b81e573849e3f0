"""What a visitor feels, in Chromium before a real server: `python benchmarks/app_latency.py`.

drag_mnist, drag_faces: pictures a second while ε is dragged on Worst noise; settled_*: milliseconds from letting go to
the frame that stays, of which a screen shows 60 a second. setting_ms_*: from another seed to the first pictures of it.
first_over_kept: opening Worst noise to its first picture where it must be searched, over the same page where the path
is kept. home_after_paint_ms: from the page's own first paint to Home's first picture. session_mb: memory that a
session takes on the server. moves_growth: the server's memory after so many moves of ε over that before. process_mb: of
which library_mb is what importing torch and torchvision alone holds, streamlit_mb what Streamlit, plotly and scipy add,
and ours_mb the rest: models, judges, paths.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from class_of_forty import DRAWN, resident
from measure import report
from playwright.sync_api import Browser, Page
from serving import Server, chromium
from stage import DRAG
from visitor import Visitor

PAIRS = {"mnist": "a=mnist-dcgan&b=mnist-dcgan-robust&samples=64", "faces": "a=faces-dcgan&b=faces-dcgan-robust"}
SESSIONS = 10
LIMIT = 120_000  # milliseconds
SETTLED = "() => document.querySelector('.stage-place').stage.panes.every((pane) => pane.frames.done)"
WEIGHED = "print(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1])"


@dataclass(frozen=True)
class Felt:
    """Pictures a second while ε is dragged; milliseconds to settle, and from another seed to its first pictures."""

    drag: float
    settled: float
    setting: float


def ids(page: Page, before: str = "") -> str:
    """Wait for frames on the stage other than `before`; their ids."""
    found = page.wait_for_function(
        f"(before) => {{ const ids = ({DRAWN})(); return ids && ids !== before && ids; }}", arg=before,
        timeout=LIMIT, polling="raf",
    )  # fmt: skip
    return str(found.json_value())


def opened(browser: Browser, address: str) -> tuple[Page, float]:
    """A page, and milliseconds until its first picture."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    started = time.perf_counter()
    page.goto(address)
    ids(page)
    return page, 1000 * (time.perf_counter() - started)


def setting(page: Page, seed: int) -> float:
    """Milliseconds from another seed to its first pictures."""
    field = page.get_by_label("Seed", exact=True)
    before = ids(page)
    field.fill(str(seed))
    started = time.perf_counter()
    field.press("Enter")
    ids(page, before)
    return 1000 * (time.perf_counter() - started)


def felt(page: Page, seconds: float, seeds: range) -> Felt:
    """All of it on an open page, whose path is finished first: then nothing else is computed."""
    page.wait_for_function(SETTLED, timeout=10 * LIMIT)
    page.bring_to_front()
    dragged = page.evaluate(DRAG, seconds)
    return Felt(dragged["rate"], dragged["settled"], statistics.median(setting(page, seed) for seed in seeds))


# Notes when the first picture stands on the stage.
WATCH = f"""
(() => {{
  const drawn = {DRAWN};
  const look = () => {{ if (drawn()) window.firstPicture = performance.now(); else requestAnimationFrame(look); }};
  requestAnimationFrame(look);
}})()
"""


def after_paint(browser: Browser, address: str) -> float:
    """Milliseconds from the first paint of Home to its first picture."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("() => window.firstPicture", timeout=LIMIT)
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    took = page.evaluate(f"() => window.firstPicture - {paint}")
    page.close()
    return float(took)


async def session_mb(server: Server) -> float:
    """Megabytes that a session takes, of SESSIONS that look at one path that is kept."""
    before = resident(server.process.pid)
    visitors = [await Visitor(server.address).__aenter__() for _ in range(SESSIONS)]
    for visitor in visitors:
        await visitor.open("worst-noise?" + PAIRS["faces"])
        if not await visitor.until(lambda heard: heard.there, LIMIT / 1000):
            raise RuntimeError(f"no picture: {visitor.lost} {visitor.heard.errors}")
    took = (resident(server.process.pid) - before) / SESSIONS
    for visitor in visitors:
        await visitor.__aexit__(None, None, None)
    return took


def imported(modules: str) -> float:
    """Megabytes that a process with these modules holds."""
    code = f"import {modules}\n{WEIGHED}"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="of dragging")
    parser.add_argument("--moves", type=int, default=1000, help="of ε")
    parser.add_argument("--settings", type=int, default=5, help="other seeds")
    options = parser.parse_args()
    runs = tempfile.mkdtemp()
    server = Server(environment={"RGAN_RUNS": runs})
    server.start()
    figures: dict[str, float] = {}
    try:
        with chromium() as browser:
            opened(browser, server.address)[0].close()  # imports
            figures["home_after_paint_ms"] = statistics.median(after_paint(browser, server.address) for _ in range(3))
            searched, kept = [], []
            for seed in range(100, 103):
                link = f"{server.address}/worst-noise?{PAIRS['faces']}&seed={seed}"
                page, took = opened(browser, link)
                searched.append(took)
                page.wait_for_function(SETTLED, timeout=10 * LIMIT)
                page.close()
                page, took = opened(browser, link)
                kept.append(took)
                page.close()
            figures["first_over_kept"] = statistics.median(searched) / statistics.median(kept)
            for name, pair in PAIRS.items():
                page, _ = opened(browser, f"{server.address}/worst-noise?{pair}&budget=live")
                found = felt(page, options.seconds, range(200, 200 + options.settings))
                figures[f"drag_{name}"] = found.drag
                figures[f"settled_ms_{name}"] = found.settled
                figures[f"setting_ms_{name}"] = found.setting
                page.wait_for_function(SETTLED, timeout=10 * LIMIT)
                before = resident(server.process.pid)
                slider = page.locator(".stage input[type=range]")
                for move in range(options.moves // len(PAIRS)):
                    slider.press("ArrowRight" if move % 40 < 20 else "ArrowLeft")
                grown = resident(server.process.pid) / before
                figures["moves_growth"] = max(figures.get("moves_growth", 0.0), grown)
                page.close()
        figures["session_mb"] = asyncio.run(session_mb(server))
        figures["process_mb"] = resident(server.process.pid)
    finally:
        server.stop()
        shutil.rmtree(runs, ignore_errors=True)
    figures["library_mb"] = imported("torch, torchvision")
    with_streamlit = imported("torch, torchvision, streamlit, plotly.graph_objects, scipy.stats")
    figures["streamlit_mb"] = with_streamlit - figures["library_mb"]
    figures["ours_mb"] = figures["process_mb"] - figures["library_mb"] - figures["streamlit_mb"]
    report("app_latency", figures)


if __name__ == "__main__":
    main()
