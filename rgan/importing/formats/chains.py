"""Networks that are a chain of layers: MLPs and convolutional networks without shortcuts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from rgan.importing.drafting import Draft
from rgan.networks.described import Activation

# Stride and padding by kernel, as the published networks of this kind have them.
_UP = {4: (2, 1, 0), 3: (2, 1, 0), 5: (2, 2, 1), 2: (2, 0, 0), 6: (2, 2, 0)}
MOST_STEPS = 12  # from one pixel to more than any image has, doubling
_DOWN = {4: (2, 1), 3: (1, 1), 5: (2, 2), 1: (1, 0)}


def chain(d: Draft, names: Sequence[str], conv: Callable[[str], None], guess: str, eps: str = "1e-5") -> None:
    """All modules one after the other, with activations where `_between` sees one."""
    for name, after in zip(names, [*names[1:], ""], strict=True):
        if d.is_norm(name):
            d.norm(name, eps)
        elif d.rank(name) == 2:
            d.linear(name)
        else:
            conv(name)
        if after and _between(d, name, after):
            d.activation(guess)


def _between(d: Draft, name: str, after: str) -> bool:
    """Whether an activation stands between two modules.

    In one nn.Sequential the numbers tell: what has no weights leaves a gap. Else one stands before whatever is no norm,
    unless it stood before a norm already.
    """
    (parent, _, number), (next_parent, _, next_number) = name.rpartition("."), after.rpartition(".")
    if parent == next_parent and number.isdecimal() and next_number.isdecimal():
        return int(next_number) - int(number) > 1
    stood = d.is_norm(name) and isinstance(d.layers[-2], Activation)
    return not d.is_norm(after) and not stood


def _transposed(d: Draft, name: str) -> None:
    kernel = d.size(name, 4)[-1]
    if kernel == 1:
        # Forks of PyTorch's example end so: 32 pixels, or 28 with two cut off on each side.
        side = d.shape[-1]
        options = {"0": f"all {side} pixels", "2": f"cut to {side - 4} pixels"}
        padding = d.ask(
            "cut", "Whether the last layer cuts the edges", options, "2" if d.size(name, 4)[1] == 1 else "0"
        )
        d.transposed(name, 1, int(padding))
    else:
        d.need(kernel in _UP, f"{name} has a kernel of {kernel}")
        d.transposed(name, *_UP[kernel])


def _conv(d: Draft, name: str, three: tuple[int, int] = (1, 1)) -> None:
    kernel = d.size(name, 4)[-1]
    d.need(kernel in _DOWN, f"{name} has a kernel of {kernel}")
    d.conv(name, *(three if kernel == 3 else _DOWN[kernel]))


def _from_pixel(d: Draft, names: Sequence[str], guess: str) -> None:
    """Transposed convolutions from one pixel of noise to an image."""
    d.need(names and all(d.rank(name) in (1, 4) for name in names) and d.rank(names[0]) == 4)
    d.noise(d.size(names[0], 4)[0])
    chain(d, names, lambda name: _transposed(d, name), guess)
    d.to_image()


def _to_score(
    d: Draft, names: Sequence[str], loss: str, guess: str = "leaky 0.2", *, threes_halve: bool = False
) -> None:
    """Convolutions from an image to one number."""
    d.need(len(names) > 1 and d.rank(names[0]) == 4)
    d.from_image()
    chain(d, names[:-1], lambda name: _conv(d, name, (2, 1) if threes_halve else (1, 1)), guess)
    if _between(d, names[-2], names[-1]):
        d.activation(guess)
    d.score(names[-1], loss)


def _numbered(d: Draft) -> list[str]:
    """The modules of one nn.Sequential by any name: main.N there, net.N or N alone in copies."""
    names = d.modules(r"(?:.+\.)?\d+")
    d.need(len({name.rpartition(".")[0] for name in names}) == 1)
    return names


def examples_generator(d: Draft) -> None:
    """DCGAN as in pytorch/examples: main.N, transposed convolutions of kernel 4; its forks of 28 and 32 pixels."""
    _from_pixel(d, _numbered(d), "relu")


def examples_critic(d: Draft) -> None:
    """Its critic: main.N, convolutions of kernel 4."""
    _to_score(d, _numbered(d), "non-saturating", threes_halve=True)


def torchgan_generator(d: Draft) -> None:
    """DCGAN of torchgan: a Sequential of Sequentials, leaky."""
    _from_pixel(d, d.modules(r"model\.\d+\.\d+"), "leaky 0.2")


def torchgan_critic(d: Draft) -> None:
    """Its critic, whose score goes through another activation."""
    _to_score(d, [*d.modules(r"model\.\d+\.\d+"), "disc.0"], "non-saturating")
    d.activation("leaky 0.2")


def wasserstein_generator(d: Draft) -> None:
    """DCGAN of martinarjovsky/WassersteinGAN, whose layers are named by their channels."""
    names = d.modules(r"main\.initial[.:]\d+-\d+[.:]convt")
    d.need(len(names) == 1)
    channels = d.size(names[0], 4)[1]
    names += d.modules(rf"main\.initial[.:]{channels}[.:]batchnorm")
    names += _pyramid(d, channels, "convt", 1)
    names += d.modules(r"main\.extra-layers-.*") + d.modules(r"main\.final[.:]\d+-\d+[.:]convt")
    d.noise(d.size(names[0], 4)[0])
    chain(d, _extra_in_order(names), lambda name: (_transposed if name.endswith("convt") else _conv)(d, name), "relu")
    d.to_image()


def wasserstein_critic(d: Draft) -> None:
    """Its critic; the program takes the mean of the scores, which are single here."""
    names = d.modules(r"main\.initial[.:]conv[.:]\d+-\d+")
    d.need(len(names) == 1)
    names += d.modules(r"main\.extra-layers-.*") + _pyramid(d, d.size(names[0], 4)[0], "conv", 0)
    names += d.modules(r"main\.final[.:]\d+-1[.:]conv")
    _to_score(d, _extra_in_order(names), "wasserstein")


def _pyramid(d: Draft, channels: int, conv: str, outputs: int) -> list[str]:
    """The layers between, each found by the channels that the last one made, which its weight has at `outputs`."""
    names: list[str] = []
    for _ in range(MOST_STEPS):
        step = d.modules(rf"main\.pyramid[.:]{channels}-\d+[.:]{conv}")
        if not step or step[0] in names:
            break
        channels = d.size(step[0], 4)[outputs]
        names += step + d.modules(rf"main\.pyramid[.:]{channels}[.:]batchnorm")
    return names


def _extra_in_order(names: list[str]) -> list[str]:
    """Extra layers are named conv and batchnorm, which the alphabet turns round."""
    order = {name: k for k, name in enumerate(names)}

    def key(name: str) -> tuple[int, bool]:
        extra = re.match(r"main\.extra-layers-\d+[.:]\d+", name)
        first = min(order[other] for other in names if other.startswith(extra[0])) if extra else order[name]
        return first, name.endswith("batchnorm")

    return sorted(names, key=key)


def zoo_generator(d: Draft) -> None:
    """DCGAN of pytorch_GAN_zoo: formatLayer, then main's layers by their kind and depth."""
    count = len(d.modules(r"main\.convTranspose\d+"))
    d.need(count and d.has("main.outlayer"))
    d.noise(d.size("formatLayer", 4)[0])
    names = ["formatLayer", "main.batchNorm0"]
    names += [f"main.{kind}{k}" for k in range(1, count + 1) for kind in ("convTranspose", "batchNorm")]
    chain(d, [*names, "main.outlayer"], lambda name: _transposed(d, name), "relu")
    d.to_image()


