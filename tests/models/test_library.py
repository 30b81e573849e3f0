"""Recipes, networks and images; a light import."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from rgan.common import devices, images
from rgan.common.devices import bfloat16_speedup, choose_device, choose_dtype
from rgan.common.errors import SettingsError
from rgan.models.gan import fresh
from rgan.models.losses import LOSSES
from rgan.models.recipes import Robust, recipe
from tests.conftest import ROOT


@pytest.mark.parametrize(("system", "critic"), [("dcgan", 4_116_225), ("wgan-gp", 4_114_689)])
def test_28_pixels_share_every_kernel_with_32(system, critic):
    networks = recipe(system, size=28).networks()
    assert [sum(p.numel() for p in network.parameters()) for network in networks] == [5_179_907, critic]


@pytest.mark.parametrize("size", range(25, 33))
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shapes_at_every_size(size, channels):
    made = recipe("dcgan", size=size, channels=channels, width=2, latent=5)
    generator, critic = fresh(made, 0)
    made_images = generator(torch.randn(3, 5, generator=torch.Generator().manual_seed(0)))
    assert made_images.shape == (3, channels, size, size) and made_images.abs().max() < 1
    assert critic(made_images).shape == (3,)


def test_layer_shapes_follow_the_papers_code():
    generator, critic = recipe("dcgan").networks()
    shapes = [tuple(p.shape) for p in generator.parameters() if p.dim() > 1]
    assert shapes == [(8192, 128), (512, 256, 5, 5), (256, 128, 5, 5), (128, 3, 5, 5)]
    assert [tuple(p.shape) for p in critic.parameters() if p.dim() > 1] == [
        (128, 3, 5, 5),
        (256, 128, 5, 5),
        (512, 256, 5, 5),
        (1, 8192),
    ]
    assert [m.num_features for m in generator.modules() if isinstance(m, nn.BatchNorm1d)] == [8192]


def test_initial_weights_have_the_documented_spread():
    """Uniform with variance 4/(fan-in + fan-out), strides counted; linear layers 2/(in + out)."""
    generator, critic = fresh(recipe("dcgan", width=32, latent=64), 0)
    expected = {
        generator.project: 2 / (64 + 2048),
        generator.up1: 4 / (128 * 25 / 4 + 64 * 25),
        critic.down2: 4 / (32 * 25 + 64 * 25 / 4),
    }
    for layer, variance in expected.items():
        assert float(layer.weight.detach().var()) == pytest.approx(variance, rel=0.05)
        assert float(layer.weight.detach().abs().max()) <= (3 * variance) ** 0.5
        assert not layer.bias.any()


def test_losses_against_torch():
    y = torch.linspace(-4, 4, 9)
    bce = nn.functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(9), torch.zeros(9)
    ns, saturating, w = LOSSES["non-saturating"], LOSSES["saturating"], LOSSES["wasserstein"]
    assert torch.allclose(ns.generator(y), bce(y, ones, reduction="none"))
    assert torch.allclose(ns.real(y), bce(y, ones, reduction="none") / 2)
    assert torch.allclose(ns.fake(y), bce(y, zeros, reduction="none") / 2)
    assert torch.allclose(saturating.generator(y), torch.log(1 - torch.sigmoid(y)), atol=1e-6)
    assert torch.equal(w.generator(y), -y) and torch.equal(w.real(y), -y) and torch.equal(w.fake(y), y)


def test_paper_preset_is_the_papers():
    robust = recipe("dcgan", "paper").robust
    assert (robust.weight, robust.noise_radius, robust.image_radius) == (0.1, 0.01, 4.0)
    assert robust.of_generator("generator_noise") == robust.of_critic("critic_image") == 0.1
    assert robust.of_critic("critic_noise") == robust.of_critic("consistency") == 0


def test_official_presets_are_the_published_codes():
    dcgan, wgan = recipe("dcgan", "official"), recipe("wgan-gp", "official")
    assert (dcgan.robust.image_radius, dcgan.robust.critic_noise, dcgan.robust.consistency) == (1.0, 0.6, 0.1)
    assert wgan.critic_steps == 2 and recipe("wgan-gp").critic_steps == 5
    assert (wgan.robust.critic_image, wgan.robust.generator_image, wgan.robust.critic_noise) == (0.01, 0.001, 1.0)


@pytest.mark.parametrize(
    "wrong",
    [{"size": 40}, {"width": 0}, {"latent": -1}, {"batch": 1}, {"ema": 1.0}, {"loss": "x"}, {"betas": (0.5, 2.0)}],
)
def test_impossible_recipes_are_refused(wrong):
    with pytest.raises(SettingsError, match="expected"):
        recipe("dcgan", **wrong)
    with pytest.raises(SettingsError, match="players"):
        Robust(players="nobody")


def test_pixels_make_the_round_trip():
    values = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert np.array_equal(images.to_uint8(images.to_unit(values))[0, :, :, 0], values[0, 0].numpy())


def test_grids_place_every_image_where_it_belongs():
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 3, 4, 1), np.uint8)
    sheet = images.grid(tiles, 2, gap=1, background=99)
    assert sheet.shape == (3 * 4 + 1, 2 * 5 + 1, 1)
    for index in range(5):
        top, left = 1 + index // 2 * 4, 1 + index % 2 * 5
        assert (sheet[top : top + 3, left : left + 4] == index).all()
    assert (sheet[0] == 99).all() and (sheet[9:12, 6:10] == 99).all()
    assert images.grid(tiles, 2, scale=3).shape == (39, 33, 1)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_png_is_lossless_and_any_channels_can_be_shown(channels):
    import io

    picture = np.random.default_rng(0).integers(0, 256, (7, 9, channels), np.uint8)
    back = np.asarray(Image.open(io.BytesIO(images.png(picture))))
    shown = picture[..., :3] if channels >= 3 else picture[..., 0]
    assert np.array_equal(back, shown)


def test_differences_are_amplified_about_grey():
    original = torch.zeros(1, 1, 1, 3)
    changed = torch.tensor([[[[0.0, 0.1, -0.1]]]])
    grey, up, down = images.difference(changed, original, 3.0)[0, 0, :, 0].tolist()
    assert (
        grey in (127, 128)
        and up - grey == pytest.approx(0.15 * 127.5, abs=1)
        and grey - down == pytest.approx(19, abs=1)
    )


def test_noise_is_the_same_whatever_the_count():
    from rgan.models.gan import Gan

    gan = Gan(made := recipe("dcgan", channels=1, width=1, latent=9), *fresh(made, 0))
    assert torch.equal(gan.noise(20, 3)[:7], gan.noise(7, 3))
    sample = gan.noise(4000, 0).double()
    assert abs(float(sample.mean())) < 0.02 and abs(float(sample.var()) - 1) < 0.02


def test_device_and_precision_are_chosen_or_refused(monkeypatch):
    assert choose_device("cpu").type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="found none"):
            choose_device("cuda")
    assert choose_dtype("float32", torch.device("cpu")) is torch.float32
    assert choose_dtype("bfloat16", torch.device("cpu")) is torch.bfloat16
    for speedup, best in ((2.9, torch.float32), (3.1, torch.bfloat16)):
        monkeypatch.setattr(devices, "bfloat16_speedup", lambda kind, speedup=speedup: speedup)
        assert choose_dtype("auto", torch.device("cpu")) is best


def test_the_speedup_of_bfloat16_is_a_positive_ratio_measured_once(monkeypatch):
    measured = bfloat16_speedup("cpu")
    assert 0 < measured < 100 and torch.get_num_threads() == 1
    monkeypatch.setattr(devices, "conv2d", lambda *_, **__: pytest.fail("measured again"))
    assert bfloat16_speedup("cpu") == measured


def test_importing_the_library_is_light():
    heavy = ("streamlit", "torchvision", "plotly", "sklearn", "scipy", "umap", "openTSNE")
    code = f"import sys, rgan.cli.main; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
