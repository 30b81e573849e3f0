"""The faces that the package draws: the same pixels everywhere, attributes that teach no bias, eyes that agree."""

import dataclasses
import hashlib
import itertools

import numpy as np
import PIL
import pytest
import torch
from scipy.stats import chi2_contingency, chisquare

from rgan.common.errors import DataError, SettingsError
from rgan.data import datasets, faces

DRAWN = 4000  # records looked at
STRICT = 1e-5  # of a test's p: the seeds are fixed, and some sixty tests are made

# Of these faces: the SHA-256 of their pixels as this Pillow draws them, and their means over a 4×4 grid, for others.
PILLOW = "13.0.0"
PICTURES = {
    ("train", 0, 64): (
        "805b5a37ed425ebb",
        "908fde857ab08376a6908fdd817abb855d428c64477d71a27670b1ca9e85ce9b81736899727ecc70a0c578a1bc6e83cf",
    ),
    ("train", 19999, 64): (
        "b227e6b4d733a5b2",
        "e2d880cbc58ccfc88ae2d880cac389d3c6bccdc6c2cdc581c3ba80dbb79bd9b89ec6bd7bc6c274bcb79bbcbb9cc8c270",
    ),
    ("validation", 1, 48): (
        "68192196b8c42664",
        "79c9d872bccb74bfce79c9d869b0bf553c3942363b6ebbca66a4b08f584c89594e68aebb7bbbb996906f989b7a76b9bb",
    ),
    ("test", 2, 32): (
        "a638cee254230b4a",
        "81db7588d77389d8737bdd76bac868937c4c927b4a75d36da3c2639f76479f73466cc66376c569a1ac6ea2ab6d72c56a",
    ),
    ("test", 9999, 64): (
        "0dd79ab5c4e1ed42",
        "86dfce5b8f876db1a686dfce7fccba8a6d587f75647fd7c680c4b0c6916eb9967679cebb80c7b2b4a180adb09076c8b5",
    ),
}


@pytest.fixture(scope="module")
def drawn():
    people = [faces.traits("train", index) for index in range(DRAWN)]
    return people, {name: np.array([person.codes[name] for person in people]) for name in faces.ATTRIBUTES}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(faces, "SPLITS", {"train": 23, "validation": 7, "test": 11})
    faces.attributes.cache_clear()
    yield
    faces.attributes.cache_clear()


