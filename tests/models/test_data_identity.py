"""Models of two folders of one name, of one folder moved, of files older than fingerprints."""

import dataclasses

import pytest
import torch

from rgan.common.errors import CheckpointError, DataError, SettingsError
from rgan.data import datasets
from rgan.data.datasets import ImageData
from rgan.data.identity import DataIdentity
from rgan.embedding.figure4 import Choice, panel
from rgan.metrics import judges
from rgan.models import checkpoints
from rgan.models.comparability import comparability
from rgan.models.recipes import recipe
from rgan.paper.ablation import Model, ablations
from rgan.training.trainer import Trainer


def gan_of(data: ImageData, seed: int = 0):
    made = recipe("dcgan", width=2, latent=4, channels=1, size=32, batch=8)
    return Trainer(made, data, seed=seed, device="cpu", precision="float32").gan()


def set_of(seed: int, name: str = "train", own: bool = True) -> ImageData:
    images = torch.randint(0, 256, (600, 1, 32, 32), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return ImageData(name, images, own=own)


def old(gan):
    """As files were written before they had fingerprints."""
    return dataclasses.replace(gan, training=dataclasses.replace(gan.training, fingerprint="", own=False))


@pytest.mark.parametrize("age", [lambda gan: gan, old])
def test_two_folders_of_one_name_are_two_sets(age):
    cats, dogs, moved = gan_of(set_of(1)), age(gan_of(set_of(2))), age(gan_of(set_of(1, "other")))
    assert cats.trained_on.same(dogs.trained_on) is False and cats.trained_on.same(moved.trained_on) is True
    assert any("two sets of images, each called train" in words for words in comparability(cats, dogs).against)
    assert comparability(cats, moved).against == ()
    with pytest.raises(SettingsError, match="same data, got two sets of images, each called train"):
        panel("d", cats, dogs, Choice(points=100))


def test_one_image_among_many_makes_another_set_and_files_of_before_are_compared_as_far_as_they_tell():
    cats = set_of(1)
    change = next(k for k in range(600) if all((cats.images[k] != one).any() for one in cats.some(64)))
    images = cats.images.clone()
    images[change, 0, 0, 0] ^= 1
    a, b = gan_of(cats), gan_of(dataclasses.replace(cats, images=images))
    assert a.trained_on.same(b.trained_on) is False and a.trained_on.same(gan_of(set_of(1, "moved")).trained_on)

    def before(gan):
        short = gan.training.fingerprint.rpartition("-")[0]
        return dataclasses.replace(gan, training=dataclasses.replace(gan.training, fingerprint=short))

    assert before(a).trained_on.same(a.trained_on) and before(a).trained_on.same(gan_of(set_of(2)).trained_on) is False
    trainer = Trainer(a.recipe, cats, seed=0, device="cpu", precision="float32")
    tensors, facts = trainer.state()
    trainer.restore(tensors, facts | {"data": before(a).training.fingerprint})
    with pytest.raises(DataError, match="began with"):
        trainer.restore(tensors, facts | {"data": b.training.fingerprint})


def test_files_keep_what_tells_images_apart(tmp_path):
    gan = gan_of(set_of(1))
    checkpoints.save(gan, tmp_path / "it.safetensors")
    header, _ = checkpoints.glance(tmp_path / "it.safetensors")
    assert header.trained_on == gan.trained_on == checkpoints.load(tmp_path / "it.safetensors").trained_on
    assert header.trained_on == DataIdentity.of(set_of(1)) and header.trained_on.own and header.trained_on.real


def test_ones_own_digits_are_not_judged_as_the_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("RGAN_RUNS", str(tmp_path))
    mine, real = gan_of(set_of(1, "digits")), gan_of(datasets.load("digits"))
    with pytest.raises(CheckpointError, match="your own images of digits"):
        judges.of(mine.trained_on)
    assert judges.of(real.trained_on) is judges.shipped("digits")
    assert any("two sets of images, each called digits" in words for words in comparability(mine, real).against)


def test_families_of_the_tables_share_images_and_not_a_name():
    def model(name, gan):
        return Model(name, None, name, gan.recipe, gan.training, gan.trained_on)

    cats, dogs = set_of(1), set_of(2)
    made = [("cats0", gan_of(cats)), ("cats1", gan_of(cats, 1)), ("dogs0", gan_of(dogs))]
    columns, left = ablations([model(name, gan) for name, gan in made])
    assert sorted(len(column.all_models) for column in columns) == [1, 2] and not left
    assert len({column.family for column in columns}) == 2, "told apart in words"
    columns, _ = ablations([model("old", old(gan_of(cats, 2))), *(model(name, gan) for name, gan in made)])
    assert sorted(len(column.all_models) for column in columns) == [1, 3], "known by the real images in its file"
    nameless = dataclasses.replace(old(gan_of(cats, 2)), reference=None)
    columns, _ = ablations([model("lost", nameless), *(model(name, gan) for name, gan in made)])
    assert sorted(len(column.all_models) for column in columns) == [1, 1, 2], "nobody knows which of the two it was"
