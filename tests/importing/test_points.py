"""Strangers' GANs of points: read without running them, refused in words, and trained on from their weights."""

import io
import itertools

import pytest
import torch
from torch import nn

from rgan.common.errors import CheckpointError
from rgan.importing import conversion
from rgan.importing.points import read
from rgan.theory.laboratory.settings import Settings, Start
from rgan.theory.laboratory.twins import Twins, as_images, as_points


def mlp(*sizes: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers = [one for a, b in itertools.pairwise(sizes) for one in (nn.Linear(a, b), act())]
    return nn.Sequential(*layers[:-1])


def saved(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def prefixed(**networks: nn.Module) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": value for name, one in networks.items() for key, value in one.state_dict().items()}


GENERATOR, CRITIC = mlp(2, 16, 16, 2), mlp(2, 12, 1)


@pytest.mark.parametrize(
    "files",
    [
        [("g.pth", saved(GENERATOR.state_dict())), ("d.pth", saved(CRITIC.state_dict()))],
        [("both.pt", saved({"G": GENERATOR.state_dict(), "D": CRITIC.state_dict()}))],
        [("flat.pt", saved(prefixed(generator=GENERATOR, discriminator=CRITIC)))],
    ],
    ids=["two files", "groups", "prefixes"],
)
def test_the_twins_draw_and_judge_as_the_stranger_did(files):
    networks = read(files)
    assert networks.latent == 2 and "2–16–16–2" in networks.words and "2–12–1" in networks.words
    twins = Twins(Settings(start=Start(networks)))
    z = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    for side in "AB":
        gan = twins.gan(side)
        with torch.no_grad():
            points = GENERATOR(z)
            assert torch.allclose(as_points(gan.probe().images(z)), points, atol=1e-5)
            assert torch.allclose(gan.probe().score(as_images(points)), CRITIC(points).flatten(), atol=1e-5)
    twins.step()
    assert not torch.allclose(as_points(twins.gan("A").probe().images(z)), points)


def test_noise_of_more_numbers_is_looked_at_in_the_plane_of_the_first_two():
    generator = mlp(7, 16, 2, act=nn.Tanh)
    networks = read([("g.pth", saved(generator.state_dict()))])
    twins = Twins(Settings(start=Start(networks, "tanh", "tanh")))
    z = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = torch.tanh(generator(torch.cat([z, torch.zeros(9, 5)], dim=1)))
    assert networks.critic is None and "no critic" in networks.words
    assert torch.allclose(as_points(twins.gan("B").probe().images(z)), expected, atol=1e-5)
    twins.step()


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (mlp(2, 8, 784).state_dict(), "2–8–784"),
        (CRITIC.state_dict(), "2–12–1"),
        (nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).state_dict(), "no such network"),
        ({"a": GENERATOR.state_dict(), "b": mlp(3, 4, 2).state_dict()}, "3–4–2"),
        ({"w": torch.zeros(3)}, "no such network"),
    ],
)
def test_what_is_no_gan_of_points_is_refused_with_what_it_is(state, why):
    with pytest.raises(CheckpointError, match=why):
        read([("x.pth", saved(state))])


def test_checkpoints_sends_whoever_brings_one_to_the_laboratory():
    with pytest.raises(CheckpointError, match="Laboratory screen"):
        conversion.read([("g.pth", saved(GENERATOR.state_dict()))])
