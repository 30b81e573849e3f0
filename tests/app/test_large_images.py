"""Models of one's own that draw 128 and 256 pixels, with classes, on every screen that takes two."""

import threading

import pytest
import torch

from rgan.attack.search import CHUNK
from rgan.models import checkpoints
from rgan.models.gan import EACH, Probe, rows_a_call
from rgan.models.recipes import Recipe
from tests.app.test_screens import OF_TWO, app
from tests.nightly import mostly_nightly

CODE = """
import torch
from torch import nn

import rgan


class _Drawing(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.start, self.classes = nn.Linear(16, 256), nn.Embedding(3, 16)
        self.up = nn.ConvTranspose2d(4, 3, side // 8, side // 8)

    def forward(self, z, labels):
        return self.up(self.start(z + self.classes(labels)).relu().view(-1, 4, 8, 8)).tanh()


class _Judging(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 16, 16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.score = nn.Linear(4, 1)

    def forward(self, images, labels):
        return self.score(self.net(images))


def _made(side):
    torch.manual_seed(side)
    real = torch.randint(256, (256, 3, side, side), dtype=torch.uint8)
    facts = {"latent": 16, "classes": 3, "data": "cifar10", "real": real}
    return rgan.wrap(_Drawing(side), critic=_Judging(), **facts)


def large():
    return _made(128)


def huge():
    return _made(256)
"""


@pytest.fixture
def named(tmp_path, monkeypatch):
    file = tmp_path / "my_models.py"
    file.write_text(CODE)
    monkeypatch.setenv("RGAN_MODELS", str(file))


# The blind test searches at full budget before it shows anything.
@pytest.mark.parametrize("label", ["2", "all in turn"])
@pytest.mark.parametrize("screen", mostly_nightly(OF_TWO[:-1], "worst_noise"))
def test_every_screen_takes_large_images_of_a_class(screen, label, named):
    test = app(screen, a="huge", b="huge", label=label)
    assert not test.exception and [one.value for one in test.error] == []
    assert test.query_params["label"] == label
    field = next(one for one in test.sidebar.selectbox if one.key == "label")
    assert field.options == ["all in turn", "0", "1", "2"]
    assert field.value == (EACH if label == "all in turn" else 2)


def test_a_call_takes_fewer_of_large_images(named, monkeypatch):
    large, huge = (checkpoints.load(name).recipe for name in ("large", "huge"))
    assert [rows_a_call(one, CHUNK) for one in (Recipe("dcgan"), large, huge)] == [224, 56, 14]
    gan = checkpoints.load("large")
    monkeypatch.setattr("rgan.models.gan.SIDE", 32)
    seen, draw, mine = [], Probe.draw, threading.get_ident()  # screens draw portraits meanwhile

    def noted(probe, z, labels=None):
        seen.extend([len(z)] * (threading.get_ident() == mine))
        return draw(probe, z, labels)

    monkeypatch.setattr(Probe, "draw", noted)
    z = gan.noise(20, 0)
    few = gan.images(z, torch.arange(20) % 3)
    assert seen == [16, 4]
    one_by_one = torch.cat([gan.images(row[None], k % 3) for k, row in enumerate(z)])
    torch.testing.assert_close(few, one_by_one)
