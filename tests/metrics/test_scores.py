"""Scores against torchmetrics and closed forms; intervals that cover; numbers where others give NaN; Inception against
torch-fidelity's own, from files that are not trusted."""

import dataclasses
import io
import os
import pickle
import zipfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch_fidelity import feature_extractor_inceptionv3 as theirs
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from rgan.common.errors import CheckpointError, DataError, SettingsError
from rgan.common.images import to_unit
from rgan.data import datasets
from rgan.metrics import inception, judges
from rgan.metrics import scores as metrics
from rgan.metrics.scores import Seen, Standard, by_inception, by_judge, floor, scores, values

LAYERS = ["2048", "logits_unbiased"]


class Given(nn.Module):
    """Features handed in as images."""

    def __init__(self, width):
        super().__init__()
        self.num_features = width

    def forward(self, x):
        return x


@pytest.fixture(scope="module")
def judge():
    return judges.load(judges.SHIPPED / "digits.safetensors")


@pytest.fixture(scope="module")
def seen(judge):
    """Features near the reference's, and what the judge names them."""
    rng = torch.Generator().manual_seed(0)
    picked = judge.reference[torch.randint(len(judge.reference), (600,), generator=rng)]
    features = picked + 0.3 * torch.randn(600, 64, generator=rng)
    return Seen(features, judge.network.score(features))


@pytest.fixture(autouse=True)
def wide_from_here(monkeypatch):
    """100 features count as many, so that both ways are tested in moments."""
    monkeypatch.setattr(metrics, "NARROW", 100)


@pytest.fixture(scope="module")
def wide():
    """A standard of 120 features and 30 classes in 10 splits, and 300 images near it."""
    rng = torch.Generator().manual_seed(0)
    spread = torch.linspace(0.1, 1, 120)
    real = torch.randn(400, 120, generator=rng) * spread
    standard = Standard("made up", real, "numbers", 30, "Inception score", 10, lambda images: None, False, "made-up")
    features = torch.randn(300, 120, generator=rng) * spread + 0.05
    return standard, Seen(features, 2 * torch.randn(300, 30, generator=rng))


def in_order(count):
    """Where torchmetrics, which shuffles by the global generator, will find rows 0, 1, 2 …"""
    torch.manual_seed(0)
    order = torch.randperm(count).argsort()
    torch.manual_seed(0)
    return order


@pytest.mark.filterwarnings("ignore::UserWarning")  # torchmetrics tells that it keeps features
@pytest.mark.parametrize("features", ["judge", "wide"])
def test_values_against_torchmetrics(features, request):
    if features == "judge":
        standard, seen = by_judge(request.getfixturevalue("judge")), request.getfixturevalue("seen")
    else:
        standard, seen = request.getfixturevalue("wide")
    count, width = seen.features.shape
    score, fid, kid = scores(seen, standard)
    distance = FrechetInceptionDistance(feature=Given(width))
    distance.set_dtype(torch.float64)
    distance.update(standard.reference.double(), real=True)
    distance.update(seen.features.double(), real=False)
    assert fid.value == pytest.approx(float(distance.compute()), rel=1e-4)
    by_class = InceptionScore(feature=Given(width), splits=standard.splits)
    by_class.update(seen.logits[in_order(count)])
    mean, spread = (float(value) for value in by_class.compute())
    assert score.value == pytest.approx(mean, rel=1e-4) and score.name == standard.score
    if standard.splits == 10:  # the interval of a mean of 10: quantile of Student's t for 9 degrees of freedom
        assert score.high - score.value == pytest.approx(2.2622 * spread / 10**0.5, rel=1e-3)
    size = min(count, len(standard.reference)) // 2
    kernel = KernelInceptionDistance(feature=Given(width), subsets=200, subset_size=size)
    torch.manual_seed(0)
    kernel.update(standard.reference, real=True)
    kernel.update(seen.features, real=False)
    mean, spread = (float(value) for value in kernel.compute())
    assert abs(kid.value - mean) < 4 * spread * (1 / 100 + 1 / 200) ** 0.5, "both average random subsets"


