"""The stage: worst noise played along ε, one player of frames (`stage.js`) for the app and for a page of its own.

`stage_data` is all that the player is given. Every word and number that it shows for a frame is made here, once a
frame, so that the screen, the page and the page's still picture say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rgan import __version__
from rgan.common.errors import SettingsError, one_of
from rgan.common.files import usable_name
from rgan.common.formatting import decimal, per_cent
from rgan.common.images import circled, png
from rgan.metrics.judges import BAD
from rgan.report.charts.basic import COLOURS
from rgan.report.charts.robustness import MARKS
from rgan.report.parts import Picture
from rgan.report.render import templates
from rgan.robustness.encoding import columns_of, decoded
from rgan.robustness.play import ROUGH

SHOWN = ("original", "worst", "random")  # what the grids can show; keys 1, 2, 3
STILL = 360  # pixels that a still grid is at least wide


@dataclass(frozen=True)
class OnStage:
    """A model on the stage. frames: as `encoding.encoded` made them. about: a few words, how it was trained."""

    frames: Mapping[str, Any]
    about: str = ""


def stage_data(
    models: Sequence[OnStage],
    *,
    radius: float,
    show: str = "worst",
    picked: int | None = None,
    play: bool = False,
    things: str = "images",
    waiting: str = "",
) -> dict[str, Any]:
    """What `stage.js` is given, as JSON can hold it.

    Args:
        models: A, or A and B, with frames of as many samples at the same radii.
        radius: ε where the stage stands at first; a later call moves it only by giving another one.
        show: one of SHOWN, likewise. picked: the sample that is marked, likewise.
        play: whether the path is played once, as soon as it is there.
        things: what the images are of, in a sentence: "faces".
        waiting: why these frames are not those asked for; they are shown pale until others come.

    Raises:
        SettingsError: no model or more than two, or their frames are not of the same radii and samples.
    """
    one_of("what is shown", show, SHOWN)
    found = [model.frames for model in models]
    if len(found) not in (1, 2):
        raise SettingsError(f"expected one model or two, got {len(found)}; choose A, or A and B")
    if any(one["radii"] != found[0]["radii"] or one["size"][0] != found[0]["size"][0] for one in found):
        raise SettingsError("expected frames of the same radii and as many samples; make both from the same settings")
    judged = all(one["worst"]["broken"] is not None for one in found)
    price, seed = found[0]["attack"]["price"], found[0]["seed"]
    return {
        "models": [
            {
                "side": side,
                "name": model.frames["model"],
                "about": model.about,
                "colour": COLOURS[side],
                "counts": _counts(model.frames),
                "frames": model.frames,
            }
            for side, model in zip("AB", models, strict=False)
        ],
        "radius": radius,
        "rough": len(found[0]["radii"]) <= ROUGH + 1,  # those of a search that has only begun
        "show": show,
        "picked": picked,
        "play": play,
        "waiting": waiting,
        "labels": [decimal(one) for one in found[0]["radii"]],
        "sentences": [sentence(found, frame, things) for frame in range(len(found[0]["radii"]))],
        "kinds": {kind: f"{MARKS[kind]} {kind.capitalize()}" for kind in SHOWN},
        "legend": {
            "broken": f"broken, a judge finds: further from real {things} than {per_cent(BAD, 0)} of them"
            if judged
            else "",
            "changed": "read as something else" if judged else "",
        },
        "settings": f"{_searched(found)}, λ {price:g}, seed {seed}",
        "file": _file(found, price, seed),
    }


def sentence(found: Sequence[Mapping[str, Any]], frame: int, things: str = "images") -> str:
    """What one frame of a path, or of two side by side, comes to, in plain words."""
    said = _judged if all(one["worst"]["broken"] is not None for one in found) else _changed
    return said(found, frame, things)


def stage_page(
    title: str, models: Sequence[OnStage], *, radius: float, play: bool = False, things: str = "images"
) -> str:
    """The stage as one HTML file that works offline, opened from a folder too.

    Where scripts are off it shows a still picture of worst noise at the frame nearest to `radius`, with its words.
    """
    data = stage_data(models, radius=radius, play=play, things=things)
    frame = nearest(models[0].frames["radii"], radius)
    return templates().render(
        "stage.html",
        title=title,
        plotly="",
        version=__version__,
        stage=data,
        said=data["sentences"][frame],
        at=data["labels"][frame],
        stills=[(one, _still(one["frames"], frame, one["side"])) for one in data["models"]],
        frame=frame,
    )


def nearest(radii: Sequence[float], radius: float) -> int:
    """The frame whose radius is nearest to `radius`."""
    return int(np.abs(np.array(radii) - radius).argmin())


def _judged(found: Sequence[Mapping[str, Any]], frame: int, things: str) -> str:
    count = found[0]["size"][0]
    worst, random = ([sum(one[kind]["broken"][frame]) for one in found] for kind in ("worst", "random"))
    are = "is" if worst[0] == 1 else "are"
    who = f" of A {are} broken, {worst[1]} of B’s" if len(found) == 2 else f" {are} broken"
    first = f"{worst[0]} of {count} {things}{who}."
    if frame == 0:
        return f"Nothing has moved yet: {first}"
    unmoved = [sum(one["worst"]["broken"][0]) for one in found]
    before = " and ".join(map(str, unmoved))
    mends = " Chance mends some." if any(now < then for now, then in zip(random, unmoved, strict=True)) else ""
    return f"{first} Random noise as far: {' and '.join(map(str, random))}; unmoved: {before}.{mends}"


def _changed(found: Sequence[Mapping[str, Any]], frame: int, things: str) -> str:
    if frame == 0:
        return "Nothing has moved yet."
    worst, random = ([per_cent(np.mean(one[kind]["change"][frame])) for one in found] for kind in ("worst", "random"))
    whose, more = (" of A", f", B’s by {worst[1]}") if len(found) == 2 else ("", "")
    return (
        f"At this distance the {things}{whose} change by {worst[0]}{more}. Random noise as far: {' and '.join(random)}."
    )


def _counts(one: Mapping[str, Any]) -> list[list[str]]:
    """Of each frame, what stands above the grid: of worst noise, and of random noise."""
    worst, random = one["worst"], one["random"]
    if worst["broken"] is None:
        return [
            [f"change: {per_cent(np.mean(w))}", f"random {per_cent(np.mean(r))}"]
            for w, r in zip(worst["change"], random["change"], strict=True)
        ]
    before, count = sum(worst["broken"][0]), one["size"][0]
    return [
        [f"broken: {before} → {sum(w)} of {count}", f"random {before} → {sum(r)}"]
        for w, r in zip(worst["broken"], random["broken"], strict=True)
    ]


def _searched(found: Sequence[Mapping[str, Any]]) -> str:
    """How far the searches are."""
    spent, budget = min(one["gradients"] for one in found), found[0]["attack"]["gradients"]
    if all(one["done"] for one in found):
        return f"{spent:,} gradients a sample"
    return f"searching: {spent:,} of {budget:,} gradients a sample"


def _file(found: Sequence[Mapping[str, Any]], price: float, seed: int) -> str:
    """The beginning of the names of files that the stage exports."""
    return f"{usable_name('-vs-'.join(one['model'] for one in found))}-lambda{price:g}-seed{seed}"


def _still(one: Mapping[str, Any], frame: int, side: str) -> Picture:
    """Worst noise at a frame, what is broken ringed."""
    track = decoded(one).worst
    images = track.images[frame]
    ringed = np.zeros(len(images), bool) if track.broken is None else track.broken[frame]
    columns = columns_of(len(images))
    scale = max(1, round(STILL / (columns * images.shape[2])))
    broken = f", {int(ringed.sum())} of them ringed as broken" if track.broken is not None else ""
    return Picture(png(circled(images, ringed, columns, scale=scale)), f"{len(images)} images of {side}{broken}")
