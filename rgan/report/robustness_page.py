"""The robustness of one model, or of two, as one HTML page that works without a network and prints."""

from __future__ import annotations

import platform
from importlib.metadata import version

import numpy as np

from rgan import __version__
from rgan.common.formatting import per_cent
from rgan.common.images import circled, grid, png
from rgan.metrics.judges import BAD
from rgan.report import evidence
from rgan.report.charts.basic import COLOURS
from rgan.report.page import page
from rgan.report.parts import Cell, Picture, Row, Table
from rgan.robustness.failures import pool as failures
from rgan.robustness.failures.export import sheet, strip
from rgan.robustness.failures.failure import Failure
from rgan.robustness.failures.links import permalink
from rgan.robustness.summary import DRAWS, RANKED, Robustness

OF_MODEL, COLUMNS = 48, 12  # images of a model's own grid
BANDS = {"worst": "Worst", "median": "Middle", "best": "Best"}


def robustness_page(found: Robustness, command: str) -> str:
    """The page; `command` makes it again. The same findings give the same text."""
    asked, sides = found.asked, tuple(found.models)
    return page(
        "robustness.html",
        "How robust? " + " and ".join(found.names.values()),
        names=found.names,
        colours=COLOURS,
        torch=version("torch"),
        headline=found.headline,
        models=found.models,
        drawn={side: _drawn(found, side) for side in sides},
        comparable=_comparable(found),
        asked=asked,
        radius=f"{asked.radius:g}",
        bad=per_cent(BAD, 0),
        control=evidence.control(found.at_radius),
        draws=DRAWS,
        curves=evidence.curves(found.curves, asked.radius),
        between=evidence.between(found.curves, asked.radius) if len(sides) == 2 else None,
        along=evidence.along(found.curves),
        minimal_radius=evidence.minimal_radius(found.minimal_radii, asked.radius),
        checked=found.at_radius.checks,
        pool=f"{len(found.pool.z):,}",
        prevalence=_prevalence(found),
        findings=failures.findings(found.pool),
        first={side: _first(found, side) for side in sides},
        ranked={side: _ranked(found, side) for side in sides},
        modes=found.modes,
        grouped={side: _grouped(found, side) for side in sides},
        again={side: [_again(found, side, one) for one in found.worst[side]] for side in sides},
        limits=limits(found),
        settings=_settings(found),
        command=command,
    )


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
        *(f"{side}: {one.caveat}" for side, one in found.models.items() if one.caveat),
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


def _drawn(found: Robustness, side: str) -> Picture:
    images = found.pictures[side].first["original"][:OF_MODEL]
    alt = f"{len(images)} images that {found.names[side]} draws from ordinary noise"
    return Picture(png(grid(images, COLUMNS, scale=2)), alt)


def _comparable(found: Robustness) -> list[str]:
    said = found.comparability
    if said is None:
        return []
    return [f"Not to be compared: {one}." for one in said.against] + [f"With care: {one}." for one in said.care]


def _prevalence(found: Robustness) -> Table:
    rows = tuple(
        Row(
            tuple(
                Cell(one.in_per_cent(), f"{one.hits:,} of {one.total:,}")
                for one in failures.prevalence(found.pool, side).values()
            ),
            side,
        )
        for side in found.models
    )
    return Table(tuple(f"{evidence.noise(kind)} noise" for kind in failures.NOISES), rows)


def _first(found: Robustness, side: str) -> list[Picture]:
    pictures = []
    for kind in failures.NOISES:
        images = found.pictures[side].first[kind]
        bad = found.pool.rows[side].measures[kind].bad[: len(images)].numpy()
        words = f"{int(bad.sum())} of {len(bad)} bad"
        alt = f"Images of {side} from {kind} noise, {words}, the bad ones ringed in red"
        pictures.append(Picture(sheet(images, bad), alt, f"{evidence.noise(kind)} noise: {words}"))
    return pictures


def _ranked(found: Robustness, side: str) -> list[Picture]:
    drawn, measures = found.pictures[side], found.pool.rows[side].measures
    pictures = []
    for name, rows in vars(drawn.spread).items():
        images = np.concatenate([drawn.ranked[name][kind] for kind in ("original", "worst")])
        bad = np.concatenate([measures[kind].bad[rows].numpy() for kind in ("original", "worst")])
        badness = measures["worst"].badness[rows]
        words = f"badness {per_cent(float(badness.max()))} to {per_cent(float(badness.min()))}"
        alt = f"{BANDS[name]} of {side} under worst noise, {words}"
        pictures.append(Picture(png(circled(images, bad, len(rows), scale=2)), alt, f"{BANDS[name]}: {words}"))
    return pictures


def _grouped(found: Robustness, side: str) -> list[Picture]:
    groups, pictures = found.modes[side], []
    for number, (mode, images) in enumerate(zip(groups.modes, found.pictures[side].modes, strict=False), 1):
        words = f"Mode {number}: {mode.size} images, {per_cent(mode.size / groups.grouped)} of the bad ones"
        pictures.append(Picture(png(grid(images, RANKED, scale=2, background=255)), f"{words} of {side}", words))
    return pictures


def _again(found: Robustness, side: str, one: Failure) -> tuple[Picture, str]:
    """Its way to the worst, and the link to it; none where the model or its judge is in no file."""
    model = found.models[side]
    picture = Picture(
        strip(one.ways["straight"], scale=2),
        f"Image {one.index} of {side} on the way from the original noise to the worst noise",
        f"Number {one.index:,}, badness {per_cent(one.badness)}. {one.sentence}",
    )
    linked = model.digest and model.judge.digest
    return picture, permalink(model, one, found.names[side]).address if linked else ""


def _settings(found: Robustness) -> dict[str, str]:
    asked, judge = found.asked, found.models["A"].judge
    return {
        "ε, price λ, gradients a sample": f"{asked.radius:g}, {asked.price:g}, {asked.gradients:,}",
        "Samples of the control and the checks": f"{asked.samples}",
        "Curves": f"{DRAWS} draws of {asked.samples} samples at ε {', '.join(f'{x:g}' for x in asked.curves.radii)}",
        "Pool of failures": f"{asked.pool:,}",
        "Seed of the noise": f"{asked.seed}",
        "Judge": f"{judge.words}, SHA-256 {judge.digest or 'none, it is in no file'}",
        "Device": found.models["A"].device,
        "RGAN Lab": __version__,
        **{name: version(name) for name in ("torch", "numpy", "scipy")},
        "Python": platform.python_version(),
        "Platform": platform.platform(),
    }
