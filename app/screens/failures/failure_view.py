"""One failure on the page: original beside worst, the morph between them, the nearest real images, its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

import numpy as np
import streamlit as st
from markupsafe import Markup
from screens.failures import kept
from screens.failures.links import address
from screens.failures.morph import morph
from session.state import also, own_name
from session.tasks import Work
from session.waiting import redrawn, value
from theme.html import part
from theme.language import MARKS, plain

from rgan.common.formatting import per_cent
from rgan.common.images import gif, grid, png
from rgan.report.parts import Picture
from rgan.robustness.failures import export
from rgan.robustness.failures.failure import WAYS, Failure, Way
from rgan.robustness.failures.links import permalink
from rgan.robustness.measured import JudgedGan

GIF_PIXELS = 256  # least side of an animation


def show(
    found: Failure,
    judged: JudgedGan,
    name: str,
    side: str,
    *,
    place: str,
    again: tuple[Hashable, Work[Failure]] | None = None,
) -> None:
    """All about one failure; `place` tells several on one page apart. `again` finds it anew with the search's steps,
    where it has none yet."""
    key = f"{place}-{judged.gan.digest[:12]}-{abs(hash(found.plan))}-{found.index}"
    straight, random = found.ways["straight"], found.ways["random"]
    beside, moving = st.columns([2, 3], gap="large")
    with beside:
        tiles = (("original", straight, 0), ("worst", straight, -1), ("random", random, -1))
        st.html(part("board.html", "tiles", [_tile(kind, way, at) for kind, way, at in tiles]))
        st.markdown(f"Noise {found.index} of seed {found.plan.seed}. {plain(found.sentence)}")
        _nearest(found)
    with moving:
        way = str(st.segmented_control(
            "Way", tuple(WAYS), default="straight", key=f"way:{place}", required=True,
            help="Straight from the original noise to the worst; the search's own steps; or straight in a random "
            "direction, as far. Drag below the image, or use the arrow keys there.",
        ))  # fmt: skip
        if way not in found.ways and again is not None:
            found = _with_search(found, again)
        if way in found.ways:
            morph(found, way, side, f"{key}-{way}")
        st.caption("━ this way, ┅ the random direction, red: above it an image counts as bad, and where it turns bad.")
    _files(found, judged, name, place)


def _with_search(found: Failure, again: tuple[Hashable, Work[Failure]]) -> Failure:
    """The failure with the steps of its search, once they have been found anew; says how far that is."""
    key, work = again
    task = also({key: work})[key]
    if task.done:
        anew: Failure = value(task)
        return dataclasses.replace(found, ways=found.ways | {"search": anew.ways["search"]})
    redrawn(lambda: st.caption("Searching its way again …"), waiting=True, over=lambda: task.done)
    return found


def _tile(kind: str, way: Way, at: int) -> Picture:
    words = {"original": "original", "worst": "worst noise", "random": "random, as far"}[kind]
    badness = f"badness {per_cent(float(way.badness[at]))}"
    image = png(grid(way.images[at][None], 1, scale=4))
    return Picture(image, f"{words}: {badness}", Markup("{} {}<br>{}").format(MARKS[kind], words, badness))


def _nearest(found: Failure) -> None:
    """Real images that the judge finds most like the worst image, and most like the original."""
    if found.nearest is None:
        st.caption("The model's file holds no real images to look for near ones among.")
        return
    for kind, words in (("worst", "Real images nearest to the worst image"), ("original", "and to the original")):
        near = found.nearest[kind]
        distances = f"feature distance {near.distance[0]:.2f} to {near.distance[-1]:.2f}"
        picture = Picture(
            png(grid(near.images, len(near.images), scale=2)), f"{words}: {len(near.images)} images", words
        )
        st.html(part("board.html", "shown", "near", distances, picture))


def _files(found: Failure, judged: JudgedGan, name: str, place: str) -> None:
    """Keys are those of the place, so that a button keeps the focus while the arrow keys step through a ranking."""
    way = found.ways["straight"]
    short = f"{own_name(name)}-seed{found.plan.seed}-{found.index}"
    link = permalink(judged.facts, found, name)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Keep", key=f"keep:{place}", icon=":material/star:", disabled=kept.holds(link),
            help="Among the kept failures at the end of this page, with your note.",
        ):  # fmt: skip
            kept.keep(link)
            st.toast("Kept: see the list at the end of this page.", icon=":material/star:")
            st.rerun()  # the whole page: the kept ones stand below what is drawn again here
        st.download_button("Animation", lambda: _gif(way.images), f"{short}.gif", "image/gif", on_click="ignore",
                           icon=":material/animation:", key=f"gif:{place}")  # fmt: skip
        st.download_button("Strip", lambda: export.strip(way), f"{short}.png", "image/png", on_click="ignore",
                           icon=":material/view_week:", key=f"strip:{place}")  # fmt: skip
        with st.popover("Link", icon=":material/link:"):
            st.write("Opens this failure again and says whether it is reproduced. It needs the same model's file.")
            st.code(address(link), language=None, wrap_lines=True)


def _gif(images: np.ndarray) -> bytes:
    return gif(images, scale=max(1, GIF_PIXELS // images.shape[1]))
