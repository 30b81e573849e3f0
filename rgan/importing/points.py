"""GANs of points in the plane, from strangers' files: chains of fully connected layers that end in two numbers."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from rgan.common import limits
from rgan.common.errors import CheckpointError
from rgan.networks.described import Activation, Layer, Linear

MOST_NOISE = 512  # numbers of noise
ENDS = {"none": "the last layer’s own numbers", "tanh": "tanh: −1 to 1"}
GUESS = "relu"  # of activations, which weights do not tell

Weights = tuple[tuple[Tensor, Tensor | None], ...]  # of each layer, (outputs, inputs) and (outputs,)


@dataclass(frozen=True)
class PointNetworks:
    """What a stranger's files hold: the weights of a generator of points and, where there is one, of its critic.

    digest: of the files. latent: numbers of noise.
    """

    digest: str
    generator: Weights = field(compare=False, repr=False)
    critic: Weights | None = field(compare=False, repr=False)

    @property
    def latent(self) -> int:
        return self.generator[0][0].shape[1]

    @property
    def words(self) -> str:
        """What they are, for people."""
        sizes = "–".join(str(weight.shape[1]) for weight, _ in self.generator) + "–2"
        critic = "no critic: one begins beside it" if self.critic is None else f"critic {_sizes(self.critic)}"
        return f"generator {sizes}, {critic}"


def layers(weights: Weights, activation: str, end: str = "none") -> tuple[Layer, ...]:
    """The layers of a chain, with one of ACTIVATIONS between them and one of ENDS after the last.

    Raises:
        SettingsError: another activation.
    """
    made: list[Layer] = []
    for weight, bias in weights:
        made += [Linear(weight.shape[0], bias is not None), Activation(activation)]
    return (*made[:-1], *([Activation(end)] if end != "none" else []))


def read(files: Sequence[tuple[str, bytes]]) -> PointNetworks:
    """The GAN of points in these files, (name, bytes) each; nothing in them is run.

    Raises:
        CheckpointError: a file is no checkpoint or built to harm, or there is no generator of points; with what there
            is instead.
    """
    from rgan.importing import containers  # the laboratory's settings, which every screen knows, need no readers

    if not 1 <= len(files) <= limits.MAX_FILES:
        raise CheckpointError(f"expected 1 to {limits.MAX_FILES} files, got {len(files)}; choose those of one GAN")
    generators: list[Weights] = []
    critics: list[Weights] = []
    seen: list[str] = []
    for name, data in files:
        for group in containers.read(data, name).groups.values():
            for weights in _networks(group):
                inputs, outputs = weights[0][0].shape[1], weights[-1][0].shape[0]
                seen.append(_sizes(weights))
                if outputs == 2 and inputs <= MOST_NOISE:
                    generators.append(weights)
                elif (inputs, outputs) == (2, 1):
                    critics.append(weights)
    if len(generators) != 1 or len(critics) > 1:
        found = "; ".join(seen[:6]) or "no such network"
        raise CheckpointError(
            f"expected one generator that makes 2 numbers of up to {MOST_NOISE}, fully connected throughout, and at "
            f"most one critic that makes 1 of 2, got {found}; choose the files of one GAN of points"
        )
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for _, data in files)).hexdigest()
    return PointNetworks(digest, generators[0], critics[0] if critics else None)


def _networks(group: Mapping[str, Tensor]) -> Iterator[Weights]:
    """The chains of linear layers in a group of tensors: that under each first name, or all of it."""
    for depth in (1, 0):  # a generator and the critic behind it would make one chain
        parts: dict[str, dict[str, Tensor]] = {}
        for name, value in group.items():
            parts.setdefault(".".join(name.split(".")[:depth]), {})[name] = value
        chains = [_chain(part) for part in parts.values()]
        if chains and all(one is not None for one in chains):
            yield from (one for one in chains if one is not None)
            return


def _chain(tensors: Mapping[str, Tensor]) -> Weights | None:
    """Weights and biases in their order, where they are a chain of at least two layers and nothing else is there."""
    names = [name.removesuffix("weight") for name in tensors if name.endswith("weight")]
    known = {f"{name}{kind}" for name in names for kind in ("weight", "bias")}
    if len(names) < 2 or not set(tensors) <= known:
        return None
    weights = tuple((tensors[f"{name}weight"].float(), _float(tensors.get(f"{name}bias"))) for name in names)
    fits = all(one.dim() == 2 and one.shape[0] <= limits.MAX_FEATURES for one, _ in weights) and all(
        before.shape[0] == after.shape[1] for (before, _), (after, _) in itertools.pairwise(weights)
    )
    biased = all(bias is None or bias.shape == one.shape[:1] for one, bias in weights)
    return weights if fits and biased and len(weights) <= limits.MAX_LAYERS // 2 else None


def _float(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.float()


def _sizes(weights: Weights) -> str:
    return "–".join(str(size) for size in (weights[0][0].shape[1], *(one.shape[0] for one, _ in weights)))
