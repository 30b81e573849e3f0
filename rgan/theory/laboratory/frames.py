"""What is drawn of the twins at one step, as small arrays for a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.attack.search import Attack, losses
from rgan.common.geometry import lengths
from rgan.models.gan import Gan
from rgan.theory.laboratory.moves import QUICK, Moves, moves, worst_of_all
from rgan.theory.laboratory.points import PLANE, REACH, on_grid
from rgan.theory.laboratory.settings import Settings
from rgan.theory.laboratory.twins import as_images, as_points

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

SHOWN = 300  # generated and real points that are drawn
SIDE = {"landscape": 32, "manifold": 31, "field": 11}  # places of each lattice
ARROWS = 60  # generated points whose push by the critic is drawn
UNIT = 4096  # a length of 1, as a whole number of 16 bits
LIMIT = 32767


def picture(gan: Gan, settings: Settings, z: Tensor) -> Arrays:
    """One GAN at one step.

    points: G(z), (SHOWN, 2). landscape: how real the critic finds the plane, 0 to 255, (32, 32) from below: the
    sigmoid of its score for the log loss, its score between its least and largest for the others. pushes: where the
    generator's loss falls fastest at the first points, the longest having length 1, (ARROWS, 2). manifold: G of a
    lattice of noise, (31, 31, 2) from below. Lengths are in UNIT.
    """
    probe = gan.probe()
    points = probe.images(z[:SHOWN])
    at = points[:ARROWS].requires_grad_()
    (slope,) = torch.autograd.grad(probe.cost(at).sum(), at)
    longest = lengths(slope).max().clamp_min(1e-12)
    with torch.no_grad():
        scores = probe.score(as_images(on_grid(PLANE, SIDE["landscape"])))
        manifold = as_points(probe.images(on_grid(REACH[settings.prior], SIDE["manifold"])))
    if settings.loss == "log":
        found = torch.sigmoid(scores)
    else:
        found = (scores - scores.min()) / (scores.max() - scores.min()).clamp_min(1e-12)
    return {
        "points": whole(as_points(points)),
        "landscape": (255 * found).round().byte().numpy().reshape(SIDE["landscape"], -1),
        "pushes": whole(as_points(-slope / longest)),
        "manifold": whole(manifold).reshape(SIDE["manifold"], SIDE["manifold"], 2),
    }


def quick_field(gan: Gan, settings: Settings, radius: float, price: float) -> Arrays:
    """While a training runs: the true worst moves of a lattice of noise, `truth` (121, 2), where they land, and what
    each adds to the loss, in 32 bits (`gains`, (1, 121))."""
    z = on_grid(REACH[settings.prior], SIDE["field"])
    probe = gan.probe()
    r, value = worst_of_all(probe.loss, z, radius, price, QUICK)
    gains = value + price * r.square().sum(dim=1) - losses(probe.loss, z)
    return {
        "truth": whole(r),
        "truth_images": whole(as_points(probe.images(z + r))),
        "gains": gains[None].numpy().astype(np.float32),
    }


def full_field(
    gan: Gan, settings: Settings, attack: Attack, *, report: Callable[[float], None] | None = None
) -> tuple[Arrays, Moves]:
    """Of the lattice of noise: worst moves by the attack (`found`), by looking everywhere (`truth`), and `random` ones
    as long as the attack's; where they land, and what each adds to the loss, in 32 bits (`gains`, (3, 121): the
    truth's, the attack's, the random ones'). `report` is told which share of the search is done."""
    z = on_grid(REACH[settings.prior], SIDE["field"])
    probe = gan.probe()
    both = moves(gan, z, attack, seed=settings.seed, truth=True, report=report)
    found = both.found
    assert both.truth is not None and both.truth_value is not None
    arrays: Arrays = {}
    for name, r in (("found", found.r), ("truth", both.truth), ("random", found.random)):
        arrays |= {name: whole(r), f"{name}_images": whole(as_points(probe.images(z + r)))}
    truth = both.truth_value + attack.price * both.truth.square().sum(dim=1)
    gains = torch.stack([truth, found.loss_worst, found.loss_random]) - found.loss_original
    return arrays | {"gains": gains.numpy().astype(np.float32)}, both


def whole(lengths_: Tensor) -> Array:
    """Numbers as whole ones of 16 bits, in UNIT, cut where they are too large."""
    scaled = (UNIT * lengths_).round().clamp(-LIMIT, LIMIT)
    return scaled.nan_to_num(0.0).numpy().astype("<i2")


def packed(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """For a browser: four bytes with the length of the JSON that follows, the lowest first, which holds `facts` and the
    name, kind and shape of each array; then the arrays, each from a multiple of four bytes on."""
    kinds = {"uint8": "Uint8Array", "int16": "Int16Array", "float32": "Float32Array"}
    about = [[name, kinds[str(one.dtype)], list(one.shape)] for name, one in arrays.items()]
    head = json.dumps({"facts": facts, "arrays": about}, separators=(",", ":"), allow_nan=False).encode()
    parts = [len(head).to_bytes(4, "little"), head]
    for one in arrays.values():
        parts += [b"\0" * (-sum(map(len, parts)) % 4), one.tobytes()]
    return b"".join(parts)
