"""Slider release → new image decoded, in Chromium, on the Worst noise screen: `python benchmarks/app_latency.py`.

Two servers run side by side and take turns: the app, and the same app whose searches and views cost nothing (pictures
made beforehand), which gives the floor of browser, Streamlit and PNG encoding. `compute_ms` is the time of the calls
behind the first picture, taken in this process with the server's own thread pool.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from measure import report
from playwright.sync_api import Browser, Page
from serving import IDLE, ROOT, Server, chromium

from rgan.attack.path import LivePath, Request, reach
from rgan.models import checkpoints

PAIR = ("digits-dcgan", "digits-dcgan-robust")

# Stamps the release, then waits for a worst-noise grid with another picture than before and for its decoding.
PROBE = """
() => {
  window.took = [];
  window.pictures = 0;
  const grid = () => document.querySelector("img[alt^='A: images from worst noise']");
  let released = null, last = grid().src;
  for (const kind of ['pointerup', 'keyup']) {
    document.addEventListener(kind, () => { released = performance.now(); }, true);
  }
  new MutationObserver(() => {
    const image = grid();
    if (!image || image.src === last) return;
    last = image.src;
    const from = released;
    released = null;
    image.decode().then(() => {
      window.pictures += 1;
      if (from !== null) window.took.push(performance.now() - from);
    }).catch(() => {});
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] });
}
"""

# The same app around searches that cost nothing: two pictures made beforehand, taking turns from ε to ε.
NO_OP = """
import dataclasses, sys
import rgan.attack.path as live

real_view = live.LivePath.view
made, turns = {}, {}

def view(self, radius, **options):
    if self not in made:
        made[self] = []
        for r in (0.5, 4.0):
            while real_advance(self, r, 1.0):
                pass
            made[self].append(real_view(self, r))
    last, turn = turns.get(self, (radius, 0))
    turn = turn if last == radius else 1 - turn
    turns[self] = radius, turn
    shown = made[self][turn]
    attack = dataclasses.replace(shown.perturbation.attack, radii=(radius,))
    return dataclasses.replace(shown, perturbation=dataclasses.replace(shown.perturbation, attack=attack), done=True)

def strip(self, view, sample):
    return view.original[[sample] * 9], view.perturbation.loss_original[[sample] * 9]

real_advance, live.LivePath.advance = live.LivePath.advance, lambda self, radius, seconds: False
live.LivePath.stronger = lambda self, radius: None
live.LivePath.view, live.LivePath.strip = view, strip

from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "app/Home.py", *sys.argv[1:]]
main()
"""


def settled(page: Page) -> None:
    page.wait_for_function("document.querySelectorAll('.stamp.done').length == 2", timeout=15_000)
    page.wait_for_selector(IDLE, timeout=15_000)


def watched(browser: Browser, address: str) -> Page:
    """The Worst noise screen with its pictures timed, its caches warm."""
    page = browser.new_page(viewport={"width": 1440, "height": 1200})
    page.goto(f"{address}/worst-noise")
    settled(page)
    page.evaluate(PROBE)
    latencies([page], 3, random.Random(1))
    return page


def release(page: Page, rng: random.Random) -> None:
    """Drag the thumb of Streamlit's own ε slider somewhere else and let go: it reports on release."""
    track = page.locator(".st-key-eps").bounding_box()
    thumb = page.get_by_role("slider", name="ε, radius of the search").locator("xpath=ancestor::div[1]").bounding_box()
    assert track is not None and thumb is not None
    x, y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2
    target = x
    while abs(target - x) < 15:
        target = track["x"] + track["width"] * rng.uniform(0.1, 0.9)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(target, y, steps=4)
    page.mouse.up()


def latencies(pages: list[Page], moves: int, rng: random.Random) -> list[list[float]]:
    """Milliseconds of each move, page by page, the pages taking turns; places where ε was before are rare."""
    for page in pages:
        page.evaluate("window.took = []")
    for _ in range(moves):
        for page in pages:
            before = page.evaluate("window.took.length")
            release(page, rng)
            page.wait_for_function(f"window.took.length > {before}", timeout=15_000)
            settled(page)
    return [page.evaluate("window.took") for page in pages]


def drag_rate(page: Page, seconds: float) -> float:
    """Pictures a second while the live slider's thumb goes to and fro."""
    box = page.get_by_role("slider", name="ε, how far the noise may move").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.bring_to_front()
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    before, started, step = page.evaluate("window.pictures"), time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step += 1
        place = abs((step * 0.004) % 1.0 - 0.5) * 1.4 + 0.1
        page.mouse.move(box["x"] + box["width"] * place, y)
        page.wait_for_timeout(16)
    shown = page.evaluate("window.pictures") - before
    took = time.perf_counter() - started
    page.mouse.up()
    settled(page)
    return shown / took


def compute_seconds(moves: int) -> float:
    """Median time of what the server computes for the first picture at a new ε, both models side by side."""
    pool = ThreadPoolExecutor(2, initializer=lambda: torch.set_num_threads(1))
    gans = [checkpoints.load(ROOT / "checkpoints" / f"{name}.safetensors") for name in PAIR]
    request = Request(64, 0, 0.0, 10, "ascent", 1, False, reach(gans[0]))
    paths = [LivePath(gan, request) for gan in gans]
    for path in paths:
        while path.advance(1.0, 1.0):
            pass
    rng, took = random.Random(0), []
    for _ in range(moves):
        time.sleep(0.3)  # as in use: the caches have seen other work since the last move
        radius = round(rng.uniform(0.2, 3.8), 2)
        started = time.perf_counter()
        list(pool.map(lambda path: path.view(radius), paths))  # noqa: B023
        took.append(time.perf_counter() - started)
    return statistics.median(took[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--drag-seconds", type=float, default=5)
    options = parser.parse_args()
    servers = [Server(), Server(("-c", NO_OP))]
    for server in servers:
        server.start()
    try:
        with chromium() as browser:
            pages = [watched(browser, server.address) for server in servers]
            app, floor = latencies(pages, options.moves, random.Random(0))
            pages[1].close()
            rate = drag_rate(pages[0], options.drag_seconds)
    finally:
        for server in servers:
            server.stop()
    compute = compute_seconds(options.moves)
    p50, floor_ms, compute_ms = statistics.median(app), statistics.median(floor), 1000 * compute
    report(
        "app_latency",
        {
            "floor_ms": floor_ms,
            "compute_ms": compute_ms,
            "p50_ms": p50,
            "p95_ms": statistics.quantiles(app, n=20)[-1],
            "p50_over_allowed": p50 / (floor_ms + 1.3 * compute_ms),
            "drag_pictures_per_second": rate,
        },
    )


if __name__ == "__main__":
    main()
