"""Frames along ε: against the judge asked frame by frame, from searches that go on, and through their encoding."""

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from rgan.attack.perturbation import with_controls
from rgan.attack.search import Attack, between
from rgan.common.errors import DataError, SettingsError
from rgan.common.geometry import lengths, unit
from rgan.common.images import to_uint8
from rgan.metrics import judges
from rgan.metrics.judges import BAD
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from rgan.robustness import encoding
from rgan.robustness.encoding import decoded, encoded
from rgan.robustness.frames import changes_at, frame_radii, frames
from rgan.robustness.measured import JudgedGan
from tests.robustness import made_up

RADII = (0.0, 0.4, 1.0, 1.7, 2.5)
SEED = 3


def gan_of(seed, **options):
    made = recipe("dcgan", channels=1, width=4, latent=6, **options)
    return Gan(made, *fresh(made, seed))


@pytest.fixture(scope="module")
def judged():
    return JudgedGan(gan_of(1), judges.shipped("digits"), device="cpu")


@pytest.fixture(scope="module")
def states(judged):
    """A search's states from the first to the last, at two radii."""
    z = judged.gan.noise(9, 0)
    return list(judged.objective("critic", z).search(z, Attack((1.0, 2.0), gradients=12), seed=SEED))


@pytest.mark.parametrize("which", [2, -1])
def test_frames_are_what_the_judge_says_frame_by_frame(judged, states, which):
    found = states[which]
    made = frames(judged, found, RADII, model="a", seed=SEED)
    assert made.radii == RADII and made.done is found.done and made.gradients == found.gradients
    original, _ = judged.look(found.z)
    for k, radius in enumerate(RADII):
        r = between(found, radius)
        assert float(lengths(r).max()) <= radius + 1e-5
        one = dataclasses.replace(found, attack=Attack((max(radius, 1e-9),)), noise=r[None])
        random = with_controls(judged.objective("critic", found.z).loss, one, seed=SEED, best_random=False).random
        for track, moved in ((made.worst, r), (made.random, random)):
            images, said = judged.look(found.z + moved)
            assert np.abs(track.images[k].astype(int) - to_uint8(images)).max() <= 1
            assert np.allclose(track.badness[k], said.badness, atol=2e-3)
            assert np.allclose(track.loss[k], said.loss, atol=1e-4)
            assert np.array_equal(track.broken[k], track.badness[k] >= np.float32(BAD))
            assert np.mean(track.labels["class"][k] == said.opinion.label.numpy()) > 0.85  # close ones may tip
            squares = (images - original).double().square().mean(dim=(1, 2, 3))
            assert np.allclose(track.change[k], squares.sqrt() / 2, atol=1e-5)


def test_random_noise_goes_one_way_as_far_as_worst_noise(judged, states, monkeypatch):
    seen = []
    look = JudgedGan.look
    monkeypatch.setattr(JudgedGan, "look", lambda self, z: seen.append(z) or look(self, z))
    frames(judged, states[-1], RADII, model="a", seed=SEED)
    original, *moved = seen
    worst = torch.stack([both[:9] - original for both in moved])
    random = torch.stack([both[9:] - original for both in moved])
    assert torch.allclose(worst.norm(dim=2), random.norm(dim=2), atol=1e-5)
    directions = torch.stack([unit(one) for one in random])
    assert torch.allclose(directions, directions[:1].expand_as(directions), atol=1e-4)


def test_a_search_that_goes_on_gives_better_frames_in_the_same_places(judged, states):
    coarse, fine = (frames(judged, states[which], RADII, model="a", seed=SEED) for which in (1, -1))
    assert coarse.radii == fine.radii and not coarse.done and fine.done
    assert np.array_equal(coarse.original, fine.original)
    searched = RADII.index(1.0)
    assert fine.worst.loss[searched].mean() > coarse.worst.loss[searched].mean()


def test_without_a_judge_nothing_is_called_broken(states):
    made = frames(gan_of(1), states[-1], RADII, model="a", seed=SEED)
    assert not made.judged and made.worst.badness is None and made.random.broken is None
    assert not made.worst.relabelled.any() and np.isfinite(made.worst.loss).all()


def test_radii_of_a_player():
    radii = frame_radii(2.5, 1.03, 9.0)
    assert radii[0] == 0 and radii[-1] == 2.5 and 1.03 in radii and 9.0 not in radii and len(radii) == 27
    assert np.diff(sorted(set(radii) - {1.03})) == pytest.approx(0.1)
    with pytest.raises(SettingsError, match="above 0"):
        frame_radii(0.0)


@pytest.mark.parametrize("radii", [(0.4, 1.0), (0.0,)])
def test_radii_rise_from_the_original(judged, states, radii):
    with pytest.raises(SettingsError, match="rise from 0"):
        frames(judged, states[-1], radii, model="a", seed=SEED)


