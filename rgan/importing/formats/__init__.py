"""Recognising the networks of other programs by the names and shapes of their tensors alone.

`recognise` tries the formats of FORMATS in their order; the first whose every layer finds its weights, and which leaves
none over, it is. A new format is one function in `chains` or `residual` and one line below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from rgan.common import limits
from rgan.importing.drafting import SMALLEST, Draft, MismatchError, Network, Question
from rgan.importing.formats import chains, residual
from rgan.importing.solver import Reading
from rgan.importing.tensors import Store
from rgan.networks.described import Shape

__all__ = ["FORMATS", "Format", "Network", "Question", "Store", "images", "nearest", "recognise"]

# Images to try a critic with, the usual sides first: its convolutions fit several.
IMAGE_SIDES = (28, 32, 64, 48, 128, 96, *(side for side in range(16, 128, 4) if side not in (28, 32, 64, 48, 96)), 256)
CHANNELS = (1, 3)


KNOWN = -2.0  # cost of a reading whose names are known


@dataclass(frozen=True)
class Format:
    """Networks that one program writes. sure: its names are its own, so what weights do not tell is as in its code;
    others are copied far and wide, and changed.
    """

    title: str
    generator: Callable[[Draft], None]
    critic: Callable[[Draft], None]
    sure: bool = True


FORMATS = (
    Format("DCGAN of pytorch/examples", chains.examples_generator, chains.examples_critic, sure=False),
    Format("DCGAN of WassersteinGAN", chains.wasserstein_generator, chains.wasserstein_critic),
    Format("DCGAN of pytorch_GAN_zoo", chains.zoo_generator, chains.zoo_critic),
    Format("CNN of pytorch-gan-collections", chains.collections_generator, chains.collections_critic),
    Format("ResNet of pytorch-gan-collections", residual.collections_generator, residual.collections_critic),
    Format("ResNet of mimicry or sngan.pytorch", residual.sngan_generator, residual.sngan_critic),
    Format("ResNet of StudioGAN", residual.studiogan_generator, residual.studiogan_critic),
    Format("CNN of StudioGAN", chains.studiogan_conv_generator, chains.studiogan_conv_critic),
    Format("DCGAN of torchgan", chains.torchgan_generator, chains.torchgan_critic, sure=False),
    Format("CNN of PyTorch-GAN", chains.pytorch_gan_generator, chains.pytorch_gan_critic, sure=False),
    Format("MLP of PyTorch-GAN", chains.pytorch_gan_mlp_generator, chains.pytorch_gan_mlp_critic, sure=False),
    Format("MLP", chains.mlp_generator, chains.mlp_critic, sure=False),
)


def readings(store: Store, role: str, *, source: str = "", image: Shape = ()) -> list[Reading]:
    """The formats that these tensors are of, as readings; arguments as of `recognise`."""
    found = []
    for one in FORMATS:
        draft = Draft(store, {}, source=source, image=image)
        if _mismatch(one, role, draft):
            continue
        own = {name: question.guess for name, question in draft.questions.items()} if one.sure else {}
        write = one.generator if role == "generator" else one.critic
        found.append(Reading(draft.finish(one.title).title.removesuffix(draft.suffix), write, KNOWN, own=own))
        break
    return found


def recognise(
    store: Store, role: str, answers: Mapping[str, str], *, source: str = "", image: Shape = ()
) -> Network | None:
    """The generator or critic that these tensors are, or None.

    Args:
        role: "generator" or "critic".
        answers: to questions, by their names; guesses stand for the others.
        source: where in its file the tensors lay, and the file's name.
        image: (C, H, W) that a critic judges; needed for one.

    Raises:
        SettingsError: an answer is none of its question's options.
    """
    for one in FORMATS:
        draft = Draft(store, answers, source=source, image=image)
        if not _mismatch(one, role, draft):
            return draft.finish(one.title)
    return None


def nearest(store: Store) -> str:
    """The format that finds most of its tensors among these, and what is wrong, for people; "" if none finds any."""
    best, words = 0, ""
    for one in FORMATS:
        for role, image in (("generator", ()), ("critic", (3, 32, 32))):
            draft = Draft(store, {}, image=image)
            why = _mismatch(one, role, draft)
            if len(draft.used) > best:
                best, words = len(draft.used), f"{role} of the {one.title}, but {why}"
    return words


def _mismatch(one: Format, role: str, draft: Draft) -> str:
    """Why the draft's tensors are not a network of this format; "" if they are."""
    try:
        names = draft.store.names
        layers = len(draft.store.modules)
        draft.need(layers <= limits.MAX_LAYERS, f"it has {layers:,} layers")
        draft.need(all(map(all, map(draft.store.shape, names))), "some tensors are empty")
        (one.generator if role == "generator" else one.critic)(draft)
        draft.finish(one.title)
    except MismatchError as error:
        return str(error)
    return ""


def images(store: Store, *, source: str = "") -> Iterator[Network]:
    """The critics that these tensors can be, one for each size of images."""
    for side in dict.fromkeys((*_sides(store), *IMAGE_SIDES)):
        for channels in CHANNELS:
            found = recognise(store, "critic", {}, source=source, image=(channels, side, side))
            if found is not None:
                yield found


def _sides(store: Store) -> Iterator[int]:
    """Sides of square images as long as the inputs of some linear layer, beside a class or not."""
    tables = {name: store.shape(name)[1] for name in store.names if len(store.shape(name)) == 2}
    label = tables.get("label_embedding.weight", 0)
    lengths = {count - beside for count in tables.values() for beside in (0, label)}
    for length in islice(lengths, limits.MAX_LENGTHS):
        for channels in CHANNELS:
            side = math.isqrt(max(0, length) // channels)
            if side >= SMALLEST and channels * side * side == length:
                yield side
