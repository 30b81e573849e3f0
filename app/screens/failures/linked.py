"""The failure that the address names, found again."""

from __future__ import annotations

import dataclasses
import math

import streamlit as st
from screens.failures import failure_view
from screens.failures.links import judged_gans
from theme.language import plain

from rgan.attack.path import reach
from rgan.attack.search import BUDGETS
from rgan.common.errors import RganError
from rgan.robustness.failures.links import DIFFERS, LIMITS, MISSING, PARAMETER, Outcome, Permalink, check, fields, parse
from rgan.robustness.measured import JudgedGan

# A link makes this server search: no more than its own controls would ask for.
ALLOWED = LIMITS | {"gradients": (1, BUDGETS["strong"])}


def show() -> None:
    """The failure that the address names, if it names one, and whether it is found again."""
    text = st.query_params.get(PARAMETER)
    if text is None:
        return
    with st.container(border=True):
        try:
            link, changed = parse(fields(text), ALLOWED)
            able = judged_gans(link)
            if able:
                link, changed = parse(fields(text), ALLOWED | {"radius": (0.0, reach(able[0].gan))})
            if changed:  # what was found by other settings is nothing to compare with
                link = dataclasses.replace(link, loss=math.nan, badness=math.nan)
            for sentence in changed:
                st.warning(plain(sentence), icon=":material/warning:")
            # Whoever has not the model must not see what another found, and may bring it along any time.
            found = tuple((each.gan.digest, each.judge.digest) for each in able)
            outcome = _followed(tuple(link.query().items()), found, link, able) if able else check(link, able)
            about = f"Noise {link.index} of seed {link.seed} in {link.model}, ε {link.radius:g}: {outcome.sentence}."
            say = {MISSING: st.error if outcome.failure is None else st.warning, DIFFERS: st.warning}.get(
                outcome.kind, st.success
            )
            say(plain(about))
            if outcome.failure is not None:
                failure_view.show(outcome.failure, able[0], link.model, "A", place="opened")
        except RganError as error:
            st.error(plain(str(error)))
        st.button("Close this failure", on_click=_close, icon=":material/close:")


@st.cache_resource(max_entries=16, show_spinner="Searching its way again …")
def _followed(
    key: tuple[tuple[str, str], ...], found: tuple[tuple[str, str], ...], _link: Permalink, _able: list[JudgedGan]
) -> Outcome:
    """Where the link leads with these models and judges at hand, whose digests are `found`."""
    return check(_link, _able)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)
