"""The controls of the search for worst noise."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from controls.draw import draw
from controls.objective import ObjectiveChoice
from session import chosen, table
from session.chosen import Slot
from session.classroom import most_rows
from theme.language import wrong

from rgan.attack.objectives import CHANGE
from rgan.attack.path import MAX_ROWS, Request, parse_rows
from rgan.attack.search import budget_of
from rgan.common.errors import SettingsError

SAMPLES = 16  # few enough for large pictures
_LAST_ROWS = Slot[tuple[int, ...]]("rows_last", ())


def search_controls(reach: float, raised: ObjectiveChoice) -> Request:
    """Draw the controls into the current container: the search they ask for, up to an ε of `reach`."""
    change = raised.objective == CHANGE
    one_step = not change and chosen.current(table.METHOD) == table.ONE_STEP
    price = draw(table.LAM, disabled=one_step)
    method = draw(table.METHOD, disabled=change)
    if change:
        st.caption("The change is searched: it has no gradient at the original noise for one step to follow.")
    budget = draw(table.BUDGET, disabled=one_step)
    shell, rows = draw(table.SHELL), _rows()
    samples = draw(replace(table.SAMPLES, default=SAMPLES), disabled=bool(rows))
    seed = draw(table.SEED)
    how = table.ONE_STEP if method == table.ONE_STEP and not change else "ascent"
    return Request(samples, seed, price, budget_of(budget), how, shell, reach, rows, raised.objective, raised.judge)


def _rows() -> tuple[int, ...]:
    """Draw the field for sample numbers; those that stood in it last where it cannot be read, and the field says so."""
    text = draw(table.ROWS)
    try:
        rows = parse_rows(text, most_rows(MAX_ROWS))
    except SettingsError as error:
        wrong(table.ROWS.key, str(error))
        return _LAST_ROWS.get()
    _LAST_ROWS.set(rows)
    return rows


def radius(reach: float) -> float:
    """Draw ε, at most `reach`."""
    hint = (
        f"How far each noise vector may move, in units of noise (‖z‖ is about {2 * reach:.1f}). The same ε as the "
        "slider above the pictures; this one takes arrow keys. The paper trains with ε₁ = 0.01."
    )
    return draw(replace(table.EPS, high=reach, default=min(table.EPS.default, reach), help=hint))
