"""The controls of the Train screen: a plan for a new run, all of it in the URL."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import streamlit as st
import torch
from session.state import DATA, about_data, data_sets
from theme.language import symbols

from rgan.common.devices import DEVICES
from rgan.models.recipes import PLAYERS, Recipe, Robust, lasting, recipe
from rgan.models.systems import SYSTEMS, size_near
from rgan.training.runs import TrainingPlan
from rgan.training.trainer import MAX_ITERATIONS, WHY_MAX_ITERATIONS

WIDTHS, LATENTS = (8, 16, 32, 64, 128), (16, 32, 64, 100, 128)
ROBUST = ("off", "paper", "official", "own")
TWIN = "-robust"


def plan_form() -> TrainingPlan:
    """Draw the controls into the current container and return the plan they ask for."""
    data = str(
        st.selectbox(
            "Data", data_sets(), key="data", bind="query-params",
            help="Digits come with scikit-learn; `python -m rgan data NAME --download` fetches the others. A folder or "
            "zip of images put into data/ appears here too.",
        )
    )  # fmt: skip
    system = st.selectbox(
        "System", tuple(SYSTEMS), format_func=lambda name: SYSTEMS[name].title, key="system", bind="query-params",
        help="The baseline GAN of the paper's tables: networks, loss and optimiser.",
    )  # fmt: skip
    robust, players = _robust(str(system))
    iterations = st.number_input(
        "Iterations", 1, MAX_ITERATIONS, 2000, step=500, key="iterations", bind="query-params",
        help=f"Generator steps. Digits are readable after about 1,000. At most a million: {WHY_MAX_ITERATIONS}.",
    )  # fmt: skip
    with st.expander("Size, seed, device"):
        width = st.select_slider(
            "Width", WIDTHS, 32, key="width", bind="query-params",
            help="Features of the narrowest layer. Published networks have 128, Miyato's and those of 48 and 64 pixels "
            "64: cost grows with its square.",
        )  # fmt: skip
        latent = st.select_slider(
            "Noise dimensions",
            LATENTS,
            64,
            key="latent",
            bind="query-params",
            help="Length of z. Published networks have 128, DCGANs of 64 pixels 100.",
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, 0, key="train_seed", bind="query-params",
            help="Of first weights, noise and the order of the images. A pair shares it.",
        )  # fmt: skip
        gpu = torch.cuda.is_available()
        device = st.selectbox(
            "Device", [name for name in DEVICES if name != "cuda" or gpu], key="device", bind="query-params",
            help=f"Auto: the GPU if there is one (here: {'yes' if gpu else 'none'}). On the processor one core trains, "
            "so that the app stays live.",
        )  # fmt: skip
    about = about_data(data)
    made = recipe(
        str(system), robust, players=players, width=int(width), latent=int(latent),
        size=size_near(str(system), about.size), channels=about.channels,
    )  # fmt: skip
    st.caption(_networks(made))
    return TrainingPlan(
        lasting(made, int(iterations)), data, int(iterations), int(seed), str(device), data_root=str(DATA)
    )


def _networks(made: Recipe) -> str:
    """The networks in words: "32×32 pixels. Generator 1.2, critic 1.1 million parameters. Source: …"."""
    generator, critic = (count / 1e6 for count in made.parameters())
    return (
        f"{made.size}×{made.size} pixels. Generator {generator:.2g}, critic {critic:.2g} million parameters. "
        f"Source: {SYSTEMS[made.system].source}."
    )


def _robust(system: str) -> tuple[Robust | str | None, str]:
    """The robust part or the name of its preset, and its players."""
    kind = st.selectbox(
        "Robust part", ROBUST, ROBUST.index("own"), key="robust", bind="query-params",
        help="Paper: λ 0.1, ε₁ 0.01, ε₂ 4 (Algorithm 1). Official: the coefficients of the paper's published code, "
        "which differ from its text. Own: yours; 1, 1, 1 made a visible difference on digits.",
    )  # fmt: skip
    if kind == "off":
        return None, "both"
    players = str(
        st.selectbox(
            "Robust players", PLAYERS, key="players", bind="query-params",
            help="Who trains against its worst case: the generator, the critic, or both (Table 2).",
        )
    )  # fmt: skip
    if kind != "own":
        preset = recipe(system, str(kind), players=players).robust
        assert preset is not None
        terms = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in preset.terms().items())
        st.caption(f"λ {preset.weight:g}, ε₁ {preset.noise_radius:g}, ε₂ {preset.image_radius:g}; {terms}")
        symbols("ε₁", "ε₂", "λ of training")
        return str(kind), players
    first, second, third = st.columns(3)
    noise_radius = first.number_input(
        "ε₁", 0.0, 100.0, 1.0, step=None, key="e1", bind="query-params",
        help="Length of the generator's worst noise step, in units of noise.",
    )  # fmt: skip
    image_radius = second.number_input(
        "ε₂", 0.0, 100.0, 1.0, step=None, key="e2", bind="query-params",
        help="Length of the critic's worst image step; pixels run from −1 to 1.",
    )  # fmt: skip
    weight = third.number_input(
        "λ", 0.0, 100.0, 1.0, step=None, key="weight", bind="query-params",
        help="Weight of the robust terms in training (eq. 11); not the price λ of a search.",
    )  # fmt: skip
    symbols("ε₁", "ε₂", "λ of training")
    with st.expander("Solver"):
        steps = st.slider(
            "Solver steps", 1, 10, 1, key="solver_steps", bind="query-params",
            help="Gradient steps of each worst perturbation. The paper: 1. Each further one costs another pass.",
        )  # fmt: skip
    return Robust(noise_radius, image_radius, weight, steps=int(steps)), players


def pair(plan: TrainingPlan) -> tuple[TrainingPlan, TrainingPlan]:
    """The baseline of a robust plan, with the same seed, and the plan itself."""
    return dataclasses.replace(plan, recipe=dataclasses.replace(plan.recipe, robust=None)), plan


def name_of(plan: TrainingPlan, taken: set[str]) -> str:
    """A free name that says data, system and seed; of a baseline, such that its robust twin's is free as well."""
    data = re.sub(r"[^a-z0-9]+", "-", Path(plan.data).stem.lower()).strip("-") or "images"
    base = f"{data}-{plan.recipe.system}-s{plan.seed}"
    number = 1
    while {base, base + TWIN} & taken:
        number += 1
        base = f"{data}-{plan.recipe.system}-s{plan.seed}-{number}"
    return base
