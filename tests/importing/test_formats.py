"""Each foreign format: the other project's networks, built from their published layers and saved as it saves them, give
the same numbers here.
"""

import io
import random
from collections import OrderedDict
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, normalize
from torch.nn.utils import parametrizations
from torch.nn.utils.parametrize import is_parametrized
from torch.nn.utils.spectral_norm import SpectralNorm as OldSpectralNorm
from torch.nn.utils.spectral_norm import spectral_norm

from rgan.importing import conversion
from rgan.importing.formats import Store, images, nearest, recognise
from rgan.models.gan import Gan
from rgan.networks.labels import labelled
from tests.work import calls

ATOL = 1e-5


def saved(value, **options) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network in evaluation, its batch norms as after a training, its spectral norms as after a few steps."""
    rng = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.copy_(torch.randn(value.shape, generator=rng) / 3)
        elif name.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=rng) + 0.3)
        elif name.endswith(("weight", "weight_orig", "original", "bias")):
            value.copy_(torch.randn(value.shape, generator=rng) / value[0].numel() ** 0.5)
    for module in network.train().modules():
        for _ in range(10):
            for hook in module._forward_pre_hooks.values():
                hook(module, ())
            if is_parametrized(module):
                module.parametrizations["weight"]()  # each use is a step
            if isinstance(module, OneStepSpectral):
                module.step()
    return network.eval()


def settled(generator: nn.Module, shape=(), critic: nn.Module | None = None, labels=(None,)) -> None:
    """Batch norms remember what comes through, as after a training: what the networks make of noise and of images."""
    both = [generator] if critic is None else [generator, critic]
    kinds = nn.BatchNorm1d | nn.BatchNorm2d
    for norm in (module for network in both for module in network.modules() if isinstance(module, kinds)):
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for label in [one for one in labels for _ in range(4)]:
            known = {} if label is None else {"label": label}
            images = generator(torch.randn((128, *shape), generator=rng), **known)
            if critic is not None:
                critic(images, **known)
    for network in both:
        network.eval()


def agree(gan: Gan, generator: nn.Module, critic: nn.Module | None = None, z_shape=(), **inputs) -> None:
    """Images and scores of an imported Gan are those of the networks it was imported from."""
    z = gan.noise(5, 1)
    if "label" in inputs:
        gan = gan.of_class(inputs["label"])
    with torch.no_grad(), labelled(gan.label):
        theirs = generator(z.view(5, -1, *z_shape), **inputs)
        assert theirs.shape == (5, gan.recipe.channels, gan.recipe.size, gan.recipe.size)
        assert torch.allclose(gan.sampler(z), theirs, atol=ATOL)
        assert torch.allclose(gan.probe().images(z), theirs, atol=ATOL)
        if critic is not None:
            images = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(2)) / 3
            images = (images + torch.linspace(-0.7, 0.7, 5).view(5, 1, 1, 1)).clamp(-1, 1)
            scores = critic(images.clone(), **inputs).flatten()  # some work in place
            assert torch.allclose(gan.critic(images), scores, atol=ATOL) and scores.std() > 10 * ATOL
            assert torch.allclose(gan.probe().score(images), scores, atol=ATOL)


def files(generator, critic=None, **options) -> list[tuple[str, bytes]]:
    both = [("netG.pth", saved(generator.state_dict(), **options))]
    return both if critic is None else [*both, ("netD.pth", saved(critic.state_dict(), **options))]


def up(inputs, outputs, kernel=4, stride=2, padding=1, bias=False):
    return nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=bias)


def down(inputs, outputs, kernel=4, stride=2, padding=1, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)


class Main(nn.Module):
    """A network whose layers lie in `main`."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def leaky(slope=0.2):
    return nn.LeakyReLU(slope, inplace=True)


def examples(size: int, channels: int):
    """pytorch/examples at 64 pixels, and forks: 32 (last kernels of 1 and 2), 28 (cut by 2)."""
    last = [up(2, channels)] if size == 64 else [up(2, channels, 1, 1, 2 if size == 28 else 0)]
    generator = Main(
        up(7, 16, 4, 1, 0), nn.BatchNorm2d(16), nn.ReLU(True), up(16, 8), nn.BatchNorm2d(8), nn.ReLU(True),
        up(8, 4), nn.BatchNorm2d(4), nn.ReLU(True), up(4, 2), nn.BatchNorm2d(2), nn.ReLU(True), *last, nn.Tanh(),
    )  # fmt: skip
    widths = (2, 4, 8) if size == 28 else (2, 4, 8, 16)
    layers = [down(channels, 2), leaky()]
    for inputs, outputs in pairwise(widths):
        layers += [down(inputs, outputs), nn.BatchNorm2d(outputs), leaky()]
    ends = {64: down(16, 1, 4, 1, 0), 32: down(16, 1, 2, 1, 0), 28: down(8, 1, 4, 2, 1)}
    return generator, Main(*layers, ends[size])


@pytest.mark.parametrize(("size", "channels", "legacy"), [(64, 3, False), (32, 3, True), (28, 1, True)])
def test_pytorch_examples(size, channels, legacy):
    generator, critic = map(lively, examples(size, channels))
    settled(generator, (7, 1, 1), critic)
    proposal = conversion.read(files(generator, critic, _use_new_zipfile_serialization=not legacy))
    agree(gan := proposal.gan(), generator, critic, (1, 1))
    assert gan.recipe.title == "DCGAN of pytorch/examples" and gan.recipe.loss == "non-saturating"
    assert gan.recipe.latent == 7 and gan.recipe.size == size
    assert ("cut" in {question.name for question in proposal.questions()}) == (size < 64)


@pytest.mark.parametrize("prefix", ["", "net.", "gen.", "model.", "model.main."])
def test_a_dcgan_by_other_names(prefix):
    """Copies of PyTorch's example call their one nn.Sequential as they like, or have nothing else."""
    generator, critic = map(lively, examples(32, 3))
    settled(generator, (7, 1, 1), critic)
    both = []
    for name, network, own in (("g.pth", generator, prefix), ("d.pth", critic, prefix.replace("gen", "disc"))):
        state = {own + key.removeprefix("main."): value for key, value in network.state_dict().items()}
        both.append((name, saved(state)))
    gan = conversion.read(both).gan()
    assert gan.recipe.title == "DCGAN of pytorch/examples"
    agree(gan, generator, critic, z_shape=(1, 1))


