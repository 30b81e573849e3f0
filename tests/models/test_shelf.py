"""A folder of uploaded models: names, limits, and what stands against a comparison of two of them."""

import dataclasses
import stat
import tomllib

import pytest

from rgan.common import limits
from rgan.common.errors import FileError, SettingsError
from rgan.common.files import check_name, usable_name
from rgan.data.datasets import BEFORE
from rgan.models import checkpoints
from rgan.models.comparability import comparability
from rgan.models.gan import Gan, Origin, Training, fresh
from rgan.models.recipes import Robust, recipe
from rgan.models.shelf import Shelf
from tests.conftest import ROOT


def small(seed: int = 0, robust: Robust | None = None, **fields) -> Gan:
    made = recipe("dcgan", robust, **{"channels": 1, "width": 1, "latent": 3} | fields)
    return Gan(made, *fresh(made, seed), training=Training("digits", 10, seed, 1.0, "cpu", "float32"))


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "shelf", most_files=2, most_bytes=limits.MIB)


def test_models_are_kept_renamed_and_removed_readable_by_their_owner_alone(shelf):
    path = shelf.add("one", small())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(shelf.folder.stat().st_mode) == 0o700
    shelf.add("two", small(1))
    shelf.rename("one", "three")
    assert list(shelf.files()) == ["three", "two"]
    assert checkpoints.load(shelf.files()["three"]).training.seed == 0
    shelf.remove("three")
    assert list(shelf.files()) == ["two"]


@pytest.mark.parametrize("name", ["", "../two", ".hidden", "a/b", "Ä", "x" * 62, "a\0b", "CON:"])
def test_only_plain_names_are_taken(shelf, name):
    with pytest.raises(SettingsError, match="expected a name of small letters"):
        shelf.add(name, small())
    check_name(usable_name(name))


def test_a_full_shelf_takes_no_more_and_loses_nothing(shelf):
    shelf.add("one", small())
    shelf.add("two", small())
    with pytest.raises(FileError, match="at most 2 models"):
        shelf.add("three", small())
    with pytest.raises(FileError, match="a name that is free"):
        shelf.rename("one", "two")
    shelf.remove("two")
    with pytest.raises(FileError, match="at most 1 MiB together"):
        shelf.add("large", small(width=32))
    assert list(shelf.files()) == ["one"]
    with pytest.raises(FileError, match="deleted or renamed"):
        shelf.remove("two")


def test_room_is_looked_for_before_work_is_done(shelf):
    shelf.check_room(limits.MIB)
    with pytest.raises(FileError, match="at most 1 MiB together"):
        shelf.check_room(limits.MIB + 1)
    for name in ("one", "two"):
        shelf.add(name, small())
    with pytest.raises(FileError, match="at most 2 models"):
        shelf.check_room(0)


def test_shelves_beside_each_other_share_a_limit(tmp_path):
    size = small_bytes(tmp_path)
    first, second = (Shelf(tmp_path / "all" / one, 9, limits.MIB, 3 * size) for one in "ab")
    first.add("one", small())
    second.add("one", small())
    second.add("two", small())
    for add in (lambda: first.add("two", small()), lambda: first.check_room(1)):
        with pytest.raises(FileError, match=r"of all visitors together.*when others have left"):
            add()
    assert list(first.files()) == ["one"]
    second.close()
    first.add("two", small())


def small_bytes(tmp_path) -> int:
    checkpoints.save(small(), tmp_path / "small.safetensors")
    return (tmp_path / "small.safetensors").stat().st_size


def test_a_closed_shelf_is_gone_and_stays_so(shelf):
    shelf.add("one", small())
    shelf.close()
    with pytest.raises(FileError, match="a visitor who is here, got one who has left"):
        shelf.add("two", small())
    assert shelf.closed and not shelf.folder.exists()


def test_the_server_is_told_the_limit_on_uploads():
    config = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] * limits.MIB == limits.MAX_UPLOAD_BYTES


def test_a_robust_twin_is_comparable_and_a_loss_is_not():
    found = comparability(small(), small(0, Robust()))
    assert found.against == () and len(found.care) == 1
    assert "badness, not losses" in found.care[0]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (small(latent=4), "noise has 3 and 4 dimensions"),
        (small(channels=3), "in grey and of 32×32 pixels in colour"),
        (dataclasses.replace(small(), training=Training("mnist", 10, 0, 1.0, "cpu", "float32")), "digits and on mnist"),
        (dataclasses.replace(small(), training=None, origin=Origin((), {})), "not known"),
    ],
)
def test_what_forbids_a_comparison_is_named(other, reason):
    found = comparability(small(), other)
    assert len(found.against) == 1 and reason in found.against[0]


def test_other_images_of_one_data_set_are_told_apart():
    """Digits once had no held-out images; files of that time do not say which images they are of."""
    told = {
        prints: dataclasses.replace(small(), training=dataclasses.replace(small().training, fingerprint=prints))
        for prints in ("", BEFORE["digits"], "1079-1")
    }
    assert comparability(told[""], told[BEFORE["digits"]]).against == () == comparability(told[""], told[""]).against
    assert "other images of digits" in comparability(told[""], told["1079-1"]).against[0]
    assert told[""].saw_all and not told["1079-1"].saw_all
    mnist = [
        dataclasses.replace(one, training=dataclasses.replace(one.training, data="mnist"))
        for one in (told[""], told["1079-1"])
    ]
    assert comparability(*mnist).against == () and not mnist[0].saw_all, "it never was another set"


def test_what_differs_beside_the_robust_part_is_named():
    found = comparability(small(), small(5, batch=16, loss="hinge"))
    assert found.against == ()
    assert any("two kinds, non-saturating and hinge" in words for words in found.care)
    assert any("batch 64 and 16" in words and "loss" in words for words in found.care)
    assert "seed: 0 and 5" in found.care