def zoo_critic(d: Draft) -> None:
    """Its critic, whose convolutions are called transposed and count down."""
    depth = len(d.modules(r"main\.convTranspose\d+")) - 1
    names = [f"main.convTranspose{depth}"]
    names += [f"main.{kind}{k}" for k in reversed(range(depth)) for kind in ("convTranspose", "batchNorm")]
    _to_score(d, [*names, "decisionLayer"], "non-saturating")


def collections_generator(d: Draft) -> None:
    """CNN of pytorch-gan-collections, as Miyato et al.: linear, then main.N."""
    names = d.modules(r"(?:main|model)\.\d+")
    d.need(d.rank("linear") == 2 and names and set(map(d.rank, names)) <= {1, 4})
    d.noise(d.size("linear", 2)[1])
    d.linear("linear")
    d.view(d.size(names[0], d.rank(names[0]))[0])  # a norm's, or a transposed convolution's inputs
    last = names[-1]

    def layer(name: str) -> None:
        # The last is an ordinary convolution where its kernel keeps the size.
        (_conv if name == last and d.size(name, 4)[-1] == 3 else _transposed)(d, name)

    chain(d, names, layer, "relu")
    d.to_image()


def collections_critic(d: Draft) -> None:
    """Their critic: main.N and linear."""
    names = d.modules(r"(?:main|model)\.\d+")
    small = any(d.rank(name) == 4 and d.size(name, 4)[-1] == 3 for name in names)
    loss = "hinge" if d.store.normalised else "wasserstein" if small else "non-saturating"
    _to_score(d, [*names, "linear"], loss, "leaky 0.1" if small else "leaky 0.2")