def test_relabelled_is_any_label_that_differs_from_the_originals():
    track = made_up.frames(RADII, (7, 4, 4, 1)).worst
    eyes = np.arange(7 * len(RADII)).reshape(len(RADII), 7) // 20
    track = dataclasses.replace(track, labels=track.labels | {"eyes": eyes})
    for k in range(len(RADII)):
        for sample in range(7):
            changed = any(read[k, sample] != read[0, sample] for read in track.labels.values())
            assert track.relabelled[k, sample] == changed


@pytest.mark.parametrize("size", [(5, 28, 28, 1), (16, 20, 12, 3)])
@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("side", [16_383, 120])
def test_encoding_keeps_everything_to_its_rounding(monkeypatch, size, judged, side):
    monkeypatch.setattr(encoding, "WEBP_SIDE", side)
    made = dataclasses.replace(made_up.frames(RADII, size, judged=judged), names={"class": ("one", "two", "three")})
    back = decoded(json.loads(json.dumps(encoded(made))))
    assert (len(encoded(made)["sheets"]["worst"]) > 1) is (side == 120)
    for name in ("model", "attack", "seed", "gradients", "done", "names"):
        assert getattr(back, name) == getattr(made, name)
    for kind in ("worst", "random"):
        was, now = getattr(made, kind), getattr(back, kind)
        assert now.images.shape == was.images.shape and now.images.dtype == np.uint8
        apart = now.images.astype(float) - was.images
        if size[-1] == 1:
            assert not apart.any()
        else:  # WebP halves the resolution of colour, not of light
            assert np.abs(apart @ [0.299, 0.587, 0.114]).mean() < 2 and np.abs(apart.mean(axis=(2, 3))).mean() < 3
        assert np.abs(now.loss - was.loss).max() <= 0.5001e-3
        assert np.abs(now.change - was.change).max() <= 0.5001e-4
        if judged:
            assert np.abs(now.badness - was.badness).max() <= 0.5001e-4
            assert np.array_equal(now.broken, was.broken)
            assert np.array_equal(now.labels["class"], was.labels["class"])
        else:
            assert now.badness is None and now.broken is None and not now.labels


def test_what_is_broken_does_not_tip_with_rounding():
    made = made_up.frames(RADII, (4, 4, 4, 1))
    badness = np.full((len(RADII), 4), 0.94999, np.float32)
    made = dataclasses.replace(made, worst=dataclasses.replace(made.worst, badness=badness, broken=badness >= 0.95))
    back = decoded(encoded(made)).worst
    assert back.badness.min() == np.float32(0.95) and not back.broken.any()


def test_loss_without_a_critic_is_null():
    made = made_up.frames(RADII, (4, 4, 4, 1))
    made = dataclasses.replace(made, worst=dataclasses.replace(made.worst, loss=np.full((len(RADII), 4), np.nan)))
    written = encoded(made)
    assert written["worst"]["loss"] is None
    json.dumps(written, allow_nan=False)
    assert np.isnan(decoded(written).worst.loss).all()


def test_a_sheet_shows_frames_under_one_another():
    made = made_up.frames(RADII, (5, 8, 6, 1))
    written = encoded(made)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(written["sheets"]["random"][0]))).convert("L"))
    assert sheet.shape == (4 * 2 * 8, 3 * 6) and written["columns"] == 3
    for k in range(1, len(RADII)):
        for sample in range(5):
            top, left = (k - 1) * 16 + sample // 3 * 8, sample % 3 * 6
            assert np.array_equal(sheet[top : top + 8, left : left + 6], made.random.images[k, sample, ..., 0])


def test_the_digest_is_of_the_content():
    one, other = made_up.frames(RADII, (4, 4, 4, 1)), made_up.frames(RADII, (4, 4, 4, 1))
    assert encoded(one)["id"] == encoded(other)["id"]
    other.worst.loss[2, 2] += 1
    assert encoded(one)["id"] != encoded(other)["id"]


def test_frames_of_another_version_are_refused():
    written = encoded(made_up.frames(RADII, (4, 4, 4, 1)))
    with pytest.raises(DataError, match=r"version 2, got 3.*anew"):
        decoded(written | {"version": 3})


def test_attributes_are_compared_with_the_originals_at_the_nearest_frame():
    made = made_up.frames(RADII, (4, 4, 4, 1))
    read = np.zeros((len(RADII), 4), int)
    worst, random = read.copy(), read.copy()
    worst[-1, :3] = 1
    random[-1, 0] = 2
    labels = {"glasses": worst, "beard": read}, {"glasses": random, "beard": read}
    made = dataclasses.replace(
        made,
        worst=dataclasses.replace(made.worst, labels=labels[0]),
        random=dataclasses.replace(made.random, labels=labels[1]),
    )
    found = {one.name: (one.worst.hits, one.random.hits) for one in changes_at(made, RADII[-1] + 9).changes}
    assert found == {"glasses": (3, 1), "beard": (0, 0)}
    assert {one.worst.hits for one in changes_at(made, 0.0).changes} == {0}
    assert changes_at(made_up.frames(RADII, (4, 4, 4, 1)), 1.0) is None, "a class alone is no attribute"
