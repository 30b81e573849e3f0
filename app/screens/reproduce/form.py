"""What a study is made of: its settings, in the URL, and the models it takes."""

from __future__ import annotations

import streamlit as st
from controls.draw import draw
from session import table
from theme.language import plain, symbols

from rgan.attack.search import budget_of
from rgan.common.errors import SettingsError
from rgan.paper.ablation import Ablation, LeftOut, Model, members
from rgan.paper.evaluation import EvaluationSettings
from rgan.report import study_page

HOW = """for seed in 0 1 2; do
  common="--system dcgan --data digits --width 32 --latent 64 --iterations 6000 --seed $seed"
  robust="--noise-radius 1 --image-radius 1 --weight 1"
  python -m rgan train $common --out runs/none-$seed
  for players in generator critic both; do
    python -m rgan train $common $robust --players $players --out runs/$players-$seed
  done
done"""


def settings_form() -> EvaluationSettings:
    """Draw the settings into the current container; the usual radii stand in for what is none, which is said."""
    try:
        radii = _radii(draw(table.RADII))
    except SettingsError as error:
        st.error(plain(f"{error}. Until then: {table.RADII.default}."))
        radii = _radii(table.RADII.default)
    repeats = draw(table.REPEATS)
    return EvaluationSettings(radii, repeats, draw(table.STUDY_IMAGES), budget_of(draw(table.BUDGET)))


def _radii(written: str) -> tuple[float, ...]:
    try:
        return tuple(sorted({float(word) for word in written.replace(",", " ").split()}))
    except ValueError as error:
        raise SettingsError(f"expected radii ε such as 0.01 0.5 1 2, got {written!r}; write numbers") from error


def models_form(columns: tuple[Ablation, ...], left: tuple[LeftOut, ...]) -> tuple[Model, ...]:
    """Draw the choice of columns, and what is left out and why; return their models."""
    titles = {column.title: column for column in columns}
    chosen = st.multiselect(
        "Models: one baseline and its robust versions each", list(titles), list(titles), key="families",
        help="Models that differ in seed and robust part alone stand in one column of the tables.",
    )  # fmt: skip
    symbols("ε₁", "ε₂", "λ of training")
    if chosen:
        st.html(study_page.seeds_html([titles[title] for title in chosen]))
    for one in left:
        st.caption(plain(f"Left out, {one.name}: {one.reason}"))
    return members(titles[title] for title in chosen)


def what_to_train() -> None:
    """The commands that give a table with claims."""
    st.markdown(
        "A table with claims needs at least three training seeds a row. These commands train the twelve models of one "
        "column, with a bar that says how long each takes; the Train screen does the same run by run:"
    )
    st.code(HOW, language="bash")
