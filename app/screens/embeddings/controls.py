"""The controls of the Embeddings screen: all of them live in the URL."""

from __future__ import annotations

from dataclasses import replace

from controls import attack
from controls.draw import draw
from session import table

from rgan.embedding.figure4 import Choice
from rgan.embedding.projections import NEIGHBOURS, Layout


def map_controls(letters: tuple[str, ...], reach: float) -> tuple[Choice, Layout, bool]:
    """Draw the controls for these panels into the current container: what to compare, how to draw it, arrows or not."""
    points, method = draw(table.POINTS), draw(table.MAP)
    dimensions = 3 if draw(table.SPACE) else 2
    neighbours = NEIGHBOURS[method]
    if scale := {"tsne": table.PERPLEXITY, "umap": table.UMAP_NEIGHBOURS}.get(method):
        fitting = tuple(number for number in scale.options if number <= (2 * points - 1) // 3)
        neighbours = draw(replace(scale, options=fitting))
    attacked = {"a", "b"} & set(letters)
    side = draw(table.SIDE) if attacked else table.SIDE.default
    features = draw(table.IMAGES_AS) if set("bcd") & set(letters) else table.IMAGES_AS.default
    radius, price, image_radius = 1.0, 0.0, 1.0
    if "a" in letters:
        radius, price = attack.radius(reach), draw(table.LAM)
    if "b" in letters:
        image_radius = draw(table.IMAGE_RADIUS)
    arrows = draw(table.ARROWS) if attacked else False
    seed = draw(table.SEED)
    choice = Choice(points, seed, radius, image_radius, price, features=features, side=side)
    return choice, Layout(method, dimensions, neighbours, seed), arrows
