"""Opening a screen to its first picture, over a page with a title alone: `python benchmarks/first_paint.py`.

Both are loaded anew by one browser, in turn, from servers that have been visited before. A picture is an image or a
chart of a fingernail's size at least that is loaded and in view; on the stage it is frames that are drawn.
over_SCREEN: its 95th percentile over the title's; over: the largest of them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from app_latency import LIMIT
from class_of_forty import DRAWN, percentile
from measure import report
from playwright.sync_api import Browser
from serving import Server, chromium

SCREENS = (
    "home", "worst-noise", "failures", "embeddings", "laboratory", "evidence", "blind-test", "reproduce", "theory",
    "train", "checkpoints",
)  # fmt: skip
TITLE = "import streamlit as st\n\nst.title('RGAN Lab')\n"
HEADING = "() => document.querySelector('[data-testid=stMain] h1')"
PICTURE = f"""() => {{
  if (document.querySelector('.stage')) return Boolean(({DRAWN})());
  const main = document.querySelector('[data-testid=stMain]');
  return Boolean(main) && [...main.querySelectorAll('img, canvas, svg.main-svg, figure svg')].some((one) => {{
    const {{ width, height, top }} = one.getBoundingClientRect();
    return width * height >= 1600 && top < innerHeight && one.checkVisibility({{ visibilityProperty: true }})
      && (one.tagName !== 'IMG' || (one.complete && one.naturalWidth));
  }});
}}"""


def took(browser: Browser, address: str, there: str) -> float:
    """Seconds from asking for the page until `there` is true of it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_function(there, timeout=LIMIT, polling="raf")
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--screens", nargs="+", choices=SCREENS, default=SCREENS)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    (folder / "title.py").write_text(TITLE)
    ours = Server(environment={"RGAN_RUNS": str(folder / "runs")})
    title = Server(("-m", "streamlit", "run", str(folder / "title.py")))
    pages = {"title": (title.address, HEADING)}
    pages |= {screen: (f"{ours.address}/{screen.replace('home', '')}", PICTURE) for screen in options.screens}
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    try:
        ours.start()
        title.start()
        with chromium() as browser:
            for turn in range(options.turns + 1):
                for name, page in pages.items():
                    found = took(browser, *page)
                    if turn:  # the first visits import what all need
                        seconds[name].append(found)
    finally:
        ours.stop()
        title.stop()
        shutil.rmtree(folder, ignore_errors=True)
    at_most = {name: percentile(found, 0.95) for name, found in seconds.items()}
    over = {name: found / at_most["title"] for name, found in at_most.items() if name != "title"}
    report(
        "first_paint",
        {"over": max(over.values()), "title_s": at_most["title"]} | {f"over_{name}": one for name, one in over.items()},
    )


if __name__ == "__main__":
    main()
