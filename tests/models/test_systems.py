"""Every system: published sizes, shapes and losses, against plain torch, an SVD, finite differences and numpy."""

import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from itertools import groupby

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.literal import literal_critic_loss, literal_generator_loss
from rgan.common.errors import SettingsError
from rgan.common.images import to_unit
from rgan.data import datasets
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import Recipe, Robust, catalogue, lasting, named, recipe
from rgan.models.systems import SYSTEMS, size_near
from rgan.networks.companions import Companion
from rgan.networks.fusion import fold
from rgan.networks.layers import Dropout, PooledConv, UpConv
from rgan.training.algorithm1 import critic_gradients, generator_gradients
from rgan.training.penalties import SOBOLEV_SCALE, banach_norm, dual, gradient_penalty, orthonormality, sobolev
from rgan.training.trainer import Trainer, measured
from tests.conftest import ROOT
from tests.training.test_trainer import batch, double, gradients, same

SMALL = {"channels": 1, "width": 2, "latent": 5, "batch": 4, "generator_batch": 0}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def draw(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def conv(inputs, outputs):
    return 9 * inputs * outputs + outputs


def up(inputs, outputs):
    """A 4×4 convolution without bias, and its batch norm."""
    return 16 * inputs * outputs + 2 * outputs


_BEGAN = 64 * 8192 + 8192 + 6 * conv(128, 128) + conv(128, 3)  # its generator, and its critic's decoder
WIDE = ((512, 512), (512, 256), (256, 128), (128, 64))  # inputs and outputs of the 64 px ResNet's doubling blocks

# (system, size) → parameters of generator and critic, as published or as their layer lists add up to.
PUBLISHED = {
    ("dcgan", 32): (5_179_907, 4_116_225),
    ("dcgan", 64): (3_576_704, 2_765_568),
    ("wgan", 32): (5_179_907, 4_116_225),
    ("wgan-gp", 32): (5_179_907, 4_114_689),
    ("wgan-gp-res", 32): (1_204_483, 1_053_825),
    ("wgan-gp-res", 48): (4_878_083, 10_141_441),
    ("bwgan", 32): (1_204_483, 1_053_825),
    ("ct-gan", 32): (1_204_483, 1_053_825),
    ("wgan-gp-res", 64): (
        # igul222's gan_64x64.py: no bias in a block's first convolution.
        129 * 8192 + sum(2 * i + 9 * i * o + 2 * o + 9 * o * o + o + i * o + o for i, o in WIDE) + 2 * 64 + 27 * 64 + 3,
        28 * 64 + sum(2 * i + 9 * i * i + 2 * i + 9 * i * o + o + i * o + o for o, i in WIDE[::-1]) + 8193,
    ),
    ("sngan", 32): (4_276_739, 1_053_824),
    ("sngan", 48): (4_878_083, 10_141_440),
    ("sngan-cnn", 32): (3_813_379, 5_860_865),
    ("orthonormal", 32): (3_813_379, 5_860_865),
    # A scale and a shift for each map after the first; a gain for each output of every layer.
    ("layer-norm", 32): (3_813_379, 5_860_865 + 2 * 2 * (128 + 256 + 512)),
    ("weight-norm", 32): (3_813_379, 5_860_865 + 64 + 2 * (128 + 256 + 512) + 1),
    ("began", 32): (
        _BEGAN,
        conv(3, 128)
        + 3 * conv(128, 128)
        + conv(128, 256)
        + 2 * conv(256, 256)
        + conv(256, 384)
        + conv(384, 384)
        + 384 * 64 * 64
        + 64
        + _BEGAN,
    ),
    ("ali", 32): (
        up(64, 256) + up(256, 128) + up(128, 64) + up(64, 32) + 25 * 32 * 32 + 64 + 32 * 32 + 64 + 32 * 3 + 3,
        # Every convolution has twice the features that its maxout leaves, and a bias, of which theirs have one in all.
        25 * 3 * 32
        + 32
        + 16 * 16 * 64
        + 64
        + 16 * 32 * 128
        + 128
        + 16 * 64 * 256
        + 256
        + 16 * 128 * 512
        + 512
        + 64 * 512
        + 512
        + 256 * 512
        + 512
        + 512 * 1024
        + 1024
        + 512 * 1024
        + 1024
        + 512
        + 1,
    ),
    ("improved-gan", 32): (
        100 * 8192 + 3 * 8192 + 25 * 512 * 256 + 3 * 256 + 25 * 256 * 128 + 3 * 128 + 25 * 128 * 3 + 3,
        # A gain for each output; 100 kernels of 5 directions and their lengths before the score.
        conv(3, 96)
        + 2 * conv(96, 96)
        + conv(96, 192)
        + 3 * conv(192, 192)
        + 2 * (192 * 192 + 192)
        + 3 * 96
        + 6 * 192
        + 192 * 500
        + 500
        + 292
        + 2,
    ),
    ("egan-ent-vi", 32): (
        100 * 8192 + 2 * 8192 + up(512, 512) + up(512, 256) + up(256, 128) + 9 * 128 * 3 + 3,
        9 * 3 * 64 + 128 + up(64, 128) + up(128, 256) + up(256, 256) + 4096 + 1,
    ),
    ("dfm", 32): (
        3_813_379,
        conv(3, 32) + sum(16 * i * 2 * i + 3 * 2 * i for i in (32, 64, 128, 256)) + 2048 + 1,
    ),
}


@pytest.mark.parametrize(("system", "size"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(system, size):
    networks = recipe(system, size=size).networks()
    assert tuple(sum(p.numel() for p in network.parameters()) for network in networks) == PUBLISHED[system, size]


# What each top layer of generator and critic puts out, (channels, side), at published width.
SHAPES = {
    ("wgan-gp-res", 32): (
        [(128, 4), (128, 8), (128, 16), (128, 32), (3, 32)],
        [(128, 16), (128, 8), (128, 8), (128, 8)],
    ),
    ("wgan-gp-res", 48): (
        [(512, 6), (256, 12), (128, 24), (64, 48), (3, 48)],
        [(64, 24), (128, 12), (256, 6), (512, 3), (1024, 3)],
    ),
    ("wgan-gp-res", 64): (
        [(512, 4), (512, 8), (256, 16), (128, 32), (64, 64), (3, 64)],
        [(64, 64), (128, 32), (256, 16), (512, 8), (512, 4)],
    ),
    ("sngan", 32): ([(256, 4), (256, 8), (256, 16), (256, 32), (3, 32)], [(128, 16), (128, 8), (128, 8), (128, 8)]),
    ("sngan", 48): (
        [(512, 6), (256, 12), (128, 24), (64, 48), (3, 48)],
        [(64, 24), (128, 12), (256, 6), (512, 3), (1024, 3)],
    ),
    ("sngan-cnn", 32): (
        [(512, 4), (256, 8), (128, 16), (64, 32), (3, 32)],
        [(64, 32), (128, 16), (128, 16), (256, 8), (256, 8), (512, 4), (512, 4)],
    ),
    ("dcgan", 32): ([(512, 4), (256, 8), (128, 16), (3, 32)], [(128, 16), (256, 8), (512, 4)]),
    ("wgan-gp", 32): ([(512, 4), (256, 8), (128, 16), (3, 32)], [(128, 16), (256, 8), (512, 4)]),
    ("dcgan", 64): (
        [(512, 4), (256, 8), (128, 16), (64, 32), (3, 64)],
        [(64, 32), (128, 16), (256, 8), (512, 4)],
    ),
}


# Convolutions of generator and critic, shortcuts included.
LAYERS = {
    ("wgan-gp-res", 32): (10, 10),
    ("wgan-gp-res", 48): (10, 15),
    ("wgan-gp-res", 64): (13, 13),
    ("sngan", 32): (10, 10),
    ("sngan", 48): (10, 15),
    ("sngan-cnn", 32): (4, 7),
    ("dcgan", 32): (3, 3),
    ("wgan-gp", 32): (3, 3),
    ("dcgan", 64): (4, 4),
}


@pytest.mark.parametrize(("system", "size"), SHAPES)
def test_layer_by_layer_shapes(system, size):
    made = recipe(system, size=size)
    inputs = (2, made.latent), (2, 3, size, size)
    for player, network in enumerate(made.networks("cpu")):
        seen, x = [], torch.empty(inputs[player])
        for layer in network.children():
            x = layer(x)
            seen += [tuple(x.shape[1:3])] * (x.dim() == 4)
        expected = SHAPES[system, size][player]
        assert [shape for shape, _ in groupby(seen)] == [shape for shape, _ in groupby(expected)]
        convolutions = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
        assert len(convolutions) == LAYERS[system, size][player]


def test_pooling_and_doubling_inside_a_convolution_are_those_outside():
    x = draw((2, 3, 6, 6))
    for layer, plain in (
        (PooledConv(3, 4), lambda w, b: functional.avg_pool2d(functional.conv2d(x, w, b, padding=1), 2)),
        (UpConv(3, 4), lambda w, b: functional.conv2d(functional.interpolate(x, scale_factor=2), w, b, padding=1)),
    ):
        layer.double()
        assert torch.allclose(layer(x), plain(layer.weight, layer.bias), atol=1e-12)


def test_residual_networks_are_the_published_blocks():
    """Both networks of the 32 px ResNet written out with plain functions and the weights by name."""
    made = recipe("wgan-gp-res", **SMALL)
    generator, critic = double(made)
    w = dict(generator.state_dict()) | {f"c.{name}": value for name, value in critic.state_dict().items()}

    def conv(x, name, padding=1):
        return functional.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=padding)

    def norm(x, name):
        return functional.batch_norm(x, None, None, w[f"{name}.weight"], w[f"{name}.bias"], training=True)

    def twice(x):
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    z, images = draw((4, 5)), draw((4, 1, 32, 32), 1)
    x = functional.linear(z, w["project.weight"], w["project.bias"]).view(4, 2, 4, 4)
    for block in ("up1", "up2", "up3"):
        y = conv(twice(norm(x, f"{block}.branch.norm1").relu()), f"{block}.branch.conv1")
        y = conv(norm(y, f"{block}.branch.norm2").relu(), f"{block}.branch.conv2")
        x = y + conv(twice(x), f"{block}.shortcut.conv", 0)
    assert torch.allclose(generator(z), conv(norm(x, "norm").relu(), "to_image").tanh(), atol=1e-10)

    pool = nn.AvgPool2d(2)
    y = conv(conv(images, "c.block1.branch.conv1").relu(), "c.block1.branch.conv2")
    x = pool(y) + conv(pool(images), "c.block1.shortcut.conv", 0)
    y = conv(conv(x.relu(), "c.block2.branch.conv1").relu(), "c.block2.branch.conv2")
    x = pool(y) + pool(conv(x, "c.block2.shortcut.conv", 0))
    for block in ("c.block3", "c.block4"):
        x = x + conv(conv(x.relu(), f"{block}.branch.conv1").relu(), f"{block}.branch.conv2")
    features = x.relu().mean((2, 3))
    assert torch.allclose(critic.features_and_score(images)[0], features, atol=1e-10)
    scores = functional.linear(features, w["c.score.weight"], w["c.score.bias"])[:, 0]
    assert torch.allclose(critic(images), scores, atol=1e-10)


def test_initial_weights_of_residual_networks():
    """he-style for 3×3 convolutions, Glorot for shortcuts, the image layer and linear layers."""
    generator, _ = fresh(recipe("wgan-gp-res"), 0)
    block = generator.up1
    for layer, gain in ((block.branch.conv1, 4), (block.shortcut.conv, 2), (generator.project, 2)):
        weight = layer.weight.detach()
        area = weight[0, 0].numel()
        assert float(weight.var()) == pytest.approx(gain / (area * (weight.shape[0] + weight.shape[1])), rel=0.03)
    weight = generator.to_image.weight.detach()
    assert float(weight.var()) == pytest.approx(2 / (9 * 131), rel=0.1) and not generator.to_image.bias.any()


def test_initial_weights_of_dcgans_of_64_pixels():
    """Those of PyTorch's example: N(0, 0.02) for the kernels, N(1, 0.02) for the scales of batch norm."""
    for network in fresh(recipe("dcgan", size=64), 0):
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                scale = module.weight.detach()
                assert float(scale.mean()) == pytest.approx(1, abs=0.08 / len(scale) ** 0.5)
                assert float(scale.std()) == pytest.approx(0.02, rel=0.3) and not module.bias.any()
            elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert (fresh(recipe("dcgan"), 0)[0].norm2.weight == 1).all()


@pytest.mark.parametrize("system", ["sngan", "sngan-cnn"])
def test_spectral_norm_against_an_svd(system):
    critic = fresh(recipe(system, width=6, channels=1), 3)[1]
    layers = [module for module in critic.modules() if hasattr(module, "parametrizations")]
    weights = [module for module in critic.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert layers == weights  # every layer, as published
    for _ in range(200):
        for layer in layers:
            _ = layer.weight
    critic.eval()
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert float(largest) == pytest.approx(1, abs=1e-4)
        raw = layer.parametrizations.weight.original.detach()
        assert torch.allclose(layer.weight * torch.linalg.matrix_norm(raw.flatten(1), 2), raw, atol=1e-5)


def test_weight_norm_is_g_over_the_length_of_v():
    layer = fresh(recipe("weight-norm", channels=1, width=4), 0)[1].conv3
    g, v = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    lengths = v.flatten(1).norm(dim=1)
    assert torch.allclose(g.flatten(), lengths)  # at the start the weight is v
    with torch.no_grad():
        g.mul_(3)
    assert torch.allclose(layer.weight, 3 * v, atol=1e-6)


def test_layer_norm_is_over_the_whole_map_with_one_scale_a_channel():
    layer = fresh(recipe("layer-norm", channels=1, width=4), 0)[1].norm3
    x = draw((2, 8, 5, 5)).float()
    with torch.no_grad():
        layer.weight.uniform_(generator=torch.Generator().manual_seed(0))
    expected = functional.layer_norm(x, x.shape[1:]) * layer.weight.view(1, -1, 1, 1)
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_orthonormality_is_zero_for_orthonormal_layers_alone():
    network = nn.Sequential(nn.Conv2d(3, 5, 2), nn.Linear(4, 7)).double()
    for layer in network:
        nn.init.orthogonal_(layer.weight)
    assert float(orthonormality(network).detach()) == pytest.approx(0, abs=1e-12)
    with torch.no_grad():
        network[1].weight.mul_(2)  # W Wᵀ − I becomes 3 I of four rows
    assert float(orthonormality(network).detach()) == pytest.approx(9 * 4)


# ---- Banach norms: the identities of Adler & Lunz 2018 and numpy


def numpy_sobolev(x, s):
    height, width = x.shape[-2:]
    down = np.minimum(np.arange(height), height - np.arange(height)) / (height // 2)
    across = np.minimum(np.arange(width), width - np.arange(width)) / (width // 2)
    weight = (1 + SOBOLEV_SCALE * (down[:, None] ** 2 + across[None] ** 2)) ** (s / 2)
    return np.fft.ifft2(np.fft.fft2(x) * weight).real


@pytest.mark.parametrize("s", [-1.0, 0.5, 2.0])
@pytest.mark.parametrize("side", [8, 9])
def test_sobolev_against_numpy_and_its_inverse(s, side):
    x = draw((3, 2, side, side))
    assert np.allclose(sobolev(x, s).numpy(), numpy_sobolev(x.numpy(), s))
    assert torch.allclose(sobolev(sobolev(x, s), -s), x, atol=1e-12)
    assert torch.equal(sobolev(x, 0), x)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 10.0])
@pytest.mark.parametrize("s", [0.0, 1.0])
def test_hoelder_between_a_norm_and_its_dual(p, s):
    x, y = draw((50, 1, 6, 6)), draw((50, 1, 6, 6), 1)
    product = (x * y).flatten(1).sum(dim=1)
    bound = banach_norm(x, p, s) * banach_norm(y, dual(p), -s)
    assert torch.allclose((sobolev(x, s) * sobolev(y, -s)).flatten(1).sum(dim=1), product)
    assert bool((product.abs() <= bound * (1 + 1e-12)).all())
    # Equality is reached: the bound is the dual norm and nothing larger.
    tight = sobolev(y, -s)
    if p > 1:
        tight = tight.sign() * tight.abs() ** (dual(p) - 1)
        x = sobolev(tight, -s)
        ratio = (x * y).flatten(1).sum(dim=1) / (banach_norm(x, p, s) * banach_norm(y, dual(p), -s))
        assert torch.allclose(ratio, torch.ones_like(ratio))


def test_bwgan_at_p_2_is_wgan_gp():
    """s = 0, p = 2, D = γ·f: its loss is WGAN-GP's of f with weight E‖x‖, plus 1e-5·γ²·E f²."""
    gamma, weight = 7.0, 3.0
    b = recipe("bwgan", exponent=2.0, critic_scale=gamma, gradient_penalty=weight, **SMALL)
    real, z, mix = batch(b)
    generator, critic = double(b)
    loss = float(critic_gradients(generator, critic, b, real, z, mix)["critic"])

    plain = recipe("wgan-gp-res", gradient_penalty=weight, **SMALL)
    generator, critic = double(b)
    with torch.no_grad():
        critic.score.weight.div_(gamma), critic.score.bias.div_(gamma)
        drift = 1e-5 * gamma**2 * float(critic(real).square().mean())
    expected = float(critic_gradients(generator, critic, plain, real, z, mix)["critic"])
    assert loss == pytest.approx(expected + drift, rel=1e-10)


def test_bwgan_measures_its_constants_on_the_data(digits):
    made = recipe("bwgan", smoothness=-1.0, **SMALL)
    found = measured(made, digits)
    x = to_unit(digits.images).double().numpy()
    weight = np.mean([np.linalg.norm(one.ravel(), 10) for one in numpy_sobolev(x, -1.0)])
    scale = np.mean([np.linalg.norm(one.ravel(), 10 / 9) for one in numpy_sobolev(x, 1.0)])
    assert found.gradient_penalty == pytest.approx(weight, rel=1e-4)
    assert found.critic_scale == pytest.approx(scale, rel=1e-4)
    assert measured(found, digits) == found and Recipe.from_dict(found.to_dict()) == found


def test_the_dual_penalty_against_finite_differences():
    made = recipe("dcgan", size=25, channels=1, width=1, latent=2, critic_norm="none")
    critic = fresh(made, 0)[1].double()
    x, step = draw((1, 1, 25, 25)) / 3, 1e-6
    with torch.no_grad():
        eye = torch.eye(625, dtype=torch.float64).view(625, 1, 25, 25)
        slope = ((critic(x + step * eye) - critic(x - step * eye)) / (2 * step)).view(1, 1, 25, 25).numpy()
    expected = (np.linalg.norm(numpy_sobolev(slope, -0.5).ravel(), 3) / 2.5 - 1) ** 2
    found = gradient_penalty(critic, x, exponent=1.5, smoothness=0.5, scale=2.5)
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)
    found.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in critic.parameters() if p.grad is not None)


# ---- one plain step of every system


@pytest.mark.parametrize("system", [name for name, one in SYSTEMS.items() if one.family.companion is Companion])
def test_a_plain_step_against_a_few_lines_in_float64(system, digits, monkeypatch):
    """Two iterations with torch's optimisers and losses written out, on copies of the networks."""
    made = recipe(system, **SMALL | {"critic_steps": 2, "decay": 50 if recipe(system).decay else 0})
    trainer = Trainer(made, digits, seed=4, device="cpu", precision="float32")
    copies = [copy.deepcopy(network).double() for network in (trainer.generator, trainer.critic)]
    for network in (trainer.generator, trainer.critic, trainer.average):
        network.double()
    drawn = {name: [] for name in ("_real", "_noise", "_mix")}
    for name, record in drawn.items():
        original = getattr(trainer, name)

        def recorded(*count, original=original, record=record):
            record.append(original(*count).double())
            return record[-1]

        monkeypatch.setattr(trainer, name, recorded)

    generator, critic = copies
    masks = torch.Generator()
    for module in critic.modules():
        if isinstance(module, Dropout):
            module.source = masks
    if system == "wgan":
        updates = [torch.optim.RMSprop(network.parameters(), lr=5e-5) for network in copies]
    else:
        updates = [torch.optim.Adam(network.parameters(), betas=made.betas) for network in copies]
    pixels = np.abs(digits.images.double().numpy().reshape(len(digits.images), -1) / 127.5 - 1)
    gamma, weight = (pixels ** (10 / 9)).sum(1) ** 0.9, (pixels**10).sum(1) ** 0.1
    gamma, weight = (gamma.mean(), weight.mean()) if system == "bwgan" else (1.0, 10.0)
    bce = functional.binary_cross_entropy_with_logits

    for iteration in range(2):
        trainer.step()
        masks.manual_seed(trainer._masks.initial_seed())
        for update in updates:
            update.param_groups[0]["lr"] = made.learning_rate * (1 - iteration / 50 if made.decay else 1)
        for _ in range(2):
            real, mix = drawn["_real"].pop(0), drawn["_mix"].pop(0).view(-1, 1, 1, 1)
            fake = generator(drawn["_noise"].pop(0)).detach()
            features, y_real = critic.features_and_score(real)
            y_fake = critic(fake)
            if made.loss == "hinge":
                loss = (1 - y_real).clamp_min(0).mean() + (1 + y_fake).clamp_min(0).mean()
            elif made.loss == "wasserstein":
                loss = (y_fake.mean() - y_real.mean()) / gamma
            else:
                loss = (bce(y_real, torch.ones_like(y_real)) + bce(y_fake, torch.zeros_like(y_fake))) / 2
            if system == "bwgan":
                loss = loss + 1e-5 * y_real.square().mean()
            if system in ("wgan-gp", "wgan-gp-res", "bwgan", "ct-gan"):
                between = (mix * fake + (1 - mix) * real).requires_grad_()
                (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                length = slope.flatten(1).norm(10 / 9 if system == "bwgan" else 2, dim=1)
                loss = loss + weight * ((length / gamma - 1) ** 2).mean()
            if system == "ct-gan":
                others, y_other = critic.features_and_score(real)
                loss = loss + 2 * ((y_real - y_other) ** 2 + 0.1 * ((features - others) ** 2).mean(dim=1)).mean()
            if system == "orthonormal":
                for module in critic.modules():
                    if isinstance(module, (nn.Conv2d, nn.Linear)):
                        w = module.weight.flatten(1)
                        w = w if w.shape[0] <= w.shape[1] else w.T
                        loss = loss + 0.01 * (w @ w.T - torch.eye(len(w))).square().sum()
            updates[1].zero_grad()
            loss.backward()
            updates[1].step()
            if system == "wgan":
                for parameter in critic.parameters():
                    parameter.data.clamp_(-0.01, 0.01)
        score = critic(generator(drawn["_noise"].pop(0)))
        updates[0].zero_grad()
        (bce(score, torch.ones_like(score)) if made.loss == "non-saturating" else -score.mean() / gamma).backward()
        updates[0].step()

    for ours, theirs in ((trainer.generator, generator), (trainer.critic, critic)):
        for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            # BWGAN's constants come from float32 images; biases before a norm have gradients of rounding alone.
            assert torch.allclose(
                a, b, rtol=0, atol=2.1 * made.learning_rate if a.grad.abs().max() < 1e-12 else 1e-7
            ), name


def test_dequantised_pixels_keep_their_grey_level(digits):
    trainer = Trainer(recipe("wgan-gp-res", **SMALL | {"batch": 64}), digits, seed=0)
    order = torch.randperm(len(digits.images), generator=torch.Generator().manual_seed(0))[:64]
    levels = (trainer._real() + 1) * 128
    assert torch.equal(levels.floor().clamp(0, 255).to(torch.uint8), digits.images[order])
    fraction = levels - levels.floor()
    assert float(fraction.mean()) == pytest.approx(0.5, abs=0.01) and float(fraction.std()) == pytest.approx(
        0.289, abs=0.01
    )


def test_the_learning_rate_falls_to_zero():
    made = recipe("sngan-cnn", **SMALL, decay=4)
    assert [made.rate(at) for at in range(6)] == pytest.approx([2e-4, 1.5e-4, 1e-4, 0.5e-4, 0, 0])
    assert lasting(made, 9).decay == 9 and lasting(recipe("dcgan"), 9).decay == 0


def test_clipped_weights_stay_within_their_limit(digits):
    trainer = Trainer(recipe("wgan", **SMALL, learning_rate=0.1), digits, seed=0)
    trainer.step()
    largest = max(float(p.detach().abs().max()) for p in trainer.critic.parameters())
    assert largest == pytest.approx(0.01)


def test_dropout_is_seeded_and_off_outside_training(digits):
    made = recipe("ct-gan", **SMALL)
    trainer = Trainer(made, digits, seed=0)
    trainer.step()
    layer = next(module for module in trainer.critic.modules() if isinstance(module, Dropout))
    x = torch.ones(1, 1, 100, 100)
    layer.source.manual_seed(1)
    first = layer(x)
    layer.source.manual_seed(1)
    assert torch.equal(layer(x), first) and not torch.equal(layer(x), first)
    assert first.unique().tolist() == pytest.approx([0, 1 / (1 - layer.rate)])
    assert float((first == 0).float().mean()) == pytest.approx(layer.rate, abs=0.02)
    rates = [module.rate for module in trainer.critic.modules() if isinstance(module, Dropout)]
    assert rates == [0.2, 0.5, 0.5]  # keep .8, .5, .5
    gan = trainer.gan()
    images = gan.sampler(gan.noise(3, 0))
    assert torch.equal(gan.critic(images), gan.critic(images))


# ---- robust twins


@pytest.mark.parametrize("system", ["sngan", "bwgan", "wgan-gp-res", "layer-norm", "wgan"])
def test_two_passes_give_the_gradients_of_the_literal_algorithm(system):
    """A spectral norm iterates with every pass in training, so its critic is compared in evaluation."""
    changes = {"critic_scale": 3.0, "gradient_penalty": 2.0} if system == "bwgan" else {}
    made = recipe(system, Robust(noise_radius=1.5, image_radius=0.7, weight=2.0), **SMALL | changes)
    real, z, mix = batch(made)
    ours, literal = double(made), double(made)
    for _, critic in (ours, literal):
        critic.train(made.critic_norm != "spectral")

    critic_gradients(*ours, made, real, z, mix)
    ours[0].zero_grad()
    literal_critic_loss(*literal, made, real, z, mix).backward()
    same(gradients(ours[1]), gradients(literal[1]))

    for network in (*ours, *literal):
        network.zero_grad()
    ours[1].requires_grad_(False)
    generator_gradients(*ours, made, z)
    literal_generator_loss(*literal, made, z).backward()
    same(gradients(ours[0]), gradients(literal[0]))


class Masked:
    """A critic whose passes have the dropout masks of seeds 0, 1, 2, …, or of the seed that is given."""

    def __init__(self, critic):
        self.critic, self.masks, self.passes = critic, torch.Generator(), 0
        for module in critic.modules():
            if isinstance(module, Dropout):
                module.source = self.masks

    def features_and_score(self, x, seed=None):
        self.masks.manual_seed(self.passes if seed is None else seed)
        self.passes += 1
        return self.critic.features_and_score(x)

    def __call__(self, x, seed=None):
        return self.features_and_score(x, seed)[1]


def test_robust_ct_gan_is_the_literal_algorithm():
    """Lines 4 to 10 with every pass written out; a perturbation has the masks of the clean pass that it is found in."""
    made = recipe("ct-gan", Robust(noise_radius=1.5, image_radius=0.7, weight=2.0), **SMALL)
    real, z, mix = batch(made)
    ours, (generator, network) = double(made), double(made)
    critic_gradients(ours[0], Masked(ours[1]), made, real, z, mix)

    critic, fake = Masked(network), generator(z).detach()

    def push(images, seed, sign):
        images = images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(sign * critic(images, seed).mean(), images)
        return images.detach() + 0.7 * slope / slope.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

    worst_real, worst_fake = push(real, 0, -1), push(fake, 1, 1)
    along = mix.view(-1, 1, 1, 1)
    between = (along * fake + (1 - along) * real).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between, 2).sum(), between, create_graph=True)
    (features, score), (others, other) = critic.features_and_score(real, 3), critic.features_and_score(real, 4)
    total = critic(fake, 1).mean() - critic(real, 0).mean()
    total = total + 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    total = total + 2 * ((score - other) ** 2 + 0.1 * ((features - others) ** 2).mean(dim=1)).mean()
    total = total + 2.0 * (critic(worst_fake, 6).mean() - critic(worst_real, 5).mean())
    network.zero_grad()
    total.backward()
    same(gradients(ours[1]), gradients(network))

    for one in (*ours, generator, network):
        one.zero_grad()
    ours[1].requires_grad_(False)
    generator_gradients(ours[0], Masked(ours[1]), made, z)
    point = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(-critic(generator(point), 0).mean(), point)
    worst = z + 1.5 * slope / slope.norm(dim=1, keepdim=True)
    (-critic(generator(z), 0).mean() - 2.0 * critic(generator(worst), 1).mean()).backward()
    same(gradients(ours[0]), gradients(generator))