def wasserstein(dot: str):
    generator, critic = OrderedDict(), OrderedDict()
    generator |= {"initial:7-8:convt": up(7, 8, 4, 1, 0), "initial:8:batchnorm": nn.BatchNorm2d(8), "a": nn.ReLU()}
    generator |= {"pyramid:8-4:convt": up(8, 4), "pyramid:4:batchnorm": nn.BatchNorm2d(4), "b": nn.ReLU()}
    generator |= {"pyramid:4-2:convt": up(4, 2), "pyramid:2:batchnorm": nn.BatchNorm2d(2), "c": nn.ReLU()}
    for k in range(2):
        generator |= {f"extra-layers-{k}:2:conv": down(2, 2, 3, 1, 1)}
        generator |= {f"extra-layers-{k}:2:batchnorm": nn.BatchNorm2d(2), f"d{k}": nn.ReLU()}
    generator |= {"final:2-3:convt": up(2, 3), "final:3:tanh": nn.Tanh()}
    critic |= {"initial:conv:3-2": down(3, 2), "a": leaky(), "extra-layers-0:2:conv": down(2, 2, 3, 1, 1)}
    critic |= {"extra-layers-0:2:batchnorm": nn.BatchNorm2d(2), "b": leaky()}
    critic |= {"pyramid:2-4:conv": down(2, 4), "pyramid:4:batchnorm": nn.BatchNorm2d(4), "c": leaky()}
    critic |= {"pyramid:4-8:conv": down(4, 8), "pyramid:8:batchnorm": nn.BatchNorm2d(8), "d": leaky()}
    critic |= {"final:8-1:conv": down(8, 1, 4, 1, 0)}
    nets = [lively(nn.Sequential(OrderedDict(main=nn.Sequential(layers)))) for layers in (generator, critic)]
    states = [{name.replace(":", dot): value for name, value in net.state_dict().items()} for net in nets]
    return nets, states


@pytest.mark.parametrize("dot", [".", ":"])
def test_wasserstein_gan(dot):
    nets, states = wasserstein(dot)
    gan = conversion.read([("netG.pth", saved(states[0])), ("netD.pth", saved(states[1]))]).gan()
    agree(gan, *nets, (1, 1))
    assert gan.recipe.title == "DCGAN of WassersteinGAN" and gan.recipe.loss == "wasserstein"


class Decision(nn.Module):
    """pytorch_GAN_zoo's: a first or last layer beside `main`, whose layers are named by kind and depth."""

    def __init__(self, name: str, layer: nn.Module, layers: dict[str, nn.Module]):
        super().__init__()
        self.name, self.main = name, nn.Sequential(OrderedDict(layers))
        setattr(self, name, layer)

    def forward(self, x):
        if self.name == "formatLayer":
            return self.main(self.formatLayer(x)).tanh()
        return self.decisionLayer(self.main(x))


def test_pytorch_gan_zoo_and_its_average():
    def generator(seed):
        layers = {"batchNorm0": nn.BatchNorm2d(8), "relu0": nn.ReLU(True)}
        for k, (inputs, outputs) in enumerate(((8, 4), (4, 2)), 1):
            layers |= {f"convTranspose{k}": up(inputs, outputs), f"batchNorm{k}": nn.BatchNorm2d(outputs)}
            layers |= {f"relu{k}": nn.ReLU(True)}
        return lively(Decision("formatLayer", up(6, 8, 4, 1, 0), layers | {"outlayer": up(2, 3)}), seed)

    layers = {"convTranspose2": down(3, 2), "relu2": leaky()}
    for k, (inputs, outputs) in ((1, (2, 4)), (0, (4, 8))):
        layers |= {f"convTranspose{k}": down(inputs, outputs), f"batchNorm{k}": nn.BatchNorm2d(outputs)}
        layers |= {f"relu{k}": leaky()}
    critic = lively(Decision("decisionLayer", down(8, 1, 4, 1, 0), layers))
    nets = {"netG": generator(0), "netD": critic, "avgG": generator(1)}
    value = {"config": NoLoss()} | {name: net.state_dict() for name, net in nets.items()}
    gan = conversion.read([("default_s3_i9.pt", saved(value))]).gan()
    agree(gan, nets["avgG"], critic, (1, 1))
    assert gan.recipe.title == "DCGAN of pytorch_GAN_zoo" and gan.average is not None


class Linear(nn.Module):
    """Linear, view, main; or main, flatten, linear."""

    def __init__(self, linear: nn.Linear, *layers: nn.Module, maps: int = 0):
        super().__init__()
        self.linear, self.maps = linear, maps
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        if self.maps:
            x = self.linear(x)
            return self.main(x.view(len(x), self.maps, round((x.shape[1] / self.maps) ** 0.5), -1))
        return self.linear(self.main(x).flatten(1))


def collections_cnn(spectral):
    layers = [nn.BatchNorm2d(16), nn.ReLU(True)]
    for inputs, outputs in ((16, 8), (8, 4), (4, 2)):
        layers += [up(inputs, outputs, bias=True), nn.BatchNorm2d(outputs), nn.ReLU(True)]
    generator = Linear(nn.Linear(6, 16 * 9), *layers, down(2, 3, 3, 1, 1, True), nn.Tanh(), maps=16)
    convs = []
    for k, (inputs, outputs) in enumerate(((3, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16), (16, 16))):
        convs += [spectral(down(inputs, outputs, *((3, 1, 1) if k % 2 == 0 else (4, 2, 1)), True)), leaky(0.1)]
    return generator, Linear(spectral(nn.Linear(16 * 9, 1)), *convs)


