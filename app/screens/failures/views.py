"""A pool of failures on the page: how common they are, the ranking as in Figure 5, and their modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from components.pieces import said, table
from components.progress import bar_with_stop
from controls.draw import draw
from screens.failures import failure_view
from screens.failures.works import Hunt, failure_of, modes_of
from session.chosen import Slot
from session.state import tasks
from session.table import BY, KIND, OF
from session.tasks import Task
from theme.html import part
from theme.language import model_title

from rgan.common.formatting import per_cent, per_cent_range
from rgan.common.images import circled, grid, png, to_uint8
from rgan.metrics.judges import BAD
from rgan.report import evidence
from rgan.report.parts import Cell, Picture, Row, Table
from rgan.robustness.failures.modes import Modes
from rgan.robustness.failures.pool import OF_MOVES, Pool, Spread, prevalence, ranking, spread
from rgan.robustness.failures.pool import findings as findings
from rgan.robustness.measured import JudgedGan

EACH, COLUMNS = 16, 8  # images of each part of the ranking
PLACE = Slot("place", 1)  # in the ranking, 1 the worst
BANDS = {"worst": "the worst of the ranking", "median": "the middle of it", "best": "its best"}
SHOWN, MEMBERS = 6, 8  # failure modes, and images of each


def progress(hunt: Hunt, task: Task[Pool], pool: Pool | None) -> None:
    """How far the search is, and the button that ends it."""
    count = 0 if pool is None else len(pool.z)
    if task.done:
        if hunt.stop.is_set() and count < hunt.plan.samples:
            place, button = st.columns([5, 1], vertical_alignment="center")
            place.info(f"Stopped after {count:,} of {hunt.plan.samples:,} noise vectors.", icon=":material/info:")
            button.button("Search again", on_click=_again, args=(hunt,), width="stretch")
        return
    words = f"{count:,} of {hunt.plan.samples:,} noise vectors searched in both models"
    bar_with_stop(task.share, words, hunt.stop.set, "What has been found stays.")


def _again(hunt: Hunt) -> None:
    hunt.stop.clear()
    tasks().again(hunt.key)


def everything(hunt: Hunt, pool: Pool, names: tuple[str, str], *, finished: bool) -> None:
    """What the pool shows; one failure and the modes once it is finished."""
    shares(pool, hunt.judged_gans)
    by, side, kind = _ranking_controls(pool)
    order = ranking(pool, side, by, kind)
    ranked(hunt, pool, names, spread(order, EACH), kind, side)
    if not finished:
        st.caption("The ranking grows with the pool; one failure can be looked at closely when it is whole.")
        return
    st.header("One failure", anchor=False)
    row = _chosen(order)
    judged, name = hunt.judged_gans["AB".index(side)], names["AB".index(side)]
    found = failure_of(judged.gan.digest, judged.judge.digest, hunt.plan, row, judged)
    failure_view.show(found, judged, name, side, place="ranked")
    st.header("Failure modes: near-duplicates among the bad images", anchor=False)
    grouped(judged, pool, side, kind, modes_of(repr((hunt.key, len(pool.z))), pool, side, kind, judged.judge))


def _ranking_controls(pool: Pool) -> tuple[str, str, str]:
    """What to rank by, whose images, and under which noise."""
    able = [by for by in BY.options if by != "loss" or all(rows.has_loss for rows in pool.rows.values())]
    with st.container(horizontal=True, gap="large"):
        by, side = draw(replace(BY, options=able)), draw(OF)
        kinds = [kind for kind in KIND.options if by not in OF_MOVES or kind != "original"]
        return by, side, draw(replace(KIND, options=kinds))


def _chosen(order: np.ndarray) -> int:
    """A row of the pool by its place in the ranking, 1 the worst; ← and → step through it."""
    place = min(PLACE.get(), len(order))
    PLACE.set(place)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.button("Worse", on_click=_step, args=(-1,), shortcut="Left", disabled=place == 1,
               icon=":material/arrow_back:")  # fmt: skip
    at = int(row.number_input("Place in the ranking", 1, len(order), key=PLACE.key, width=180, help="1 is the worst."))
    row.button("Better", on_click=_step, args=(1,), shortcut="Right", icon=":material/arrow_forward:",
               disabled=place == len(order))  # fmt: skip
    row.caption(f"of {len(order):,}; ← and → step through them.")
    return int(order[at - 1])


def _step(by: int) -> None:
    PLACE.set(PLACE.get() + by)


def shares(pool: Pool, judged_gans: Sequence[JudgedGan]) -> None:
    """How common bad images are, over all noise tried, with the intervals; and what that says."""
    judge = judged_gans[0].judge
    flattered = "".join(f" {side}: {one.caveat}" for side, one in zip("AB", judged_gans, strict=False) if one.caveat)
    st.caption(
        f"**Badness** of an image is the share of held-out real {judge.data} that lie nearer to real ones than it "
        f"does, in the features of an independent judge; **bad** is {per_cent(BAD, 0)} and more, circled in red below. "
        "Ranked by **rise**, what moving adds to badness, the first images are those that moving breaks; ranked by "
        f"badness, they may be bad before anything moves.{flattered}"
    )
    rows = tuple(
        Row(
            (
                Cell(evidence.noise(kind)),
                Cell(f"{share.hits:,} of {share.total:,}"),
                Cell(per_cent(share.mean)),
                Cell(per_cent_range(share.low, share.high)),
            ),
            side,
        )
        for side in pool.rows
        for kind, share in prevalence(pool, side).items()
    )
    told, counted = st.columns(2, gap="large")
    with told:
        said(findings(pool))
    with counted:
        table(Table(("Noise", "Bad images", "Share", "95 % interval"), rows))


def ranked(hunt: Hunt, pool: Pool, names: tuple[str, str], parts: Spread, kind: str, side: str) -> None:
    """Worst, median and best of a ranking, for A and B with the same noise; bad images have a red ring."""
    columns = st.columns(2, gap="medium")
    for one, judged, name, column in zip(pool.rows, hunt.judged_gans, names, columns, strict=True):
        html = model_title(one, name, "ranked" if one == side else "the same noise")
        for band, words in BANDS.items():
            index = getattr(parts, band)
            bad = pool.rows[one].measures[kind].bad[index].numpy()
            sheet = circled(to_uint8(judged.images(pool.noise(one, kind, index))), bad, COLUMNS, scale=2)
            alt = f"{one}, {words}: {len(index)} images, {int(bad.sum())} of them bad, circled"
            value = f"{int(bad.sum())} of {len(index)} bad"
            html += part("board.html", "shown", one, value, Picture(png(sheet), alt, words))
        column.html(html)


def grouped(judged: JudgedGan, pool: Pool, side: str, kind: str, found: Modes) -> None:
    """Failure modes with their sizes, the most central image of each first."""
    st.markdown(found.sentence)
    if len(found.modes) > SHOWN:
        st.caption(f"The {SHOWN} largest of {len(found.modes):,} modes and their share of the bad images:")
    columns = st.columns(3, gap="medium")
    for number, mode in enumerate(found.modes[:SHOWN], 1):
        images = to_uint8(judged.images(pool.noise(side, kind, mode.members[:MEMBERS])))
        value = f"{mode.size} images, {per_cent(mode.size / found.grouped, 0)}"
        picture = Picture(
            png(grid(images, len(images), scale=2)), f"Mode {number}: {len(images)} near-duplicates", f"mode {number}"
        )
        width = f"{100 * len(images) / MEMBERS:g}%"
        columns[(number - 1) % 3].html(part("board.html", "shown", f"near {side}", value, picture, width))