def test_official_resnet_critic_is_the_published_sum():
    """Clean + 10 GP, the same at worst noise, .15 on pushed pairs of either, 10 GP between x and pushed fakes."""
    made = recipe("wgan-gp-res", "official", **SMALL)
    real, z, mix = batch(made)
    generator, critic = double(made)
    critic_gradients(generator, critic, made, real, z, mix)
    ours = gradients(critic)

    generator, critic = double(made)

    def push(images, sign):
        images = images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(sign * critic(images).mean(), images)
        return images.detach() + 4 * slope / slope.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

    def penalty(fakes):
        between = (real + mix.view(-1, 1, 1, 1) * (fakes - real)).detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()

    point = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(-critic(generator(point)).mean(), point)
    worst = generator(z + 0.01 * slope / slope.norm(dim=1, keepdim=True)).detach()
    fake = generator(z).detach()
    total = critic(fake).mean() + penalty(fake) + critic(worst).mean() + penalty(worst) - 2 * critic(real).mean()
    for fakes in (fake, worst):
        total = total + 0.15 * (critic(push(fakes, 1)).mean() - critic(push(real, -1)).mean())
    total = total + penalty(push(fake, 1))
    critic.zero_grad()
    total.backward()
    same(ours, gradients(critic), 1e-7)


