"""The judges: classifiers on held-out images, badness against brute force, attributes, and their files."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.neighbors import NearestNeighbors

from rgan.common.errors import CheckpointError, DataError, SettingsError
from rgan.common.images import to_unit
from rgan.data import datasets, faces
from rgan.data.identity import DataIdentity
from rgan.metrics import judge_training, judges
from rgan.metrics.judge_training import augmented, half
from rgan.metrics.judges import ATTACKED, MEASURING, NEIGHBOURS, ROLES, attackable, fitted, shipped
from rgan.networks.classifier import KINDS, UNKNOWN, Features, initialise


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", size=32)


@pytest.fixture(scope="module")
def judge():
    return judges.load(judges.SHIPPED / "digits.safetensors")


@pytest.fixture(scope="module")
def parts(digits):
    """Images that trained it, that are neighbours, and that calibrate: half of what is given to models, and the halves
    of what is not."""
    test = datasets.held_out("digits", size=32).images
    order = torch.randperm(718, generator=torch.Generator().manual_seed(0))
    learn = digits.images[half(1079, MEASURING)]
    return [to_unit(images) for images in (learn, test[order[:359]], test[order[359:]])]


LEAST = {"digits": 0.98, "mnist": 0.99, "cifar10": 0.8, "faces": 0.99}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("data", LEAST)
def test_shipped_judges_say_how_good_they_are(data, role):
    found = shipped(data, role)
    assert found.facts.role == role and found.data == data and found.facts.apart
    assert found.accuracy >= LEAST[data]
    assert set(found.facts.rates) == set(found.questions), "each attribute is said for itself"
    assert all(rate >= 0.97 for rate in found.facts.rates.values())
    assert attackable(found).facts.role == ATTACKED


def test_two_judges_are_of_unlike_networks_and_all_files_are_small():
    for data in LEAST:
        kinds = {type(shipped(data, role).network) for role in ROLES}
        assert len(kinds) == 2
    files = list(judges.SHIPPED.glob("*.safetensors"))
    assert len(files) == 8 and sum(path.stat().st_size for path in files) <= 12 * 10**6


def test_no_image_teaches_both_judges_or_neither():
    for count in (8, 1079, 50_000):
        one, other = (set(half(count, role).tolist()) for role in ROLES)
        assert not one & other and one | other == set(range(count)) and abs(len(one) - len(other)) <= 1


@pytest.mark.parametrize("role", ROLES)
def test_the_judges_of_digits_are_as_good_as_they_say_on_what_nobody_trains_on(role, digits):
    test = datasets.held_out("digits", size=32)
    found = shipped("digits", role)
    named = found.logits(to_unit(test.images)).argmax(dim=1)
    assert float((named == test.labels).float().mean()) == pytest.approx(found.accuracy) and found.held_out == 718
    shown = {image.numpy().tobytes() for image in digits.images}
    assert len(shown) == 1079 and not shown & {image.numpy().tobytes() for image in test.images}


@pytest.mark.parametrize("role", ROLES)
def test_training_learns_and_the_same_seed_gives_the_same_judge(digits, role, tmp_path):
    def last():
        *_, progress = judge_training.train(digits, role=role, epochs=3, width=2, seed=3)
        assert progress.step == progress.steps
        return progress.judge

    one, other = last(), last()
    assert torch.equal(one.reference, other.reference) and one.accuracy == other.accuracy
    assert one.accuracy > 0.4, "chance is 0.1"
    assert one.facts.role == role and one.facts.apart
    judges.save(one, tmp_path / "judge.safetensors")
    back = judges.load(tmp_path / "judge.safetensors")
    assert torch.equal(back.reference, one.reference) and torch.equal(back.calibration, one.calibration)
    images = to_unit(digits.images[:30])
    assert torch.equal(back.features(images), one.features(images)), "half precision is what it was calibrated in"


def test_a_set_without_held_out_images_is_told_apart(digits):
    own = datasets.ImageData("mine", digits.images[:300], digits.labels[:300])
    *_, last = judge_training.train(own, epochs=1, width=2)
    assert not last.judge.facts.apart and len(last.judge.reference) == 60 == len(last.judge.calibration)


def test_what_is_unknown_teaches_nothing():
    """Cross-entropy of each question against torch's own, with and without an unknown label."""
    network = KINDS["plain"](3, 2, (4, 2), 64)
    initialise(network, torch.Generator().manual_seed(0))
    images = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([[0, 1], [3, 0], [2, UNKNOWN], [1, 1], [UNKNOWN, 0]])
    network.eval()
    logits = network(images)
    assert logits.shape == (5, 6)
    log_p = [torch.log_softmax(part, dim=1) for part in (logits[:, :4], logits[:, 4:])]
    first = -(log_p[0][0, 0] + log_p[0][1, 3] + log_p[0][2, 2] + log_p[0][3, 1]) / 4
    second = -(log_p[1][0, 1] + log_p[1][1, 0] + log_p[1][3, 1] + log_p[1][4, 0]) / 4
    assert torch.allclose(network.losses(images, labels), torch.stack([first, second]), rtol=1e-5)


