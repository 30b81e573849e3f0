"""The views of the Evidence screen: what is found, the picture, the numbers; redrawn while they are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from components.finding import finding, progress
from screens.evidence import along, at_one, report_view
from screens.evidence.works import CHECKS, CONTROL, CURVES, MINIMAL_RADIUS, REPORT, SHELL, TRANSFER, Asked, Found
from session.chosen import Slot
from session.waiting import redrawn, settled, value
from theme.language import plain

from rgan.common.formatting import per_cent
from rgan.robustness.finding import Finding


def _all_done(asked: Asked, found: Found) -> bool:
    return all(task.done for task in found.values())


def _at_radius(asked: Asked, found: Found) -> bool:
    task = found[asked.at_radius_key]
    return task.done or task.so_far is not None


def _any(asked: Asked, found: Found) -> bool:
    return any(task.done or task.so_far is not None for task in found.values())


@dataclass(frozen=True)
class View:
    """One view: what it finds, its picture, what its words mean, and whether there is something to draw."""

    found: Callable[[Asked, Found], Finding | None]
    draw: Callable[[Asked, Found], None]
    about: str
    there: Callable[[Asked, Found], bool] = _all_done


def show(view: str, asked: Asked, found: Found) -> None:
    """Draw one of the views, and redraw it until all it waits for has come; until then the last answer stays, marked.

    Raises:
        RganError: what it needs cannot be computed.
    """
    one, last = VIEWS[view], Slot[tuple[Asked, Found] | None](f"evidence:{view}", None)
    pending = any(not task.done for task in found.values())
    for task in found.values():
        if task.done:
            value(task)
    if not pending:
        last.set((asked, found))

    def draw() -> None:
        before = None if one.there(asked, found) else last.get()
        waiting, share = progress(view, found.values()) if pending else ("", 0.0)
        shown = before or (asked, found)
        if before is not None:
            waiting += f". Until then: {' and '.join(dict.fromkeys(before[0].names))}, as set before"
        finding(
            one.found(*shown), _about(one, asked), shown[0].words, waiting=waiting, share=share, old=before is not None
        )
        with st.container(key="old" if before else "answer"):
            one.draw(*shown)

    redrawn(draw, waiting=pending, over=lambda: settled(found))
    if view == CONTROL and not pending:
        at_one.control_images(asked, found)


def _about(view: View, asked: Asked) -> str:
    judge = asked.judge
    flattered = " ".join(
        f"{side}: {one.caveat}" for side, one in zip("AB", asked.judged_gans, strict=True) if one.caveat
    )
    return "\n\n".join(
        filter(
            None,
            (
                view.about,
                f"**Judge**: a classifier of real {plain(judge.data)} that has seen no model; it names "
                f"{per_cent(judge.accuracy)} of {judge.held_out:,} held-out images rightly. **Badness** of an image: "
                "the share of held-out real images that lie nearer to real ones than it does; 50 % is an ordinary real "
                "image, 100 % further off than all. **Broken** (bad): 95 % or more.",
                flattered,
            ),
        )
    )


VIEWS = {
    CONTROL: View(
        at_one.control_found,
        at_one.control,
        "Above: the first images under three kinds of noise, broken ones with a red ring. Below: the badness of every "
        "image, as the judge sees it; lines join the original with its worst, squares are means with 95 % intervals; "
        "point at a mark to see its image. **Best of random**: of as many random directions as the search had "
        "gradients, the best by the critic. **Fresh**: other noise altogether. **Realism**: 1 or more lies within the "
        "real images' own neighbourhoods. **Entropy**: how unsure the judge is which class it sees, in nats. "
        "**Loss**: the generator's, by the model's own critic. **As different as**: how many images without anything "
        "in common would differ as much (Vendi score of the judge's features).",
        _at_radius,
    ),
    CURVES: View(
        along.curves_found,
        along.curves,
        "Each measure against ε, for worst noise (solid) and random noise of the same length (dotted).",
        _any,
    ),
    MINIMAL_RADIUS: View(
        along.minimal_radius_found,
        along.minimal_radius,
        "The minimal radius of an image is the smallest ε at which it has been broken. Lines: images that have never "
        "been broken up to ε, worst noise solid with its 95 % interval, random noise dotted. Marks: images that are "
        "good at this very ε, since one may be good again further out.",
    ),
    SHELL: View(
        at_one.shell_found,
        at_one.shell,
        "Ordinary noise of many dimensions lies on a thin shell: nearly all of it is about as long. The line is that "
        "of the prior's lengths (χ); grey: original noise, hatched: random, coloured: worst. **Nats paid**: e times "
        "less likely under the prior for each. “Keep the length of z” searches only among noise that pays none.",
        _at_radius,
    ),
    TRANSFER: View(
        at_one.transfer_found,
        at_one.transfer,
        "Noise that was found on one model is given to the other, beside random noise of the same length.",
    ),
    CHECKS: View(
        at_one.checks_found,
        at_one.checks,
        "A verdict rests on worst noise that has been found. Each check has its number, its meaning and what to do.",
        _at_radius,
    ),
    REPORT: View(
        report_view.report_found,
        report_view.report,
        "One page with all that the other views show and the failures, to keep, print and send: it opens without a "
        "network. It is made with the settings in the sidebar, its curves up to twice ε.",
    ),
}  # fmt: skip