# Deviations of the generator's and the others' weights, where 0.5 lets signals vanish or drown in rounding.
LOUD = {"began": (0.2, 0.2), "improved-gan": (0.5, 2.0)}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_robust_twin_trains_is_kept_and_searched(system, digits, tmp_path):
    """Every recipe makes a finite step; its file gives the same images and losses, folded in either precision."""
    made = named(f"official/{system}", **SMALL | {"critic_steps": 1})
    trainer = Trainer(made, digits, seed=1, precision="float32")
    numbers = trainer.step()
    assert all(torch.isfinite(value) for value in numbers.values()) and "worst_gap" in numbers
    rng = torch.Generator().manual_seed(0)
    for network in (trainer.average, trainer.critic, trainer.companion):  # weights at which every layer matters
        for parameter in network.parameters():
            std = LOUD.get(system, (0.5, 0.5))[network is not trainer.average]
            parameter.data.normal_(std=std, generator=rng)
    gan = trainer.gan()
    checkpoints.save(gan, tmp_path / "gan.safetensors")
    back = checkpoints.load(tmp_path / "gan.safetensors")
    assert back.recipe == trainer.recipe
    z = gan.noise(16, 0).double()
    generator, critic, companion = (copy.deepcopy(one).double() for one in (back.sampler, back.critic, back.companion))
    plain = Gan(back.recipe, generator, critic, companion=companion)
    images = plain.generator(z)
    loss = back.recipe.criterion.generator(plain.critic(images, *companion.beside_fake(images, z)))
    assert float(loss.std()) > 1e-4 * float(loss.abs().mean()) > 0
    for one in (gan, back):
        probe = one.probe(torch.float64)
        assert torch.allclose(probe.generator(z), images, atol=1e-6)
        # Folded weights are written out in float32, of which minibatch discrimination takes the exponential.
        close = 1e-4 if system == "improved-gan" else 1e-5
        assert torch.allclose(probe.loss(z), loss, atol=close * float(loss.std()), rtol=close)
        coarse = one.probe(torch.bfloat16).loss(z.float()).double()
        assert float((coarse - loss).abs().mean()) < 0.4 * float(loss.std()) + 0.01 * float(loss.abs().mean())
    point = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(gan.probe(torch.float64).loss(point).sum(), point)
    assert float(slope.abs().max()) > 0


