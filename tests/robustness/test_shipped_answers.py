"""The answers that travel with the models: of these models and judges, and what a player of them would draw."""

import dataclasses

import numpy as np
import pytest
import torch

from rgan.attack.objectives import judge_for
from rgan.common.answers import RECORD, Answers, name_of
from rgan.common.geometry import random_directions, separate
from rgan.common.images import to_uint8
from rgan.metrics.judges import MEASURING
from rgan.models import checkpoints
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.encoding import decoded
from rgan.robustness.failures.pool import Pool
from rgan.robustness.first import RADIUS, Hunt, Measured
from rgan.robustness.frames import Frames
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import Transfer
from rgan.robustness.play import first_request, path_of
from tests.conftest import ROOT

SHIPPED = ROOT / "checkpoints"
PAIRS = ("faces-dcgan",)


def asked(name):
    """The models of a pair with what they are asked at first."""
    gans = [checkpoints.load(SHIPPED / f"{name}{end}.safetensors") for end in ("", "-robust")]
    judge = judge_for(gans, MEASURING)
    request = dataclasses.replace(first_request(gans[0], judged=True), gradients=200)  # whatever tests of screens spend
    return [(JudgedGan(gan, judge, "cpu"), request) for gan in gans]


def answers(name) -> list[Frames]:
    """The shipped answers of a pair; they are there."""
    found = [Answers([SHIPPED / "answers"], 0).get(path_of(*one)) for one in asked(name)]
    assert None not in found, f"stale: `python -m rgan answers {' '.join(PAIRS)}` makes them anew"
    return [decoded(one) for one in found]


@pytest.mark.parametrize("name", PAIRS)
def test_they_are_of_these_models_and_show_what_they_draw(name):
    for (judged, request), frames in zip(asked(name), answers(name), strict=True):
        z = request.noise(judged.gan)
        images, measures = judged.look(z)
        assert frames.done and frames.gradients == request.gradients
        assert np.abs(frames.original.astype(int) - to_uint8(images)).mean() < 6, "WebP keeps colours nearly"
        assert frames.worst.badness[0] == pytest.approx(measures.badness.numpy(), abs=0.01)
        at = frames.radii.index(2.0)
        steps = (
            random_directions(z.shape, separate(request.seed, "control")) * torch.from_numpy(frames.length[at])[:, None]
        )
        moved = judged.measure(z + steps)
        assert frames.random.badness[at] == pytest.approx(moved.badness.numpy(), abs=0.03)
        assert (frames.length[at] <= 2.001).all() and frames.worst.badness[at].mean() > frames.random.badness[at].mean()


def pair(name):
    """The models of a pair with their judge."""
    a, b = (judged for judged, _ in asked(name))
    return a, b


def result(kind, of):
    """A shipped result; it is there."""
    found = Answers([SHIPPED / "answers"], 0).result(kind, of)
    assert found is not None, f"stale: `python -m rgan answers {' '.join(PAIRS)}` makes it anew"
    return found


def seen_again(judged, z, noise, measures, rows):
    """What was measured of some rows is what these models and judges say of the noise that was found."""
    for kind, moved in noise.items():
        again = judged.measure((z + moved)[rows])
        assert again.badness.numpy() == pytest.approx(measures[kind].badness[rows].numpy(), abs=0.01), kind
        assert again.loss.numpy() == pytest.approx(measures[kind].loss[rows].numpy(), rel=0.01, abs=0.01), kind


@pytest.mark.parametrize("name", PAIRS)
def test_the_evidence_is_of_these_models(name):
    both = pair(name)
    first = Measured(both)
    found = result(AtRadius, first.at_radius_question)
    for side, judged in zip("AB", both, strict=True):
        one = found.found[side].perturbation
        assert torch.equal(one.z, judged.gan.noise(first.samples, first.seed))
        assert one.radius == RADIUS and (one.length <= RADIUS + 1e-4).all() and len(found.checks[side]) == 4
        noise = {"original": torch.zeros_like(one.r), "worst": one.r, "random": one.random, "best": one.best_random}
        seen_again(judged, one.z, noise, found.found[side].measures, slice(0, 128, 9))
    moved = result(Transfer, first.transfer_question)
    assert moved.badness["A"]["A"].mean == pytest.approx(found.found["A"].beyond("random").mean, abs=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_the_failures_are_of_these_models(name):
    both = pair(name)
    hunt = Hunt.first(both)
    found = result(Pool, hunt.question)
    assert found.done and set(found.strength) == {"A", "B"}
    assert torch.equal(found.z, both[0].gan.noise(hunt.plan.samples, hunt.plan.seed))
    for side, judged in zip("AB", both, strict=True):
        rows = found.rows[side]
        noise = {"original": torch.zeros_like(found.z)} | rows.noise
        seen_again(judged, found.z, noise, rows.measures, slice(0, None, 37))


def test_no_other_answers_are_shipped():
    paths = {name_of(path_of(*one)) for name in PAIRS for one in asked(name)}
    results = set()
    for name in PAIRS:
        first, hunt = Measured(pair(name)), Hunt.first(pair(name))
        for of in (first.at_radius_question, first.transfer_question, first.curves_question, first.minimal_question):
            results.add(name_of(of, RECORD))
        results.add(name_of(hunt.question, RECORD))
    there = {path.name for path in (SHIPPED / "answers").iterdir()}
    assert paths <= there <= paths | results
    assert sum(path.stat().st_size for path in (SHIPPED / "answers").iterdir()) < 30 * 2**20
