"""The robustness of one model, or of two, as one HTML page that works without a network and prints."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from rgan import __version__
from rgan.common.formatting import per_cent
from rgan.common.images import circled, grid, png
from rgan.metrics.judges import BAD
from rgan.report.charts import robustness
from rgan.report.charts.basic import COLOURS
from rgan.report.charts.robustness import MARKS
from rgan.report.page import figure_html, notes_html, page, picture_html, scrolled
from rgan.robustness import curves, one_radius
from rgan.robustness.checks import WORDS, Check
from rgan.robustness.curves import METRICS, MOVED, curve
from rgan.robustness.failures import pool as failures
from rgan.robustness.failures.export import sheet, strip
from rgan.robustness.failures.failure import Failure
from rgan.robustness.failures.links import permalink
from rgan.robustness.minimal_radius import later_words
from rgan.robustness.summary import DRAWS, RANKED, Robustness
from rgan.stats.intervals import Share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

OF_MODEL, COLUMNS = 48, 12  # images of a model's own grid
_STYLE = f"""
:root {{ --a: {COLOURS["A"]}; --b: {COLOURS["B"]}; }}
body {{ max-width: 1080px; }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; }} h2 {{ font-size: 1.35rem; }}
h3 {{ font-size: 1.05rem; margin: 1.4rem 0 .3rem; }}
.headline {{ border-left: 6px solid #334155; background: #f3f6f9; padding: .9rem 1.2rem; margin: 1.2rem 0;
  font-size: 1.15rem; }}
