"""Views of the Evidence at one ε: the control, the shell, transfer, and the checks of the attack."""

from __future__ import annotations

import streamlit as st
from components.pieces import beside, chart, download, note, one_radius_of, said, titles
from screens.evidence.works import Asked, Found
from session.waiting import value
from theme.html import part

from rgan.common.files import as_csv
from rgan.common.formatting import signed
from rgan.report import evidence
from rgan.report import rows as evidence_rows
from rgan.robustness import one_radius
from rgan.robustness.checks import Check, against, strength
from rgan.robustness.one_radius import STILL
from rgan.stats.intervals import Interval


def control(asked: Asked, found: Found) -> None:
    """Worst noise beside its controls."""
    note(
        "Badness of every image, as the judge sees it. Lines join the original with its worst; squares are means with "
        "95 % intervals."
    )
    at_radius = one_radius_of(asked, found)
    section = evidence.control(at_radius, opinion=True)
    beside(asked, section)
    if len(at_radius) == 2:
        checked = checks_of(asked, found)
        if len(checked) == 2:
            refused = [f"No verdict: {why}" for why in against(checked)]
            said(refused or [one for one in (*section.said, strength(checked)) if one])
        ranks = {side: one_radius.agreement(one) for side, one in at_radius.items()}
        st.caption(
            "**Realism**: 1 or more lies within the real images' own neighbourhoods, where about half of them lie. "
            "**Entropy**: how unsure the judge is which class it sees, in nats. **Loss**: the generator's, by the "
            "model's own critic. **Bad**: badness from 95 % on. Do judge and critic agree which worst images are bad? "
            "Rank correlation of badness with the loss: "
            f"{_ranks(ranks, 'loss')}; with the judge's entropy: {_ranks(ranks, 'entropy')}."
        )
        for side, one in at_radius.items():
            if one.judges is not None:
                st.caption(f"{side}, do the two judges agree on the worst images? {one.judges.words}.")
        download("every sample", as_csv(evidence_rows.at_radius(*at_radius.values())), "control.csv")


def _ranks(found: dict[str, dict[str, Interval | None]], name: str) -> str:
    """ "A +0.31 (+0.14 to +0.46), B …"."""
    return ", ".join(
        f"{side} none, for one of the two is the same everywhere"
        if (one := ranks[name]) is None
        else f"{side} {signed(one.mean)} (95 % interval {signed(one.low)} to {signed(one.high)})"
        for side, ranks in found.items()
    )


def shell(asked: Asked, found: Found) -> None:
    """Lengths of the noise on the prior's shell."""
    note(
        "Lengths of the noise: grey original, hatched random, coloured worst; the line is the prior's own density "
        f"(χ with {asked.gans[0].recipe.latent} degrees of freedom)."
    )
    shells = {side: one_radius.shell(one) for side, one in one_radius_of(asked, found).items()}
    beside(asked, evidence.shell(shells))
    st.caption(
        "A nat paid makes noise e times less likely under the prior than it was. Noise that pays many nats is "
        "noise that hardly anybody will draw; “Keep the length of z” searches only among noise that pays none."
    )
    if len(shells) == 2:
        download("lengths", as_csv(evidence_rows.lengths(*shells.values())), "lengths.csv")


def transfer(asked: Asked, found: Found) -> None:
    """Each model's worst noise, tried on the other."""
    task = found[asked.transfer_key()]
    if not asked.attack.radii[0]:
        said((STILL,))
        return
    if not task.done:
        return
    tried = value(task)
    for one, column in zip(evidence.transfer(tried).values(), st.columns(2, gap="large"), strict=True):
        chart(one, column)
    said((tried.sentence(),))
    download("table", as_csv(evidence_rows.transfers(tried)), "transfer.csv")


def checks_of(asked: Asked, found: Found) -> dict[str, tuple[Check, ...]]:
    """The checks of the searches that have come in."""
    tasks = {side: found[asked.checks_key(index)] for index, side in enumerate("AB")}
    return {side: value(task) for side, task in tasks.items() if task.done}


def checks(asked: Asked, found: Found) -> None:
    """The checks of both searches."""
    if not asked.attack.radii[0]:
        said((STILL,))
        return
    checked = checks_of(asked, found)
    for side, column in zip("AB", titles(asked), strict=True):
        if side in checked:
            column.html(part("macros.html", "checks", checked[side]))
    if len(checked) == 2:
        download("checks", as_csv(evidence_rows.checks(checked)), "search-health.csv")
