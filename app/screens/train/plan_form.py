"""The controls of the Train screen: a plan for a new run, all of it in the URL."""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path

import streamlit as st
import torch
from controls.draw import choose, draw
from screens.train import data_sheet
from session import table
from session.state import DATA, about_data, broken_data, data_sets
from session.twins import twins
from theme.html import part
from theme.language import plain

from rgan.models.recipes import Recipe, Robust, lasting, recipe
from rgan.models.systems import SYSTEMS, size_near
from rgan.report.parts import Picture
from rgan.training.runs import TrainingPlan


def plan_form() -> TrainingPlan:
    """Draw the controls into the current container and return the plan they ask for."""
    data = choose(table.DATA, data_sets())
    place = st.container()
    for why in broken_data().values():
        st.warning(plain(why), icon=":material/folder_zip:")
    system = draw(table.SYSTEM)
    robust, players = _robust(system)
    iterations = draw(table.ITERATIONS)
    with st.expander("Size, seed, device"):
        width, latent, seed = draw(table.WIDTH), draw(table.LATENT), draw(table.TRAIN_SEED)
        gpu = torch.cuda.is_available()
        device = draw(
            dataclasses.replace(
                table.DEVICE,
                options=[name for name in table.DEVICE.options if name != "cuda" or gpu],
                help=f"Auto: the GPU if there is one (here: {'yes' if gpu else 'none'}). On the processor one core "
                "trains, so that the app stays live.",
            )
        )
    about = about_data(data)
    with place:
        data_sheet.sheet(data, size_near(system, about.size))
    made = recipe(
        system, robust, players=players, width=width, latent=latent, size=size_near(system, about.size),
        channels=about.channels,
    )  # fmt: skip
    st.caption(_networks(made))
    return TrainingPlan(lasting(made, iterations), data, iterations, seed, device, data_root=str(DATA))


def _networks(made: Recipe) -> str:
    """The networks in words: "32×32 pixels. Generator 1.2, critic 1.1 million parameters. Source: …"."""
    generator, critic = (count / 1e6 for count in made.parameters())
    return (
        f"{made.size}×{made.size} pixels. Generator {generator:.2g}, critic {critic:.2g} million parameters. "
        f"Source: {SYSTEMS[made.system].source}."
    )


def _robust(system: str) -> tuple[Robust | str | None, str]:
    """The robust part or the name of its preset, and its players."""
    kind = draw(table.ROBUST)
    if kind == "off":
        return None, "both"
    players = draw(table.ROBUST_PLAYERS)
    if kind != "own":
        preset = recipe(system, kind, players=players).robust
        assert preset is not None
        terms = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in preset.terms().items())
        st.caption(f"Terms: {terms}.")
        _explained(preset.noise_radius, preset.image_radius, preset.weight)
        return kind, players
    first, second, third = st.columns(3)
    with first:
        noise_radius = draw(table.TRAIN_NOISE_RADIUS)
    with second:
        image_radius = draw(table.TRAIN_IMAGE_RADIUS)
    with third:
        weight = draw(table.WEIGHT)
    _explained(noise_radius, image_radius, weight)
    with st.expander("Solver"):
        steps = draw(table.SOLVER_STEPS)
    return Robust(noise_radius, image_radius, weight, steps=steps), players


def _explained(noise_radius: float, image_radius: float, weight: float) -> None:
    values = noise_radius, image_radius, weight
    st.html(part("train.html", "terms", [(*one, f"{value:g}") for one, value in zip(_terms(), values, strict=True)]))


@functools.cache
def _terms() -> tuple[tuple[str, Picture, str], ...]:
    """What ε₁, ε₂ and λ do, each with a drawing."""
    return tuple(
        (name, Picture(Path(__file__).with_name(f"{file}.svg").read_bytes(), alt, kind="svg+xml"), words)
        for name, file, alt, words in (
            (
                "ε₁", "noise_radius", "A noise vector z moves within a ball to where it is worst",
                "the generator trains on the worst noise this near to each z",
            ),
            (
                "ε₂", "image_radius", "An image is changed a little, to where the critic errs most",
                "the critic trains on images, real and drawn, moved this far to where it errs most",
            ),
            (
                "λ", "weight", "The loss that is trained: the usual one and λ times the worst",
                "what the worst counts beside the usual loss; 0 is the baseline",
            ),
        )
    )  # fmt: skip


def pair(plan: TrainingPlan) -> tuple[TrainingPlan, TrainingPlan]:
    """The baseline of a robust plan, with the same seed, and the plan itself."""
    return dataclasses.replace(plan, recipe=dataclasses.replace(plan.recipe, robust=None)), plan


def name_of(plan: TrainingPlan, taken: set[str]) -> str:
    """A free name that says data, system and seed; of a baseline, such that its robust twin's is free as well."""
    data = re.sub(r"[^a-z0-9]+", "-", Path(plan.data).stem.lower()).strip("-") or "images"
    base = f"{data}-{plan.recipe.system}-s{plan.seed}"
    number = 1
    while set(twins(base)) & taken:
        number += 1
        base = f"{data}-{plan.recipe.system}-s{plan.seed}-{number}"
    return base
