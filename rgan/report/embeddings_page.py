"""Panels of Figure 4 as one HTML page, and the parts of it that the app shows as well."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from rgan.embedding.figure4 import PANELS, Findings, Panel, Tested
from rgan.embedding.projections import Embedding
from rgan.report.charts.basic import COLOURS, NEUTRAL, Group, scatter
from rgan.report.page import page
from rgan.report.parts import figure_html, sheet
from rgan.report.render import templates


def groups(letter: str, side: str, labels: tuple[str, str]) -> tuple[Group, Group]:
    """How a panel's clouds look: the one held against in grey circles, the other in its model's colour, triangles."""
    side = {"c": "A", "d": "B"}.get(letter, side)
    return Group(labels[0], NEUTRAL), Group(labels[1], COLOURS[side], "triangle-up")


def embeddings_page(
    title: str, parts: list[tuple[Panel, Findings, Embedding, Embedding | None, Embedding]], settings: dict[str, object]
) -> str:
    """One page with a section a panel: its embedding and its control's, the tests of both, and the paper's claim."""
    return page(
        "embeddings.html",
        title,
        settings=", ".join(f"{name} {value}" for name, value in settings.items()),
        sections=[_section(*part) for part in parts],
    )


def claim_html(found: Tested, *, folded: bool = False) -> Markup:
    """The paper's sentence about a panel, by meaning, and what these models say to it; `folded`: why they say so opens
    at a click."""
    return templates().part("embeddings_parts.html", "claim", found.claim, folded)


def tests_html(found: Tested) -> Markup:
    """Table of a panel's tests, each beside the same test of the control."""
    return templates().part("embeddings_parts.html", "tests", _pairs(found))


def _pairs(found: Tested) -> list[tuple[object, object]]:
    return list(zip(found.verdicts, found.control_verdicts, strict=True))


def _section(
    panel: Panel, found: Findings, drawn: Embedding, other: Embedding | None, control: Embedding
) -> dict[str, object]:
    labels = panel.first.label, panel.second.label
    looks, key = groups(panel.letter, panel.choice.side, labels), f"panel-{panel.letter}"
    beside = [("second", other, other.layout.title)] if other else []
    beside.append(("control", control, f"Control, {control.layout.title}: {found.control_words}"))
    mark = "▲" if drawn.layout.dimensions == 2 else "■"
    return {
        "key": key,
        "heading": f"({panel.letter}) {PANELS[panel.letter]}",
        "legend": f"● {panel.first.label}, {mark} {panel.second.label}; {panel.space}; {drawn.layout.title}.",
        "main": figure_html(scatter(drawn, looks, names=(panel.first.names, panel.second.names)), key),
        "beside": [
            (words, figure_html(scatter(one, looks, height=250), f"{key}-{what}")) for what, one, words in beside
        ],
        "claim": found.claim,
        "tests": _pairs(found),
        "sheet": sheet(np.concatenate([panel.first.images, panel.second.images])),
    }
