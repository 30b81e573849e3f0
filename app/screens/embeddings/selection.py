"""What a box or lasso in a panel holds: its images, and the way to the Worst noise screen with their noise."""

from __future__ import annotations

import numpy as np
import streamlit as st
from components import board
from screens.embeddings.maps import Map
from session.table import query
from theme import language

from rgan.attack.path import MAX_ROWS
from rgan.common.images import grid
from rgan.embedding.figure4 import Points


def show_selection(one: Map, first: Points, second: Points, picked: np.ndarray, names: tuple[str, str]) -> None:
    """Images of the selected points, and the way to the Worst noise screen with their noise."""
    split = len(first.names)
    for cloud, rows_ in ((first, picked[picked < split]), (second, picked[picked >= split] - split)):
        if not len(rows_):
            continue
        some = rows_[:96]
        more = f", the first {len(some)}" if len(some) < len(rows_) else ""
        st.html(
            f'<div class="chart-title">{cloud.label}: {len(rows_)} selected{more}</div>'
            f'<div class="board"><img alt="{len(some)} selected images of {cloud.label}" '
            f'src="{board.data_uri(grid(cloud.images[some], 16, scale=2))}"></div>'
        )
        if cloud.seed is not None and one.gans[0].recipe.latent == one.gans[1].recipe.latent:
            st.page_link(
                language.WORST_NOISE,
                label=f"Their noise on the Worst noise screen ({min(len(rows_), MAX_ROWS)} samples)",
                icon=":material/explore:",
                query_params=query(
                    a=names[0],
                    b=names[1],
                    seed=cloud.seed,
                    eps=one.choice.radius,
                    lam=one.choice.price,
                    rows=" ".join(map(str, rows_[:MAX_ROWS])),
                ),
            )