@pytest.mark.parametrize("role", ROLES)
def test_faces_are_read_as_they_were_drawn(role):
    """Fresh drawings of the test split, and their twins of unlike eyes."""
    judge = shipped("faces", role)
    eyes = (faces.EYES,) if role == MEASURING else ()  # what is attacked was not taught what unlike eyes are
    count = 150
    whole, twins = (
        to_unit(
            torch.stack([torch.tensor(np.asarray(faces.draw(make("test", i)))).permute(2, 0, 1) for i in range(count)])
        )
        for make in (faces.traits, faces.unlike)
    )
    read = judge.attributes(whole)
    assert tuple(read) == (*faces.ATTRIBUTES, *eyes)
    for name, classes in faces.ATTRIBUTES.items():
        assert judge.questions[name] == classes
        drawn = torch.tensor([faces.traits("test", i).codes[name] for i in range(count)])
        assert (read[name] == drawn).float().mean() > 0.93, name
    for name in eyes:
        assert (read[name] == 0).float().mean() > 0.93
        assert (judge.attributes(twins)[name] == 1).float().mean() > 0.93
    opinion = judge.opinion(whole)
    assert torch.equal(opinion.label, read[faces.LABEL]) and torch.equal(opinion.attributes["skin"], read["skin"])
    some = opinion.rows(slice(3, 9))
    assert torch.equal(some.attributes["skin"], read["skin"][3:9]) and torch.equal(some.badness, opinion.badness[3:9])
    both = judges.Opinion.joined([some, opinion.rows(torch.tensor([0]))])
    assert both.badness.tolist() == [*opinion.badness[3:9].tolist(), float(opinion.badness[0])]
    assert both.attributes["age"].tolist() == [*read["age"][3:9].tolist(), int(read["age"][0])]


def test_judges_that_read_no_attributes_say_none(judge, parts):
    assert judge.attributes(parts[0][:3]) == {} == judge.opinion(parts[0][:3]).attributes


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
    assert np.allclose(found.distance.numpy(), distance, rtol=3e-4), "the reference is in half precision"
    expected = [(1 + (real <= d).sum()) / (1 + len(real)) for d in distance]
    assert np.allclose(found.badness.numpy(), expected, atol=3 / len(real))
    assert found.badness[20:].min() > judges.BAD, "noise is further away than real images"
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
    small = torch.ones(1, 1, 28, 28)
    padded = fitted(small, dataclasses.replace(judge, facts=dataclasses.replace(judge.facts, data="mnist")))
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


def test_impossible_lessons_are_told(tmp_path, digits):
    with pytest.raises(DataError, match="at least 200 images to train a judge with, got 199 in folder"):
        next(judge_training.train(datasets.ImageData("folder", digits.images[:199]), epochs=1))
    with pytest.raises(SettingsError, match="role"):
        next(judge_training.train(digits, role="judging", epochs=1))
    assert datasets.held_out("celeba", size=64) is None
    with pytest.raises(DataError, match="fetch it once with"):
        datasets.held_out("mnist", size=32, root=tmp_path)


