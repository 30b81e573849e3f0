"""The controls of the Worst noise screen: all of them live in the URL."""

from __future__ import annotations

from typing import TypedDict

import streamlit as st
from controls.lock import limited
from controls.objective import ObjectiveChoice

from rgan.attack.objectives import CHANGE
from rgan.attack.path import Request, parse_rows

PRICES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
SAMPLES = (16, 32, 64, 128, 256)
LARGEST_SEED = 2**31 - 3
METHODS = {"search": "ascent", "one-step": "one-step"}  # as shown and in the URL, to the library's name


class Defaults(TypedDict):
    """What each control shows at first, by its key."""

    eps: float
    lam: float
    method: str
    steps: int
    restarts: int
    shell: bool
    samples: int
    rows: str
    seed: int
    show: str
    pick: int


DEFAULTS: Defaults = {
    "eps": 1.0,
    "lam": 0.0,
    "method": "search",
    "steps": 10,
    "restarts": 1,
    "shell": False,
    "samples": 64,
    "rows": "",
    "seed": 0,
    "show": "images",
    "pick": 1,
}


def reset(against: str) -> None:
    """Every control back to its default; what is raised, to what is usual for the models."""
    st.session_state.update(DEFAULTS | {"against": against})


def search_controls(reach: float, raised: ObjectiveChoice) -> Request:
    """Draw the controls into the current container: the search they ask for; ε, between 0 and `reach`, is in "eps"."""
    radius(reach)
    change = raised.objective == CHANGE
    one_step = not change and st.session_state.get("method", st.query_params.get("method")) == "one-step"
    paid = price(disabled=one_step)
    method = st.segmented_control(
        "Method",
        tuple(METHODS),
        default=DEFAULTS["method"],
        key="method",
        bind="query-params",
        required=True,
        disabled=change,
        help="Search: gradient ascent that keeps the best point found. One-step: the paper's r = ε·∇/‖∇‖, as in "
        "Algorithm 1 line 4; it overshoots when ε is large.",
    )
    if change:
        st.caption("The change is searched: it has no gradient at the original noise for one step to follow.")
    climbs, starts, kept = steps(disabled=one_step), restarts(disabled=one_step), shell()
    rows = st.text_input(
        "Only these samples",
        key="rows",
        bind="query-params",
        placeholder="such as 3, 17, 250",
        help="Numbers of samples, the first being 0; the Embeddings screen sends its selection here. Empty: the first.",
    )
    count, drawn = samples(disabled=bool(rows)), seed()
    st.button(
        "Reset",
        key="reset",
        on_click=reset,
        args=(raised.usual,),
        icon=":material/restart_alt:",
        help="All controls back to their defaults.",
    )
    how = "ascent" if change else METHODS[str(method)]
    return Request(
        count, drawn, paid, climbs, how, starts, kept, reach, parse_rows(rows or ""), raised.objective, raised.judge
    )


def steps(*, disabled: bool = False) -> int:
    """Gradient steps of the search for worst noise."""
    limited("steps", 1, 50)
    return st.slider(
        "Steps",
        1,
        50,
        DEFAULTS["steps"],
        key="steps",
        bind="query-params",
        disabled=disabled,
        help="Gradient steps for each sample. More steps never find less.",
    )


def restarts(*, disabled: bool = False) -> int:
    """Starts of the search for worst noise."""
    limited("restarts", 1, 8)
    return st.slider(
        "Starts",
        1,
        8,
        DEFAULTS["restarts"],
        key="restarts",
        bind="query-params",
        disabled=disabled,
        help="Independent searches per sample, the first from the original noise, the others from random points of "
        "the ball; the best is kept.",
    )


def shell(*, disabled: bool = False) -> bool:
    """Whether worst noise keeps the length of the original noise."""
    return st.toggle(
        "Keep the length of z",
        key="shell",
        bind="query-params",
        disabled=disabled,
        help="Search on the sphere ‖z + r‖ = ‖z‖: worst noise stays as likely under the prior as ordinary noise.",
    )


def samples(default: int = DEFAULTS["samples"], *, disabled: bool = False) -> int:
    """Noise vectors of each model."""
    limited("samples", SAMPLES[0], SAMPLES[-1], SAMPLES)
    return int(
        st.select_slider(
            "Samples",
            SAMPLES,
            default,
            key="samples",
            bind="query-params",
            disabled=disabled,
            help="Noise vectors searched and drawn, for A and B alike.",
        )
    )


def radius(reach: float) -> float:
    """ε of the search for worst noise."""
    limited("eps", 0.0, reach)
    return st.slider(
        "ε, radius of the search",
        0.0,
        reach,
        min(DEFAULTS["eps"], reach),
        step=0.01,
        key="eps",
        bind="query-params",
        help="How far each noise vector may move, in units of noise (‖z‖ is about "
        f"{2 * reach:.1f}). The same ε as the slider above the pictures; this one takes arrow keys. "
        "The paper trains with ε₁ = 0.01.",
    )


def price(*, disabled: bool = False) -> float:
    """λ of the search for worst noise."""
    limited("lam", PRICES[0], PRICES[-1], PRICES)
    chosen = st.select_slider(
        "λ, price of moving",
        PRICES,
        DEFAULTS["lam"],
        format_func=lambda value: f"{value:g}",
        key="lam",
        bind="query-params",
        disabled=disabled,
        help="Paid per squared unit of length moved, in what is raised: λ_z of equation 8. 0 lets every sample use all "
        "of ε. The one-step method ignores it: its step always has length ε.",
    )
    return float(chosen)


def seed() -> int:
    """Of the noise and of every random choice."""
    limited("seed", 0, LARGEST_SEED)
    return int(
        st.number_input(
            "Seed",
            0,
            LARGEST_SEED,
            DEFAULTS["seed"],
            step=1,
            key="seed",
            bind="query-params",
            help="The same seed gives the same noise and the same random directions on any machine.",
        )
    )
