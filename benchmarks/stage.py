"""The stage in Chromium, from a file, while ε is dragged, and what frames cost: `python benchmarks/stage.py`.

The frames are made up, as large as those of 64 MNIST digits and of 16 faces, two models each: what is drawn costs the
same whatever it shows. `drag_*`: pictures a second, of the 60 that Chromium shows. Milliseconds: `draw_ms_*` of the
script for a picture, `settled_ms_*` from letting go to the frame that stays, `ready_ms_*` from new data to its first
picture, `encode_ms_*` for one model. `kilobytes_*`: one model as JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import report
from playwright.sync_api import Browser
from serving import chromium

from rgan.attack.search import Attack
from rgan.report.stage import OnStage, stage_page
from rgan.robustness.encoding import encoded
from rgan.robustness.frames import Frames, Track, frame_radii

SIZES = {"mnist": (64, 28, 28, 1), "faces": (16, 64, 64, 3)}
LARGEST = 3.0

# Drags the thumb to and fro, moving it once an animation frame, as Chromium delivers the moves of a pointer; a picture
# is an animation frame after which another ε is drawn. Then lets go.
DRAG = """
async (seconds) => {
  const { stage } = document.querySelector('.stage-place'), { range } = stage, largest = Number(range.max);
  const draw = stage.draw.bind(stage), took = [], frame = () => new Promise(requestAnimationFrame);
  let last = null, pictures = 0;
  stage.draw = () => {
    const started = performance.now();
    draw();
    took.push(performance.now() - started);
    if (stage.radius !== last) pictures += 1;
    last = stage.radius;
  };
  const started = await frame();
  let now = started;
  for (let step = 0; now - started < 1000 * seconds; step += 1) {
    range.value = largest * Math.abs((0.011 * step) % 2 - 1);
    range.dispatchEvent(new Event('input'));
    now = await frame();
  }
  const rate = 1000 * pictures / (now - started);
  range.dispatchEvent(new Event('change'));
  const released = performance.now();
  await frame();
  return { rate, settled: performance.now() - released, drawing: took.sort((a, b) => a - b)[took.length >> 1] };
}
"""


def made_up(size: tuple[int, int, int, int], seed: int) -> Frames:
    """Frames of smooth pictures that change along ε; half of the samples break on the way."""
    rng, radii = np.random.default_rng(seed), frame_radii(LARGEST)
    count, height, width, channels = size
    small = rng.uniform(0, 255, (2, count, height // 4, width // 4, channels))
    ends = small.repeat(4, axis=2).repeat(4, axis=3)
    share = np.array(radii)[:, None, None, None, None] / LARGEST
    images = ((1 - share) * ends[0] + share * ends[1]).round().astype(np.uint8)
    change = np.linspace(0, 0.3, len(radii))[:, None].repeat(count, axis=1)
    badness = np.clip(rng.uniform(0, 1, count) + 2 * change, 0, 1)
    track = Track(images, change, change, badness, badness >= 0.95, {"class": (badness > 0.9).astype(int)})
    return Frames(f"made-up-{seed}", Attack(radii), seed, track, track, 200, True)


def measured(browser: Browser, name: str, folder: Path, seconds: float) -> dict[str, float]:
    """All figures of one size."""
    models = []
    for seed in range(2):
        frames = made_up(SIZES[name], seed)
        started = time.perf_counter()
        models.append(encoded(frames))
        took = time.perf_counter() - started
    file = folder / f"{name}.html"
    file.write_text(stage_page(name, [OnStage(one) for one in models], radius=1.5), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(file.as_uri())
    ready = page.evaluate(
        """async () => {
          const place = document.querySelector('.stage-place'), data = place.stage.latest;
          await place.stage.ready;
          place.stage.panes.forEach((pane) => { pane.frames = { ...pane.frames, id: '' }; });
          const started = performance.now();
          mount(place, { ...data }, {});
          await place.stage.ready;
          return performance.now() - started;
        }"""
    )
    dragged = page.evaluate(DRAG, seconds)
    page.close()
    return {
        f"drag_{name}": dragged["rate"],
        f"draw_ms_{name}": dragged["drawing"],
        f"settled_ms_{name}": dragged["settled"],
        f"ready_ms_{name}": ready,
        f"encode_ms_{name}": 1000 * took,
        f"kilobytes_{name}": len(json.dumps(models[0])) / 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of dragging")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        for name in SIZES:
            figures |= measured(browser, name, Path(folder), options.seconds)
    report("stage", figures)


if __name__ == "__main__":
    main()