class Unusual(nn.Module):
    """A network that is no sequence of layers."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(5, 6), nn.Linear(5, 6)

    def forward(self, x):
        return (self.one(x) * self.two(x).tanh()).sum(dim=1, keepdim=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_networks_of_any_make_are_folded_as_they_are(dtype):
    """A module with a forward of its own, sequences in sequences, and convolutions with groups keep their function."""
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, padding=1), nn.BatchNorm2d(6), nn.ReLU())
    nested = nn.Sequential(nn.Conv2d(2, 4, 3, 2), inner, nn.Flatten(), nn.Linear(6 * 9, 5), Unusual())
    for network, x in ((Unusual(), draw((3, 5))), (nested, draw((3, 2, 7, 7)))):
        network.double().eval()
        with torch.no_grad():
            expected = network(x)
            found = fold(copy.deepcopy(network).float() if dtype is not torch.float64 else network, dtype, "cpu")
            close = 1e-10 if dtype is torch.float64 else 0.05
            assert torch.allclose(found(x.to(torch.promote_types(dtype, torch.float32))).double(), expected, atol=close)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gradient_penalty": 5.0}, "both 0"),
        ({"critic_scale": 5.0}, "set gradient_penalty as well"),
        ({"critic_norm": "batch"}, "batch norm mixes images"),
        ({"consistency": 1.0}, "expected dropout"),
        ({"generator_batch": 1}, "generator_batch"),
        ({"critic_scale": 1e-300}, "critic_scale"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes, said):
    with pytest.raises(SettingsError, match=said):
        recipe("bwgan", **changes)
    with pytest.raises(SettingsError, match="gradient penalty"):
        recipe("dcgan", smoothness=1.0)


# ---- names


def test_every_recipe_has_a_name_and_the_ablation_has_its_rows():
    for name in catalogue():
        parts = name.split("/")
        robust = named(name).robust
        assert (robust is not None) == (len(parts) > 1 and parts[-1] != "none"), name
        assert robust is None or robust.terms(), name
    plain, both = named("dcgan"), named("paper/dcgan").robust
    rows = {players: named(f"paper/dcgan/{players}").robust for players in ("generator", "critic")}
    assert plain.robust is None and both.terms() == rows["generator"].terms() | rows["critic"].terms()
    assert rows["generator"].terms() == {"generator_noise": 1.0} and rows["critic"].terms() == {"critic_image": 1.0}
    assert [name for name in catalogue() if name.endswith("/none")] == ["official/wgan-gp/none"]
    for system in SYSTEMS:  # each robust row has a baseline that differs from it in nothing else
        for preset in ("paper", "official"):
            baseline = named(f"{preset}/{system}/none" if f"{preset}/{system}/none" in catalogue() else system)
            for players in ("", "/generator", "/critic"):
                assert dataclasses.replace(named(f"{preset}/{system}{players}"), robust=None) == baseline
    assert named("official/wgan-gp").critic_steps == named("official/wgan-gp/none").critic_steps == 2
    with pytest.raises(SettingsError, match="rgan recipes"):
        named("official/stylegan")


def test_sizes_are_chosen_near_the_data():
    assert [size_near("dcgan", size) for size in (8, 28, 48, 64, 100)] == [25, 28, 64, 64, 64]
    assert [size_near("sngan", size) for size in (28, 48, 96)] == [32, 48, 48]


OWN_GAN = """
import json, sys
from rgan.cli.main import main