@pytest.mark.parametrize("features", ["judge", "wide"])
def test_values_and_floor_are_those_of_scores_to_the_last_digit(features, request, monkeypatch):
    if features == "judge":
        standard, seen = by_judge(request.getfixturevalue("judge")), request.getfixturevalue("seen")
    else:
        standard, seen = request.getfixturevalue("wide")
    score, fid, kid = scores(seen, standard, seed=3)
    monkeypatch.setattr(metrics, "jackknife_reach", None)  # intervals are not even begun
    monkeypatch.setattr(metrics, "_pulls", None)
    assert values(seen, standard, seed=3) == {"score": score.value, "fid": fid.value, "kid": kid.value}
    assert floor(standard, len(seen.features)) == fid.floor
    assert values(seen, standard, seed=4)["kid"] != kid.value, "the seed is that of the subsets"
    with pytest.raises(SettingsError, match=f"to score by {seen.features.shape[1]} features, got 99"):
        values(Seen(seen.features[:99], seen.logits[:99]), standard)


def test_the_floor_is_what_real_images_get():
    """Of 1,000 real images against 4,000 others, by another library."""
    real = judges.shipped("mnist").reference
    rng, direct = torch.Generator().manual_seed(5), []
    for _ in range(6):
        order = torch.randperm(len(real), generator=rng)
        theirs = FrechetInceptionDistance(feature=Given(real.shape[1]))
        theirs.set_dtype(torch.float64)
        theirs.update(real[order[1000:]].double(), real=True)
        theirs.update(real[order[:1000]].double(), real=False)
        direct.append(float(theirs.compute()))
    expected = metrics.fid_bias(real) * (1 / 1000 + 1 / 4000)
    assert expected == pytest.approx(np.mean(direct), rel=0.2)
    standard = by_judge(judges.shipped("mnist"))
    assert floor(standard, 1000) < expected < 1.2 * floor(standard, 1000), "against 5,000"


@pytest.mark.parametrize("splits", [1, 10])
def test_a_confident_collapsed_generator_gets_numbers(judge, splits):
    standard = dataclasses.replace(by_judge(judge), splits=splits)
    features = judge.reference[:1].expand(200, -1).contiguous()
    logits = torch.full((200, 10), -1000.0)
    logits[:, 3] = 1000.0
    found = scores(Seen(features, logits), standard)
    assert all(np.isfinite([one.value, one.low, one.high]).all() for one in found)
    assert found[0].value == pytest.approx(1.0)
    spread_evenly = torch.full((200, 10), -1000.0)
    spread_evenly[torch.arange(200), torch.arange(200) % 10] = 1000.0
    assert scores(Seen(features, spread_evenly), standard)[0].value == pytest.approx(10.0)


def test_intervals_are_those_of_fresh_samples(judge):
    """Their width is that of the scores of independent samples, within a third, and at most half as much again."""
    few = judge.reference[:, :16]  # an eigenvalue problem for each image left out: fewer features, less time
    standard = dataclasses.replace(by_judge(judge), reference=few)
    rng = torch.Generator().manual_seed(1)
    chosen = judge.reference[torch.randint(len(judge.reference), (20 * 300,), generator=rng)]
    features = chosen + torch.randn(chosen.shape, generator=rng)
    logits, features = judge.network.score(features), features[:, :16]
    each = [scores(Seen(f, y), standard) for f, y in zip(features.split(300), logits.split(300), strict=True)]
    for k in range(3):
        truth = 2 * 1.96 * np.std([one[k].value for one in each])
        width = np.mean([one[k].high - one[k].low for one in each])
        assert 0.6 < width / truth < 1.5, each[0][k].name


