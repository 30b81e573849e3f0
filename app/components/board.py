"""Pictures of one View: three pixel-aligned grids, the numbers under them, and one sample's strip."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from theme.html import part
from theme.language import MARKS, live_stamp
from torch import Tensor

from rgan.attack.objectives import ObjectiveWords
from rgan.attack.path import View
from rgan.common.formatting import decimal
from rgan.common.geometry import lengths
from rgan.common.images import grid, png
from rgan.report.parts import Picture


def layout(samples: int) -> tuple[int, int]:
    """Tiles in a row, and the factor by which they are enlarged: wide grids, so that three fit under one another."""
    return (8, 2) if samples <= 16 else (16, 1)


def board(view: View, side: str, *, changes: bool, picked: int | None = None) -> Markup:
    """HTML of original, worst and random as grids of the same geometry; `changes` shows amplified differences."""
    found, words_of = view.perturbation, view.perturbation.words
    worst, random = (view.change_worst, view.change_random) if changes else (view.worst, view.random)
    shift = ", change ×3" if changes else ""
    bands = [
        ("original", "original noise", view.original, found.loss_original),
        ("worst", f"worst noise{shift}", worst, found.loss_worst),
        ("random", f"random noise of the same length{shift}", random, found.loss_random),
    ]
    return part(
        "board.html",
        "board",
        side,
        [
            {
                "kind": kind,
                "words": words,
                "value": f"{words_of.noun} {number(float(raised.mean()), words_of)}",
                **_framed(images, picked, f"{side}: images from {words}, {_size(images)}"),
            }
            for kind, words, images, raised in bands
        ],
    )


def facts(view: View) -> Markup:
    """HTML table of what the picture rests on."""
    c = view.perturbation
    rows = [
        (f"Worst {c.words.more} than random", f"{c.beaten} of {len(c.z)}"),
        ("Length of the move ‖r‖, mean", f"{float(c.length.mean()):.2f} of ε {c.radius:.2f}"),
        ("The same as a share of ‖z‖", f"{100 * float((c.length / lengths(c.z)).mean()):.1f} %"),
        (
            "Change of the image (RMS)",
            f"{MARKS['worst']} {100 * float(view.pixels[0].mean()):.1f} %  "
            f"{MARKS['random']} {100 * float(view.pixels[1].mean()):.1f} %",
        ),
        ("Gradients a sample, and time", f"{view.gradients:,}, {view.seconds:.2f} s"),
    ]
    if c.loss_best_random is not None and c.radius:
        best = number(float(c.loss_best_random.mean()), c.words)
        rows.insert(1, (f"{c.words.noun.capitalize()} of the best of {c.tries} random", best))
    return part("board.html", "facts", rows)


def strip(view: View, images: np.ndarray, raised: Tensor, side: str) -> Markup:
    """HTML of one sample on the straight way from original to worst, what was raised under each frame."""
    words = view.perturbation.words
    marks = [MARKS["original"], *[""] * (len(images) - 2), MARKS["worst"]]
    under = [(number(float(value), words), mark) for value, mark in zip(raised, marks, strict=True)]
    picture = Picture(png(grid(images, len(images), scale=2)), f"{side}: one sample from original to worst noise")
    return part("board.html", "strip", side, picture, under)


def card(name: str, title: str, words: str, images: np.ndarray) -> Markup:
    """HTML of a model's card: samples, name, how it was trained."""
    picture = Picture(png(grid(images, 12, scale=2)), f"{len(images)} samples of {name}")
    return part("board.html", "card", picture, name, (title, words))


def stamp(view: View) -> Markup:
    """HTML line that says which settings made the picture and whether the search goes on."""
    attack = view.perturbation.attack
    method = "one step" if attack.method == "one-step" else f"{view.gradients:,} of {view.budget:,} gradients"
    (radius,) = attack.radii
    return live_stamp(f"ε {radius:.2f}, λ {attack.price:g}, {method}", view.done, radius)


def number(value: float, words: ObjectiveWords) -> str:
    """Two decimals, one from 10 on (nine of them stand side by side), with its unit."""
    return decimal(value, 2 if abs(value) < 9.995 else 1) + words.unit


def _size(images: np.ndarray) -> str:
    return f"{len(images)} samples in rows of {layout(len(images))[0]}"


def _framed(images: np.ndarray, picked: int | None, alt: str) -> dict[str, object]:
    """The grid, and a frame around the picked tile, placed in per cent of the picture."""
    columns, scale = layout(len(images))
    sheet = grid(images, columns, scale=scale)
    picture = Picture(png(sheet), alt)
    if picked is None:
        return {"picture": picture, "frame": None}
    height, width = sheet.shape[:2]
    tile_y, tile_x = scale * (images.shape[1] + 1), scale * (images.shape[2] + 1)
    frame = {
        "left": (picked % columns) * tile_x / width,
        "top": (picked // columns) * tile_y / height,
        "width": tile_x / width,
        "height": tile_y / height,
    }
    return {"picture": picture, "frame": {name: f"{100 * share:.3f}" for name, share in frame.items()}}
