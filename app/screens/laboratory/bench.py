"""Both twins on their canvases, drawn in the browser from frames that come as it asks for them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from screens.laboratory import knobs, training
from session.address import moved
from session.chosen import Slot, told
from session.table import LAB_DRAWN, LAB_LAYERS
from theme.html import beside

from rgan.attack.search import Attack
from rgan.common.errors import RganError
from rgan.common.formatting import per_cent, signed
from rgan.theory.laboratory.experiment import Experiment, thinned
from rgan.theory.laboratory.frames import SHOWN, SIDE, UNIT, Arrays, packed, whole
from rgan.theory.laboratory.measures import Sample
from rgan.theory.laboratory.points import MOST_DRAWN, PLANE, REACH
from rgan.theory.laboratory.twins import MOST_STEPS

_KEY = "laboratory_bench"
_ASK = Slot[Mapping[str, Any]]("laboratory_ask", {})
_PLOT = Path(__file__).with_name("plot.js").read_text(encoding="utf-8")
FIRST_AGAIN, LAST_AGAIN = 1.5, 5.0  # seconds after which who waits asks again, the next one and those far behind

_mount = st.components.v2.component(
    "laboratory",
    html=beside(__file__, "html"),
    css=beside(__file__, "css"),
    js=_PLOT + beside(__file__, "js"),
    isolate_styles=False,
)


@st.fragment
def bench(attack: Attack) -> None:
    """Draw it, with worst moves by this attack; what the browser asks for runs this part of the page alone."""
    asked = _ASK.pop()
    if asked.get("kind") == "drawn":
        moved(LAB_DRAWN, str(asked.get("points", ""))[: 2 * MOST_DRAWN])
        st.rerun()
    facts: dict[str, Any] = {"answers": asked.get("number", 0), "error": "", "waiting": ""}
    arrays: Arrays = {}
    experiment = training.held()
    try:
        found = training.answer(asked, attack)
        experiment = training.held()
        arrays |= found.stretch.arrays
        facts |= {"steps": found.stretch.steps, "goal": found.goal.steps}
        if found.waiting:
            before = f"{found.waiting} before it" if found.waiting > 1 else "it is next"
            facts["waiting"] = (
                f"{training.places().count} trainings run, as many as this server runs at once. This one goes on by "
                f"itself: {before}."
            )
            facts["again"] = min(LAST_AGAIN, FIRST_AGAIN + found.waiting / 10)
        if asked.get("kind") == "look":
            arrays, looked = _looked(arrays, attack)
            facts |= looked
    except RganError as error:
        facts["error"] = str(error)
    settings = experiment.at.settings
    sample = Sample.of(settings)
    goal = training.goal()
    link = str(goal.steps or ""), knobs.write_past(goal)
    training.tell(link)
    facts |= {
        "aim": training.aims(),
        "address": {"lab_steps": link[0], "lab_past": link[1]},
        "at": experiment.at.steps,
        "most": MOST_STEPS,
        "words": _words(experiment, attack, facts),
        "rows": thinned(experiment.rows),
        "radius": attack.radii[0],
        "price": attack.price,
        "data": settings.data,
        "loss": settings.loss,
        "drawn": st.query_params.get(LAB_DRAWN.key, "") if settings.data == "drawn" else None,
        "digits": knobs.DIGITS,
        "plane": PLANE,
        "reach": REACH[settings.prior],
        "unit": UNIT,
        "side": SIDE["field"],
        "training": str(hash(experiment.at.prefix(0, 0))),
        "seen": training.seen(),
        "layers": st.query_params.get(LAB_LAYERS.key, ""),
        "parameter": LAB_LAYERS.key,
        "method": attack.method,
    }
    arrays |= {"real": whole(sample.real[:SHOWN]), "noise": whole(sample.z[:SHOWN])}
    _mount(
        data={"frames": base64.b64encode(packed(facts, arrays)).decode()},
        key=_KEY,
        on_ask_change=lambda: _ASK.set(dict(told(_KEY, "ask") or {})),
    )


def _looked(arrays: Arrays, attack: Attack) -> tuple[Arrays, dict[str, Any]]:
    """With the worst moves by the attack, where they have been found."""
    task = training.look(attack)
    if not task.done:
        return arrays, {"looking": True}
    field, shares = task.value()
    return arrays | field, {"shares": shares}


def _words(experiment: Experiment, attack: Attack, facts: Mapping[str, Any]) -> str:
    """What is to be seen, in a sentence."""
    row = experiment.rows[-1] if experiment.rows else None
    if row is None or (row.radius, row.price) != (attack.radii[0], attack.price):
        return ""
    a, b = row.of["A"], row.of["B"]
    words = (
        f"Step {row.steps:,}: worst moves within ε {row.radius:g} add {signed(a.worst)} to the loss of A and "
        f"{signed(b.worst)} to that of its robust twin B."
    )
    shares = facts.get("shares")
    if shares:
        name = "One step" if attack.method == "one-step" else f"The search ({attack.gradients:,} gradients)"
        words += f" {name} finds {per_cent(shares['A'], 1)} and {per_cent(shares['B'], 1)} of what is to be gained."
    return words
