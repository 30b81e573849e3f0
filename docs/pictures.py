"""The documentation's pictures, taken from the running app: `python docs/pictures.py [NAME …]`; all by default.

Screens are photographed once they stand still; the slider on Home is filmed as it is dragged. All are WebP, as small as
`SMALL` and `FILM_BYTES` say.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.serving import IDLE, Server, chromium  # noqa: E402

FOLDER = HERE / "pictures"
SMALL, FILM_BYTES = 200_000, 1_500_000
WIDE, HIGH = 1440, 900
FILM_WIDTH = 800
LARGEST = 2.0  # ε at the end of the film
FRAMES, PACE, REST = 20, 90, 1000  # frames on the way, milliseconds a frame and at either end
ANY_TIME = 900_000  # milliseconds that a screen may compute
SETTLED = "[...document.querySelectorAll('.stage .settings')].every(one => /^[\\d,]+ gradients/.test(one.textContent))"

MOVE = """
(radius) => new Promise((done) => {
  const range = document.querySelector('.stage input[type=range]');
  range.value = radius;
  range.dispatchEvent(new Event('input'));
  requestAnimationFrame(() => requestAnimationFrame(done));
})
"""


def still(page: Page, *, bar: bool = False) -> None:
    """Nothing is computed, awaited or drawn any more; `bar`: the screen has one that stays."""
    page.wait_for_selector(IDLE, timeout=ANY_TIME)
    waits = ".awaited, [data-testid=stSpinner]" + ("" if bar else ", [data-testid=stProgress]")
    page.wait_for_function(f"() => !document.querySelector('{waits}')", timeout=ANY_TIME)
    page.wait_for_timeout(2_000)


def on_stage(page: Page, radius: float) -> None:
    """The path has been searched to its end, and is shown at ε."""
    page.wait_for_selector(".stage .pane canvas", timeout=ANY_TIME)
    page.wait_for_function(SETTLED, timeout=ANY_TIME)
    still(page)
    page.evaluate(MOVE, radius)


def home(page: Page, address: str) -> None:
    page.goto(address)
    on_stage(page, LARGEST)
    keep(page, "home")


def worst_noise(page: Page, address: str) -> None:
    page.goto(f"{address}/worst-noise")
    on_stage(page, LARGEST)
    keep(page, "worst-noise")


def screen(name: str, there: str, *, bar: bool = False) -> Callable[[Page, str], None]:
    """A photographer of a screen as it opens, once what the selector names is there."""

    def photograph(page: Page, address: str) -> None:
        page.goto(f"{address}/{name}")
        page.wait_for_selector(there, timeout=ANY_TIME)
        still(page, bar=bar)
        keep(page, name)

    return photograph


def slider(page: Page, address: str) -> None:
    """ε from 0 to LARGEST under worst noise, then the same under random noise."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    on_stage(page, 0)
    stage, shots = page.locator(".stage").first, []
    for kind in ("2", "3"):  # worst, random
        page.keyboard.press(kind)
        for frame in range(FRAMES + 1):
            page.evaluate(MOVE, LARGEST * frame / FRAMES)
            shots.append(shot(stage))
    durations = [REST, *[PACE] * (FRAMES - 1), REST] * 2
    for quality in (60, 40, 25):
        film = io.BytesIO()
        shots[0].save(film, "WEBP", quality=quality, save_all=True, append_images=shots[1:], duration=durations, loop=0)
        if film.tell() <= FILM_BYTES:
            break
    written("slider", film.getvalue())


def laboratory(page: Page, address: str) -> None:
    """After 600 steps, with a place of noise pointed at."""
    page.goto(f"{address}/laboratory?lab_steps=600")
    page.locator(".lab .said", has_text="of what is to be gained").wait_for(timeout=600_000)
    box = page.locator(".lab .twin.A canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.72 * box["width"], box["y"] + 0.4 * box["height"])
    keep(page, "laboratory")


def shot(stage: Locator) -> Image.Image:
    """The stage as it is now, as wide as the film."""
    picture = Image.open(io.BytesIO(stage.screenshot())).convert("RGB")
    return picture.resize((FILM_WIDTH, round(picture.height * FILM_WIDTH / picture.width)), Image.Resampling.LANCZOS)


def keep(page: Page, name: str) -> None:
    """The window as it is now, as good as its size allows."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in (90, 80, 70, 60, 50):
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= SMALL:
            break
    written(name, file.getvalue())


def written(name: str, content: bytes) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.webp").write_bytes(content)
    print(f"{name}.webp: {len(content) / 1000:.0f} kB", flush=True)


PICTURES: dict[str, Callable[[Page, str], None]] = {
    "slider": slider,
    "home": home,
    "worst-noise": worst_noise,
    "evidence": screen("evidence", ".js-plotly-plot"),
    "failures": screen("failures", ".board img"),
    "embeddings": screen("embeddings", ".js-plotly-plot"),
    "blind-test": screen("blind-test", "img", bar=True),
    "reproduce": screen("reproduce", ".table2:visible"),
    "train": screen("train", "img"),
    "laboratory": laboratory,
    "theory": screen("theory", ".drawn-loss .knot"),
    "checkpoints": screen("checkpoints", ".card img"),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    names = arguments.parse_args().names or list(PICTURES)
    if unknown := sorted(set(names) - PICTURES.keys()):
        raise SystemExit(f"expected names of pictures ({', '.join(PICTURES)}), got {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as own, served(Path(own)) as address, chromium() as browser:
        for name in names:
            context = browser.new_context(viewport={"width": WIDE, "height": HIGH}, color_scheme="light")
            PICTURES[name](context.new_page(), address)
            context.close()


@contextmanager
def served(own: Path) -> Iterator[str]:
    """The address of an app without anybody's own trainings and uploads."""
    server = Server(environment={"RGAN_RUNS": str(own / "runs"), "RGAN_UPLOADS": str(own / "uploads")})
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


if __name__ == "__main__":
    main()
