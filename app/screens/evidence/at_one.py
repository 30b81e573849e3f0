"""Views of the Evidence at one ε: the control, the shell, transfer, and the checks of the attack."""

from __future__ import annotations

import streamlit as st
from components.pieces import beside, chart, download, known, note, said, titles
from screens.evidence.works import Asked, Found
from session.waiting import value
from theme.html import part

from rgan.common.files import as_csv
from rgan.common.formatting import signed
from rgan.report import evidence
from rgan.report import rows as evidence_rows
from rgan.robustness import one_radius
from rgan.robustness.one_radius import STILL
from rgan.stats.intervals import Interval


def control(asked: Asked, found: Found) -> None:
    """Worst noise beside its controls."""
    note(
        "Badness of every image, as the judge sees it. Lines join the original with its worst; squares are means with "
        "95 % intervals."
    )
    at_radius = known(asked, found)
    if at_radius is None:
        titles(asked)
        return
    section = evidence.control(at_radius, opinion=True)
    beside(asked, section)
    if at_radius.checks:
        said(section.said)
        ranks = {side: one_radius.agreement(one) for side, one in at_radius.found.items()}
        st.caption(
            "**Realism**: 1 or more lies within the real images' own neighbourhoods, where about half of them lie. "
            "**Entropy**: how unsure the judge is which class it sees, in nats. **Loss**: the generator's, by the "
            "model's own critic. **Bad**: badness from 95 % on. "
            "**As different as**: how many images without anything in common would differ as much (Vendi score of the "
            "judge's features). Do judge and critic agree which worst images are bad? "
            "Rank correlation of badness with the loss: "
            f"{_ranks(ranks, 'loss')}; with the judge's entropy: {_ranks(ranks, 'entropy')}."
        )
        for side, one in at_radius.found.items():
            if one.judges is not None:
                st.caption(f"{side}, do the two judges agree on the worst images? {one.judges.words}.")
        download("every sample", as_csv(evidence_rows.at_radius(*at_radius.found.values())), "control.csv")
        download("diversity", as_csv(evidence_rows.diversity(at_radius.collapse)), "diversity.csv")


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
    at_radius = known(asked, found)
    if at_radius is None:
        titles(asked)
        return
    shells = {side: one_radius.shell(one) for side, one in at_radius.found.items()}
    beside(asked, evidence.shell(shells))
    st.caption(
        "A nat paid makes noise e times less likely under the prior than it was. Noise that pays many nats is "
        "noise that hardly anybody will draw; “Keep the length of z” searches only among noise that pays none."
    )
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


def checks(asked: Asked, found: Found) -> None:
    """The checks of both searches."""
    if not asked.attack.radii[0]:
        said((STILL,))
        return
    at_radius = known(asked, found)
    columns = titles(asked)
    if at_radius is None or not at_radius.checks:
        return
    for side, column in zip("AB", columns, strict=True):
        column.html(part("macros.html", "checks", at_radius.checks[side]))
    download("checks", as_csv(evidence_rows.checks(at_radius.checks)), "search-health.csv")