@pytest.mark.parametrize(
    ("spectral", "loss"),
    [(spectral_norm, "hinge"), (parametrizations.spectral_norm, "hinge"), (lambda layer: layer, "wasserstein")],
)
def test_pytorch_gan_collections_cnn(spectral, loss):
    generator, critic = map(lively, collections_cnn(spectral))
    value = {"net_G": generator.state_dict(), "net_D": critic.state_dict(), "optim_G": {"state": {}}, "sched_G": {}}
    gan = conversion.read([("model.pt", saved(value))]).gan()
    agree(gan, generator, critic)
    assert gan.recipe.size == 24 and gan.recipe.loss == loss


def test_pytorch_gan_collections_dcgan():
    layers = [up(9, 16, 2, 1, 0), nn.BatchNorm2d(16), nn.ReLU(True)]
    for inputs, outputs in ((16, 8), (8, 4), (4, 2)):
        layers += [up(inputs, outputs), nn.BatchNorm2d(outputs), nn.ReLU(True)]
    generator = lively(Main(*layers, up(2, 3), nn.Tanh()))
    convs = []
    for inputs, outputs in ((3, 2), (2, 4), (4, 8), (8, 16)):
        convs += [nn.Conv2d(inputs, outputs, 5, 2, 2), leaky(), nn.BatchNorm2d(outputs)][: 2 if inputs == 3 else 3]
    critic = lively(Linear(nn.Linear(64, 1), *convs))
    settled(generator, (9, 1, 1), critic)
    value = {"net_G": generator.state_dict(), "net_D": critic.state_dict()}
    gan = conversion.read([("model.pt", saved(value))]).gan()
    agree(gan, generator, critic, (1, 1))
    assert gan.recipe.size == 32 and gan.recipe.loss == "non-saturating"


class Shortcut(nn.Module):
    def __init__(self, residual: nn.Sequential, shortcut: nn.Sequential):
        super().__init__()
        self.residual, self.shortcut = residual, shortcut

    def forward(self, x):
        return self.residual(x) + self.shortcut(x)


def three(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, 1, 1)


class CollectionsResGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 64)

        def block():
            residual = nn.Sequential(
                nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2), three(4, 4), nn.BatchNorm2d(4), nn.ReLU(),
                three(4, 4),
            )  # fmt: skip
            return Shortcut(residual, nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 1)))

        self.blocks = nn.Sequential(block(), block(), block())
        self.output = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(True), three(4, 3), nn.Tanh())

    def forward(self, z):
        return self.output(self.blocks(self.linear(z).view(-1, 4, 4, 4)))


class CollectionsResCritic(nn.Module):
    def __init__(self, spectral):
        super().__init__()

        def block(down):
            pool = [nn.AvgPool2d(2)] if down else []
            residual = nn.ReLU(), spectral(three(4, 4)), nn.ReLU(), spectral(three(4, 4)), *pool
            return Shortcut(
                nn.Sequential(*residual), nn.Sequential(*([spectral(nn.Conv2d(4, 4, 1)), *pool] if down else []))
            )

        first = Shortcut(
            nn.Sequential(spectral(three(3, 4)), nn.ReLU(), spectral(three(4, 4)), nn.AvgPool2d(2)),
            nn.Sequential(nn.AvgPool2d(2), spectral(nn.Conv2d(3, 4, 1))),
        )
        self.model = nn.Sequential(first, block(True), block(False), block(False), nn.ReLU())
        self.linear = spectral(nn.Linear(4, 1, bias=False))

    def forward(self, x):
        return self.linear(self.model(x).sum((2, 3)))


@pytest.mark.parametrize(("spectral", "loss"), [(spectral_norm, "hinge"), (lambda layer: layer, "wasserstein")])
def test_pytorch_gan_collections_resnet(spectral, loss):
    generator, critic = lively(CollectionsResGenerator()), lively(CollectionsResCritic(spectral))
    gan = conversion.read([("m.pt", saved({"net_G": generator.state_dict(), "net_D": critic.state_dict()}))]).gan()
    agree(gan, generator, critic)
    assert gan.recipe.title == "ResNet of pytorch-gan-collections" and gan.recipe.loss == loss


