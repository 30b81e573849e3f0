"""What the search for worst noise raises, as far as the two models allow."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from rgan.gan import Gan
from rgan.objectives import CHANGE, CRITIC, JUDGE, choices, judge_for

_HELP = (
    "What worst noise is worst for. Critic: the generator's loss by its own critic, equation 8. Judge: the distance to "
    "the third nearest real image, as an independent judge sees images; it has seen neither model. Change: how far "
    "the image moves from that of the original noise; it needs nothing but a generator, and sets the direction of "
    "largest change beside random ones."
)


@dataclass(frozen=True)
class Raising:
    """What is raised (one of AGAINST), and the data of the judge who measures it, "" for none.

    usual: what is raised by default. because: what cannot be raised and what can be done, empty if nothing is missing.
    """

    against: str
    judge: str
    usual: str
    because: str


def raising(names: tuple[str, ...], gans: tuple[Gan, ...]) -> Raising:
    """Draw the choice into the current container."""
    judge = judge_for(gans)
    offered = choices(gans, judge)
    chosen = st.segmented_control(
        "Raise",
        offered,
        default=offered[0],
        key="against",
        bind="query-params",
        required=True,
        help=_HELP,
    )
    against = str(chosen)
    if judge is not None and against == JUDGE:
        st.caption(f"The judge of {judge.data}: right on {100 * judge.accuracy:.1f} % of held-out real images.")
    return Raising(
        against, judge.data if judge and against == JUDGE else "", offered[0], _because(names, gans, offered)
    )


def _because(names: tuple[str, ...], gans: tuple[Gan, ...], offered: tuple[str, ...]) -> str:
    without = [f"{side} ({name})" for side, name, gan in zip("AB", names, gans, strict=True) if not gan.has_critic]
    if CRITIC in offered:
        return ""
    have, whose = ("has", "its loss") if len(without) == 1 else ("have", "their loss")
    instead = "the judge's distance or the change" if JUDGE in offered else f"the {CHANGE}"
    unjudged = "" if JUDGE in offered else " No judge comes with RGAN Lab for the data of A or B."
    return (
        f"{' and '.join(without)} {have} no critic, so {whose} cannot be raised; raise {instead} instead, or let a "
        f"critic be trained on the Checkpoints page.{unjudged}"
    )
