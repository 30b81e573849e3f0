"""Models with the names and facts of the shipped ones, and networks so small that a search takes a moment.

The digits' DCGANs, which most tests search, are trained for a moment, so that worst noise is found in a landscape that
training made; the others are fresh. Images are never good: what needs good ones searches `REAL`, the shipped pair.
"""

import dataclasses
import os
from pathlib import Path

from rgan.data import datasets
from rgan.data.datasets import ImageData
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import Recipe
from rgan.training.trainer import Trainer, train

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints"
PAIR = ("digits-dcgan", "digits-dcgan-robust")
REAL = ("real-digits-dcgan", "real-digits-dcgan-robust")  # the shipped pair's names beside the tiny models
ITERATIONS = 200
BUDGETS = {"standard": 20, "strong": 200}  # where screens are tested: a tenth of the usual


def path(name: str) -> Path:
    """The file of a model that the tests' app has."""
    return Path(os.environ["RGAN_CHECKPOINTS"]) / f"{name}.safetensors"


def load(*names: str) -> list[Gan]:
    return [checkpoints.load(path(name)) for name in names]


def make(folder: Path) -> None:
    """Write a tiny model for each shipped one, and links to the shipped digits' DCGANs."""
    folder.mkdir(parents=True, exist_ok=True)
    images = datasets.load("digits", size=32)
    for shipped in sorted(SHIPPED.glob("*.safetensors")):
        facts = checkpoints.glance(shipped)[0]
        small = _small(facts.recipe)
        if shipped.stem in PAIR:
            gan = _trained(small, images)
        else:
            reference = checkpoints.load(shipped).reference
            gan = Gan(small, *fresh(small, 0), training=facts.training, reference=reference)
        checkpoints.save(dataclasses.replace(gan, training=facts.training), folder / shipped.name)
    for name, real in zip(PAIR, REAL, strict=True):
        (folder / f"{real}.safetensors").symlink_to(SHIPPED / f"{name}.safetensors")


def _small(shipped: Recipe) -> Recipe:
    return dataclasses.replace(shipped, width=2, batch=8)


def _trained(small: Recipe, images: ImageData) -> Gan:
    trainer = Trainer(small, images, seed=0, device="cpu", precision="float32")
    for _ in train(trainer, ITERATIONS):
        pass
    return trainer.gan()