.headline b.verdict {{ display: block; font-size: 1.35rem; }}
.headline ul {{ margin: .5rem 0 0; padding-left: 1.2rem; }}
.side {{ display: inline-block; min-width: 1.5em; text-align: center; border-radius: .25em; color: #fff;
  font-weight: 700; }} .side.A {{ background: #1d66ad; }} .side.B {{ background: #b4530a; }}
.two {{ display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.4rem; }}
.three {{ display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; }}
figure {{ margin: .6rem 0; }} figcaption {{ font-size: .9rem; color: #38444f; margin-bottom: .3rem; }}
img {{ display: block; max-width: 100%; height: auto; image-rendering: pixelated; }} .full img {{ width: 100%; }}
table {{ font-size: .9rem; margin: .6rem 0; }} th {{ font-weight: 600; }} td.number, th.number {{ text-align: right; }}
td.number {{ white-space: nowrap; }}
.light {{ border-left: 4px solid #94a3b3; padding: .1rem 0 .1rem .8rem; margin: .7rem 0; font-size: .92rem; }}
.light.good {{ border-color: #1c7a46; }} .light.fair {{ border-color: #c98a00; }}
.light.poor {{ border-color: #b3261e; }}
.line {{ letter-spacing: -.1em; }} .line.A {{ color: var(--a); }} .line.B {{ color: var(--b); }}
code {{ font-size: .82em; }} .link {{ margin: .2rem 0 .9rem; line-height: 1.25; color: #4b5865; }}
.link code {{ font-size: .7rem; word-break: break-all; }}
.fact {{ font-size: .92rem; margin: .2rem 0; }} small {{ color: #4b5865; }}
@media screen and (max-width: 700px) {{ .two, .three {{ grid-template-columns: 1fr; }} }}
@page {{ margin: 14mm 13mm; }}
@media print {{
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  body {{ font-size: 10.5pt; margin: 0; padding: 0; max-width: none; }}
  h1, h2, h3, figcaption {{ break-after: avoid; }} figure, tr, .light, .headline, .model {{ break-inside: avoid; }}
  p {{ orphans: 3; widows: 3; }} .modebar-container {{ display: none; }} .scrolled {{ overflow: visible; }}
  .chart > div, .plotly-graph-div, .svg-container {{ width: 100% !important; height: auto !important; }}
  .svg-container {{ aspect-ratio: var(--ratio); }} .main-svg {{ width: 100%; height: auto; }}
}}
"""
# Paper is narrower than a screen: with a view box, charts shrink to it as they were drawn.
_SHRINK = """addEventListener('load', () => {
  for (const chart of document.querySelectorAll('.js-plotly-plot')) {
    const fit = () => {
      for (const svg of chart.querySelectorAll('.main-svg')) {
        const [width, height] = [svg.getAttribute('width'), svg.getAttribute('height')];
        svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
        chart.style.setProperty('--ratio', width / height);
      }
    };
    fit();
    chart.on('plotly_afterplot', fit);
  }
});"""


def robustness_page(found: Robustness, command: str) -> str:
    """The page; `command` makes it again. The same findings give the same text."""
    title = "How robust? " + " and ".join(found.names.values())
    made = f"RGAN Lab {__version__}, torch {version('torch')}"
    body = (
        f'<p class="note">{_legend(found)}<br>{escape(made)}</p>{_headline(found)}'
        f"<h2>The models</h2>{_models(found)}"
        f"<h2>The control: worst noise against random noise</h2>{_control(found)}"
        f"<h2>Curves along ε</h2>{_curves(found)}"
        f"<h2>Break points</h2>{_breaks(found)}"
        f"<h2>Health of the search</h2>{_health(found)}"
        f"<h2>Failures</h2>{_failures(found)}"
        f"<h2>What this does not show</h2>{notes_html(limits(found))}"
        f"<h2>Settings and versions</h2>{_settings(found)}"
        f"<p>Made again by <code>{escape(command)}</code></p>"
    )
    return page(title, body, _SHRINK, _STYLE)


def limits(found: Robustness) -> tuple[str, ...]:
    """What the numbers do not say, in sentences."""
    judge = found.models["A"].judge
    others = {side: one.data for side, one in found.models.items() if one.data != judge.data}
    return (
        *(
            f"{side} was trained on {data or 'unknown data'} and is judged by how near its images are to real "
            f"{judge.data}."
            for side, data in others.items()
        ),
        f"Badness is said by one classifier, which rightly names {per_cent(judge.accuracy)} of {judge.held_out:,} "
        f"real {judge.data} images that it was not trained on. What it does not see is not here. By definition "
        f"{per_cent(1 - BAD, 0)} of real images are bad too.",
        *([judge.caveat] if judge.caveat else []),
        "The search climbs on each model's own critic, not on the judge, and finds a lower bound: other noise within "
        "the same ε may be worse, by the critic and more so by the judge.",
        "z + r may be longer than ordinary noise, as in the paper; random noise of the same length is the control.",
        "Each file is one training with one seed. What holds for these files need not hold for the way they were "
        "trained; that takes several seeds (python -m rgan reproduce).",
        f"Only ε up to {found.asked.curves.radii[-1]:g} was tried, and the headline is about ε {found.asked.radius:g}.",
        "Intervals are 95 % over samples of noise, for each number and each ε by itself, uncorrected for how many "
        "there are; they say nothing about other trainings or judges.",
        "The control, the curves and the pool begin with the same noise: they do not confirm each other.",
    )


def _legend(found: Robustness) -> str:
    sides = " · ".join(f"{_letter(side)} {escape(name)}" for side, name in found.names.items())
    return f"{sides} · ● original noise · ▲ worst noise · ◆ random noise of the same length"


def _lines(found: Robustness) -> str:
    """What the lines along ε are."""
    return " ".join(
        f'{_letter(side)} <span class="line {side}">{line} {MARKS[kind]}</span> {kind} noise&ensp;'
        for side in found.models
        for kind, line in (("worst", "━━"), ("random", "┅┅"))
    )


def _letter(side: str) -> str:
    return f'<b class="side {side}">{side}</b>'


def _headline(found: Robustness) -> str:
    said = found.headline
    if said.claim:
        return f'<div class="headline"><b class="verdict">{escape(said.claim)}</b>{escape(said.numbers)}</div>'
    reasons = "".join(f"<li>{escape(one)}</li>" for one in said.against)
    return (
        f'<div class="headline"><b class="verdict">No headline</b>These numbers support none, because:'
        f"<ul>{reasons}</ul></div>"
    )


def _models(found: Robustness) -> str:
    care = found.comparability.care if found.comparability else ()
    against = found.comparability.against if found.comparability else ()
    notes = [f"Not to be compared: {one}." for one in against] + [f"With care: {one}." for one in care]
    return _beside(found, {side: _model(found, side) for side in found.models}) + notes_html(tuple(notes))


def _model(found: Robustness, side: str) -> str:
    model, images = found.models[side], found.pictures[side].first["original"][:OF_MODEL]
    picture = png(grid(images, COLUMNS, scale=2))
    return (
        f'<p class="fact">{escape(model.title)}, {model.latent} noise dimensions<br>{escape(model.words)}</p>'
        f'<p class="fact"><small>SHA-256 <code>{model.digest or "none, it is in no file"}</code></small></p>'
        + _figure(picture, f"{len(images)} images that {found.names[side]} draws from ordinary noise")
    )


def _control(found: Robustness) -> str:
    charts = {
        side: _chart(
            robustness.strips(one, side),
            f"control-{side}",
            f"Badness of every image of {side} under each kind of noise; the means are in the table",
        )
        for side, one in found.at_radius.items()
    }
    said = (
        one_radius.verdict(found.at_radius["A"], found.at_radius["B"])
        if len(found.at_radius) == 2
        else (one_radius.against_random("A", found.at_radius["A"]),)
    )
    head = ("Model", "Noise", "Badness", "Beyond original, 95 % interval", "Bad images", "Loss")
    rows = [row for side, one in found.at_radius.items() for row in _kinds(side, one)]
    return (
        f'<p class="note">Badness of each of {found.asked.samples} images within ε {found.asked.radius:g}: the share '
        "of held-out real images that lie nearer to real ones than it does. Lines join an original with its worst; "
        "squares are means with 95 % intervals.</p>"
        + _beside(found, charts)
        + _claims(said)
        + _table(head, rows, numbers=2)
        + f"<p class=\"note\">Bad: badness of {per_cent(BAD, 0)} or more. Loss: the generator's, by the model's own "
        "critic, in units of its own.</p>"
    )


def _kinds(side: str, one: one_radius.OneRadius) -> list[list[str]]:
    rises = one_radius.rises(one)
    return [
        [
            _letter(side),
            f"{MARKS[kind]} {escape(words)}",
            per_cent(float(one.measures[kind].badness.mean())),
            "{} ({})".format(*rises[kind].points()) if kind in rises else "",
            per_cent(float(one.measures[kind].bad.double().mean())),
            f"{float(one.measures[kind].loss.mean()):.2f}",
        ]
        for kind, words in one_radius.control_words(one).items()
    ]


def _curves(found: Robustness) -> str:
    state, radius = found.curves, found.asked.radius
    floors = {"fid": state.real_fid}
    charts = []
    for metric, words in METRICS.items():
        lines = {
            (side, kind): line
            for side in state.blocks
            for kind in MOVED
            if (line := curve(state, side, kind, metric)) is not None
        }
        if lines:
            drawn = robustness.degradation(lines, metric, radius, floor=floors.get(metric))
            about = {"loss": ", each by its own critic: compare shapes, not heights", "fid": "; dashed: real images"}
            charts.append(
                f"<figure><figcaption><b>{words[0].upper()}{words[1:]}</b>{about.get(metric, '')}</figcaption>"
                + _chart(drawn, f"curve-{metric}", f"{words} against ε for worst and random noise")
                + "</figure>"
            )
    text = (
        f'<p class="note">{_lines(found)}<br>Bands: lowest and highest of {DRAWS} draws of noise, '
        f"{found.asked.samples} samples each. The upright line is ε {radius:g}.</p>"
        f'<div class="two">{"".join(charts)}</div>'
    )
    if len(state.blocks) == 2:
        between = {kind: curves.difference(state, kind) for kind in MOVED}
        text += (
            "<figure><figcaption><b>B beyond A</b>: points of badness that moving adds in B more than in A, the same "
            "noise in both, with 95 % intervals over all samples. Above 0, B suffers more. "
            "▲ worst noise, ◆ random noise.</figcaption>"
            + _chart(
                robustness.differences((0.0, *state.plan.radii), between, radius),
                "curve-between",
                "What moving adds to B's badness beyond A's, against ε; the numbers are in the table",
            )
            + "</figure>"
        )
    return text + _curve_table(found)


def _curve_table(found: Robustness) -> str:
    state = found.curves
    means = [
        (side, kind, line)
        for side in state.blocks
        for kind in MOVED
        if (line := curve(state, side, kind, "badness")) is not None
    ]
    head = ["ε", *(f"{side} {MARKS[kind]} {kind}" for side, kind, _ in means)]
    rows = [
        [f"{radius:g}", *(per_cent(float(line.mean[k])) for _, _, line in means)]
        for k, radius in enumerate((0.0, *state.plan.radii))
    ]
    if len(state.blocks) == 2:
        head.append("B beyond A, ▲ worst (95 % interval)")
        for row, one in zip(rows, curves.difference(state, "worst"), strict=True):
            row.append("{} ({})".format(*one.points()))
    return f'<p class="note">Mean badness at each ε.</p>{_table(head, rows, numbers=0)}'


def _breaks(found: Robustness) -> str:
    end = found.asked.curves.radii[-1]
    head = ("Model", "Noise", "Bad before moving", f"Never bad up to ε {end:g}", "In the middle", "Good again")
    rows = [
        [
            _letter(side), f"{MARKS[kind]} {kind}", f"{one.at_once} of {len(one.radius)}", str(one.censored),
            one.median_words(), str(one.recovered),
        ]
        for (side, kind), one in found.breaks.items()
    ]  # fmt: skip
    chart = _chart(
        robustness.survival(found.breaks, found.asked.radius),
        "survival",
        "Share of images that have not been bad at any ε so far; the counts are in the table",
    )
    said: tuple[str, ...] = ()
    if len(found.models) == 2:
        words = later_words(found.breaks["A", "worst"], found.breaks["B", "worst"])
        said = (words,) if words else ()
    return (
        f"<figure><figcaption>{_lines(found)}<br>Lines: share of images that have not been bad at any ε so far, "
        "with 95 % intervals for worst noise. Marks: share that is not bad at this very ε, since an image may be good "
        f"again further out.</figcaption>{chart}</figure>{_claims(said)}{_table(head, rows)}"
    )


def _health(found: Robustness) -> str:
    return (
        '<p class="note">Whether the search for worst noise is to be believed: checks with a number and a remedy. '
        "One that says “do not trust” stands against any headline.</p>"
        + _beside(found, {side: "".join(map(_light, checked)) for side, checked in found.health.items()})
    )


def _light(one: Check) -> str:
    remedy = f"<br><b>{escape(one.remedy)}</b>" if one.remedy else ""
    return (
        f'<div class="light {one.state}"><b>{escape(one.name)}</b> {WORDS[one.state]}<br>{escape(one.number)}'
        f"<br><small>{escape(one.meaning)}</small>{remedy}</div>"
    )


def _failures(found: Robustness) -> str:
    pool = found.pool
    head = ("Model", *(f"{MARKS[kind]} {kind} noise" for kind in failures.NOISES))
    rows = [
        [_letter(side), *(_share(one) for one in failures.prevalence(pool, side).values())] for side in found.models
    ]
    parts = [
        f'<p class="note">Bad images among {len(pool.z):,}, with 95 % intervals over noise. {_same(found)}</p>',
        _table(head, rows),
        _claims(failures.findings(pool)),
        "<h3>The first images of the pool, bad ones ringed</h3>",
        *(f'{_of(found, side)}<div class="three full">{_sheets(found, side)}</div>' for side in found.models),
        "<h3>Worst, middle and best under worst noise</h3>",
        '<p class="note">By badness. Above the image of the original noise, below that of the worst noise from there; '
        "bad ones ringed.</p>",
        _beside(found, {side: _ranked(found, side) for side in found.models}),
        "<h3>Failure modes</h3>",
        '<p class="note">Bad images under worst noise that are near-duplicates of each other, the most central '
        "first.</p>",
        _beside(found, {side: _modes(found, side) for side in found.models}),
        "<h3>What worst noise ruins most, to look at again</h3>",
        '<p class="note">By what it adds to badness. The straight way from the original noise (left) to the '
        "worst. The line below each, put after the address of the app's Failures screen, opens it there.</p>",
        *(_of(found, side) + _again(found, side) for side in found.models),
    ]
    return "".join(parts)


def _same(found: Robustness) -> str:
    return "Both models are given the same noise." if len(found.models) == 2 else ""


def _share(one: Share) -> str:
    return f"{escape(one.in_per_cent())}<br><small>{one.hits:,} of {one.total:,}</small>"


def _sheets(found: Robustness, side: str) -> str:
    parts = []
    for kind in failures.NOISES:
        images = found.pictures[side].first[kind]
        bad = found.pool.rows[side].measures[kind].bad[: len(images)].numpy()
        picture, words = sheet(images, bad), f"{int(bad.sum())} of {len(bad)} bad"
        parts.append(
            f"<figure><figcaption>{MARKS[kind]} {kind} noise: {words}</figcaption>"
            + picture_html(picture, f"Images of {side} from {kind} noise, {words}, the bad ones ringed in red")
            + "</figure>"
        )
    return "".join(parts)


def _ranked(found: Robustness, side: str) -> str:
    pictures, measures = found.pictures[side], found.pool.rows[side].measures
    parts = []
    for name, rows in vars(pictures.spread).items():
        images = np.concatenate([pictures.ranked[name][kind] for kind in ("original", "worst")])
        bad = np.concatenate([measures[kind].bad[rows].numpy() for kind in ("original", "worst")])
        badness = measures["worst"].badness[rows]
        words = f"badness {per_cent(float(badness.max()))} to {per_cent(float(badness.min()))}"
        called = {"worst": "Worst", "median": "Middle", "best": "Best"}[name]
        picture = png(circled(images, bad, len(rows), scale=2))
        parts.append(_figure(picture, f"{called} of {side} under worst noise, {words}", f"{called}: {words}"))
    return "".join(parts)


def _modes(found: Robustness, side: str) -> str:
    groups = found.modes[side]
    parts = [f'<p class="fact">{escape(groups.sentence)}</p>']
    for number, (mode, images) in enumerate(zip(groups.modes, found.pictures[side].modes, strict=False), 1):
        words = f"Mode {number}: {mode.size} images, {per_cent(mode.size / groups.grouped)} of the bad ones"
        picture = png(grid(images, RANKED, scale=2, background=255))
        parts.append(_figure(picture, f"{words} of {side}", words))
    return "".join(parts)


def _again(found: Robustness, side: str) -> str:
    return "".join(_one(found, side, one) for one in found.worst[side])


def _one(found: Robustness, side: str, one: Failure) -> str:
    model = found.models[side]
    words = f"Number {one.index:,}, badness {per_cent(one.badness)}. {one.sentence}"
    link = ""
    if model.digest and model.judge.digest:
        address = permalink(model, one, found.names[side]).address
        link = f"<p class='link'><code>{escape(address)}</code></p>"
    picture = strip(one.ways["straight"], scale=2)
    alt = f"Image {one.index} of {side} on the way from the original noise to the worst noise"
    return f"<figure><figcaption>{escape(words)}</figcaption>{picture_html(picture, alt)}{link}</figure>"


def _settings(found: Robustness) -> str:
    asked, judge = found.asked, found.models["A"].judge
    rows = {
        "ε, price λ, steps of the search": f"{asked.radius:g}, {asked.price:g}, {asked.steps}",
        "Samples of the control and the lights": f"{asked.samples}",
        "Curves": f"{DRAWS} draws of {asked.samples} samples at ε {', '.join(f'{x:g}' for x in asked.curves.radii)}",
        "Pool of failures": f"{asked.pool:,}",
        "Seed of the noise": f"{asked.seed}",
        "Judge": f"{judge.data}, SHA-256 <code>{judge.digest or 'none, it is in no file'}</code>",
        "Device": found.models["A"].device,
        "RGAN Lab": __version__,
        **{name: version(name) for name in ("torch", "numpy", "scipy")},
        "Python": platform.python_version(),
        "Platform": platform.platform(),
    }
    return _table((), [[f"<b>{escape(name)}</b>", value] for name, value in rows.items()])


def _beside(found: Robustness, cells: Mapping[str, str]) -> str:
    """What each model has, under its name, side by side."""
    inner = "".join(f'<div class="model full">{_of(found, side)}{cell}</div>' for side, cell in cells.items())
    return f'<div class="two">{inner}</div>' if len(cells) == 2 else inner


def _of(found: Robustness, side: str) -> str:
    return f'<p class="fact">{_letter(side)} <b>{escape(found.names[side])}</b></p>'


def _figure(picture: bytes, alt: str, words: str = "") -> str:
    return f"<figure><figcaption>{escape(words)}</figcaption>{picture_html(picture, alt)}</figure>"


def _chart(figure: Figure, key: str, alt: str) -> str:
    figure.update_layout(font={"size": 13})
    return f'<div class="chart" role="img" aria-label="{escape(alt)}">{figure_html(figure, key)}</div>'


def _claims(said: Sequence[str]) -> str:
    return "".join(f'<p class="claim">{escape(one)}</p>' for one in said)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int | None = None) -> str:
    """Cells are HTML; from column `numbers` on they are numbers."""

    def cell(tag: str, index: int, words: str) -> str:
        right = ' class="number"' if numbers is not None and index >= numbers else ""
        return f"<{tag}{right}>{words}</{tag}>"

    top = "".join(cell("th", index, escape(words)) for index, words in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", index, words) for index, words in enumerate(row)) + "</tr>" for row in rows
    )
    return scrolled(f"<table>{f'<tr>{top}</tr>' if head else ''}{body}</table>")
