"""One's own networks wrapped: a StyleGAN2-like generator in w, labels, ranges and priors; what cannot work is said."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

import rgan
from rgan.common.errors import SettingsError
from rgan.models import checkpoints


class Styled(nn.Module):
    """A convolution whose weights w scales and normalises, as StyleGAN2's."""

    def __init__(self, inputs: int, outputs: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.style = nn.Linear(width, inputs)

    def forward(self, x, w):
        weight = self.weight * (1 + self.style(w))[:, None, :, None, None]
        weight = weight / weight.square().sum((2, 3, 4), keepdim=True).add(1e-8).sqrt()
        n, outputs = weight.shape[:2]
        x = conv2d(x.flatten(0, 1)[None], weight.flatten(0, 1), padding=1, groups=n)
        return leaky_relu(x.view(n, outputs, *x.shape[2:]), 0.2)


class StyleLike(nn.Module):
    def __init__(self, size: int = 16, width: int = 8, channels: int = 4):
        super().__init__()
        self.start = nn.Parameter(torch.randn(channels, 4, 4))
        steps = int(math.log2(size // 4)) + 1
        self.layers = nn.ModuleList(Styled(channels, channels, width) for _ in range(steps))
        self.image = nn.Conv2d(channels, 3, 1)

    def forward(self, w):
        x = self.start.expand(len(w), -1, -1, -1)
        for k, layer in enumerate(self.layers):
            x = layer(interpolate(x, scale_factor=2) if k else x, w)
        return self.image(x).tanh()


def critic(size: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 4, size // 4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1))


@pytest.mark.parametrize("size", [16, 256])
def test_a_style_based_generator_is_attacked_in_w(size):
    torch.manual_seed(0)
    mapping = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8))
    network = StyleLike(size)
    gan = rgan.wrap(network, critic(size), latent=8, mapping=mapping, loss="wasserstein")
    assert gan.recipe.size == size and gan.recipe.title == "StyleLike" and gan.has_critic
    w = gan.noise(3, seed=1)
    assert w.shape == (3, 8) and torch.equal(w, gan.noise(5, seed=1)[:3])
    with torch.no_grad():
        assert torch.allclose(gan.images(w), network(w), atol=1e-5)
    found = rgan.perturb(gan, w, radius=0.5, budget=4)
    assert (found.loss_worst >= found.loss_original - 1e-5).all() and found.r.norm(dim=1).max() <= 0.5001
    assert gan.features(gan.images(w)).shape == (3, 64)


class Conditional(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.layer = nn.Linear(10, 64)

    def forward(self, z, labels):
        z = torch.cat([z.flatten(1), self.table(labels)], 1)
        return self.layer(z).sigmoid().view(-1, 1, 8, 8)


def test_labels_ranges_and_shapes():
    network = Conditional()
    gan = rgan.wrap(network, latent=(6, 1, 1), classes=5, value_range=(0.0, 1.0), prior="uniform")
    z, labels = gan.noise(5, 0), torch.arange(5)
    uniform = torch.distributions.Normal(0.0, 1.0).cdf(z) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(gan.images(z, labels), 2 * network(uniform.view(5, 6, 1, 1), labels) - 1, atol=1e-5)
    assert torch.allclose(gan.of_class(3).images(z), gan.images(z, 3)) and not gan.has_critic
    with pytest.raises(SettingsError, match="label between 0 and 4"):
        gan.images(z, 5)


def test_a_sphere_keeps_its_radius():
    network = nn.Sequential(nn.Linear(9, 64), nn.Unflatten(1, (1, 8, 8)))
    gan = rgan.wrap(network, latent=9, prior="sphere")
    z = gan.noise(2, 0)
    with torch.no_grad():
        assert torch.allclose(gan.images(z), network(3 * z / z.norm(dim=1, keepdim=True)), atol=1e-5)


class Restless(nn.Module):
    def forward(self, z):
        return torch.rand(len(z), 1, 8, 8)


def test_what_cannot_work_is_said(tmp_path):
    flat = nn.Linear(4, 64)
    for network, options, words in (
        (flat, {}, "expected square images"),
        (nn.Linear(5, 64), {}, "expected a generator of noise"),
        (Restless(), {}, "draw the same images of the same noise"),
        (flat, {"prior": "cauchy"}, "prior"),
        (flat, {"value_range": (1.0, 0.0)}, "black below white"),
    ):
        with pytest.raises(SettingsError, match=words):
            rgan.wrap(network, latent=4, **options)
    gan = rgan.wrap(nn.Sequential(flat, nn.Unflatten(1, (1, 8, 8))), latent=4)
    with pytest.raises(SettingsError, match="code of your own"):
        checkpoints.save(gan, tmp_path / "a.safetensors")


def test_data_and_real_images_make_a_judge_and_a_reference():
    generator, real = nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, (1, 8, 8))), torch.ones(5, 1, 8, 8)
    gan = rgan.wrap(generator, latent=4, data="digits", real=real.to(torch.uint8))
    assert gan.data == "digits" and torch.equal(gan.reference, real.to(torch.uint8))
    for wrong in (real, real.to(torch.uint8)[..., :7], real.to(torch.uint8)[:0]):
        with pytest.raises(SettingsError, match=r"expected real images, uint8 \(n, 1, 8, 8\)"):
            rgan.wrap(generator, latent=4, real=wrong)