class OneStepSpectral(nn.Module):
    """mimicry's: keeps u, and does one more iteration each time."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.conv = isinstance(layer, nn.Conv2d)
        self.padding = layer.padding if self.conv else 0
        self.register_buffer("sn_u", torch.randn(1, len(layer.weight)))
        self.register_buffer("sn_sigma", torch.ones(1))

    def step(self):
        matrix = self.weight.flatten(1)
        v = normalize(self.sn_u @ matrix)
        self.sn_u.copy_(normalize(v @ matrix.T).detach())

    def forward(self, x):
        matrix = self.weight.flatten(1)
        v = normalize(self.sn_u @ matrix)
        u = normalize(v @ matrix.T)
        weight = self.weight / (u @ matrix @ v.T)
        if self.conv:
            return nn.functional.conv2d(x, weight, self.bias, padding=self.padding)
        return nn.functional.linear(x, weight, self.bias)


class OneStepSpectralTable(OneStepSpectral):
    """The same of an embedding."""

    def __init__(self, table: nn.Embedding):
        table.bias = None
        super().__init__(table)

    def forward(self, labels):
        v = normalize(self.sn_u @ self.weight)
        u = normalize(v @ self.weight.T)
        return (self.weight / (u @ self.weight @ v.T))[labels]


class SnganBlock(nn.Module):
    """A block of mimicry or sngan.pytorch: `up` names the interpolation, `relu` may work in place."""

    def __init__(self, inputs, outputs, *, up="", down=False, first=False, wrap=lambda layer: layer, relu=None):
        super().__init__()
        hidden = outputs if up or first else inputs
        self.c1, self.c2 = wrap(three(inputs, hidden)), wrap(three(hidden, outputs))
        if up:
            self.b1, self.b2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(hidden)
        if up or down or inputs != outputs:
            self.c_sc = wrap(nn.Conv2d(inputs, outputs, 1))
        self.up, self.down, self.first, self.activation = up, down, first, relu or nn.ReLU()

    def residual(self, x):
        if self.up:
            x = self.activation(self.b1(x))
            x = self.c1(interpolate(x, scale_factor=2, mode=self.up))
            return self.c2(self.activation(self.b2(x)))
        x = self.c1(x if self.first else self.activation(x))
        x = self.c2(self.activation(x))
        return avg_pool2d(x, 2) if self.down else x

    def shortcut(self, x):
        if self.up:
            return self.c_sc(interpolate(x, scale_factor=2, mode=self.up))
        if self.first:
            return self.c_sc(avg_pool2d(x, 2))
        x = self.c_sc(x) if hasattr(self, "c_sc") else x
        return avg_pool2d(x, 2) if self.down else x

    def forward(self, x):
        return self.residual(x) + self.shortcut(x)


class SnganGenerator(nn.Module):
    def __init__(self, widths, bottom, mode):
        super().__init__()
        self.l1, self.first, self.bottom = nn.Linear(5, widths[0] * bottom**2), widths[0], bottom
        pairs = list(pairwise(widths))
        self.blocks = [f"block{k}" for k in range(2, 2 + len(pairs))]
        for name, (inputs, outputs) in zip(self.blocks, pairs, strict=True):
            setattr(self, name, SnganBlock(inputs, outputs, up=mode))
        self.last = len(pairs) + 2
        setattr(self, f"b{self.last}", nn.BatchNorm2d(widths[-1]))
        setattr(self, f"c{self.last}", three(widths[-1], 3))

    def forward(self, z):
        h = self.l1(z).view(len(z), self.first, self.bottom, self.bottom)
        for name in self.blocks:
            h = getattr(self, name)(h)
        return getattr(self, f"c{self.last}")(getattr(self, f"b{self.last}")(h).relu()).tanh()


class SnganCritic(nn.Module):
    def __init__(self, widths, downs, wrap, relu, *, bias, mean, score):
        super().__init__()
        self.block1 = SnganBlock(3, widths[0], down=True, first=True, wrap=wrap, relu=relu)
        for k, (inputs, outputs, half) in enumerate(zip(widths, widths[1:], downs, strict=False), 2):
            setattr(self, f"block{k}", SnganBlock(inputs, outputs, down=half, wrap=wrap, relu=relu))
        self.count, self.mean, self.score = len(widths), mean, score
        setattr(self, score, wrap(nn.Linear(widths[-1], 1, bias=bias)))

    def forward(self, x):
        for k in range(1, self.count + 1):
            x = getattr(self, f"block{k}")(x)
        x = x.relu()
        return getattr(self, self.score)(x.mean((2, 3)) if self.mean else x.sum((2, 3)))


SHAPES = {  # generator's widths and bottom, critic's widths, which blocks after the first halve, mimicry's last layer
    32: ((4, 4, 4, 4), 4, (4, 4, 4, 4), (True, False, False), "l5"),
    48: ((16, 8, 4, 2), 6, (2, 4, 8, 16, 32), (True, True, True, False), "l5"),
    64: ((16, 8, 4, 2, 2), 4, (2, 4, 8, 16, 32), (True, True, True, True), "l6"),
}


@pytest.mark.parametrize("size", [32, 48, 64])
@pytest.mark.parametrize("kind", ["sngan", "wgan-gp"])
def test_mimicry(size, kind):
    up_widths, bottom, widths, downs, score = SHAPES[size]
    wrap = OneStepSpectral if kind == "sngan" else lambda layer: layer
    generator = lively(SnganGenerator(up_widths, bottom, "bilinear"))
    critic = lively(SnganCritic(widths, downs, wrap, nn.ReLU(True), bias=True, mean=kind != "sngan", score=score))
    told = [{"model_state_dict": net.state_dict(), "global_step": 5} for net in (generator, critic)]
    gan = conversion.read([("netG_5_steps.pth", saved(told[0])), ("netD_5_steps.pth", saved(told[1]))]).gan()
    agree(gan, generator, critic)
    assert gan.recipe.title == "ResNet of mimicry" and gan.recipe.size == size
    assert gan.recipe.loss == ("hinge" if kind == "sngan" else "wasserstein")


@pytest.mark.parametrize("size", [32, 48])
def test_sngan_pytorch_and_the_papers_code(size):
    up_widths, bottom, widths, downs, _ = SHAPES[size]
    generator, average = (lively(SnganGenerator(up_widths, bottom, "nearest"), seed) for seed in (0, 1))
    score = "l5" if size == 32 else "l6"
    critic = lively(SnganCritic(widths, downs, spectral_norm, nn.ReLU(), bias=False, mean=False, score=score))
    value = {
        "epoch": 3, "model": "sngan_cifar10", "gen_state_dict": generator.state_dict(),
        "dis_state_dict": critic.state_dict(), "avg_gen_state_dict": average.state_dict(), "best_fid": 20.5,
    }  # fmt: skip
    proposal = conversion.read([("checkpoint.pth", saved(value))])
    agree(gan := proposal.gan(), average, critic)
    with torch.no_grad():
        assert torch.allclose(gan.generator(gan.noise(3, 0)), generator(gan.noise(3, 0)), atol=ATOL)
    assert "moving average of the generator's weights draws the images" in " ".join(proposal.notes())
    assert gan.recipe.title == "ResNet of sngan.pytorch and the official RGAN" and gan.recipe.loss == "hinge"


def test_doubling_is_asked_where_no_wrapper_tells():
    generator = lively(SnganGenerator(SHAPES[32][0], 4, "nearest"))
    proposal = conversion.read([("g.pth", saved(generator.state_dict()))])
    question = next(one for one in proposal.questions() if one.name == "upsampling")
    assert question.guess == "bilinear" and set(question.options) == {"nearest", "bilinear"}
    agree(proposal.gan({"upsampling": "nearest"}), generator)


class StudioGenBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inputs, 1e-4), nn.BatchNorm2d(outputs, 1e-4)
        self.conv2d0, self.conv2d1, self.conv2d2 = (
            nn.Conv2d(inputs, outputs, 1),
            three(inputs, outputs),
            three(outputs, outputs),
        )

    def forward(self, x):
        h = self.conv2d1(interpolate(self.bn1(x).relu(), scale_factor=2))
        return self.conv2d2(self.bn2(h).relu()) + self.conv2d0(interpolate(x, scale_factor=2))


class StudioGenerator(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.linear0, self.first = nn.Linear(5, widths[0] * 16), widths[0]
        pairs = pairwise(widths)
        self.blocks = nn.ModuleList(nn.ModuleList([StudioGenBlock(*pair)]) for pair in pairs)
        self.bn4, self.conv2d5 = nn.BatchNorm2d(widths[-1], 1e-4), three(widths[-1], 3)

    def forward(self, z):
        h = self.linear0(z).view(-1, self.first, 4, 4)
        for (block,) in self.blocks:
            h = block(h)
        return self.conv2d5(self.bn4(h).relu()).tanh()


class StudioDisBlock(nn.Module):
    def __init__(self, inputs, outputs, half, first, spectral):
        super().__init__()
        wrap = spectral_norm if spectral else lambda layer: layer
        self.first, self.half, self.spectral = first, half, spectral
        self.conv2d1 = wrap(three(inputs, outputs))
        self.conv2d2 = wrap(three(outputs, outputs))
        if half or inputs != outputs:
            self.conv2d0 = wrap(nn.Conv2d(inputs, outputs, 1))
        if not spectral:
            if hasattr(self, "conv2d0"):
                self.bn0 = nn.BatchNorm2d(inputs, 1e-4)
            self.bn1 = nn.BatchNorm2d(outputs if first else inputs, 1e-4)
            if not first:
                self.bn2 = nn.BatchNorm2d(outputs, 1e-4)
        self.activation = nn.ReLU(inplace=True)

    def norm(self, name, x):
        return x if self.spectral else getattr(self, name)(x)

    def forward(self, x):
        x0 = x
        if self.first:
            x = avg_pool2d(self.conv2d2(self.activation(self.norm("bn1", self.conv2d1(x)))), 2)
            return x + self.conv2d0(self.norm("bn0", avg_pool2d(x0, 2)))
        x = self.conv2d1(self.activation(self.norm("bn1", x)))
        x = self.conv2d2(self.activation(self.norm("bn2", x)))
        if hasattr(self, "conv2d0"):
            x0 = self.conv2d0(self.norm("bn0", x0))
        return avg_pool2d(x, 2) + avg_pool2d(x0, 2) if self.half else x + x0


class StudioCritic(nn.Module):
    def __init__(self, widths, halves, spectral):
        super().__init__()
        pairs = zip((3, *widths), widths, halves, strict=False)
        self.blocks = nn.ModuleList(
            nn.ModuleList([StudioDisBlock(a, b, half, k == 0, spectral)]) for k, (a, b, half) in enumerate(pairs)
        )
        self.linear1 = (spectral_norm if spectral else lambda layer: layer)(nn.Linear(widths[-1], 1))

    def forward(self, x):
        for (block,) in self.blocks:
            x = block(x)
        return self.linear1(x.relu().sum((2, 3)))


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize("size", [32, 64])
def test_studiogan_resnet(size, spectral):
    small = size == 32
    generator = lively(StudioGenerator((4, 4, 4, 4) if small else (8, 4, 4, 2, 2)))
    halves = (True, True, False, False) if small else (True, True, True, True, False)
    critic = lively(StudioCritic((4, 4, 4, 4) if small else (2, 4, 4, 8, 16), halves, spectral))
    told = [{"state_dict": net.state_dict(), "optimizer": {"state": {}}, "step": 3} for net in (generator, critic)]
    gan = conversion.read([("model=G-best.pth", saved(told[0])), ("model=D-best.pth", saved(told[1]))]).gan()
    agree(gan, generator, critic)
    assert gan.recipe.title == "ResNet of StudioGAN"


class StudioNorm(nn.Module):
    """StudioGAN's batch norm of one class: its scale and shift are linear in the class, one-hot."""

    def __init__(self, channels: int, label: int):
        super().__init__()
        self.bn, self.label = nn.BatchNorm2d(channels, 1e-4, affine=False), label
        self.gain, self.bias = (nn.Linear(5, channels, bias=False) for _ in range(2))

    def forward(self, x):
        hot = nn.functional.one_hot(torch.tensor([self.label]), 5).float()
        return self.bn(x) * (1 + self.gain(hot))[..., None, None] + self.bias(hot)[..., None, None]


