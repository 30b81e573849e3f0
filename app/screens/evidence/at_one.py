"""Views of the Evidence at one ε: the control, the shell, transfer, and the checks of the attack."""

from __future__ import annotations

import streamlit as st
import torch
from components import opened
from components.image_hover import image_hover
from components.pieces import at_once, beside, chart, download, numbers, titles
from markupsafe import Markup
from screens.evidence.works import Asked, Found
from session.waiting import value
from theme.html import part
from theme.language import plain

from rgan.common.files import as_csv
from rgan.common.formatting import per_cent, signed
from rgan.common.images import circled, grid, png, to_uint8
from rgan.report import evidence
from rgan.report import rows as evidence_rows
from rgan.report.parts import Picture, Section, sheet
from rgan.robustness import finding, one_radius
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.finding import Finding
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import CONTROLS, STILL, OneRadius
from rgan.stats.intervals import Interval

SHOWN = 8  # samples whose images stand above the chart
ROWS = ("original", "worst", "random")


def control_found(asked: Asked, found: Found) -> Finding | None:
    """What the control says."""
    known = at_once(asked, found)
    return None if known is None else finding.at_radius(known)


def control(asked: Asked, found: Found) -> None:
    """Worst noise beside its controls: some images, and the badness of all."""
    known = at_once(asked, found)
    if known is None:
        titles(asked)
        return
    section = _section(f"{asked.at_radius_key} {bool(known.checks)}", known)
    for side, column in zip("AB", titles(asked), strict=True):
        judged = asked.judged_gans["AB".index(side)]
        column.html(_some(judged.gan.digest, repr(asked.at_radius_key), side, asked.seed, judged, known.found[side]))
        chart(section.charts[side], column)
    with numbers():
        st.html(part("evidence.html", "table", section.table))
        if known.checks:
            _agreements(known)
            for side, one in known.found.items():
                read = f" {one.attributes.sentence}" if one.attributes is not None else ""
                st.caption(plain(f"{known.collapse[side].sentence(side)}{read}"))
            if known.raised:
                st.caption(known.raised)
            download("every sample", as_csv(evidence_rows.at_radius(*known.found.values())), "control.csv")
            download("diversity", as_csv(evidence_rows.diversity(known.collapse)), "diversity.csv")


def control_images(asked: Asked, found: Found) -> None:
    """The image of a point beside the pointer, and the sample that the address names, once everything stands still."""
    known = at_once(asked, found)
    if known is None or not known.checks:
        return
    for side, judged in zip("AB", asked.judged_gans, strict=True):
        sheet_of = _all(judged.gan.digest, repr(asked.at_radius_key), asked.seed, judged, known.found[side])
        image_hover(f"control-{side}", sheet_of)
    opened.listen("evidence")
    if pick := opened.asked():
        side, one = pick[:1], known.found.get(pick[:1])
        row = None if one is None else opened.number(pick[1:], len(one.perturbation.z))
        if one is None or row is None:
            opened.unknown()
        else:
            opened.show(_one(asked, side, row, one))


def _one(asked: Asked, side: str, row: int, found: OneRadius) -> opened.Opened:
    """One sample of a model, under each kind of noise."""
    judged, pictures = asked.judged_gans["AB".index(side)], []
    for kind in ROWS:
        measures = found.measures[kind]
        broken = ", broken" if bool(measures.bad[row]) else ""
        loss = float(measures.loss[row])
        words = f"badness {per_cent(float(measures.badness[row]))}{broken}" + (f", loss {loss:.2f}" * (loss == loss))
        drawn = judged.of_samples([row]).images(found.noise(kind)[row : row + 1])
        image = png(grid(to_uint8(drawn), 1, scale=4))
        title = evidence.noise(kind, f"{kind} noise")
        pictures.append(Picture(image, f"{kind} noise: {words}", Markup("{}<br>{}").format(title, words)))
    worst = found.measures["worst"].badness
    place = 1 + int((worst > worst[row]).sum())
    facts = [
        ("Moved by", f"{float(found.perturbation.length[row]):.2f}, within ε {found.radius:g}"),
        ("Badness under worst noise", f"place {place} of {len(worst)}, 1 the highest"),
    ]
    name = asked.names["AB".index(side)]
    noise = {"a": name, "b": name, "rows": str(row), "seed": asked.seed, "eps": found.radius}
    return opened.Opened(f"{side}: noise {row} of seed {asked.seed}", pictures, facts, noise)


