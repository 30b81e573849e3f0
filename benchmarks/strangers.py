"""Generators that nobody has seen before, read by what they hold: `python benchmarks/strangers.py --each 10`.

A family is a way to build generators; a stranger of it is one of them by chance (kernels, strides, norms, activations,
names, order in the file, labels, prior, range), trained for a moment so that its images have a data set's looks and its
norms remember what they saw. Its saved weights are read as a user's file would be, and count as read where the first or
second proposal draws what the true network draws (median correlation of 16 images above 0.97).
"""

from __future__ import annotations

import argparse
import functools
import io
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rgan.common.errors import RganError
from rgan.data import datasets
from rgan.importing import conversion
from rgan.importing.conversion import Proposal
from rgan.models.gan import Gan
from rgan.networks.described import Rescale, Uniform

RIGHT = 0.97
STEPS, BATCH, PROJECTIONS = 120, 48, 128  # of the training, sliced Wasserstein distance to the digits


class Attention(nn.Module):
    """Self-attention as in SAGAN's copies (Zhang et al. 2019)."""

    def __init__(self, channels: int):
        super().__init__()
        inner = max(1, channels // 8)
        self.query_conv, self.key_conv = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, inner, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.full((1,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (layer(x).flatten(2) for layer in (self.query_conv, self.key_conv, self.value_conv))
        weights = torch.bmm(query.transpose(1, 2), key).softmax(dim=-1)
        return self.gamma * torch.bmm(value, weights.transpose(1, 2)).view_as(x) + x


class Residual(nn.Module):
    """A block of two convolutions: norms before them, as in SNGAN, or behind them, as in ResNet."""

    def __init__(self, inputs: int, outputs: int, up: bool, before: bool, act: nn.Module):
        super().__init__()
        self.up, self.before, self.act = up, before, act
        if before:
            self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
            self.bn2, self.conv2 = nn.BatchNorm2d(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        else:
            self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)
            self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs)
        if inputs != outputs or (up and before):
            self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        def raised(value: Tensor) -> Tensor:
            return functional.interpolate(value, scale_factor=2) if self.up else value

        if self.before:
            made = self.conv2(self.act(self.bn2(self.conv1(raised(self.act(self.bn1(x)))))))
            x = raised(x)
        else:
            x = raised(x)
            made = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        return made + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class ClassNorm(nn.Module):
    """Batch norm with a scale and shift of each class, kept in an embedding as many copies do."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, affine=False)
        self.embed = nn.Embedding(classes, 2 * channels)
        self.embed.weight.data[:, :channels].normal_(1, 0.2)
        self.embed.weight.data[:, channels:].normal_(0, 0.2)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        scale, shift = self.embed(labels).chunk(2, dim=1)
        return self.bn(x) * scale[..., None, None] + shift[..., None, None]


class Noise(nn.Module):
    """How the class enters beside the noise (N, latent)."""

    def __init__(self, how: str, latent: int, classes: int, length: int, first: bool):
        super().__init__()
        self.how, self.classes, self.first = how, classes, first
        if how in ("embed", "multiply"):
            self.table = nn.Embedding(classes, latent if how == "multiply" else length)
        elif how == "linear":
            self.table = nn.Linear(classes, length)
        self.width = {"onehot": latent + classes, "multiply": latent, "": latent}.get(how, latent + length)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        if not self.how:
            return z
        hot = functional.one_hot(labels, self.classes).float()
        known = hot if self.how == "onehot" else self.table(hot if self.how == "linear" else labels)
        if self.how == "multiply":
            return z * known
        return torch.cat([known, z] if self.first else [z, known], dim=1)


class Maps(nn.Module):
    """Features as maps."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        side = math.isqrt(x.shape[1] // self.channels)
        return x.view(len(x), self.channels, side, side)


class Network(nn.Module):
    """Parts one after the other; those that know classes are told the labels."""

    def __init__(self, parts: Sequence[nn.Module]):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = z
        for part in self.parts:
            x = part(x, labels) if isinstance(part, (Noise, ClassNorm)) else part(x)
        return x


@dataclass(frozen=True)
class Stranger:
    """A generator and its family: its noise, classes, image (C, H, W) and range, and how its tensors are named."""

    family: str
    network: Network
    latent: int
    prior: str
    classes: int
    image: tuple[int, int, int]
    sigmoid: bool
    style: str

    def noise(self, count: int, rng: torch.Generator) -> Tensor:
        """Noise of its own prior."""
        if self.prior == "uniform":
            return 2 * torch.rand((count, self.latent), generator=rng) - 1
        return torch.randn((count, self.latent), generator=rng)

    def draw(self, z: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [−1, 1]."""
        made: Tensor = self.network(z, labels).view(-1, *self.image)
        return 2 * made - 1 if self.sigmoid else made

    def state(self) -> dict[str, Tensor]:
        """Its weights under names, and in an order, that people give them."""
        named: list[tuple[str, Tensor]] = []
        numbers: Counter[str] = Counter()
        block = 0
        for place, part in enumerate(self.network.parts):
            own = part.state_dict()
            kind = _kind(part)
            numbers[kind] += 1
            block += kind in ("conv", "fc")
            name = {"sequential": f"main.{place}", "nested": f"block{block}.{place % 4}"}.get(
                self.style, f"{kind}{numbers[kind]}"
            )
            named += [(f"{name}.{key}", value) for key, value in own.items()]
        if self.style == "apart":
            named.sort(key=lambda item: item[0].startswith(("bn", "ln")))
        return dict(named)

    def file(self) -> bytes:
        """Its weights as `torch.save` writes them."""
        buffer = io.BytesIO()
        torch.save(self.state(), buffer)
        return buffer.getvalue()


def _kind(part: nn.Module) -> str:
    kinds = {nn.Linear: "fc", nn.Conv2d: "conv", nn.ConvTranspose2d: "conv", nn.LayerNorm: "ln", nn.PReLU: "prelu",
             Noise: "label_emb", Residual: "res", Attention: "attn", ClassNorm: "cbn"}  # fmt: skip
    return kinds.get(type(part), "bn" if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)) else "act")


UP = {  # kernel, stride, padding, output padding of transposed convolutions, and how often people take them
    (4, 2, 1, 0): 10, (3, 2, 1, 1): 3, (5, 2, 2, 1): 3, (2, 2, 0, 0): 2, (3, 2, 1, 0): 2, (3, 2, 0, 0): 2,
    (4, 2, 0, 0): 1, (6, 2, 2, 0): 1, (3, 1, 1, 0): 1, (5, 1, 2, 0): 1, (4, 1, 0, 0): 1, (3, 1, 0, 0): 1,
    (7, 1, 3, 0): 1, (4, 1, 1, 0): 1,
}  # fmt: skip


class Builder:
    """Choices by chance."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.channels = self.one({1: 7, 3: 3})
        self.size = self.one({28: 6, 32: 3, 64: 1})
        self.latent = self.one({100: 8, 64: 3, 128: 3, 32: 1, 16: 1, 10: 1})
        self.activation = self.one(
            {"relu": 60, "leaky 0.2": 24, "leaky 0.1": 5, "leaky 0.01": 5, "elu": 2, "selu": 2, "silu": 1, "gelu": 1}
        )
        self.sigmoid = self.one({False: 85, True: 15})
        self.prior = self.one({"normal": 85, "uniform": 15})
        self.style = self.one({"sequential": 4, "nested": 2, "attributes": 3, "apart": 1})
        self.eps = self.one({1e-5: 92, 0.8: 8})
        self.biased = self.one({True: 6, False: 4})
        self.normed = self.one({True: 85, False: 15})
        self.act_first = self.one({False: 88, True: 12})
        self.classes = 0

    def one(self, of: dict):  # type: ignore[type-arg, no-untyped-def]
        """One of the keys, as often as its value says."""
        return self.rng.choices(list(of), list(of.values()))[0]

    def act(self) -> nn.Module:
        name, _, slope = self.activation.partition(" ")
        plain = {"relu": nn.ReLU, "elu": nn.ELU, "selu": nn.SELU, "silu": nn.SiLU, "gelu": nn.GELU}
        return nn.LeakyReLU(float(slope)) if name == "leaky" else plain[name]()

    def between(self, width: int, maps: bool) -> list[nn.Module]:
        """What stands behind a layer."""
        norm = [(nn.BatchNorm2d if maps else nn.BatchNorm1d)(width, eps=self.eps)] if self.normed else []
        return [self.act(), *norm] if self.act_first else [*norm, self.act()]

    def end(self) -> nn.Module:
        return nn.Sigmoid() if self.sigmoid else nn.Tanh()

    def made(self, family: str, parts: Sequence[nn.Module]) -> Stranger:
        image = self.channels, self.size, self.size
        return Stranger(
            family, Network(parts), self.latent, self.prior, self.classes, image, self.sigmoid, self.style
        )  # fmt: skip

    # Bodies

    def plan(self) -> tuple[int, list[tuple[int, int, int, int]]]:
        """A side to begin with, and transposed convolutions from it to the image."""
        while True:
            side = begin = self.one({4: 8, 7: 5, 3: 1, 2: 1, 5: 1})
            steps: list[tuple[int, int, int, int]] = []
            while side < self.size and len(steps) < 5:
                kernel, stride, padding, extra = self.one(UP)
                side = (side - 1) * stride - 2 * padding + kernel + extra
                steps.append((kernel, stride, padding, extra))
            grown = [step for step in steps if step[1] == 2]
            if side == self.size and len(steps) > 1 and len(steps) - len(grown) < 2:
                return begin, steps

    def start(self, width: int, side: int, inputs: int) -> list[nn.Module]:
        """Noise as maps: through a linear layer, or a transposed convolution of one pixel."""
        if self.one({True: 4, False: 6}):
            return [Maps(inputs), nn.ConvTranspose2d(inputs, width, side, 1, 0, bias=self.biased),
                    *self.between(width, True)]  # fmt: skip
        early = self.one({0: 5, 1: 3, 2: 2})  # nothing, norm and activation of features, of maps
        linear = nn.Linear(inputs, width * side**2)
        if early == 1:
            return [linear, *self.between(width * side**2, False), Maps(width)]
        return [linear, Maps(width), *(self.between(width, True) if early else [])]

    def widths(self, count: int) -> list[int]:
        first = self.one({16: 2, 32: 3, 48: 1})
        return [max(8, first >> k) for k in range(count)]

    def transposed(self, inputs: int) -> list[nn.Module]:
        begin, steps = self.plan()
        widths = self.widths(len(steps))
        parts = self.start(widths[0], begin, inputs)
        for k, (kernel, stride, padding, extra) in enumerate(steps):
            last = k + 1 == len(steps)
            width = self.channels if last else widths[k + 1]
            parts.append(nn.ConvTranspose2d(widths[k], width, kernel, stride, padding, extra, bias=self.biased))
            parts += [] if last else self.between(width, True)
        return [*parts, self.end()]

    def doublings(self) -> tuple[int, int]:
        begin = 7 if self.size == 28 else self.one({4: 1, 8: 2})
        return begin, int(math.log2(self.size / begin))

    def features(self, inputs: int) -> list[nn.Module]:
        """Fully connected layers."""
        widths = [self.one({64: 1, 128: 3, 256: 1}) for _ in range(self.one({1: 1, 2: 4, 3: 4}))]
        widths.sort()
        parts: list[nn.Module] = []
        for k, width in enumerate(widths):
            parts.append(nn.Linear(inputs, width))
            parts += self.between(width, False) if k or self.one({True: 1, False: 1}) else [self.act()]
            inputs = width
        self.size = 28 if self.size == 64 else self.size
        parts.append(nn.Linear(inputs, self.channels * self.size**2))
        return [*parts, self.end()]

    # Families

    def dcgan(self) -> list[nn.Module]:
        return self.transposed(self.latent)

    def upsampling(self, inputs: int = 0) -> list[nn.Module]:
        begin, count = self.doublings()
        widths = self.widths(count + 1)
        mode = self.one({"nearest": 7, "bilinear": 3})
        linear = nn.Linear(inputs or self.latent, widths[0] * begin**2)
        parts: list[nn.Module] = [linear, Maps(widths[0]), *([nn.BatchNorm2d(widths[0])] if self.normed else [])]
        for k in range(count):
            kernel = self.one({3: 4, 5: 1})
            parts += [nn.Upsample(scale_factor=2, mode=mode),
                      nn.Conv2d(widths[k], widths[k + 1], kernel, padding=kernel // 2, bias=self.biased)]  # fmt: skip
            parts += self.between(widths[k + 1], True)
        return [*parts, nn.Conv2d(widths[-1], self.channels, 3, padding=1), self.end()]

    def shuffle(self) -> list[nn.Module]:
        begin, count = self.doublings()
        widths = self.widths(count + 1)
        parts = self.start(widths[0], begin, self.latent)
        for k in range(count):
            parts += [nn.Conv2d(widths[k], 4 * widths[k + 1], 3, padding=1), nn.PixelShuffle(2)]
            parts += self.between(widths[k + 1], True)
        return [*parts, nn.Conv2d(widths[-1], self.channels, 3, padding=1), self.end()]

    def residual(self) -> list[nn.Module]:
        begin, count = self.doublings()
        widths = self.widths(count + 1)
        before = self.one({True: 6, False: 4})
        self.style = self.one({"sequential": 1, "attributes": 2})
        parts: list[nn.Module] = [nn.Linear(self.latent, widths[0] * begin**2), Maps(widths[0])]
        for k in range(count):
            parts.append(Residual(widths[k], widths[k + 1], True, before, self.act()))
            parts += [] if before else [self.act()]
        if before:
            parts += [nn.BatchNorm2d(widths[-1]), self.act()]
        return [*parts, nn.Conv2d(widths[-1], self.channels, 3, padding=1), self.end()]

    def attention(self) -> list[nn.Module]:
        self.size = min(self.size, 32)
        parts = self.transposed(self.latent)
        layers = [k for k, part in enumerate(parts) if isinstance(part, nn.ConvTranspose2d)]
        where = layers[-1]
        width = parts[where].in_channels  # type: ignore[union-attr]
        return [*parts[:where], Attention(int(width)), *parts[where:]]

    def mlp(self) -> list[nn.Module]:
        self.normed = self.one({True: 4, False: 6})
        return self.features(self.latent)

    def prelu(self) -> list[nn.Module]:
        self.normed, self.activation = self.one({True: 1, False: 1}), "relu"
        parts = self.features(self.latent) if self.one({True: 1, False: 1}) else self.transposed(self.latent)
        return [nn.PReLU(init=self.rng.uniform(0.05, 0.4)) if isinstance(part, nn.ReLU) else part for part in parts]

    def layernorm(self) -> list[nn.Module]:
        self.normed, self.eps = True, 1e-5
        parts = self.features(self.latent)
        return [nn.LayerNorm(part.num_features) if isinstance(part, nn.BatchNorm1d) else part for part in parts]

    def last_norm(self) -> list[nn.Module]:
        self.act_first = False
        if self.one({True: 1, False: 1}):
            *parts, end = self.features(self.latent)
            return [*parts, nn.BatchNorm1d(self.channels * self.size**2), end]
        *parts, end = self.transposed(self.latent)
        return [*parts, nn.BatchNorm2d(self.channels), end]

    def labelled(self, how: str) -> list[nn.Module]:
        self.classes = 10
        length = self.one({10: 3, 50: 1, 20: 1})
        noise = Noise(how, self.latent, self.classes, length, self.one({False: 6, True: 4}))
        body = self.one({"mlp": 5, "dcgan": 3, "upsampling": 2})
        if body == "mlp":
            self.normed = self.one({True: 4, False: 6})
            return [noise, *self.features(noise.width)]
        return [noise, *(self.transposed(noise.width) if body == "dcgan" else self.upsampling(noise.width))]

    def class_norm(self) -> list[nn.Module]:
        self.classes, self.normed, self.act_first = 10, True, False
        parts = self.upsampling() if self.one({True: 1, False: 1}) else self.transposed(self.latent)
        self.style = "sequential" if self.style == "apart" else self.style
        return [ClassNorm(part.num_features, 10) if isinstance(part, nn.BatchNorm2d) else part for part in parts]


FAMILIES: dict[str, Callable[[Builder], list[nn.Module]]] = {
    "DCGAN": Builder.dcgan, "upsampling": Builder.upsampling, "pixel shuffle": Builder.shuffle,
    "residual": Builder.residual, "self-attention": Builder.attention, "MLP": Builder.mlp, "PReLU": Builder.prelu,
    "layer norm": Builder.layernorm, "norm in the last layer": Builder.last_norm,
    "one-hot label": lambda b: b.labelled("onehot"), "embedded label": lambda b: b.labelled("embed"),
    "multiplied label": lambda b: b.labelled("multiply"), "label through a layer": lambda b: b.labelled("linear"),
    "norms of a class": Builder.class_norm,
}  # fmt: skip


def stranger(family: str, seed: int, steps: int = STEPS) -> Stranger:
    """A generator of a family by chance, after a moment of training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        builder = Builder(seed)
        made = builder.made(family, FAMILIES[family](builder))
        _train(made, steps, torch.Generator().manual_seed(seed))
    return made


@functools.lru_cache(maxsize=8)
def _data(size: int) -> tuple[Tensor, Tensor]:
    """Digits (N, 1, size, size) in [−1, 1], and their labels."""
    digits = datasets.load("digits", size=32)
    assert digits.labels is not None
    images = functional.interpolate(digits.images.float() / 127.5 - 1, size=(size, size), mode="bilinear")
    return images[:, :1], digits.labels


def _train(made: Stranger, steps: int, rng: torch.Generator) -> None:
    channels, size, _ = made.image
    images, classes = _data(size)
    tint = torch.linspace(1, 0.4, channels).view(1, channels, 1, 1)
    network = made.network.train()
    trained = torch.optim.Adam(network.parameters(), 3e-3, (0.5, 0.99))
    for _ in range(steps):
        some = torch.randint(len(images), (BATCH,), generator=rng)
        labels = classes[some]
        real = ((images[some] + 1) * tint - 1).flatten(1)
        fake = made.draw(made.noise(BATCH, rng), labels).flatten(1)
        if made.classes:
            hot = 8 * functional.one_hot(labels, made.classes).float()
            real, fake = torch.cat([real, hot], dim=1), torch.cat([fake, hot], dim=1)
        onto = functional.normalize(torch.randn((real.shape[1], PROJECTIONS), generator=rng), dim=0)
        loss = ((real @ onto).sort(dim=0).values - (fake @ onto).sort(dim=0).values).square().mean()
        trained.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        trained.step()
    network.eval().requires_grad_(False)


@dataclass(frozen=True)
class Read:
    """What became of a stranger's file: correlations of the proposals with the truth, best first, or why none."""

    agreement: tuple[float, ...]
    seconds: float
    problem: str = ""

    @property
    def right(self) -> bool:
        """Whether the first or second proposal is the true network."""
        return any(value > RIGHT for value in self.agreement[:2])


def look(made: Stranger) -> Read:
    """Read a stranger's file as a user would."""
    started = time.process_time()
    try:
        found = conversion.read([("generator.pth", made.file())])
    except RganError as error:
        return Read((), time.process_time() - started, str(error))
    seconds = time.process_time() - started
    assert isinstance(found, Proposal)
    return Read(tuple(agreement(one, made) for one in found.ranked[:4]), seconds)


def agreement(proposal: Proposal, made: Stranger) -> float:
    """The median correlation of a proposal's images with the true ones; NaN where it draws others."""
    rng = torch.Generator().manual_seed(1)
    z, labels = made.noise(16, rng), torch.arange(16) % max(1, made.classes)
    try:
        gan = proposal.gan()
    except RganError:
        return math.nan
    if (gan.recipe.latent, gan.recipe.channels, gan.recipe.size) != (made.latent, *made.image[:2]):
        return math.nan
    if made.classes and gan.classes != made.classes:
        return math.nan
    drawn = gan.images(as_normal(z, gan), labels if gan.classes else None).numpy()
    true = made.draw(z, labels).numpy()
    return float(np.median([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(drawn, true, strict=True)]))


def as_normal(z: Tensor, gan: Gan) -> Tensor:
    """Noise of the network's own prior as the standard normal noise that RGAN Lab gives it."""
    layers = gan.recipe.layers.generator if gan.recipe.layers else ()
    if not layers or not isinstance(layers[0], Uniform):
        return z
    if isinstance(layers[1], Rescale):
        z = 2 * z - 1
    return torch.erfinv(z.clamp(-1 + 1e-6, 1 - 1e-6)) * math.sqrt(2)


def everybody(families: Sequence[str], each: int, first: int = 0) -> Iterator[tuple[str, int, Read]]:
    """Strangers of these families, read one after the other."""
    for family in families:
        for seed in range(first, first + each):
            yield family, seed, look(stranger(family, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--each", type=int, default=10, help="strangers of each family")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed")
    parser.add_argument("families", nargs="*", help="parts of their names; all without")
    options = parser.parse_args()
    torch.set_num_threads(1)
    families = [one for one in FAMILIES if not options.families or any(word in one for word in options.families)]
    right: Counter[str] = Counter()
    for family, seed, read in everybody(families, options.each, options.first):
        right[family] += read.right
        words = read.problem[:150] or " ".join(f"{value:.3f}" for value in read.agreement)
        print(f"{'right ' if read.right else 'MISSED'} {family:22} {seed:3} {read.seconds:5.1f} s  {words}", flush=True)
    for family in families:
        print(f"{family}: {right[family]} of {options.each} ({right[family] / options.each:.0%})")
    total = options.each * len(families)
    print(f"all: {right.total()} of {total} ({right.total() / total:.0%}) by the first or second proposal")


if __name__ == "__main__":
    main()
