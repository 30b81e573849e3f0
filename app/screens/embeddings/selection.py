"""What a box or lasso in a panel holds: its images, and the way to the Worst noise screen with their noise."""

from __future__ import annotations

import numpy as np
import streamlit as st
from screens.embeddings.maps import Map
from session.table import query
from theme import language
from theme.html import part

from rgan.attack.objectives import CRITIC
from rgan.attack.path import MAX_ROWS
from rgan.attack.search import budget_name
from rgan.common.images import grid, png
from rgan.embedding.look import Look
from rgan.report.parts import Picture


def _search(one: Map) -> dict[str, object]:
    """What found the noise of panel (a), the only one with worst noise."""
    if one.letter != "a":
        return {}
    found = one.choice
    return {"eps": found.radius, "lam": found.price, "budget": budget_name(found.gradients), "against": CRITIC}


def show_selection(one: Map, look: Look, picked: np.ndarray, names: tuple[str, str]) -> None:
    """Images of the selected points, and the way to the Worst noise screen with their noise."""
    split = look.counts[0]
    for which, rows_ in enumerate((picked[picked < split], picked[picked >= split] - split)):
        label, seed = look.labels[which], look.seeds[which]
        if not len(rows_):
            continue
        some = rows_[:96]
        more = f", the first {len(some)}" if len(some) < len(rows_) else ""
        drawn = Picture(
            png(grid(look.images(some + which * split), 16, scale=2)), f"{len(some)} selected images of {label}"
        )
        st.html(language.title(f"{label}: {len(rows_)} selected{more}") + part("board.html", "plain", drawn))
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