for robust in ("none", "paper", "official"):
    common = "--system mlp --data digits --width 16 --latent 5 --iterations 30 --json".split()
    assert main(["train", *common, "--robust", robust, "--out", robust]) == 0
    assert main(["probe", f"{robust}/checkpoint.safetensors", "--samples", "8", "--json"]) == 0
assert main("train --resume --iterations 33 --out paper --json".split()) == 0

import torch
from rgan.models import checkpoints
from rgan.models.recipes import recipe
from rgan.models.gan import fresh_companion

gan = checkpoints.load("paper/checkpoint.safetensors")
z = gan.noise(500, 0)
readers = gan, gan.companion, fresh_companion(gan.recipe, 0)
off = [float((one.encode(gan.images(z)) - z).square().mean()) for one in readers]
print(json.dumps({"steps": float(gan.companion.steps), "off": off}))
"""


def test_the_documented_gan_trains_and_is_searched(tmp_path):
    """The blocks of "Add a GAN" as they stand, put into a copy of the package by their first lines."""
    section = (ROOT / "docs" / "how-to" / "add-a-gan.md").read_text()
    network, entry, companion = (block.split("```")[0] for block in section.split("```python\n")[1:])
    shutil.copytree(ROOT / "rgan", tmp_path / "rgan", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / network.split("\n")[0].removeprefix("# ")
    assert path.parent.is_dir() and not path.exists()
    path.write_text(network + companion)
    systems = tmp_path / "rgan" / "models" / "systems.py"
    lines = [line for line in entry.splitlines() if line and not line.startswith("#")]
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    text = systems.read_text()
    for start, added in (
        ("from rgan.networks.layers import Family\n", imports),
        ("\nSYSTEMS: dict[str, System] = {\n", [line for line in lines if line not in imports]),
    ):
        assert text.count(start) == 1
        text = text.replace(start, start + "".join(f"{line}\n" for line in added))
    systems.write_text(text)

    done = subprocess.run(
        [sys.executable, "-c", OWN_GAN],
        cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *reports, resumed, read = map(json.loads, done.stdout.splitlines())
    trained, probed = reports[::2], reports[1::2]
    assert resumed["iterations"] == read["steps"] == 33
    assert read["off"][0] == pytest.approx(read["off"][1]) and read["off"][0] < read["off"][2]  # it has learnt to read
    assert len({report["metrics"]["critic"] for report in trained}) == 3
    assert all(report["loss"]["worst"] > report["loss"]["random"] for report in probed)
