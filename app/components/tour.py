"""The guided tour: five steps over the live screens, in a bar above them while the address says `?tour=1` to `5`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st
from components import into_view
from session import chosen, shared, table
from session.address import OFF, carried
from session.chosen import Slot
from theme import language

from rgan.attack.objectives import JUDGE

PART = "tour"  # of the page, where its bar stands
_ARRIVED = Slot[int | None]("tour_arrived", None)  # the step whose settings have been made
_HERE: Mapping[str, object] = table.defaults(table.A, table.B, table.OBJECTIVE, *table.SEARCH)

# As the stage on Home: what an independent judge finds broken is raised itself.
_JUDGED: Mapping[str, object] = {**_HERE, table.OBJECTIVE.key: JUDGE, table.SAMPLES.key: 16, table.EPS.key: 2.0}


@dataclass(frozen=True)
class Step:
    """One thing to do on one screen, and what it shows; `settings` are its controls' values on arrival."""

    title: str
    screen: str
    page: str
    todo: str
    look: str
    settings: Mapping[str, object] = field(default_factory=dict)


STEPS = (
    Step(
        "Worst noise is not random noise",
        language.HOME,
        "Home",
        "Drag ε from 0 slowly to 2 and back.",
        "At ε 2 **▲ worst** noise has broken nearly all of the 16 faces (ringed), of either model; under **◆ random** "
        "noise, moved just as far, hardly more are broken than at ε 0: where the noise goes matters, not only how far.",
        {table.EPS.key: 0.0},
    ),
    Step(
        "It is no accident of one sample",
        language.WORST_NOISE,
        "Worst noise",
        "Type another **Seed** in the sidebar, so that nobody has chosen the samples.",
        "Again there are more rings under worst than under random noise, with nearly any seed. The chart below counts "
        "them at every ε, for both models.",
        _JUDGED,
    ),
    Step(
        "What a far move has to pay",
        language.WORST_NOISE,
        "Worst noise",
        "Move **λ, price of moving**, in the sidebar, to 5 and then to 0.",
        "The higher the price, the fewer rings: samples stop where moving no longer pays. That is the paper's λ in "
        "equation 8. Random noise is always given the same length.",
        {**_JUDGED, "lam": 1.0},
    ),
    Step(
        "Are the images really worse?",
        language.EVIDENCE,
        "Evidence",
        "Read the sentence on top, then open the view **Checks**.",
        "The judge has seen real faces only. A sentence claims a difference only where its interval leaves out 0, and "
        "none where the search finds too little of the worst noise.",
        {**_HERE, "samples": 128, "view": "Control"},
    ),
    Step(
        "The paper's Figure 4, claim by claim",
        language.EMBEDDINGS,
        "Embeddings",
        "Open panel **c**, then panel **d**: real images against those of A, and of B.",
        "Under each picture stands what the paper reads from it, and whether these two models support it: the tests "
        "decide, in all dimensions, not the eye on two of them.",
        {**_HERE, "panel": "Figure 4", "map": "pca", "points": table.POINTS.default, "features": "pixels"},
    ),
)


def bar(page: str) -> None:
    """Above the screen called `page`, before any of its controls: the step, and the ways on, back and out."""
    number = carried("tour", page)
    if number not in map(str, range(1, len(STEPS) + 1)):
        _ARRIVED.pop()
        return
    index = int(number) - 1
    step = STEPS[index]
    here = step.page == page
    if here and _ARRIVED.get() != index:
        _ARRIVED.set(index)
        into_view.ask(PART)  # who comes by keyboard goes on from here
        chosen.put_all(step.settings)
        shared.give(step.settings)
    with st.container(border=True, key=PART, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f'<div class="model"><b>{number} of {len(STEPS)}</b><span>{step.title}</span></div>')
            if index:
                _link(index - 1, "Back", ":material/arrow_back:")
            if not here:
                _link(index, f"This step is on {step.page}", ":material/near_me:")
            if index + 1 < len(STEPS):
                _link(index + 1, f"Next: {STEPS[index + 1].title}", ":material/arrow_forward:")
            st.page_link(language.HOME, label="End", icon=":material/close:", query_params={"tour": OFF})
        left, right = st.columns([2, 3], gap="medium")
        left.markdown(f"**Try** · {step.todo}")
        right.markdown(f"**Look for** · {step.look}")
    into_view.into_view(PART)


def under_way() -> bool:
    """Whether a step stands above this screen."""
    return _ARRIVED.get() is not None


def start() -> None:
    """The link to the first step."""
    _link(0, "Take the tour: five steps", ":material/tour:")


def _link(index: int, label: str, icon: str) -> None:
    st.page_link(STEPS[index].screen, label=label, icon=icon, query_params={"tour": str(index + 1)})
