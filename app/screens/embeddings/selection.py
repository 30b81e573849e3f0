"""What a box or lasso in a panel holds: its images, and the way to the Worst noise screen with their noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from components import opened
from screens.embeddings.maps import Map
from session.table import query
from theme import language
from theme.html import part

from rgan.attack.objectives import CRITIC
from rgan.attack.path import MAX_ROWS
from rgan.attack.search import budget_name
from rgan.common.images import grid, png
from rgan.embedding.figure4 import PANELS
from rgan.embedding.look import Look
from rgan.report.parts import Picture

COLUMNS = 16  # images a row


def _search(one: Map) -> dict[str, object]:
    """What found the noise of panel (a), the only one with worst noise."""
    if one.letter != "a":
        return {}
    found = one.choice
    return {"eps": found.radius, "lam": found.price, "budget": budget_name(found.gradients), "against": CRITIC}


def _which(label: str, row: int, seed: int | None) -> str:
    """In words, which sample it is."""
    return f"{label} {row}" + ("" if seed is None else f": noise {row} of seed {seed}")


def show_opened(shown: list[Map], looks: Sequence[Look], names: tuple[str, str]) -> None:
    """The sample that the address names, by its panel and its number there."""
    opened.listen("embeddings")
    pick = opened.asked()
    if not pick:
        return
    for one, look in zip(shown, looks, strict=True):
        at = opened.number(pick[1:], sum(look.counts)) if pick[:1] == one.letter else None
        if at is not None:
            opened.show(_opened(one, look, at, names))
            return
    opened.unknown()


def _opened(one: Map, look: Look, at: int, names: tuple[str, str]) -> opened.Opened:
    which = int(at >= look.counts[0])
    label, seed, row = look.labels[which], look.seeds[which], at - which * look.counts[0]
    words = _which(label, row, seed)
    picture = Picture(png(grid(look.images([at]), 1, scale=4)), words, words)
    noise = {} if seed is None else {"a": names[0], "b": names[1], "seed": seed, "rows": str(row), **_search(one)}
    facts = [("Panel", f"({one.letter}) {PANELS[one.letter]}")]
    same = one.gans[0].recipe.latent == one.gans[1].recipe.latent
    return opened.Opened(words, [picture], facts, noise if same else {})


def show_selection(one: Map, look: Look, picked: np.ndarray, names: tuple[str, str], *, columns: int = COLUMNS) -> None:
    """Images of the selected points, and the way to the Worst noise screen with their noise."""
    split = look.counts[0]
    for which, rows_ in enumerate((picked[picked < split], picked[picked >= split] - split)):
        label, seed = look.labels[which], look.seeds[which]
        if not len(rows_):
            continue
        some = rows_[:96]
        more = f", the first {len(some)}" if len(some) < len(rows_) else ""
        drawn = Picture(
            png(grid(look.images(some + which * split), columns, scale=2)), f"{len(some)} selected images of {label}"
        )
        picks = [(f"{one.letter}{row + which * split}", f"{_which(label, int(row), seed)}. Open it.") for row in some]
        st.html(
            language.title(f"{label}: {len(rows_)} selected{more}") + part("board.html", "plain", drawn, picks, columns)
        )
        if seed is not None and one.gans[0].recipe.latent == one.gans[1].recipe.latent:
            st.page_link(
                language.WORST_NOISE,
                label=f"Their noise on the Worst noise screen ({min(len(rows_), MAX_ROWS)} samples)",
                icon=":material/explore:",
                query_params=query(
                    a=names[0],
                    b=names[1],
                    seed=seed,
                    **_search(one),
                    rows=" ".join(map(str, rows_[:MAX_ROWS])),
                ),
            )
