"""A path that is played: rough frames first, and at the end what a search of all radii finds."""

import numpy as np
import pytest
import torch

from rgan.attack.path import Request
from rgan.common.errors import CheckpointError
from rgan.common.images import to_uint8
from rgan.metrics import judges
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from rgan.networks.layers import Critic
from rgan.robustness.measured import JudgedGan
from rgan.robustness.play import play, searched_radii

MADE = recipe("dcgan", channels=1, width=4, latent=6)


def judged(seed=1):
    return JudgedGan(Gan(MADE, *fresh(MADE, seed)), judges.shipped("digits"), device="cpu")


def asked(**changes):
    usual = {"samples": 5, "seed": 2, "price": 0.0, "gradients": 12, "method": "ascent", "keep_shell": False}
    return Request(**{"reach": 2.0} | usual | changes)


@pytest.mark.parametrize("objective", ["critic", "judge", "change"])
def test_frames_come_rough_then_fine_and_end_at_what_the_search_finds(objective):
    subject, request = judged(), asked(objective=objective)
    states = list(play(subject, request, model="mine"))
    frames = [state.found for state in states if state.found is not None]
    assert [state.share for state in states] == sorted(state.share for state in states) and states[-1].share == 1
    rough = objective != "change"
    assert [one.gradients for one in frames] == [1] * rough + [4, 12]
    assert [len(one.radii) for one in frames] == [4] * rough + [25] * 2 and [one.done for one in frames][-1]

    z, last = subject.gan.noise(5, 2), frames[-1]
    raised = subject.objective(objective, z, precision="auto")  # as fast as this machine has it
    *_, found = raised.search(z, request.attack(*searched_radii(request)), seed=2)
    assert set(found.attack.radii) < set(last.radii)
    at = [last.radii.index(radius) for radius in found.attack.radii]
    for frame in at:
        k = found.attack.radii.index(last.radii[frame])
        expected = to_uint8(subject.gan.images(z + found.noise[k]))
        assert np.abs(last.worst.images[frame].astype(int) - expected).max() <= 1
        gained = raised.loss.of(z + found.noise[k], torch.arange(5)) - raised.loss.of(z, torch.arange(5))
        assert (gained >= -1e-4).all()


def test_one_step_is_done_at_once():
    *_, last = play(judged(), asked(method="one-step"))
    assert last.found is not None and last.found.done and last.found.gradients == 1


def test_what_cannot_be_raised_is_said():
    made = Gan(MADE, fresh(MADE, 0)[0], Critic())
    with pytest.raises(CheckpointError, match="critic"):
        next(play(made, asked()))
    *_, last = play(made, asked(objective="change"))
    assert not last.found.judged