class MimicryNorm(nn.Module):
    """mimicry's: an embedding of each class holds the scale, then the shift."""

    def __init__(self, channels: int, label: int):
        super().__init__()
        self.bn, self.label = nn.BatchNorm2d(channels, affine=False), label
        self.embed = nn.Embedding(5, 2 * channels)

    def forward(self, x):
        scale, shift = self.embed.weight[self.label].chunk(2)
        return self.bn(x) * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)


class Projection(nn.Module):
    """A critic whose score has the product of its features and the class's embedding added."""

    def __init__(self, critic: nn.Module, last: str, embedding: str, width: int, label: int, wrap):
        super().__init__()
        self.critic, self.last, self.label = critic, last, label
        setattr(critic, embedding, wrap(nn.Embedding(5, width)))
        self.embedding = embedding

    def forward(self, x):
        kept = []
        hook = getattr(self.critic, self.last).register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
        score = self.critic(x)
        hook.remove()
        labels = torch.full((len(x),), self.label)
        return score + (getattr(self.critic, self.embedding)(labels) * kept[0]).sum(1, keepdim=True)


@pytest.mark.parametrize("label", [0, 3])
def test_resnets_are_drawn_class_by_class(label):
    for program in ("StudioGAN", "mimicry"):
        if program == "StudioGAN":
            generator, norm, names = StudioGenerator((4, 4, 4, 4)), StudioNorm, ("bn1", "bn2")
            blocks = [block for (block,) in generator.blocks]
            critic = StudioCritic((4, 4, 4, 4), (True, True, False, False), True)
            last, embedding, wrap = "linear1", "embedding", spectral_norm
        else:
            generator, norm, names = SnganGenerator((4, 4, 4, 4), 4, "bilinear"), MimicryNorm, ("b1", "b2")
            blocks = [getattr(generator, name) for name in generator.blocks]
            settings = {"bias": True, "mean": False, "score": "l5"}
            critic = SnganCritic((4, 4, 4, 4), (True, False, False), OneStepSpectral, nn.ReLU(True), **settings)
            last, embedding, wrap = "l5", "l_y", OneStepSpectralTable
        for block in blocks:
            for name in names:
                setattr(block, name, norm(getattr(block, name).num_features, label))
        judge = lively(Projection(critic, last, embedding, 4, label, wrap))
        wrapper = "state_dict" if program == "StudioGAN" else "model_state_dict"
        told = [("g.pth", saved({wrapper: lively(generator).state_dict()}))]
        told += [("d.pth", saved({wrapper: critic.state_dict()}))]
        gan = conversion.read(told).gan({"class": str(label)})
        agree(gan, generator, judge)
        assert gan.recipe.title.endswith(f"{program}, {gan.classes} classes") and gan.classes > label


class StudioConvGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear0 = nn.Linear(5, 128)
        self.blocks = nn.ModuleList()
        for inputs, outputs in ((8, 4), (4, 4), (4, 2)):
            block = nn.Module()
            block.deconv0, block.bn0 = up(inputs, outputs, bias=True), nn.BatchNorm2d(outputs, 1e-4)
            self.blocks.append(nn.ModuleList([block]))
        self.conv4 = three(2, 3)

    def forward(self, z):
        h = self.linear0(z).view(-1, 8, 4, 4)
        for (block,) in self.blocks:
            h = block.bn0(block.deconv0(h)).relu()
        return self.conv4(h).tanh()


class StudioConvCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList()
        for inputs, outputs in ((3, 2), (2, 4), (4, 8)):
            block = nn.Module()
            block.conv0, block.conv1 = three(inputs, outputs), down(outputs, outputs, bias=True)
            block.bn0, block.bn1 = nn.BatchNorm2d(outputs, 1e-4), nn.BatchNorm2d(outputs, 1e-4)
            self.blocks.append(nn.ModuleList([block]))
        self.conv, self.bn, self.linear1 = three(8, 16), nn.BatchNorm2d(16, 1e-4), nn.Linear(16, 1)

    def forward(self, x):
        for (block,) in self.blocks:
            x = block.bn1(block.conv1(block.bn0(block.conv0(x)).relu())).relu()
        return self.linear1(self.bn(self.conv(x)).relu().sum((2, 3)))


def test_studiogan_cnn_and_its_moving_average():
    generator, average, critic = (
        lively(StudioConvGenerator()),
        lively(StudioConvGenerator(), 1),
        lively(StudioConvCritic()),
    )
    told = {"model=G-best.pth": generator, "model=G_ema-best.pth": average, "model=D-best.pth": critic}
    proposal = conversion.read([(name, saved({"state_dict": net.state_dict()})) for name, net in told.items()])
    agree(proposal.gan(), average, critic)
    assert "model=G_ema-best.pth, state_dict" in " ".join(proposal.notes())


def test_conditional_studiogan_cnn():
    generator = StudioConvGenerator()
    for (block,) in generator.blocks:
        block.bn0 = StudioNorm(block.bn0.num_features, 2)
    critic = lively(StudioConvCritic())
    critic.linear2 = nn.Linear(16, 5, bias=False)
    proposal = conversion.read(files(lively(generator), critic))
    agree(proposal.gan({"class": "2"}), generator, critic)
    assert "the critic's guess of the class is left out" in proposal.notes()


def test_norms_that_remember_nothing_true_are_not_believed():
    """Filled in at random, they speak against every reading; the usual one stays among the first."""
    generator, critic = map(lively, examples(28, 1))
    found = conversion.read(files(generator, critic))
    assert "relu" in [{one.name: one.guess for one in each.questions()}["activation"] for each in found.ranked[:2]]
    agree(found.gan({"activation": "relu", "critic activation": "leaky 0.2"}), generator, critic, (1, 1))


class NoLoss:
    """Stands for torchgan's losses, which it pickles whole."""


class TorchganCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Sequential(down(3, 2, bias=True), nn.LeakyReLU(0.2)))
        for inputs, outputs in ((2, 4), (4, 8)):
            self.model.append(nn.Sequential(down(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)))
        self.disc = nn.Sequential(down(8, 1, 4, 1, 0), nn.LeakyReLU(0.2))

    def forward(self, x):
        return self.disc(self.model(x)).view(len(x))


class TorchganGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Sequential(up(6, 8, 4, 1, 0), nn.BatchNorm2d(8), nn.LeakyReLU(0.2)))
        for inputs, outputs in ((8, 4), (4, 2)):
            self.model.append(nn.Sequential(up(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)))
        self.model.append(nn.Sequential(up(2, 3, bias=True), nn.Tanh()))

    def forward(self, z):
        return self.model(z.view(*z.shape, 1, 1))


def test_torchgan_whose_losses_are_pickled():
    generator, critic = lively(TorchganGenerator()), lively(TorchganCritic())
    settled(generator, (6,), critic)
    value = {
        "epoch": 1, "loss_information": {"generator_losses": 0.5}, "loss_objects": [NoLoss()],
        "generator": generator.state_dict(), "discriminator": critic.state_dict(), "optimizer_generator": {"state": {}},
    }  # fmt: skip
    proposal = conversion.read([("gan0.model", saved(value))])
    agree(gan := proposal.gan(), generator, critic)
    assert gan.recipe.title == "DCGAN of torchgan"
    assert f"objects left unread: {__name__}.NoLoss" in " ".join(proposal.notes())


class PyTorchGanGenerator(nn.Module):
    """The convolutional one; classes multiply the noise (as long) or stand behind it."""

    def __init__(self, classes=0, length=0, latent=6, size=16):
        super().__init__()
        self.side, self.multiplied = size // 4, length == latent
        if classes:
            self.label_emb = nn.Embedding(classes, length)
        inputs = latent if self.multiplied or not classes else latent + length
        self.l1 = nn.Sequential(nn.Linear(inputs, 8 * self.side**2))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(8), nn.Upsample(scale_factor=2), three(8, 8), nn.BatchNorm2d(8, 0.8), leaky(),
            nn.Upsample(scale_factor=2), three(8, 4), nn.BatchNorm2d(4, 0.8), leaky(), three(4, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z, label=None):
        if label is not None:
            known = self.label_emb(torch.full((len(z),), label))
            z = known * z if self.multiplied else torch.cat([z, known], -1)
        return self.conv_blocks(self.l1(z).view(len(z), 8, self.side, self.side))


