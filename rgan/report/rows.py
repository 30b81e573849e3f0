"""The numbers of the Evidence as rows of plain values, for files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rgan.robustness.checks import Check
from rgan.robustness.collapse import Collapse
from rgan.robustness.curves import METRICS, MOVED, Curves, curve, difference
from rgan.robustness.frames import Frames
from rgan.robustness.minimal_radius import MinimalRadii
from rgan.robustness.one_radius import OneRadius, Shell, Transfer
from rgan.stats.intervals import Interval

Rows = list[dict[str, Any]]


def at_radius(a: OneRadius, b: OneRadius) -> Rows:
    """A row a model, kind of noise and sample."""
    return [
        {
            "model": side, "noise": kind, "sample": index, "radius": one.radius, "price": one.perturbation.attack.price,
            "loss": float(measure.loss[index]),
            **{name: float(each[index]) for name, each in measure.opinion.numbers().items()},
        }
        for side, one in (("A", a), ("B", b))
        for kind, measure in one.measures.items()
        for index in range(len(measure.loss))
    ]  # fmt: skip


def diversity(found: Mapping[str, Collapse]) -> Rows:
    """A row a model, kind of noise and number, and a row for what worst noise has beyond another kind."""
    return [
        {"model": side, "noise": kind, "number": name, "images": each.images, **_plain(getattr(each, name))}
        for side, one in found.items()
        for kind, each in (*one.of.items(), *((f"worst beyond {kind}", lost) for kind, lost in one.beyond.items()))
        for name in ("distance", "count")
    ]


def path(found: Mapping[str, Frames]) -> Rows:
    """A row a model, ε, kind of noise and sample; what nobody says is empty."""
    return [
        {
            "model": side, "radius": radius, "noise": kind, "sample": sample,
            "badness": "" if track.badness is None else round(float(track.badness[frame, sample]), 4),
            "broken": "" if track.broken is None else bool(track.broken[frame, sample]),
            "loss": float(track.loss[frame, sample]), "change": round(float(track.change[frame, sample]), 4),
            **{name: int(read[frame, sample]) for name, read in track.labels.items()},
        }
        for side, one in found.items()
        for frame, radius in enumerate(one.radii)
        for kind, track in (("worst", one.worst), ("random", one.random))
        for sample in range(len(one.original))
    ]  # fmt: skip


def curves(state: Curves) -> Rows:
    """A row a model, kind of noise, metric that can be had and radius; and B's badness beyond A's."""
    rows = []
    for metric in METRICS:
        for side in state.blocks:
            for kind in MOVED:
                line = curve(state, side, kind, metric)
                if line is None:
                    continue
                for radius, mean, low, high in zip(line.radii, line.mean, line.low, line.high, strict=True):
                    numbers = {"mean": float(mean), "low": float(low), "high": float(high)}
                    rows.append({"model": side, "noise": kind, "number": metric, "radius": float(radius), **numbers})
    for kind in MOVED:
        for radius, found in zip((0.0, *state.plan.radii), difference(state, kind), strict=True):
            rows.append({"model": "B beyond A", "noise": kind, "number": "badness", "radius": radius, **_plain(found)})
    return rows


def minimal_radius(found: Mapping[tuple[str, str], MinimalRadii]) -> Rows:
    """A row a model, kind of noise and sample; the radius of a sample that does not break is empty."""
    return [
        {
            "model": side, "noise": kind, "sample": index, "radius": radius if radius <= one.last else "",
            "searched_to": one.last,
        }
        for (side, kind), one in found.items()
        for index, radius in enumerate(one.radius.tolist())
    ]  # fmt: skip


def lengths(a: Shell, b: Shell) -> Rows:
    """A row a model, kind of noise and sample."""
    return [
        {"model": side, "noise": kind, "sample": index, "length": length}
        for side, one in (("A", a), ("B", b))
        for kind, each in one.lengths.items()
        for index, length in enumerate(each.tolist())
    ]


def transfers(one: Transfer) -> Rows:
    """A row a model that noise was found on, a model it was tried on, and a number."""
    return [
        {"found_on": finder, "tried_on": judged, "number": name, **_plain(table[finder][judged])}
        for name, table in (("badness", one.badness), ("loss", one.loss))
        for finder in "AB"
        for judged in "AB"
    ]


def checks(found: Mapping[str, tuple[Check, ...]]) -> Rows:
    """A row a model and check."""
    return [
        {"model": side, "check": one.name, "state": one.state, "number": one.number, "remedy": one.remedy}
        for side, checked in found.items()
        for one in checked
    ]


def _plain(found: Interval) -> dict[str, float]:
    return {"mean": found.mean, "low": found.low, "high": found.high}
