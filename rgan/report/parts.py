"""What pages and screens are made of: tables, charts and pictures, whose words and numbers are formatted."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from rgan.common.images import tiles, webp

if TYPE_CHECKING:
    import numpy as np
    from plotly.graph_objects import Figure as Drawing


# Marks of what a claim comes to.
OUTCOMES = {"supported": "✓", "not supported": "✗", "undecided": "?", "no claim": "–"}


@dataclass(frozen=True)
class Cell:
    """Words, and others on a line of their own below them."""

    words: str
    below: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; `side` is the model that it is about, "" where it is about none."""

    cells: tuple[Cell, ...]
    side: str = ""


@dataclass(frozen=True)
class Table:
    """Headings and rows; from column `numbers` on cells are numbers."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    numbers: int | None = None


@dataclass(frozen=True)
class Chart:
    """A figure with what it shows in words: `alt` for those who cannot see it, `title` and `about` above it.

    key: its name, of letters and dashes, which no other figure of a page has.
    """

    key: str
    figure: Drawing
    alt: str
    title: str = ""
    about: str = ""

    @property
    def html(self) -> Markup:
        """For a page."""
        self.figure.update_layout(font={"size": 13})
        return figure_html(self.figure, self.key)


@dataclass(frozen=True)
class Figure:
    """Charts of one kind, with what they show in words."""

    title: str
    about: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Section:
    """Charts, by side or by what they show; their numbers; and what these say."""

    charts: dict[str, Chart]
    table: Table
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture inside its page, a PNG unless `kind` says else, with what it shows in words: `alt` for those who cannot
    see it, `words` above it."""

    png: bytes
    alt: str
    words: str = ""
    kind: str = "png"

    @property
    def source(self) -> Markup:
        """Its address, which has nothing to escape."""
        return Markup(data_uri(self.png, self.kind))


def data_uri(picture: bytes, kind: str = "png") -> str:
    """A picture as the address of itself."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def sheet(images: np.ndarray) -> dict[str, object]:
    """Images, uint8 (n, H, W, C), as tiles of one picture, as `hover.js` wants them."""
    picture, columns = tiles(images)
    height, width = images.shape[1:3]
    return sheet_of(webp(picture), columns, (height, width))


def sheet_of(picture: bytes, columns: int, size: tuple[int, int]) -> dict[str, object]:
    """The same of a WebP that has `columns` tiles of `size` (height, width) in a row."""
    height, width = size
    return {
        "uri": data_uri(picture, "webp"),
        "width": width, "height": height, "columns": columns, "scale": max(1, round(96 / width)),
    }  # fmt: skip


def figure_html(figure: Drawing, key: str) -> Markup:
    """A figure as part of a page that has plotly's script; `key` is its id there."""
    figure.update_layout(template="plotly_white")
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, div_id=key, config={"displaylogo": False}))