def studiogan_conv_generator(d: Draft) -> None:
    """StudioGAN's deep_conv backbone, without classes or with batch norms that depend on one."""
    blocks = d.modules(r"blocks\.\d+\.0\.deconv0")
    d.need(d.rank("linear0") == 2 and blocks)
    d.noise(d.size("linear0", 2)[1])
    d.linear("linear0")
    names = [f"blocks.{k}.0.{part}" for k in range(len(blocks)) for part in ("deconv0", "bn0")]
    d.view(d.size(names[0], 4)[0])
    last = "conv4" if d.has("conv4") else "conv2d4"
    chain(d, [*names, last], lambda name: (_conv if name == last else _transposed)(d, name), "relu", "1e-4")
    d.to_image()


def studiogan_conv_critic(d: Draft) -> None:
    """Its critic."""
    blocks = {name.rpartition(".")[0] for name in d.modules(r"blocks\.\d+\.0\.conv0")}
    d.need(blocks and d.rank("linear1") == 2)
    parts = [f"blocks.{k}.0.{part}" for k in range(len(blocks)) for part in ("conv0", "bn0", "conv1", "bn1")]
    d.from_image()
    names = [name for name in (*parts, "conv", "bn") if d.has(name)]
    chain(d, names, lambda name: _conv(d, name), "relu", "1e-4")
    d.activation("relu")
    d.total()
    d.drop("linear2", "the critic's guess of the class is left out")
    d.score("linear1", "hinge" if d.store.normalised else "non-saturating", product="embedding")


def pytorch_gan_generator(d: Draft) -> None:
    """PyTorch-GAN's convolutional generator, with classes or without: linear, then doubling and convolutions."""
    names = d.modules(r"conv_(?:blocks|model)\.\d+")
    d.need(d.rank("l1.0") == 2 and len(names) == 6 and [d.rank(name) for name in names] == [1, 4, 1, 4, 1, 4])
    if d.has("label_emb"):
        d.labelled_noise("label_emb", d.size("l1.0", 2)[1], "noise")
    else:
        d.noise(d.size("l1.0", 2)[1])
    d.linear("l1.0")
    d.view(d.size(names[0], 1)[0])
    d.norm(names[0], fixed=True)
    for conv, norm in ((names[1], names[2]), (names[3], names[4])):
        d.up()
        d.conv(conv, 1, 1)
        d.norm(norm, "0.8")
        d.activation("leaky 0.2")
    d.conv(names[5], 1, 1)
    d.to_image()


def pytorch_gan_critic(d: Draft) -> None:
    """Its critic: convolutions of stride 2; the part that names classes is left out."""
    names = d.modules(r"(?:model|conv_blocks)\.\d+")
    d.need(names and d.rank("adv_layer.0") == 2 and d.rank(names[0]) == 4)
    d.drop("aux_layer.0", "the critic's guess of the class is left out")
    d.from_image()
    chain(d, names, lambda name: _conv(d, name, (2, 1)), "leaky 0.2", "0.8")
    if _between(d, names[-1], "adv_layer.0"):
        d.activation("leaky 0.2")
    d.score("adv_layer.0", "non-saturating")


def _mlp_generator(d: Draft, names: list[str], guess: str, eps: str) -> None:
    d.need(len(names) > 1 and set(map(d.rank, names)) <= {1, 2} and d.rank(names[0]) == 2)
    if d.has("label_emb"):
        d.labelled_noise("label_emb", d.size(names[0], 2)[1], "class")
    else:
        d.noise(d.size(names[0], 2)[1])
    chain(d, names, lambda _: None, guess, eps)
    d.to_image()


def _mlp_critic(d: Draft, names: list[str], eps: str) -> None:
    d.need(len(names) > 1 and set(map(d.rank, names)) <= {1, 2} and d.rank(names[0]) == 2)
    d.from_image()
    if d.has("label_embedding"):
        d.flat()
        classes, length = d.size("label_embedding", 2)
        table = "label_embedding.weight"
        d.label(classes, partial(d.store.value, table), "concat", (length,), (table,), False)
    chain(d, names[:-1], lambda _: None, "leaky 0.2", eps)
    if _between(d, names[-2], names[-1]):
        d.activation("leaky 0.2")
    d.score(names[-1], "non-saturating")


def pytorch_gan_mlp_generator(d: Draft) -> None:
    """PyTorch-GAN's fully connected generator: model.N, with classes or without."""
    _mlp_generator(d, d.modules(r"model\.\d+"), "leaky 0.2", "0.8")


def pytorch_gan_mlp_critic(d: Draft) -> None:
    """Its critic."""
    _mlp_critic(d, d.modules(r"model\.\d+"), "0.8")


def mlp_generator(d: Draft) -> None:
    """Fully connected layers by any names that count up."""
    _mlp_generator(d, [name for name in d.modules() if name != "label_emb"], "relu", "1e-5")


def mlp_critic(d: Draft) -> None:
    """Their critic."""
    _mlp_critic(d, [name for name in d.modules() if name != "label_embedding"], "1e-5")
