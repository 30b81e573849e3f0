"""What the search for worst noise raises, as far as the two models allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from controls.draw import draw
from session import chosen
from session.chosen import Slot
from session.shared import is_moved
from session.table import OBJECTIVE
from theme.language import plain

from rgan.attack.objectives import CRITIC, JUDGE, choices, judge_for
from rgan.common.formatting import per_cent
from rgan.models.gan import Gan

_USUAL = Slot("against_usual", "")  # the default when the choice was last drawn


@dataclass(frozen=True)
class ObjectiveChoice:
    """What is raised (one of OBJECTIVES), and the data of the judge who measures it, "" for none.

    usual: what is raised by default. because: what cannot be raised and what can be done, empty if nothing is missing.
    """

    objective: str
    judge: str
    usual: str
    because: str


def objective_choice(names: tuple[str, ...], gans: tuple[Gan, ...], *, first: str = "") -> ObjectiveChoice:
    """Draw the choice into the current container; `first` is the default where it can be raised."""
    judge = judge_for(gans)
    offered = choices(gans, judge)
    usual = first if first in offered else offered[0]
    _follow(usual)
    objective = draw(replace(OBJECTIVE, options=offered, default=usual))
    if judge is not None and objective == JUDGE:
        st.caption(
            f"The judge of {plain(judge.data)} that may be attacked: right on {per_cent(judge.accuracy)} of held-out "
            "real images. Verdicts come from the other one."
        )
    elif judge is not None:
        st.caption("What is broken is said by an independent judge, which need not agree with what is raised.")
    return ObjectiveChoice(
        objective, judge.data if judge and objective == JUDGE else "", usual, _because(names, gans, offered)
    )


def _follow(usual: str) -> None:
    """Where other models have another default, what was left at the old one goes to the new one.

    The link says nothing of a default, so it would otherwise reopen another picture.
    """
    before = _USUAL.get()
    if before not in ("", usual) and chosen.current(OBJECTIVE) == before and not is_moved(OBJECTIVE):
        chosen.put(OBJECTIVE, usual)
    _USUAL.set(usual)


def _because(names: tuple[str, ...], gans: tuple[Gan, ...], offered: tuple[str, ...]) -> str:
    without = [f"{side} ({name})" for side, name, gan in zip("AB", names, gans, strict=True) if not gan.has_critic]
    if CRITIC in offered:
        return ""
    have, whose, them = ("has", "its", "it") if len(without) == 1 else ("have", "their", "them")
    instead = "the judge's distance or the change" if JUDGE in offered else "the change"
    unjudged = "" if JUDGE in offered else " No judge comes with RGAN Lab for the data of A or B."
    return (
        f"{' and '.join(without)} {have} no critic, so {whose} loss cannot be raised; raise {instead} instead, or "
        f"let a critic be trained for {them} on the Checkpoints page.{unjudged}"
    )