def test_real_images_score_better_than_noise_and_the_floor_is_said(judge):
    standard = by_judge(judge)
    noise = standard.look(torch.randn(150, 1, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1))
    real = Seen(judge.reference[:150], judge.network.score(judge.reference[:150]))
    bad, good = scores(noise, standard), scores(real, standard)
    assert good[0].value > bad[0].value and good[1].value < bad[1].value and good[2].value < bad[2].value
    assert good[1].floor > 0 and "real against real" in good[1].words
    words = good[0].protocol.words
    assert good[0].best == 10 and f"150 images against {len(judge.reference)} held-out" in words
    assert "too" not in words
    own = dataclasses.replace(judge, facts=dataclasses.replace(judge.facts, apart=False))
    assert "(its models were trained on them, too)" in by_judge(own).origin
    assert "1 split" in words and "not comparable with papers" in words


def test_too_few_images_are_refused(judge, seen, wide):
    few = Seen(seen.features[:50], seen.logits[:50])
    with pytest.raises(SettingsError, match="at least 100 images"):
        scores(few, by_judge(judge))
    standard, many = wide
    with pytest.raises(SettingsError, match="at least 121 images to score by 120 features, got 120"):
        scores(Seen(many.features[:120], many.logits[:120]), standard)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file with random weights of torch-fidelity's network."""

    class Unloaded(theirs.FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *args, **options: None)
        network = Unloaded("random", LAYERS)
    rng = torch.Generator().manual_seed(0)
    for name, weight in network.named_parameters():
        if weight.dim() > 1:
            nn.init.kaiming_normal_(weight, generator=rng)
        elif name.endswith("bias"):
            weight.normal_(std=0.1, generator=rng)
    path = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def cheap(monkeypatch):
    """Inception replaced by a random matrix; a list of how many images it was shown."""
    matrix = torch.randn(64, inception.FEATURES, generator=torch.Generator().manual_seed(0)) / 1000
    shown = []

    def look(self, images, report=None):
        shown.append(len(images))
        features = images.float().flatten(1)[:, :64] @ matrix
        return features, features[:, : inception.CLASSES]

    monkeypatch.setattr(inception.Inception, "look", look)
    return shown


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data folder with a zip of 2,100 grey images, 8×8, all different."""
    folder = tmp_path_factory.mktemp("data")
    pixels = np.random.default_rng(0).integers(0, 256, (2100, 8, 8), np.uint8)
    with zipfile.ZipFile(folder / "mine.zip", "w") as file:
        for k, image in enumerate(pixels):
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "PNG")
            file.writestr(f"{k:04}.png", buffer.getvalue())
    return folder


def test_inception_sees_what_torch_fidelity_sees(weights, root, cheap, monkeypatch):
    before = torch.get_rng_state()
    standard = by_inception("mine.zip", weights=weights, root=root, size=8)
    assert torch.equal(torch.get_rng_state(), before), "the global generator is nobody's business"
    monkeypatch.undo()
    network = theirs.FeatureExtractorInceptionV3("theirs", LAYERS, str(weights))
    rng = torch.Generator().manual_seed(1)
    for channels, size in ((3, 32), (1, 28)):
        images = torch.randint(0, 256, (2, channels, size, size), generator=rng, dtype=torch.uint8)
        features, logits = network(images if channels == 3 else torch.cat([images] * 3, dim=1))
        seen = standard.look(to_unit(images))
        torch.testing.assert_close(seen.features, features)
        torch.testing.assert_close(seen.logits, logits)
    assert features.std(0).mean() > 1e-3, "weights that tell images apart"
    monkeypatch.setattr(inception, "CHUNK", 1)
    done = []
    in_parts, _ = inception.load(weights).look(images, lambda at, total: done.append((at, total)))
    torch.testing.assert_close(in_parts, features)
    assert done == [(0, 2), (1, 2), (2, 2)]
    with pytest.raises(SettingsError, match="grey or RGB"):
        standard.look(torch.zeros(1, 4, 8, 8))


def test_real_features_are_looked_at_once(weights, root, cheap, judge):
    standard = by_inception("mine.zip", weights=weights, root=root, size=8)
    images = datasets.load("mine.zip", root=root, size=8).images
    assert standard.reference.shape == (2100, 2048)
    own, _ = inception.load(weights).look(images)
    torch.testing.assert_close(standard.reference.sum(0), own.sum(0), rtol=1e-3, atol=1e-3)
    cheap.clear()
    again = by_inception("mine.zip", weights=weights, root=root, size=8)
    assert torch.equal(again.reference, standard.reference) and not cheap and again.key == standard.key
    (kept,) = (root / datasets.PREPARED).glob("*-inception-*.safetensors")
    half = kept.read_bytes()[:1000]
    kept.unlink()  # not written over: it is mapped into memory
    kept.write_bytes(half)
    assert torch.equal(by_inception("mine.zip", weights=weights, root=root, size=8).reference, standard.reference)
    assert cheap == [2100], "a damaged file is made again"
    larger = by_inception("mine.zip", weights=weights, root=root, size=16)
    keys = {one.protocol(count).key for one in (standard, larger, by_judge(judge)) for count in (3000, 50_000)}
    assert len(keys) == 6, "features, data, size and number of images tell protocols apart"


def test_only_published_weights_images_and_splits_compare_with_papers(weights, root, cheap):
    own = by_inception("mine.zip", weights=weights, root=root, size=8)
    assert "not the published weights" in own.features and not own.protocol(50_000).as_published
    published = dataclasses.replace(own, published=True)
    assert published.protocol(50_000).as_published and "splits as in papers" in published.protocol(50_000).words
    assert "50,000 images against 2,100 training images of mine.zip at 8 pixels, 10" in published.protocol(50_000).words
    assert not published.protocol(49_999).as_published
    assert not dataclasses.replace(published, splits=1).protocol(50_000).as_published


def test_fewer_real_images_than_features_are_refused():
    with pytest.raises(DataError, match=r"more real images than Inception's 2,048 features, got 1,079.*judge"):
        by_inception("digits", weights="nowhere.pth", size=32)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_file_runs(weights, tmp_path):
    sprung = tmp_path / "sprung"
    state = torch.load(weights, weights_only=True)
    for k, save in enumerate((torch.save, lambda value, path: Path(path).write_bytes(pickle.dumps(value, 2)))):
        path = tmp_path / f"{k}.pth"
        save(state | {"fc.bias": Trap(sprung)}, path)
        with pytest.raises(CheckpointError, match=r"expected torch-fidelity's Inception weights.*no table of tensors"):
            inception.load(path)
        assert not sprung.exists()
    torch.save(Trap(sprung), path)
    torch.load(path, weights_only=False)
    assert sprung.exists(), "the trap is one"


def test_other_files_are_refused_in_words(weights, tmp_path, monkeypatch):
    state = torch.load(weights, weights_only=True)
    cases = {
        "tensors of another network": {"weight": torch.zeros(3)},
        "other things than tensors": state | {"fc.bias": 3},
        "NaN or infinity": state | {"fc.bias": torch.full((1008,), float("nan"))},
    }
    path = tmp_path / "given.pth"
    for words, value in cases.items():
        torch.save(value, path)
        with pytest.raises(CheckpointError, match=words):
            inception.load(path)
    path.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(CheckpointError, match="no table of tensors"):
        inception.load(path)
    monkeypatch.setattr(inception, "MAX_BYTES", 50_000)
    with pytest.raises(CheckpointError, match="name another file"):
        inception.load(path)
    with pytest.raises(CheckpointError, match="check the path"):
        inception.load(tmp_path / "nowhere.pth")


def test_weights_are_fetched_once_and_without_a_network_named(weights, tmp_path, monkeypatch):
    def fetch(url, path, digest, progress):
        if not network:
            raise URLError("no route")
        assert digest == "6726825d" and url == theirs.URL_INCEPTION_V3
        fetched.append(path)
        os.link(weights, path)

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    network, fetched = False, []
    with pytest.raises(CheckpointError, match=r"weights-inception-2015-12-05-6726825d.pth.*no route.*--weights FILE"):
        inception.load(None)
    network = True
    first, second = inception.load(None), inception.load(None)
    assert len(fetched) == 1 and first.digest == second.digest and not first.published
    assert dataclasses.replace(first, digest="6726825d0af5").published