def coarse(picture):
    size = picture.width // 4
    return np.asarray(picture, np.float64).reshape(4, size, 4, size, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("which", PICTURES)
def test_every_machine_draws_the_same_pixels(which):
    digest, grid = PICTURES[which]
    picture = faces.face(*which)
    assert picture.mode == "RGB" and picture.size == (which[2], which[2])
    if PIL.__version__ == PILLOW:
        assert hashlib.sha256(picture.tobytes()).hexdigest()[:16] == digest
    means = np.frombuffer(bytes.fromhex(grid), np.uint8).reshape(4, 4, 3)
    assert np.abs(coarse(picture) - means).max() < 3


def test_sizes_show_the_same_face():
    large, middle, small = (faces.face("test", 3, size) for size in (64, 48, 32))
    assert np.abs(coarse(large) - coarse(middle)).max() < 1 and np.abs(coarse(large) - coarse(small)).max() < 1
    with pytest.raises(ValueError, match="size"):
        faces.face("test", 3, 40)


def test_splits_share_no_face():
    seen = [faces.traits(split, index).seeded for split in faces.SPLITS for index in range(500)]
    assert len(set(seen)) == len(seen)


def test_classes_are_as_frequent_as_told(drawn):
    codes = drawn[1]
    for name in ("head", "skin", "expression", "gaze", "background"):
        assert chisquare(np.bincount(codes[name])).pvalue > STRICT
    assert all(set(codes[name]) == set(range(len(classes))) for name, classes in faces.ATTRIBUTES.items())
    sides = [person.side for person in drawn[0]]
    assert abs(np.mean(sides)) < 5 / DRAWN**0.5


def test_attributes_are_independent_but_for_what_is_said(drawn):
    codes = drawn[1]
    coupled = {
        frozenset(pair)
        for pair in (
            ("head", "hair"), ("head", "cover"), ("hair", "cover"), ("age", "hair_colour"),
            ("head", "beard"), ("hair", "beard"), ("cover", "beard"),
        )
    }  # fmt: skip
    for one, other in itertools.combinations(faces.ATTRIBUTES, 2):
        table = np.zeros((len(faces.ATTRIBUTES[one]), len(faces.ATTRIBUTES[other])))
        np.add.at(table, (codes[one], codes[other]), 1)
        p = chi2_contingency(table).pvalue
        assert (p < STRICT) == (frozenset((one, other)) in coupled), (one, other, p)
    # Without headscarves, nothing is left between head and beard; whoever is young has any colour of hair.
    bare = codes["cover"] != 2
    table = np.zeros((9, 3))
    np.add.at(table, (codes["head"][bare], codes["beard"][bare]), 1)
    assert chi2_contingency(table).pvalue > STRICT
    assert chisquare(np.bincount(codes["hair_colour"][codes["age"] == 0])).pvalue > STRICT


def test_what_is_drawn_besides_is_independent_of_skin_and_head(drawn):
    people, codes = drawn
    besides = np.array([person.seeded[:30] for person in people]) > 0.5
    besides = np.column_stack([besides, [person.side > 0 for person in people]])
    for name, column in itertools.product(("skin", "head"), besides.T):
        table = np.zeros((len(faces.ATTRIBUTES[name]), 2))
        np.add.at(table, (codes[name], column.astype(int)), 1)
        assert chi2_contingency(table).pvalue > STRICT


def test_couplings_hold(drawn):
    for person in drawn[0]:
        assert (person.name("age") == "grey") == (person.name("hair_colour") == "grey")
        assert (person.name("cover") == "headscarf") == (person.name("hair") == "covered")
        if person.name("cover") == "headscarf":
            assert person.name("beard") == "none"


def test_classes_of_skin_have_gaps(drawn):
    levels = np.array([sum(person.skin) / 3 for person in drawn[0]])
    skin = drawn[1]["skin"]
    assert all(levels[skin == k].min() - levels[skin == k + 1].max() > 10 for k in range(2))


def test_both_eyes_are_made_of_the_same_pixels():
    """The white, iris and pupil of the left eye are those of the right one, and not those of the next face."""
    own, foreign = [], []
    for index in range(60):
        person, other = faces.traits("test", index), faces.traits("test", index + 1)
        (left, right), (elsewhere, _) = (eyes_of(who) for who in (person, other))
        own.append(np.abs(left - right).max())
        foreign.append(np.abs(left - elsewhere).max())
    assert max(own) == 0 and np.mean(foreign) > 60


def eyes_of(person):
    pixels = np.asarray(faces.draw(person), np.int64)
    return [pixels[y - 2 : y + 2, x - 3 : x + 3] for x, y in person.eyes]


def test_a_twin_differs_from_its_face_in_one_eye_alone():
    kinds = set()
    for index in range(60):
        whole, twin = faces.traits("test", index), faces.unlike("test", index)
        assert whole.odd is None and dataclasses.replace(twin, odd=None) == whole
        changed = np.abs(np.asarray(faces.draw(whole), np.int64) - np.asarray(faces.draw(twin))).max(axis=2) > 8
        where = np.argwhere(changed)
        assert len(where), "everybody can see it"
        x, y = whole.eyes[0 if twin.odd.side < 0 else 1]
        assert np.abs(where - (y, x)).max() <= 9, "the rest of the picture stays"
        plain = faces.OddEye(twin.odd.side)
        kinds |= {name for name in ("iris", "scale", "turn", "shift", "closed", "gone")
                  if getattr(twin.odd, name) != getattr(plain, name)}  # fmt: skip
    assert len(kinds) == len(faces.ODDITIES)


def test_child_processes_draw_what_one_draws(few):
    alone = [picture.tobytes() for picture in faces.pictures("test", 32, processes=1)]
    together = [picture.tobytes() for picture in faces.pictures("test", 32, processes=3)]
    assert alone == together and len(set(alone)) == 11
    twins = [[one.tobytes() for one in faces.pictures("test", 32, processes=n, twins=True)] for n in (1, 2)]
    assert twins[0] == twins[1] and not set(twins[0]) & set(alone)
    stopped = faces.pictures("train", 32, processes=2)
    next(stopped)
    stopped.close()


def test_a_child_that_dies_is_told(few, tmp_path, monkeypatch):
    monkeypatch.setattr(faces, "__file__", str(tmp_path / "absent.py"))
    with pytest.raises(DataError, match="ended early"):
        datasets.load("faces", size=32, root=tmp_path)


def test_the_data_set_comes_with_the_package(few, tmp_path):
    assert datasets.about("faces").size == 64 and datasets.about("faces").channels == 3
    told = []
    data = datasets.load("faces", root=tmp_path, report=lambda done, total: told.append((done, total)))
    assert data.images.shape == (23, 3, 64, 64) and data.images.dtype == torch.uint8 and told[-1] == (23, 23)
    assert np.array_equal(data.images[5].permute(1, 2, 0).numpy(), np.asarray(faces.face("train", 5)))
    assert data.labels.tolist() == faces.attributes("train")[faces.LABEL].tolist()
    apart = datasets.held_out("faces", size=48, root=tmp_path)
    assert apart.images.shape == (11, 3, 48, 48) and len(apart.labels) == 11
    twins = datasets.unlike_faces("test", size=48, root=tmp_path)
    assert np.array_equal(twins.images[5].permute(1, 2, 0).numpy(), np.asarray(faces.draw(faces.unlike("test", 5), 48)))
    with pytest.raises(SettingsError, match="32, 48 or 64"):
        datasets.load("faces", size=28, root=tmp_path)


def test_a_glimpse_shows_what_the_whole_set_has(few, tmp_path):
    for name in ("faces", "digits"):
        images = datasets.load(name, size=32, root=tmp_path).images
        total, some = datasets.glimpse(name, 5, size=32, root=tmp_path)
        assert total == len(images)
        spread = [round(one * (total - 1) / 4) for one in range(5)]
        assert np.array_equal(some, images[spread].permute(0, 2, 3, 1).numpy())
