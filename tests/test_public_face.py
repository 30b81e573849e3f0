"""The promise that notebooks and scripts rest on: names, arguments, shapes, units."""

import inspect
import re

import pytest
import torch

import rgan
from rgan.common.errors import CheckpointError, SettingsError
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def gan():
    made = recipe("dcgan", channels=1, width=4, latent=6)
    return Gan(made, *fresh(made, 1))


def test_the_readmes_example_runs_as_it_stands(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"## Python\n\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len([line for line in example.splitlines() if line]) <= 6
    told: dict[str, object] = {}
    exec(example, told)
    assert "Worst noise beats random noise of the same length on" in capsys.readouterr().out
    images = told["images"]
    assert images.shape == (16, 3, 64, 64) and -1 <= images.min() < images.max() <= 1


def test_a_file_gives_the_gan_that_was_saved(gan, tmp_path):
    checkpoints.save(gan, tmp_path / "mine.safetensors")
    again, z = rgan.load(tmp_path / "mine.safetensors"), gan.noise(300, 4)
    assert z.shape == (300, 6) and torch.equal(again.noise(7, 4), z[:7])
    with torch.no_grad():
        drawn = gan.generator(z)
        score = gan.critic(drawn)
    assert again.images(z).shape == (300, 1, 32, 32)
    assert torch.allclose(again.images(z), drawn, atol=1e-4) and torch.allclose(again.score(drawn), score, atol=1e-3)
    with pytest.raises(CheckpointError, match=r"No such file"):
        rgan.load(tmp_path / "none.safetensors")


def test_worst_noise_is_what_is_promised(gan):
    z = gan.noise(12, 3)
    found = rgan.perturb(gan, z, radius=0.7, price=0.1, objective="critic", budget="live", seed=2)
    assert torch.equal(found.z, z) and found.gradients == 10
    for move in (found.r, found.random, found.best_random):
        assert move.shape == z.shape and (move.norm(dim=1) <= 0.7 * (1 + 1e-5)).all()
    assert torch.allclose(found.random.norm(dim=1), found.r.norm(dim=1), rtol=1e-5)
    with torch.no_grad():
        for move, loss in ((0, found.loss_original), (found.r, found.loss_worst), (found.random, found.loss_random)):
            assert torch.allclose(gan.recipe.criterion.generator(gan.critic(gan.generator(z + move))), loss, atol=1e-4)
    worth = found.loss_worst - 0.1 * found.r.square().sum(dim=1)
    assert (worth >= found.loss_original - 1e-5).all() and (worth > found.loss_original).any()
    again = rgan.perturb(gan, z, radius=0.7, price=0.1, objective="critic", budget="live", seed=2)
    assert torch.equal(again.r, found.r) and torch.equal(again.random, found.random)


def test_wrong_calls_are_told_in_words(gan):
    with pytest.raises(SettingsError, match=r"noise of shape \(samples, 6\), got torch.float32 of shape \(2, 5\)"):
        rgan.perturb(gan, torch.zeros(2, 5))
    with pytest.raises(SettingsError, match="live, standard, strong"):
        rgan.perturb(gan, gan.noise(2, 0), budget="endless")
    with pytest.raises(CheckpointError, match="judge"):
        rgan.perturb(gan, gan.noise(2, 0), objective="judge")
    with pytest.raises(SettingsError, match="radius"):
        rgan.perturb(gan, gan.noise(2, 0), radius=-1)
    with pytest.raises(SettingsError, match="a whole Recipe"):
        rgan.train(gan.recipe, "digits", iterations=1, width=4)


def test_a_gan_against_itself_loses_neither_more_nor_less(gan):
    found = rgan.compare(gan, gan, samples=8, budget="live")
    assert found.difference.mean == 0 and "cannot be told apart" in found.words
    assert torch.equal(found.a.r, found.b.r)


def test_robustness_can_be_called_and_is_a_package(gan):
    from rgan.metrics.judges import shipped

    found = rgan.robustness(gan, samples=8, pool=64, budget=1, judge=shipped("digits"), names=("mine",), device="cpu")
    assert found.names == {"A": "mine"} and found.headline.words and rgan.robustness.summary.WORST
    assert not [name for name, value in vars(found).items() if isinstance(value, torch.nn.Module)]


def test_training_gives_a_gan_of_the_recipe():
    made = rgan.train("dcgan", "digits", iterations=2, robust="paper", width=4, latent=6, device="cpu")
    assert made.recipe.robust is not None and made.recipe.latent == 6 and made.training.iterations == 2
    assert made.images(made.noise(2, 0)).shape == (2, 1, 32, 32)


@pytest.mark.parametrize("name", rgan.__all__)
def test_the_help_gives_what_is_needed(name):
    words = inspect.getdoc(type(rgan.robustness).__call__ if name == "robustness" else getattr(rgan, name))
    assert "Raises:" in words