def test_ones_own_images_teach_turns_where_no_folder_tells_classes(digits, tmp_path, monkeypatch):
    """A judge that tells turns of 1s and 7s from upright ones; it looks for neighbours among upright ones alone."""
    monkeypatch.setenv("RGAN_RUNS", str(tmp_path))
    rows = ((digits.labels == 1) | (digits.labels == 7)).nonzero()[:, 0]
    own = datasets.ImageData("digits", digits.images[rows], own=True)  # called like a known set, and another
    *_, last = judge_training.train(own, epochs=12, width=4)
    judge, held = last.judge, int(0.2 * len(rows))
    assert judge.facts.rotations and judge.facts.classes == 4 and not judge.facts.apart and "weaker" in judge.words
    assert len(judge.reference) == len(judge.calibration) == held and judge.held_out == 4 * 2 * held
    assert judge.accuracy > 0.6, "chance is a quarter"
    turned = judge.opinion(to_unit(own.images.rot90(1, (2, 3))))
    assert turned.badness.mean() > judge.opinion(to_unit(own.images)).badness.mean() + 0.2
    judges.save(judge, judges.own_path(judge.data, own.fingerprint, MEASURING))
    assert judges.load(judges.own_path("digits", own.fingerprint, MEASURING)).facts == judge.facts
    assert judges.first([DataIdentity("x"), DataIdentity.of(own)]).facts == attackable(judge).facts == judge.facts
    assert judges.of(DataIdentity.of(digits)) is shipped("digits"), "known by the images, not by the name"


def test_ones_own_classes_are_learned_and_a_model_that_tells_no_images_is_known_by_name(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("RGAN_RUNS", str(tmp_path))
    own = datasets.ImageData("My digits", digits.images[:600], digits.labels[:600], own=True)
    for role in ROLES:
        *_, last = judge_training.train(own, role=role, epochs=8, width=4)
        assert not last.judge.facts.rotations and last.judge.accuracy > 0.5, "chance is a tenth"
        judges.save(last.judge, judges.own_path(own.name, own.fingerprint, role))
        assert judges.of(DataIdentity(own.name), role).facts == last.judge.facts
    assert attackable(judges.of(DataIdentity.of(own))).facts.role == ATTACKED
    other = dataclasses.replace(own, images=digits.images[100:700])
    with pytest.raises(CheckpointError, match=r"your own images of My digits.*`python -m rgan judge`"):
        judges.of(DataIdentity.of(other))
    few = dataclasses.replace(own, labels=torch.arange(600) % 40)  # 15 images a class
    *_, last = judge_training.train(few, epochs=1, width=1)
    assert last.judge.facts.rotations, "too few to learn classes from"
    wide = dataclasses.replace(own, images=torch.zeros(600, 1, 128, 128, dtype=torch.uint8))
    *_, last = judge_training.train(wide, epochs=1, width=1)
    assert last.judge.facts.size == 64


def test_files_of_one_judge_a_data_set_are_still_read(judge, tmp_path):
    """As version 1 wrote them: all in float32, without the facts that came later."""
    import json

    from safetensors.torch import save

    facts = ("data", "channels", "width", "classes", "accuracy", "held_out", "epochs", "seed")
    for seed, apart in ((0, True), (1, False)):  # another seed held out other digits
        about = {"version": 1, **{name: getattr(judge.facts, name) for name in facts}, "seed": seed}
        tensors = {f"network.{name}": value.contiguous() for name, value in judge.network.state_dict().items()}
        tensors |= {name: getattr(judge, name) for name in ("reference", "radius", "calibration")}
        (tmp_path / "old.safetensors").write_bytes(save(tensors, metadata={"rgan-lab-judge": json.dumps(about)}))
        old = judges.load(tmp_path / "old.safetensors")
        assert old.facts == dataclasses.replace(judge.facts, seed=seed, apart=apart)
        images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
        assert torch.equal(old.opinion(images).distance, judge.opinion(images).distance)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("data", ["digits", "cifar10", "faces"])
def test_the_fast_features_are_the_classifiers_own(data, role):
    judge = shipped(data, role)
    side = judge.facts.size
    images = 2 * torch.rand(6, judge.channels, side, side, generator=torch.Generator().manual_seed(0)) - 1
    with torch.no_grad():
        own = judge.network.features(images)
        assert torch.allclose(Features(judge.network)(images), own, rtol=1e-4, atol=1e-4)
        coarse = Features(judge.network, torch.bfloat16)(images)
    assert torch.cosine_similarity(coarse, own).min() > 0.99


def test_a_lone_judge_is_both(judge, tmp_path, monkeypatch):
    monkeypatch.setattr(judges, "SHIPPED", tmp_path)
    with pytest.raises(CheckpointError, match="expected a judge for digits"):
        shipped("digits", ATTACKED)
    assert attackable(judge) is judge
    judges.save(judge, judges.shipped_path("digits", MEASURING))
    assert shipped("digits", ATTACKED) is shipped("digits", MEASURING)
