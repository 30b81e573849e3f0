"""HTML from templates: those of this package, and those of an app before them. Every value is escaped."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rgan.report.charts.robustness import MARKS
from rgan.report.parts import OUTCOMES
from rgan.robustness.checks import WORDS

TEMPLATES = Path(__file__).with_name("templates")


class Templates:
    """Templates, styles and scripts in folders, looked for in that order and then among those of the reports."""

    def __init__(self, *folders: Path):
        self._loader = FileSystemLoader([*folders, TEMPLATES])
        self._environment = Environment(
            loader=self._loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.globals.update(
            source=lambda name: Markup(self.source(name)), NOISES=MARKS, CHECKS=WORDS, OUTCOMES=OUTCOMES
        )

    def render(self, name: str, /, **values: Any) -> str:
        """A whole page from its template."""
        return self._environment.get_template(name).render(values)

    def part(self, name: str, macro: str, /, *values: Any, **named: Any) -> Markup:
        """A part of one, from a macro of a template."""
        return Markup(getattr(self._environment.get_template(name).module, macro)(*values, **named))

    def source(self, name: str) -> str:
        """A style or a script as it is."""
        return self._loader.get_source(self._environment, name)[0]


@functools.cache
def templates() -> Templates:
    """Those of the reports."""
    return Templates()
