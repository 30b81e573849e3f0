"""The judge: a classifier on held-out images, badness against brute force, and its file."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.neighbors import NearestNeighbors

from rgan.common.errors import CheckpointError, DataError, SettingsError
from rgan.common.images import to_unit
from rgan.data import datasets
from rgan.metrics import judges
from rgan.metrics.judges import NEIGHBOURS, augmented, fitted, shipped
from rgan.networks.classifier import Features


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", size=32)


@pytest.fixture(scope="module")
def judge():
    return judges.load(judges.SHIPPED / "digits.safetensors")


@pytest.fixture(scope="module")
def parts(digits):
    """Images that trained it, that are neighbours, and that calibrate, as 60, 20 and 20 % of a permutation."""
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))
    return [to_unit(digits.images[part]) for part in (order[718:], order[:359], order[359:718])]


def test_shipped_judges_are_as_good_as_they_say(judge, parts, digits):
    assert judge.accuracy >= 0.98 and judge.held_out == 718
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0))
    named = judge.logits(torch.cat(parts[1:])).argmax(dim=1)
    assert float((named == digits.labels[order[:718]]).float().mean()) == pytest.approx(judge.accuracy)
    for name, least in (("mnist", 0.99), ("cifar10", 0.85)):
        assert judges.load(judges.SHIPPED / f"{name}.safetensors").accuracy >= least


def test_training_learns_and_the_same_seed_gives_the_same_judge(digits):
    def last():
        *_, progress = judges.train(digits, epochs=2, width=2, seed=3)
        assert progress.step == progress.steps
        return progress.judge

    one, other = last(), last()
    assert torch.equal(one.reference, other.reference) and one.accuracy == other.accuracy
    assert one.accuracy > 0.4, "chance is 0.1"


def test_badness_is_the_percentile_among_real_images_nobody_trained_on(judge, parts):
    """Against scikit-learn's neighbours and counting."""
    _, reference, calibration = (judge.features(part).double().numpy() for part in parts)
    images = torch.cat(
        [parts[2][:20], torch.randn(20, 1, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)]
    )
    seen = judge.features(images).double().numpy()
    neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(reference)
    distance = neighbours.kneighbors(seen)[0][:, -1]
    real = neighbours.kneighbors(calibration)[0][:, -1]
    found = judge.opinion(images)
    assert np.allclose(found.distance.numpy(), distance, rtol=1e-4)
    expected = [(1 + (real <= d * (1 + 1e-5)).sum()) / (1 + len(real)) for d in distance]
    assert np.allclose(found.badness.numpy(), expected, atol=2 / len(real))
    assert found.badness[20:].min() > 0.99, "noise is further away than any real image"
    chance = torch.softmax(judge.logits(images).double(), dim=1).numpy()
    assert np.allclose(found.entropy.numpy(), entropy(chance, axis=1), atol=1e-5)


def test_badness_of_real_images_is_uniform(judge, parts):
    found = judge.opinion(parts[2]).badness
    assert float(found.mean()) == pytest.approx(0.5, abs=0.01)
    assert found.min() > 0 and found.max() <= 1


def test_realism_against_a_loop(judge, parts):
    """Kynkäänniemi et al. 2019, eq. 3, over the half of reference images with the smallest neighbourhoods."""
    reference = judge.features(parts[1]).double().numpy()
    own = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(reference).kneighbors(reference)[0][:, -1]
    tight = own <= np.sort(own)[(len(own) - 1) // 2]
    seen = judge.features(parts[0][:10]).double().numpy()
    expected = [max(r / np.linalg.norm(x - f) for r, f in zip(own[tight], reference[tight], strict=True)) for x in seen]
    assert np.allclose(judge.opinion(parts[0][:10]).realism.numpy(), expected, rtol=1e-3)


def test_damage_makes_images_worse(judge, parts):
    clean = parts[2]
    holes = clean.clone()
    holes[:, :, 8:24, 8:24] = -1
    before, after = (judge.opinion(images).distance for images in (clean, holes))
    assert (after > before).float().mean() > 0.8


def test_an_image_is_judged_for_itself(judge, parts):
    alone, among = judge.opinion(parts[0][:1]), judge.opinion(parts[0][:50])
    assert float(alone.distance[0]) == pytest.approx(float(among.distance[0]), rel=1e-5)


def test_other_sizes_and_channels_are_fitted(judge):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = fitted(images, judge)
    assert made.shape == (2, 1, 32, 32) and made.abs().max() <= 1
    assert float(made.mean()) == pytest.approx(float(images.mean()), abs=0.02)
    import dataclasses

    small = torch.ones(1, 1, 28, 28)
    padded = fitted(small, dataclasses.replace(judge, data="mnist"))
    assert padded.shape == (1, 1, 32, 32) and padded[0, 0, 2:30, 2:30].min() == 1 and padded[0, 0, :2].max() == -1


def test_augmentation_moves_and_mirrors_and_nothing_else():
    images = torch.zeros(200, 1, 9, 9)
    images[:, :, 4, 4] = 1
    moved = augmented(images, torch.Generator().manual_seed(0), mirror=False)
    places = {tuple(one.nonzero()[0, 1:].tolist()) for one in moved}
    assert places == {(y, x) for y in range(2, 7) for x in range(2, 7)}
    edge = torch.arange(9.0).expand(200, 1, 9, 9)
    turned = augmented(edge, torch.Generator().manual_seed(0), mirror=True)
    falling = (turned.diff(dim=3) <= 0).flatten(1).all(dim=1)
    assert 60 < int(falling.sum()) < 140 and ((turned.diff(dim=3) >= 0).flatten(1).all(dim=1) | falling).all()


def test_files_bring_it_back_and_damaged_ones_are_refused(judge, parts, tmp_path):
    path = tmp_path / "judge.safetensors"
    digest = judges.save(judge, path)
    back = judges.load(path)
    assert back.digest == digest and back.accuracy == judge.accuracy
    assert torch.equal(back.opinion(parts[0][:9]).badness, judge.opinion(parts[0][:9]).badness)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(data), 40):
        path.write_bytes(data[:cut])
        with pytest.raises(CheckpointError):
            judges.load(path)
    for _ in range(60):
        broken = bytearray(data)
        for place in rng.integers(0, 3000, 3):
            broken[place] = rng.integers(256)
        path.write_bytes(bytes(broken))
        try:
            judges.load(path)
        except (CheckpointError, SettingsError) as error:
            assert "expected" in str(error)
    with pytest.raises(CheckpointError, match="check the path"):
        judges.load(tmp_path / "nothing")


def test_data_without_labels_or_tests_is_told(tmp_path, digits):
    with pytest.raises(DataError, match="with labels"):
        next(judges.train(datasets.ImageData("folder", digits.images), epochs=1))
    assert datasets.held_out("digits", size=32) is None
    with pytest.raises(DataError, match="fetch it once with"):
        datasets.held_out("mnist", size=32, root=tmp_path)


@pytest.mark.parametrize("data", ["digits", "cifar10"])
def test_the_fast_features_are_the_classifiers_own(data):
    judge = shipped(data)
    images = 2 * torch.rand(6, judge.channels, 32, 32, generator=torch.Generator().manual_seed(0)) - 1
    with torch.no_grad():
        own = judge.network.features(images)
        assert torch.allclose(Features(judge.network)(images), own, rtol=1e-4, atol=1e-4)
        coarse = Features(judge.network, torch.bfloat16)(images)
    assert torch.cosine_similarity(coarse, own).min() > 0.99
