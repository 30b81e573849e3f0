"""A critic trained after the fact: it learns what can be learnt, nothing else, and leaves the generator alone."""

import dataclasses
import json

import pytest
import torch

from rgan.attack.search import Attack, run
from rgan.cli.main import main
from rgan.common.errors import CheckpointError, DataError, SettingsError
from rgan.data.datasets import ImageData
from rgan.models import checkpoints
from rgan.models.gan import Gan, Origin
from rgan.models.recipes import Recipe
from rgan.networks.described import Activation, Layers, Linear, View, follow
from rgan.training import critic as critic_training

LATENT, CHANNELS, SIZE = 3, 2, 9
ORIGIN = Origin((("g.pth", "ab" * 32),), {"activation": "tanh"}, "drawn")


def generator_alone(seed: int = 0, **answers: str) -> Gan:
    """Images tanh(W z + b), of a Gan without critic."""
    layers = Layers("a line", (Linear(CHANNELS * SIZE**2), View(CHANNELS), Activation("tanh")))
    recipe = Recipe("imported", size=SIZE, channels=CHANNELS, latent=LATENT, loss="hinge", layers=layers)
    generator, critic = (network.to_empty(device="cpu") for network in recipe.networks())
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in generator.parameters():
            value.copy_(torch.randn(value.shape, generator=rng) / 2)
    return Gan(recipe, generator, critic, origin=dataclasses.replace(ORIGIN, answers=ORIGIN.answers | answers))


def drawn(gan: Gan, count: int = 700) -> ImageData:
    """Real images of exactly the generator's distribution, in whole grey levels."""
    images = gan.sampler(gan.noise(count, 99))
    return ImageData("drawn", ((images + 1) * 127.5).round().to(torch.uint8))


def trained(gan: Gan, data: ImageData, iterations: int = 60, seed: int = 0) -> critic_training.CriticStep:
    *_, last = critic_training.train(gan, data, iterations=iterations, seed=seed, device="cpu")
    return last


@pytest.fixture(scope="module")
def alone() -> Gan:
    return generator_alone()


@pytest.fixture(scope="module")
def told(alone) -> critic_training.CriticStep:
    """A critic that knows the line of `alone` from another line."""
    return trained(alone, drawn(generator_alone(seed=1)))


def test_it_tells_a_bad_generator_at_once(told):
    assert told.step == told.steps == 60 and told.asked == 2 * 140
    assert told.accuracy.mean > 0.98
    gan = told.gan
    assert gan.has_critic and gan.recipe.loss == "non-saturating"
    real = drawn(generator_alone(seed=1), 50).images / 127.5 - 1
    fake = gan.sampler(gan.noise(50, 5))
    assert (gan.critic(real) > 0).float().mean() > 0.9 and (gan.critic(fake) < 0).float().mean() > 0.9
    for name, weight in gan.critic.named_parameters():
        if name.endswith("weight"):  # first weights have 1.4 to 2.0; the power iteration lags behind them
            assert torch.linalg.svdvals(weight.flatten(1))[0] == pytest.approx(1, abs=0.3)


def test_it_finds_nothing_where_there_is_nothing(alone):
    last = trained(alone, drawn(alone))
    assert 0.4 < last.accuracy.mean < 0.6
    assert "no better than chance" in last.words() and "no better than chance" in last.gan.origin.critic


def test_nothing_else_changes(alone, told):
    before = {name: value.clone() for name, value in generator_alone().generator.state_dict().items()}
    after = told.gan.generator.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert not told.gan.critic.training and not any(p.requires_grad for p in told.gan.critic.parameters())
    assert not alone.has_critic and alone.recipe.layers.critic == ()
    origin = told.gan.origin
    assert dataclasses.replace(origin, critic="") == alone.origin
    assert origin.critic.startswith("trained here: 60 iterations on drawn, seed 0; right for ")
    assert told.gan.recipe.title == "a line, critic trained here"