@st.cache_resource(max_entries=64, show_spinner=False)
def _section(key: str, _known: AtRadius) -> Section:
    return evidence.control(_known, opinion=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _some(digest: str, key: str, side: str, seed: int, _judged: JudgedGan, _one: OneRadius) -> str:
    """HTML of the first images under each kind of noise, the bad ones with a ring; each opens at a click."""
    html = ""
    before, moved = (_one.measures[kind].badness[:SHOWN] for kind in ("original", "worst"))
    picks = [
        (f"{side}{row}", f"Noise {row} of seed {seed}: badness {per_cent(was)} → {per_cent(now)}. Open it.")
        for row, (was, now) in enumerate(zip(before.tolist(), moved.tolist(), strict=True))
    ]
    for kind in ROWS:
        bad = _one.measures[kind].bad
        noise = _one.noise(kind)[:SHOWN]
        images = to_uint8(_judged.of_samples(range(len(noise))).images(noise))
        picture = Picture(
            png(circled(images, bad[:SHOWN].numpy(), SHOWN, scale=2)),
            f"{side}, {kind} noise: the first {len(images)} images, {int(bad[:SHOWN].sum())} of them broken, circled",
            evidence.noise(kind, f"{kind} noise"),
        )
        value = f"{int(bad.sum())} of all {len(bad)} broken"
        html += part("board.html", "shown", side, value, picture, "100%", picks, SHOWN)
    return html


@st.cache_resource(max_entries=16, show_spinner=False)
def _all(digest: str, key: str, seed: int, _judged: JudgedGan, _one: OneRadius) -> dict[str, object]:
    """Every image of one model, in the order of the chart's points."""
    fresh = _judged.gan.noise(len(_one.perturbation.z), seed + 1)
    noise = [fresh if kind == "fresh" else _one.noise(kind) for kind in CONTROLS]
    return sheet(to_uint8(_judged.of_samples(range(len(fresh))).images(torch.cat(noise))))


def _agreements(known: AtRadius) -> None:
    ranks = {side: one_radius.agreement(one) for side, one in known.found.items()}
    st.caption(
        "Do judge and critic agree which worst images are bad? Rank correlation of badness with the loss: "
        f"{_ranks(ranks, 'loss')}; with the judge's entropy: {_ranks(ranks, 'entropy')}."
    )
    for side, one in known.found.items():
        if one.judges is not None:
            st.caption(f"{side}, do the two judges agree on the worst images? {one.judges.words}.")


def _ranks(found: dict[str, dict[str, Interval | None]], name: str) -> str:
    """ "A +0.31 (+0.14 to +0.46), B …"."""
    return ", ".join(
        f"{side} none, for one of the two is the same everywhere"
        if (one := ranks[name]) is None
        else f"{side} {signed(one.mean)} (95 % interval {signed(one.low)} to {signed(one.high)})"
        for side, ranks in found.items()
    )


def shell_found(asked: Asked, found: Found) -> Finding | None:
    """Whether worst noise stays where ordinary noise lies."""
    known = at_once(asked, found)
    return None if known is None else finding.shell({side: one_radius.shell(one) for side, one in known.found.items()})


def shell(asked: Asked, found: Found) -> None:
    """Lengths of the noise on the prior's shell."""
    known = at_once(asked, found)
    if known is None:
        titles(asked)
        return
    shells = {side: one_radius.shell(one) for side, one in known.found.items()}
    section = evidence.shell(shells)
    beside(asked, section)
    with numbers():
        st.html(part("evidence.html", "table", section.table))
        download("lengths", as_csv(evidence_rows.lengths(*shells.values())), "lengths.csv")


def transfer_found(asked: Asked, found: Found) -> Finding | None:
    """What is left of each model's worst noise in the other."""
    if not asked.attack.radii[0]:
        return Finding(STILL)
    task = found[asked.transfer_key]
    return finding.transfer(value(task)) if task.done else None


def transfer(asked: Asked, found: Found) -> None:
    """Each model's worst noise, tried on the other."""
    task = found[asked.transfer_key]
    if not asked.attack.radii[0] or not task.done:
        return
    tried = value(task)
    for one, column in zip(evidence.transfer(tried).values(), st.columns(2, gap="large"), strict=True):
        chart(one, column)
    with numbers():
        st.caption(tried.sentence())
        download("table", as_csv(evidence_rows.transfers(tried)), "transfer.csv")


def checks_found(asked: Asked, found: Found) -> Finding | None:
    """Whether the searches are to be trusted."""
    if not asked.attack.radii[0]:
        return Finding(STILL)
    known = at_once(asked, found)
    return finding.checks(known.checks) if known is not None and known.checks else None


def checks(asked: Asked, found: Found) -> None:
    """The checks of both searches."""
    known = at_once(asked, found)
    if not asked.attack.radii[0] or known is None:
        return
    columns = titles(asked)
    if not known.checks:
        return
    for side, column in zip("AB", columns, strict=True):
        column.html(part("macros.html", "checks", known.checks[side]))
    with numbers():
        download("checks", as_csv(evidence_rows.checks(known.checks)), "search-health.csv")