class PyTorchGanCritic(nn.Module):
    def __init__(self, name="model", classes=0):
        super().__init__()
        layers = []
        for inputs, outputs in ((1, 2), (2, 4), (4, 8), (8, 16)):
            layers += [down(inputs, outputs, 3, bias=True), leaky(), nn.Dropout2d(0.25)]
            layers += [nn.BatchNorm2d(outputs, 0.8)] if 1 < inputs < 8 else []
        self.name = name
        setattr(self, name, nn.Sequential(*layers))
        self.adv_layer = nn.Sequential(nn.Linear(16, 1))
        if classes:
            self.aux_layer = nn.Sequential(nn.Linear(16, classes))

    def forward(self, x, label=None):
        return self.adv_layer(getattr(self, self.name)(x).flatten(1))


def test_pytorch_gan_cnn():
    generator, critic = lively(PyTorchGanGenerator()), lively(PyTorchGanCritic())
    settled(generator, (6,), critic)
    gan = conversion.read(files(generator, critic)).gan()
    agree(gan, generator, critic)
    assert gan.recipe.title == "CNN of PyTorch-GAN" and gan.recipe.latent == 6


@pytest.mark.parametrize("length", [6, 4])
def test_conditional_cnns_are_drawn_class_by_class(length):
    generator = lively(PyTorchGanGenerator(classes=5, length=length))
    critic = lively(PyTorchGanCritic("conv_blocks", classes=5))
    settled(generator, (6,), critic, range(5))
    proposal = conversion.read(files(generator, critic))
    question = next(one for one in proposal.questions() if one.name == "class")
    assert list(question.options) == ["0", "1", "2", "3", "4"] and question.guess == "0"
    for label in (0, 3):
        agree(gan := proposal.gan({"class": str(label)}), generator, critic, label=label)
        assert gan.recipe.title == "CNN of PyTorch-GAN, 5 classes" and gan.recipe.latent == 6
    assert "the critic's guess of the class is left out" in proposal.notes()


class ConditionalMlp(nn.Module):
    """PyTorch-GAN's cgan: the class stands before the noise, and behind the image."""

    def __init__(self, critic: bool):
        super().__init__()
        self.critic = critic
        setattr(self, "label_embedding" if critic else "label_emb", nn.Embedding(5, 5))
        sizes, ends = ((105, 9, 8), 1) if critic else ((11, 9, 8), 100)
        layers: list[nn.Module] = [nn.Linear(sizes[0], 9), leaky()]
        layers += [nn.Linear(9, 8), *([nn.Dropout(0.4)] if critic else [nn.BatchNorm1d(8, 0.8)]), leaky()]
        self.model = nn.Sequential(*layers, nn.Linear(8, ends), *([] if critic else [nn.Tanh()]))

    def forward(self, x, label):
        labels = torch.full((len(x),), label)
        if self.critic:
            return self.model(torch.cat([x.flatten(1), self.label_embedding(labels)], -1))
        return self.model(torch.cat([self.label_emb(labels), x], -1)).view(-1, 1, 10, 10)


def test_conditional_mlps_are_drawn_class_by_class():
    generator, critic = lively(ConditionalMlp(False)), lively(ConditionalMlp(True))
    settled(generator, (6,), critic, range(5))
    found = conversion.read(files(generator, critic))
    # Its one norm stands before the last layer, so nothing that is remembered tells its eps.
    told = [{one.name: one.guess for one in each.questions()} for each in found.ranked[:2]]
    assert [one["order"] for one in told] == ["class", "class"]
    proposal = found.ranked[[one["eps"] for one in told].index("0.8")]
    for label in (0, 4):
        answers = {"class": str(label), "critic activation": "leaky 0.2"}
        agree(proposal.gan(answers), generator, critic, label=label)


class Mlp(nn.Module):
    def __init__(self, model, shape=()):
        super().__init__()
        self.model, self.shape = model, shape

    def forward(self, x):
        return self.model(x.flatten(1)).view(-1, *self.shape)


def test_pytorch_gan_mlp():
    middle = nn.Linear(7, 9), nn.BatchNorm1d(9, 0.8), leaky(), nn.Linear(9, 12), nn.BatchNorm1d(12, 0.8), leaky()
    generator = lively(
        Mlp(nn.Sequential(nn.Linear(5, 7), leaky(), *middle, nn.Linear(12, 300), nn.Tanh()), (3, 10, 10))
    )
    critic = lively(Mlp(nn.Sequential(nn.Linear(300, 9), leaky(), nn.Linear(9, 7), leaky(), nn.Linear(7, 1))))
    settled(generator, (5,), critic)
    gan = conversion.read(files(generator, critic)).gan()
    agree(gan, generator, critic)
    assert gan.recipe.title == "MLP of PyTorch-GAN"


def mlp_pair():
    generator = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 81), nn.Tanh())
    critic = nn.Sequential(nn.Linear(81, 6), leaky(), nn.Linear(6, 5), leaky(), nn.Linear(5, 1))
    return lively(generator), lively(critic)


def test_plain_mlps_by_any_name():
    generator, critic = mlp_pair()
    theirs = Mlp(generator, (1, 9, 9)), Mlp(critic)
    agree(
        conversion.read([("g.ckpt", saved(generator.state_dict())), ("d.ckpt", saved(critic.state_dict()))]).gan(),
        *theirs,
    )
    names = {"0": "fc1", "2": "fc2", "4": "fc3"}
    renamed = [
        {f"module.{names[name[0]]}{name[1:]}": value for name, value in net.state_dict().items()}
        for net in (generator, critic)
    ]
    agree(conversion.read([("a.pth", saved(renamed[0])), ("b.pth", saved(renamed[1]))]).gan(), *theirs)


