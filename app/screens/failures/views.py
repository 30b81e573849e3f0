"""A pool of failures on the page: the ranking as in Figure 5, one failure, what changes, and failure modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from components.pieces import numbers
from components.tile_pick import tile_pick
from controls.draw import draw
from screens.failures import failure_view
from screens.failures.works import Hunt, failure_of, modes_of
from session import chosen
from session.state import tasks
from session.table import BY, KIND, OF, OPENED, PLACE
from session.tasks import Task
from theme.html import part
from theme.language import SYMBOLS, model_title, plain
from torch import Tensor

from rgan.common.formatting import per_cent, per_cent_range
from rgan.common.images import circled, grid, png, to_uint8
from rgan.metrics.judges import BAD
from rgan.report import evidence
from rgan.report.parts import Cell, Picture, Row, Table
from rgan.robustness.failures.modes import Modes
from rgan.robustness.failures.pool import BASE_RATE, Pool, PoolPlan, prevalence, ranking, spread
from rgan.robustness.finding import strength_words
from rgan.robustness.measured import JudgedGan

EACH, COLUMNS = 16, 8  # images of each part of the ranking
BANDS = {  # the three parts of a ranking, named after what it ranks by
    "badness": ("the worst", "the middle", "the best"),
    "rise": ("badness rises most", "in the middle", "rises least or falls"),
    "loss": ("highest loss", "the middle", "lowest loss"),
    "change": ("changed most", "the middle", "changed least"),
    "attributes": ("most attributes changed", "the middle", "fewest changed"),
}
SHOWN, MEMBERS = 6, 8  # failure modes, and images of each
COMMON = 0.03  # of the broken images: a mode that is smaller says nothing of the model
CHANGES, EXAMPLES = 3, 8  # attributes whose changes are shown, and images of each


def settings(plan: PoolPlan) -> str:
    """In short, as a picture's stamp."""
    attack = plan.attack
    return f"ε {plan.radius:g}, λ {attack.price:g}, {attack.gradients:,} gradients, {plan.samples:,} noise vectors"


def about(hunt: Hunt) -> str:
    """What the words on this screen mean."""
    judge = hunt.judged_gans[0].judge
    flattered = " ".join(
        f"{side}: {one.caveat}" for side, one in zip("AB", hunt.judged_gans, strict=False) if one.caveat
    )
    return "\n\n".join(
        (
            f"**Badness** of an image: the share of held-out real {plain(judge.data)} that lie nearer to real ones "
            "than it does, in the features of an independent judge. **Broken** (bad): "
            f"{per_cent(BAD, 0)} and more, circled in red. {BASE_RATE} {flattered}",
            "Each model is ranked by its own worst noise, unless the same noise is asked for: then the other model "
            "shows what that noise makes of its images, which was not chosen to be bad for it. **Rise**: what moving "
            "adds to badness.",
            *(f"**{name}**: {SYMBOLS[name]}." for name in ("z", "ε", "λ", "loss", "change")),
        )
    )


def stopping(hunt: Hunt, task: Task[Pool], pool: Pool | None) -> None:
    """The button that ends the search, and the one that begins it again."""
    count = 0 if pool is None else len(pool.z)
    if not task.done and count:
        st.button("Stop", on_click=hunt.stop.set, icon=":material/stop:", help="What has been found stays.")
    elif task.done and hunt.stop.is_set() and count < hunt.plan.samples:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Stopped after {count:,} of {hunt.plan.samples:,} noise vectors.")
            st.button("Search again", on_click=_again, args=(hunt,))


def _again(hunt: Hunt) -> None:
    hunt.stop.clear()
    tasks().again(hunt.key)


