"""Findings as one HTML file that works without a network: pictures, interactive figures and numbers inside."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from rgan import __version__
from rgan.report.render import templates


def page(template: str, title: str, **values: Any) -> str:
    """A whole page with plotly in it, from a template that extends `page.html`."""
    from plotly.offline import get_plotlyjs

    return templates().render(template, title=title, plotly=Markup(get_plotlyjs()), version=__version__, **values)
