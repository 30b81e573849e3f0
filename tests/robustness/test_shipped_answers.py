"""The answers that travel with the models: of these models and judges, and what a player of them would draw."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from rgan.attack.objectives import judge_for
from rgan.common.answers import Answers, name_of
from rgan.common.geometry import random_directions, separate
from rgan.common.images import to_uint8
from rgan.metrics.judges import MEASURING
from rgan.models import checkpoints
from rgan.robustness.encoding import decoded
from rgan.robustness.frames import Frames
from rgan.robustness.measured import JudgedGan
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


def test_no_other_answers_are_shipped():
    known = {name_of(path_of(*one)) for name in PAIRS for one in asked(name)}
    there = {path.name for path in (SHIPPED / "answers").glob("*.json")}
    assert there == known
    assert all(json.loads((SHIPPED / "answers" / name).read_text())["of"]["what"] == "path" for name in there)