def everything(hunt: Hunt, pool: Pool, names: tuple[str, str], *, finished: bool) -> None:
    """What the pool shows; one failure, the changes and the modes once it is finished."""
    by, of, kind = _ranking_controls(pool)
    orders = {side: ranking(pool, of if of in pool.rows else side, by) for side in pool.rows}
    wall(hunt, pool, names, orders, by, kind)
    with numbers():
        st.html(part("evidence.html", "table", shares(pool)))
        if pool.strength:
            st.caption(strength_words(pool))
    if not finished:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        st.header("One failure", anchor=False, width="content")
        side = draw(OPENED)
    row = _chosen(orders[side])
    judged, name = hunt.judged_gans["AB".index(side)], names["AB".index(side)]
    found = failure_of(f"{hunt.key} {len(pool.z)}", side, row, pool, judged)
    failure_view.show(found, judged, name, side, place="ranked", again=hunt.again(side, row))
    if pool.rows[side].readable:
        st.header(f"What changes in {side}’s images", anchor=False)
        changes(judged, pool, side, orders[side])
    st.header(f"Failure modes of {side}: near-duplicates among its broken images", anchor=False)
    found_modes = modes_of(f"{hunt.key} {len(pool.z)}", pool, side, kind, judged.judge)
    grouped(judged, pool, side, kind, orders[side], found_modes)


def _ranking_controls(pool: Pool) -> tuple[str, str, str]:
    """What to rank by, whose ranking, and under which noise the images are shown."""
    rows = pool.rows.values()
    able = [
        by
        for by in BY.options
        if (by != "loss" or all(one.has_loss for one in rows))
        and (by != "attributes" or all(one.readable for one in rows))
    ]
    with st.container(horizontal=True, gap="medium"):
        return draw(replace(BY, options=able)), draw(OF), draw(KIND)


def wall(hunt: Hunt, pool: Pool, names: tuple[str, str], orders: dict[str, np.ndarray], by: str, kind: str) -> None:
    """First, middle and last of each ranking; broken images have a red ring, and each opens at a click."""
    same = len({order.tobytes() for order in orders.values()}) == 1 and len(orders) == 2
    columns = st.columns(2, gap="medium")
    for side, judged, name, column in zip(orders, hunt.judged_gans, names, columns, strict=True):
        words = "the same noise" if same and chosen.current(OF) != side else "its own worst"
        key = f"{hunt.key} {len(pool.z)} {chosen.current(OF)}"
        column.html(model_title(side, name, words) + _bands(key, side, by, kind, judged, pool, orders[side]))
    tile_pick("failures", _open)


@st.cache_resource(max_entries=64, show_spinner=False)
def _bands(key: str, side: str, by: str, kind: str, _judged: JudgedGan, _pool: Pool, _order: np.ndarray) -> str:
    html = ""
    before, after = (_pool.rows[side].measures[one] for one in ("original", kind))
    for band, index in zip(BANDS[by], vars(spread(_order, EACH)).values(), strict=True):
        bad = after.bad[index].numpy()
        images = to_uint8(_judged.of_samples(index).images(_pool.noise(side, kind, index)))
        sheet = circled(images, bad, COLUMNS, scale=2)
        was = f"{int(before.bad[index].sum())} → " if kind != "original" else ""
        alt = f"{side}, {band}: {len(index)} images, {int(bad.sum())} of them broken, circled"
        picture, picks = Picture(png(sheet), alt, band), _picks(_pool, side, _order, index)
        value = f"{was}{int(bad.sum())} of {len(index)} broken"
        html += part("board.html", "shown", side, value, picture, "100%", picks, COLUMNS)
    return html


def _picks(pool: Pool, side: str, order: np.ndarray, index: np.ndarray) -> list[tuple[str, str]]:
    """For rows of a pool, by what `_open` opens them, and what is said of each."""
    place = {int(row): at for at, row in enumerate(order, 1)}
    before, moved = (pool.rows[side].measures[kind].badness for kind in ("original", "worst"))
    return [
        (
            f"{side}:{place[int(row)]}",
            f"Place {place[int(row)]:,}, noise {int(row)} of seed {pool.plan.seed}: badness "
            f"{per_cent(float(before[row]))} → {per_cent(float(moved[row]))}. Open it.",
        )
        for row in index
    ]


