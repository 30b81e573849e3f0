"""The command line page is written from the commands' own parsers, so that it cannot fall behind them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from rgan.cli.main import parser

PLACE = "<!-- every command -->"
SHOWN_AS_IT_IS = r"\\\1"


def on_page_markdown(markdown: str, **_: object) -> str:
    """mkdocs calls this with the text of each page."""
    return markdown.replace(PLACE, "\n\n".join(_commands())) if PLACE in markdown else markdown


def _commands() -> Iterator[str]:
    whole = parser()
    (commands,) = (one for one in whole._actions if isinstance(one, argparse._SubParsersAction))
    about = {one.dest: one.help or "" for one in commands._choices_actions}
    for name, command in commands.choices.items():
        yield f"## rgan {name}"
        yield f"{about[name][:1].upper()}{about[name][1:]}."
        yield f"```text\n{_usage(command)}\n```"
        rows = [row for one in command._actions if (row := _row(one))]
        if rows:
            yield "\n".join(["| option | what it does |", "|---|---|", *rows])


def _usage(command: argparse.ArgumentParser) -> str:
    required = [one for one in command._actions if one.required and one.option_strings]
    places = [one for one in command._actions if not one.option_strings]
    words = [f"{one.option_strings[-1]} {_value(one)}".strip() for one in required]
    words += [_place(one) for one in places]
    return " ".join([command.prog, "[options]", *words])


def _place(one: argparse.Action) -> str:
    name = _value(one) or one.dest
    return {None: name, "?": f"[{name}]", "*": f"[{name} …]", "+": f"{name} [{name} …]"}[one.nargs]  # type: ignore[index]


def _value(one: argparse.Action) -> str:
    if one.nargs == 0:
        return ""
    if one.metavar is not None:
        return str(one.metavar)
    if one.choices is not None and not one.option_strings:
        return "{" + ",".join(map(str, one.choices)) + "}"
    return one.dest.upper() if one.option_strings else one.dest


def _row(one: argparse.Action) -> str:
    """A line of the table: the option as it is typed, and what it does, with its choices and its default."""
    if one.help == argparse.SUPPRESS or isinstance(one, argparse._HelpAction):
        return ""
    typed = ", ".join(f"{option} {_value(one)}".strip() for option in one.option_strings) or _place(one)
    said = one.help or ""
    if one.choices is not None and one.option_strings:
        said = f"{said}{'; ' if said else ''}one of {', '.join(map(str, one.choices))}"
    unsaid = one.default is not None and one.default is not False and one.option_strings and "default" not in said
    if unsaid:
        said = f"{said}{' ' if said else ''}(default {one.default})"
    return f"| `{_cell(typed)}` | {_cell(re.sub('([<>*_])', SHOWN_AS_IT_IS, said))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
