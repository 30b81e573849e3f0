"""Every system and its robust presets."""

from __future__ import annotations

import argparse

from rgan.cli.common import Subparsers, print_report
from rgan.models.recipes import Recipe, catalogue, named
from rgan.models.systems import SYSTEMS


def add(commands: Subparsers) -> None:
    command = commands.add_parser("recipes", help="list every system and its robust presets")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    made = {name: named(name) for name in catalogue()}
    width = max(map(len, made))
    lines = [f"{name:{width}}  {_short(name, one)}" for name, one in made.items()]
    print_report(options, {name: one.to_dict() for name, one in made.items()}, "\n".join(lines))


def _short(name: str, made: Recipe) -> str:
    """A recipe in one line: title, parameters and source of a plain one; λ, radii and terms of a robust one; steps."""
    robust, about = made.robust, SYSTEMS[made.system]
    steps = f"{made.critic_steps} critic step{'s' * (made.critic_steps > 1)}"
    if robust is None:
        generator, critic = made.parameters()
        source = about.source if name == made.system else f"the baseline of {name.removesuffix('/none')}"
        beside = f", {count:,} numbers beside them" if (count := made.companion_numbers()) else ""
        return f"{made.title}: generator {generator:,}, critic {critic:,} parameters{beside}, {steps} ({source})"
    terms = ", ".join(f"{term} {value:g}" for term, value in robust.terms().items())
    if name.startswith("official") and about.official != made.system:
        terms += f" (as published for {SYSTEMS[about.official].title})"
    return f"λ {robust.weight:g}, ε₁ {robust.noise_radius:g}, ε₂ {robust.image_radius:g}, {steps}: {terms}"