def _open(pick: str) -> None:
    side, _, place = pick.partition(":")
    chosen.put(OPENED, side)
    chosen.put(PLACE, int(place))


def _chosen(order: np.ndarray) -> int:
    """A row of the pool by its place in the ranking, 1 the worst; ← and → step through it."""
    place = min(max(1, int(chosen.current(PLACE))), len(order))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Worse", on_click=_step, args=(place - 1,), shortcut="Left", disabled=place == 1,
                  icon=":material/arrow_back:")  # fmt: skip
        with st.container(width=180):
            at = draw(replace(PLACE, high=len(order)))
        st.button("Better", on_click=_step, args=(place + 1,), shortcut="Right", icon=":material/arrow_forward:",
                  disabled=place == len(order))  # fmt: skip
        st.caption(
            f"of {len(order):,}; ← and → step through them, a click on a picture above opens it.", width="content"
        )
    return int(order[int(at) - 1])


def _step(to: int) -> None:
    chosen.put(PLACE, to)


def shares(pool: Pool) -> Table:
    """How common broken images are, over all noise tried, with the intervals."""
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
    return Table(("Noise", "Broken images", "Share", "95 % interval"), rows)


def changes(judged: JudgedGan, pool: Pool, side: str, order: np.ndarray) -> None:
    """Attributes that worst noise changes more often than random noise, with examples: above before, below after."""
    rows = pool.rows[side]
    found = rows.attributes
    assert found is not None
    st.markdown(plain(found.sentence[:1].upper() + found.sentence[1:]))
    moved = rows.changed("worst")
    columns = st.columns(CHANGES, gap="medium")
    for one, column in zip([one for one in found.changes if one.beyond.positive], columns, strict=False):
        index = np.flatnonzero(moved[one.name].numpy())[:EXAMPLES]
        images = to_uint8(judged.of_samples(index).images(_both(pool, side, index)))
        picture = Picture(png(grid(images, len(index), scale=2)), f"{one.words}: {len(index)} pairs", one.words)
        value = f"{one.worst.hits:,} of {one.worst.total:,}, random {one.random.hits:,}"
        width = f"{100 * len(index) / EXAMPLES:g}%"
        picks = 2 * _picks(pool, side, order, index)
        column.html(part("board.html", "shown", f"near {side}", value, picture, width, picks, len(index)))


def _both(pool: Pool, side: str, index: np.ndarray) -> Tensor:
    return torch.cat([pool.noise(side, kind, index) for kind in ("original", "worst")])


def grouped(judged: JudgedGan, pool: Pool, side: str, kind: str, order: np.ndarray, found: Modes) -> None:
    """Failure modes with their sizes, the most central image of each first; folded away where none is common."""
    largest = found.modes[0].size / found.grouped if found.modes else 0.0
    if largest < COMMON:
        st.markdown(
            "There is no common failure: the largest group of near-duplicates holds "
            f"{per_cent(largest, 0)} of the broken images."
        )
        if not found.modes:
            return
    with st.expander(f"{len(found.modes):,} groups of near-duplicates", expanded=largest >= COMMON):
        st.markdown(found.sentence)
        shown = list(enumerate(found.modes[:SHOWN], 1))
        for start in range(0, len(shown), 3):  # a row at a time, so that a phone shows them in order
            for (number, mode), column in zip(shown[start : start + 3], st.columns(3, gap="medium"), strict=False):
                members = mode.members[:MEMBERS]
                images = to_uint8(judged.of_samples(members).images(pool.noise(side, kind, members)))
                value = f"{mode.size} images, {per_cent(mode.size / found.grouped, 0)}"
                alt = f"Mode {number}: {len(images)} near-duplicates"
                picture = Picture(png(grid(images, len(images), scale=2)), alt, f"mode {number}")
                width = f"{100 * len(images) / MEMBERS:g}%"
                picks = _picks(pool, side, order, members)
                column.html(part("board.html", "shown", f"near {side}", value, picture, width, picks, len(images)))
