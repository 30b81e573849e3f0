"""Pictures of one View: three pixel-aligned grids, the numbers under them, and one sample's strip."""

from __future__ import annotations

import base64
from html import escape

import numpy as np
from theme.language import MARKS, marked
from torch import Tensor

from rgan.attack.objectives import ObjectiveWords
from rgan.attack.path import View
from rgan.common.formatting import decimal
from rgan.common.geometry import lengths
from rgan.common.images import grid, png


def layout(samples: int) -> tuple[int, int]:
    """Tiles in a row, and the factor by which they are enlarged: wide grids, so that three fit under one another."""
    return (8, 2) if samples <= 16 else (16, 1)


def data_uri(picture: np.ndarray) -> str:
    """A PNG inside the page: no second request that a fast rerun could make fail."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def board(view: View, side: str, *, changes: bool, picked: int | None = None) -> str:
    """HTML of original, worst and random as grids of the same geometry; `changes` shows amplified differences."""
    found, words_of = view.perturbation, view.perturbation.words
    worst, random = (view.change_worst, view.change_random) if changes else (view.worst, view.random)
    shift = ", change ×3" if changes else ""
    bands = [
        ("original", "original noise", view.original, found.loss_original),
        ("worst", f"worst noise{shift}", worst, found.loss_worst),
        ("random", f"random noise of the same length{shift}", random, found.loss_random),
    ]
    return "".join(
        f'<div class="board {side}"><figure><figcaption>{marked(kind, words)}'
        f'<span class="value">{words_of.noun} {number(float(raised.mean()), words_of)}</span></figcaption>'
        f"{_framed(images, picked, f'{side}: images from {words}, {_size(images)}')}</figure></div>"
        for kind, words, images, raised in bands
    )


def facts(view: View) -> str:
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
        ("Gradient calls a sample, and time", f"{view.gradient_calls}, {view.seconds:.2f} s"),
    ]
    if c.loss_best_random is not None and c.radius:
        best = number(float(c.loss_best_random.mean()), c.words)
        rows.insert(1, (f"{c.words.noun.capitalize()} of the best of {c.tries} random", best))
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="facts">{cells}</table>'


def strip(view: View, images: np.ndarray, raised: Tensor, side: str) -> str:
    """HTML of one sample on the straight way from original to worst, what was raised under each frame."""
    words = view.perturbation.words
    last = len(images) - 1
    marks = {0: MARKS["original"], last: MARKS["worst"]}
    labels = "".join(
        f"<div>{number(float(value), words)}<br>{marks.get(index, '&nbsp;')}</div>"
        for index, value in enumerate(raised)
    )
    return (
        f'<div class="board {side}"><div class="strip"><img alt="{side}: one sample from original to worst noise" '
        f'src="{data_uri(grid(images, len(images), scale=2))}"><div class="under">{labels}</div></div></div>'
    )


def card(name: str, title: str, words: str, images: np.ndarray) -> str:
    """HTML of a model's card: samples, name, how it was trained."""
    return (
        f'<div class="card"><img alt="{len(images)} samples of {escape(name)}" '
        f'src="{data_uri(grid(images, 12, scale=2))}">'
        f"<h3>{escape(name)}</h3><p>{escape(title)}<br>{escape(words)}</p></div>"
    )


def stamp(view: View) -> str:
    """HTML line that says which settings made the picture and whether the search goes on."""
    attack = view.perturbation.attack
    method = "one step" if attack.method == "one-step" else f"step {view.step} of {view.steps}"
    state, words = ("done", "") if view.done else ("busy", "searching: ")
    return (
        f'<span class="stamp {state}" data-done="{str(view.done).lower()}" data-radius="{attack.radii[0]:.2f}">'
        f"{words}ε {attack.radii[0]:.2f}, λ {attack.price:g}, {method}</span>"
    )


def number(value: float, words: ObjectiveWords) -> str:
    """Two decimals, one from 10 on (nine of them stand side by side), with its unit."""
    return decimal(value, 2 if abs(value) < 9.995 else 1) + words.unit


def _size(images: np.ndarray) -> str:
    return f"{len(images)} samples in rows of {layout(len(images))[0]}"


def _framed(images: np.ndarray, picked: int | None, alt: str) -> str:
    """The grid, with a frame around the picked tile placed in per cent of the picture."""
    columns, scale = layout(len(images))
    sheet = grid(images, columns, scale=scale)
    height, width = sheet.shape[:2]
    frame = ""
    if picked is not None:
        tile_y, tile_x = scale * (images.shape[1] + 1), scale * (images.shape[2] + 1)
        frame = (
            f'<i style="left:{100 * (picked % columns) * tile_x / width:.3f}%;'
            f"top:{100 * (picked // columns) * tile_y / height:.3f}%;"
            f'width:{100 * tile_x / width:.3f}%;height:{100 * tile_y / height:.3f}%"></i>'
        )
    return f'<div class="frame"><img alt="{escape(alt)}" src="{data_uri(sheet)}">{frame}</div>'