def test_one_seed_gives_one_critic(alone):
    real = drawn(generator_alone(seed=1), 60)

    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed + torch.initial_seed())  # what others draw must not matter
        state = torch.random.get_rng_state()
        gan = trained(alone, real, iterations=3, seed=seed).gan
        assert torch.equal(torch.random.get_rng_state(), state)
        return torch.cat([value.flatten() for value in gan.critic.parameters()])

    assert torch.equal(weights(4), weights(4)) and not torch.equal(weights(4), weights(5))


def test_it_is_written_read_and_searched(told, tmp_path):
    checkpoints.save(told.gan, tmp_path / "a.safetensors")
    gan = checkpoints.load(tmp_path / "a.safetensors")
    assert gan.origin == told.gan.origin and gan.recipe == told.gan.recipe
    z = gan.noise(5, 0)
    assert torch.allclose(gan.critic(gan.sampler(z)), told.gan.critic(told.gan.sampler(z)), atol=1e-6)
    found = run(gan.probe().loss, z, Attack((0.5,), gradients=4))
    assert (found.loss[0] > found.original).all()


def test_a_false_word_about_the_critic_is_refused(told):
    about = dataclasses.asdict(told.gan.origin)
    for false in (7, "x" * 30_000):
        with pytest.raises(SettingsError, match="origin of an imported model"):
            checkpoints._origin(about | {"critic": false})
    assert checkpoints._origin({name: about[name] for name in ("files", "answers", "data")}).critic == ""


@pytest.mark.parametrize("size", [1, 8, 28, 32, 33, 64, 96, 1024])
@pytest.mark.parametrize("channels", [1, 3])
def test_there_is_a_critic_of_every_size(size, channels):
    shapes = follow(critic_training.described(size), (channels, size, size)).shapes
    assert shapes[-1] == (1,) and shapes[-3][1] <= 4


def test_one_class_is_held_against_its_own():
    labels = torch.arange(30) % 3
    data = ImageData("threes", labels.to(torch.uint8).view(30, 1, 1, 1).expand(30, 2, 9, 9), labels)
    own, words = critic_training.comparable(generator_alone(**{"class": "2"}), data)
    assert len(own.images) == 10 and (own.images == 2).all() and words == "threes, class 2"
    assert critic_training.comparable(generator_alone(), data) == (data, "threes")
    everything, words = critic_training.comparable(
        generator_alone(**{"class": "2"}), dataclasses.replace(data, labels=None)
    )
    assert len(everything.images) == 30 and "no labels, so class 2" in words
    for absent in ("7", "cat"):
        with pytest.raises(DataError, match=f"images of class {absent} in threes"):
            critic_training.comparable(generator_alone(**{"class": absent}), data)


def test_what_cannot_be_trained_is_refused(alone, told):
    data = drawn(alone, 40)
    with pytest.raises(SettingsError, match="without critic, got one that has its own"):
        trained(told.gan, data)
    with pytest.raises(SettingsError, match="iterations between 1"):
        trained(alone, data, iterations=0)
    with pytest.raises(DataError, match="real images of 2×9×9, as the model draws, got drawn with 1×9×9"):
        trained(alone, ImageData("drawn", data.images[:, :1]))
    with pytest.raises(DataError, match="at least 20 real images, got 19"):
        trained(alone, ImageData("drawn", data.images[:19]))
    broken = generator_alone()
    broken.generator[0].bias.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="NaN or infinity at iteration 1"):
        trained(broken, data)


def test_the_command(alone, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rgan.data.datasets.load", lambda name, **_: dataclasses.replace(drawn(alone, 40), name=name))
    unnamed = dataclasses.replace(alone, origin=dataclasses.replace(alone.origin, data=""))
    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    checkpoints.save(unnamed, before)
    command = ["critic", str(before), "--out", str(after), "--iterations", "2", "--json"]
    assert main(command) == 2 and "expected --data" in capsys.readouterr().err
    assert main([*command, "--data", "lines"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["asked"] == 16 and report["data"] == "lines"
    assert main(["inspect", str(after)]) == 0
    assert "trained here: 2 iterations on lines, seed 0" in capsys.readouterr().out
    gan = checkpoints.load(after)
    assert gan.data == "lines" and len(gan.reference) == 40
    assert main(["critic", str(after), "--out", str(after)]) == 2
    assert "without critic" in capsys.readouterr().err