def test_sigmoid_images_reach_the_critic_in_its_own_range():
    layers, critic = mlp_pair()
    layers[-1] = nn.Sigmoid()
    proposal = conversion.read([("g.pth", saved(layers.state_dict())), ("d.pth", saved(critic.state_dict()))])
    gan = proposal.gan({"output": "sigmoid"})
    z = gan.noise(4, 0)
    with torch.no_grad():
        images = layers(z)
        assert torch.allclose(gan.generator(z).flatten(1), 2 * images - 1, atol=ATOL)
        assert torch.allclose(gan.critic(gan.generator(z)), critic(images)[:, 0], atol=ATOL)


def test_uniform_noise_comes_from_normal_noise():
    generator, _ = mlp_pair()
    gan = conversion.read([("g.pth", saved(generator.state_dict()))]).gan({"prior": "uniform"})
    z = gan.noise(4, 0)
    uniform = 2 * torch.distributions.Normal(0.0, 1.0).cdf(z) - 1
    with torch.no_grad():
        assert torch.allclose(gan.generator(z).flatten(1), generator(uniform), atol=ATOL)


def everybody() -> list[dict[str, torch.Size]]:
    """Names and shapes of a network of each format."""
    _, _, widths, downs, score = SHAPES[48]
    mimicry = SnganCritic(widths, downs, OneStepSpectral, nn.ReLU(), bias=True, mean=False, score=score)
    networks = [
        *examples(64, 3), *examples(28, 1), *wasserstein(":")[0], *collections_cnn(spectral_norm), *mlp_pair(), mimicry,
        CollectionsResGenerator(), CollectionsResCritic(spectral_norm), SnganGenerator(SHAPES[48][0], 6, "nearest"),
        StudioGenerator((4, 4, 4, 4)), StudioCritic((4, 4, 4, 4), (True, True, False, False), False),
        StudioConvGenerator(), StudioConvCritic(), TorchganGenerator(), TorchganCritic(), PyTorchGanGenerator(5, 4),
        PyTorchGanCritic("conv_blocks", 5), ConditionalMlp(False), ConditionalMlp(True),
    ]  # fmt: skip
    return [{name: value.shape for name, value in network.state_dict().items()} for network in networks]


def test_bent_names_and_shapes_are_recognised_or_not_and_nothing_else():
    """2,000 networks with a few tensors missing, renamed, swapped or of another shape."""
    rng, all_shapes = random.Random(0), everybody()
    recognised = resembling = 0
    for _ in range(2000):
        shapes = dict(rng.choice(all_shapes))
        for _ in range(rng.randint(1, 3)):
            name, other = rng.choices(list(shapes), k=2)
            match rng.randrange(5):
                case 0 if len(shapes) > 3:
                    del shapes[name]
                case 1:
                    shapes[name] = torch.Size(rng.choice([size, 0, 1, 2, 7, 1000]) for size in shapes[name])
                case 2:
                    shapes[name] = torch.Size(rng.choices([0, 1, 2, 4, 5], k=rng.randrange(6)))
                case 3:
                    shapes[name + rng.choice(["x", ".weight", "_u", ".0"])] = shapes.pop(name)
                case _:
                    shapes[name], shapes[other] = shapes[other], shapes[name]
        store = Store({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
        found = recognise(store, "generator", {}), recognise(store, "critic", {}, image=(3, 32, 32))
        recognised += any(found)
        resembling += bool(nearest(store)) and not any(found)
    assert 50 < recognised < 500 < resembling


def test_layers_that_name_each_other_end():
    """WassersteinGAN's names lead from layer to layer; these lead in a circle."""
    names = ("initial:7-8:convt", "pyramid:8-8:convt", "final:8-3:convt")
    state = {f"main.{name}.weight": torch.zeros(7 if name[0] == "i" else 8, 8, 4, 4) for name in names}
    assert recognise(Store(state), "generator", {}).image == (8, 16, 16)


VAST = {
    "classes": {"label_emb.weight": (10**7, 1), "model.0.weight": (8, 5), "model.2.weight": (81, 8)},
    "layers of WassersteinGAN": {"main.initial.conv.3-2.weight": (2, 3, 4, 4)}
    | {f"main.pyramid.{k}-{k + 1}.conv.weight": (k + 1, k, 4, 4) for k in range(2, 250)},
    "maps that double": {f"main.{k}.weight": (2, 2, 4, 4) for k in range(250)},
    "inputs": {f"model.{2 * k}.weight": (1, 64 + k) for k in range(250)},
    "tensors": {f"{k}.weight": (2, 2) for k in range(4000)},
}


@pytest.mark.parametrize("what", VAST)
def test_vast_networks_are_recognised_as_none_in_little_work(what):
    store = Store({name: torch.empty(shape, device="meta") for name, shape in VAST[what].items()})

    def recognised():
        assert recognise(store, "generator", {}) is None
        assert next(images(store), None) is None
        assert isinstance(nearest(store), str)

    assert calls(recognised) < 10_000_000  # a few seconds


def test_whole_numbers_as_weights_are_numbers():
    generator, critic = ({name: (9 * value).to(torch.int8) for name, value in net.state_dict().items()}
                         for net in mlp_pair())  # fmt: skip
    gan = conversion.read([("g.pth", saved(generator)), ("d.pth", saved(critic))]).gan()
    assert torch.equal(gan.generator.state_dict()["0.weight"], generator["0.weight"].float())


def test_spectral_norm_of_a_transposed_convolution_is_that_of_its_outputs():
    """Square ones too, where shapes do not tell which dimension the vectors belong to."""
    for inputs in (8, 5):
        layer = nn.Sequential(nn.Linear(3, inputs * 16), nn.Unflatten(1, (inputs, 4, 4)))
        convt = spectral_norm(nn.ConvTranspose2d(inputs, 8, 4, 2, 1))
        for _ in range(20):
            convt.train()(torch.zeros(1, inputs, 4, 4))
        assert any(isinstance(hook, OldSpectralNorm) for hook in convt._forward_pre_hooks.values())
        net = Linear(layer[0], convt, nn.BatchNorm2d(8), nn.ReLU(), up(8, 1), nn.Tanh(), maps=inputs).eval()
        agree(conversion.read([("g.pth", saved(net.state_dict()))]).gan(), net)
