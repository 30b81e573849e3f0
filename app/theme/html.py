"""HTML of screens from templates, the app's own and those of the reports, and the files of its own components."""

from __future__ import annotations

from pathlib import Path

from rgan.report.render import Templates

_TEMPLATES = Templates(Path(__file__).parents[1] / "templates")
part = _TEMPLATES.part


def beside(module: str, kind: str) -> str:
    """The HTML, style or script of a component, in a file beside its module."""
    return Path(module).with_suffix(f".{kind}").read_text(encoding="utf-8")
