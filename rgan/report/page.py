"""Findings as one HTML file that works without a network: pictures, interactive figures and numbers inside."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rgan import __version__
from rgan.common.images import grid, png
from rgan.embedding.figure4 import PANELS, Findings, Panel, Points
from rgan.embedding.projections import Embedding
from rgan.report.charts.basic import COLOURS, NEUTRAL, Group, scatter

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHEET_COLUMNS = 25
STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #15202b; max-width: 1280px; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.2rem 0 .3rem; } .row { display: grid; grid-template-columns: 2fr 1fr; gap: 1.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #d5dce4; }
.note { color: #4b5865; } .claim { border-left: 4px solid #334155; padding-left: .8rem; } .outcome { font-weight: 700; }
.scrolled { overflow-x: auto; } td, th { vertical-align: top; } .claims .outcome { white-space: nowrap; }
th[colspan] { padding-top: 1rem; } code { overflow-wrap: anywhere; }
@media (max-width: 900px) { .row { grid-template-columns: 1fr; } }
"""


def groups(panel: Panel) -> tuple[Group, Group]:
    """How a panel's clouds look: the one held against in grey circles, the other in its model's colour, triangles."""
    side = {"c": "A", "d": "B"}.get(panel.letter, panel.choice.side)
    return Group(panel.first.label, NEUTRAL), Group(panel.second.label, COLOURS[side], "triangle-up")


def sheet(first: Points, second: Points) -> dict[str, object]:
    """Every image of both clouds as tiles of one PNG, as `hover.js` wants it: the first cloud's, then the second's."""
    images = np.concatenate([_three(first.images), _three(second.images)])
    height, width = images.shape[1:3]
    scale = max(1, round(96 / width))
    return {
        "uri": data_uri(png(grid(images, SHEET_COLUMNS, gap=0))),
        "width": width, "height": height, "columns": SHEET_COLUMNS, "scale": scale,
    }  # fmt: skip


def data_uri(picture: bytes) -> str:
    """A PNG as the address of itself."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def picture_html(picture: bytes, alt: str) -> str:
    """A PNG inside the page; `alt` says what it shows."""
    return f'<img src="{data_uri(picture)}" alt="{escape(alt)}">'


def hover_script() -> str:
    """JavaScript of `showImages(chart, sheet)`."""
    return Path(__file__).with_name("hover.js").read_text(encoding="utf-8")


def page(title: str, body: str, scripts: str = "", style: str = "") -> str:
    """A whole page with plotly and `scripts` in it; `style` is CSS over that of every page."""
    from plotly.offline import get_plotlyjs

    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}{style}</style><script>{get_plotlyjs()}</script><script>{scripts}</script>"
        f"<h1>{escape(title)}</h1>{body}</html>"
    )


def embeddings_page(
    title: str, parts: list[tuple[Panel, Findings, Embedding, Embedding | None, Embedding]], settings: dict[str, object]
) -> str:
    """One page with a section a panel: its embedding and its control's, the tests of both, and the paper's claim."""
    sections = "".join(_section(*part) for part in parts)
    said = ", ".join(f"{name} {value}" for name, value in settings.items())
    return page(
        title,
        f'<p class="note">{escape(said)}. RGAN Lab {__version__}. Point at a mark to see its image. Sizes and '
        f"distances in t-SNE and UMAP mean nothing by themselves; the tests do. Real images are those that the models' "
        f"files keep: they were trained on them.</p>{sections}",
        hover_script(),
    )


def claim_html(found: Findings) -> str:
    """The paper's sentence about a panel, by meaning, and what these models say to it."""
    mark = {"supported": "✓", "not supported": "✗", "undecided": "?"}[found.claim.outcome]
    return (
        f'<p class="claim"><span class="outcome">{mark} {escape(found.claim.outcome)} by these models</span> '
        f"“{escape(found.claim.paper)}” {escape(found.claim.because)}</p>"
    )


def tests_html(found: Findings) -> str:
    """Table of a panel's tests, each beside the same test of the control."""
    rows = "".join(
        f"<tr><td>{escape(one.test)}<br><small>{escape(one.unit)}</small>"
        f"<td>{escape(one.effect_words)}<td>{escape(one.interval_words)}"
        f"<td>{escape(one.p_words)}<td>{escape(same.effect_words)}, {escape(same.p_words)}"
        f"<td>{escape(one.sentence)}</tr>"
        for one, same in zip(found.verdicts, found.control_verdicts, strict=True)
    )
    return (
        '<table class="tests"><tr><th>Test<th>Effect<th>99 % interval<th>p<th>Control<th>What it says</tr>'
        f"{rows}</table>"
    )


def _section(panel: Panel, found: Findings, drawn: Embedding, other: Embedding | None, control: Embedding) -> str:
    looks, key = groups(panel), f"panel-{panel.letter}"
    main = scatter(drawn, looks, names=(panel.first.names, panel.second.names))
    beside = [("second", other, other.layout.title)] if other else []
    beside.append(("control", control, f"Control, {control.layout.title}: {found.control_words}"))
    small = "".join(
        f'<p class="note">{escape(words)}</p>{figure_html(scatter(one, looks, height=250), f"{key}-{what}")}'
        for what, one, words in beside
    )
    mark = "▲" if drawn.layout.dimensions == 2 else "■"
    return (
        f"<h2>({panel.letter}) {escape(PANELS[panel.letter])}</h2>"
        f'<p class="note">● {escape(panel.first.label)}, {mark} {escape(panel.second.label)}; {escape(panel.space)}; '
        f'{escape(drawn.layout.title)}.</p><div class="row"><div>{figure_html(main, key)}</div>'
        f"<div>{small}</div></div>{claim_html(found)}{tests_html(found)}"
        f"<script>showImages(document.getElementById({json.dumps(key)}), "
        f"{json.dumps(sheet(panel.first, panel.second))});</script>"
    )


def figure_html(figure: Figure, key: str) -> str:
    """A figure as part of a page that has plotly's script; `key` is its id there."""
    figure.update_layout(template="plotly_white")
    html: str = figure.to_html(full_html=False, include_plotlyjs=False, div_id=key, config={"displaylogo": False})
    return html


def scrolled(table: str) -> str:
    """HTML that may be wider than the screen in a box to scroll, by keyboard too."""
    return f'<div class="scrolled" role="region" aria-label="Table" tabindex="0">{table}</div>'


def notes_html(notes: tuple[str, ...]) -> str:
    """Notes as a list."""
    return '<ul class="note">' + "".join(f"<li>{escape(note)}" for note in notes) + "</ul>"


def _three(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, C) in as many channels as a PNG shows."""
    return images if images.shape[-1] <= 3 else images[..., :3]
