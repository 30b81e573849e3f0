"""Whole modules, pickled and read as data: their standard layers say exactly what they are.

A module whose parts run in their order, as an nn.Sequential's do, becomes an exact network. Where its own code does
something between them (a reshape, an activation as a function), what its parts say of stride, padding and eps goes to
the solver (`tensors.Store.facts`), which finds the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from rgan.importing.drafting import Draft, MismatchError
from rgan.importing.solver import Reading
from rgan.importing.tensors import ModuleAt, Store
from rgan.networks.described import Activation, GroupNorm, Layer, Shape, Shuffle, Up

EXACT = -6.0  # cost of a reading by what a module says itself

_ACTIVATIONS: dict[str, Callable[[ModuleAt], Layer]] = {
    "ReLU": lambda _: Activation("relu"),
    "ReLU6": lambda _: Activation("relu6"),
    "LeakyReLU": lambda m: Activation("leaky", m.number("negative_slope", 0.01)),
    "Tanh": lambda _: Activation("tanh"),
    "Sigmoid": lambda _: Activation("sigmoid"),
    "SELU": lambda _: Activation("selu"),
    "SiLU": lambda _: Activation("silu"),
    "GELU": lambda _: Activation("gelu"),
    "Softplus": lambda _: Activation("softplus"),
    "ELU": lambda m: Activation("elu"),
}
_NOTHING = {"Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity"}
MODES = {"nearest": "nearest", "bilinear": "bilinear"}


def readings(store: Store, role: str, image: Shape = ()) -> list[Reading]:
    """The network as its module says, if its parts run in their order; else none."""
    if not store.layers:
        return []
    draft = Draft(store, {}, image=image)
    write = partial(_write, role)
    try:
        write(draft)
        draft.finish("module")
    except MismatchError:
        return []
    title = store.layers[0].of.rpartition(".")[2] if store.layers[0].of else ""
    own = {name: one.guess for name, one in draft.questions.items()}
    return [Reading(f"module {title}"[:80] if title.isidentifier() else "whole module", write, EXACT, own=own)]


def is_sequence(store: Store) -> bool:
    """Whether the module is an nn.Sequential of layers and others of its kind, whose parts run in their order."""
    return all(part.of.startswith("torch.nn.") and part.kind != "ModuleList" for part in store.layers)


def _write(role: str, d: Draft) -> None:
    """All parts in their order; features become maps where the next part needs them, as `view` does in code."""
    parts = [part for part in d.store.layers if not _holds(d.store, part)]
    acting = [part for part in parts if part.kind in _ACTIVATIONS or part.kind == "PReLU"]
    weighty = [part for part in parts if d.rank(part.name) in (2, 4)]
    d.need(weighty, "it has no layers")
    for one, other in pairwise(weighty):
        between = parts[parts.index(one) + 1 : parts.index(other)]
        d.need(is_sequence(d.store) or any(part in acting for part in between), "it acts by code of its own")
    last = parts[-1]
    ends = role == "generator" and last.kind in ("Tanh", "Sigmoid")
    if role == "critic":
        d.from_image()
    else:
        first = weighty[0]
        d.noise(d.size(first.name, 2)[1] if d.rank(first.name) == 2 else d.size(first.name, 4)[0])
    body = parts[:-1] if ends or (role == "critic" and last.kind == "Sigmoid") else parts
    for place, part in enumerate(body):
        _add(d, part, body[place + 1 :], role == "critic" and part is weighty[-1])
    if role == "generator":
        d.guesses = {
            **d.guesses,
            "output": {"Tanh": "tanh", "Sigmoid": "sigmoid"}.get(last.kind, "none") if ends else "none",
        }
        d.to_image()


def _holds(store: Store, part: ModuleAt) -> bool:
    """Whether a part is there for those within it alone."""
    prefix = f"{part.name}." if part.name else ""
    inner = any(other is not part and other.name.startswith(prefix) for other in store.layers)
    return inner or part.kind in ("Sequential", "ModuleList", "ModuleDict")


def _add(d: Draft, part: ModuleAt, after: list[ModuleAt], score: bool) -> None:
    kind, name = part.kind, part.name
    if kind in _NOTHING:
        return
    if kind in _ACTIVATIONS:
        d.need(kind != "ELU" or part.number("alpha", 1.0) == 1, f"{name} is an ELU of another scale")
        d.add(lambda: _ACTIVATIONS[kind](part))
    elif kind == "PReLU":
        d.prelu(name)
    elif kind == "Linear":
        if len(d.shape) == 3:
            d.flat()
        _score(d, score)
        d.linear(name)
    elif kind in ("Conv2d", "ConvTranspose2d"):
        known = d.store.facts.get(name)
        d.need(known, f"{name} is not square")
        d.need(part.number("dilation", 1) == 1 and part.number("groups", 1) == 1, f"{name} is dilated or grouped")
        d.need(part.settings.get("padding_mode", "zeros") == "zeros", f"{name} pads in another way")
        assert known is not None
        if len(d.shape) == 1 and (kind == "Conv2d" or d.layers):
            d.view(d.size(name, 4)[kind == "Conv2d"])
        _score(d, score)
        if kind == "Conv2d":
            d.conv(name, known.stride, known.padding)
        else:
            d.transposed(name, known.stride, known.padding, known.extra)
    elif kind in ("BatchNorm1d", "BatchNorm2d"):
        if kind == "BatchNorm2d" and len(d.shape) == 1:
            d.view(int(part.number("num_features")))
        d.norm(name, repr(part.number("eps", 1e-5)), fixed=True)
    elif kind == "LayerNorm":
        d.sample_norm(name)
    elif kind in ("GroupNorm", "InstanceNorm2d"):
        groups = int(part.number("num_groups", 0)) if kind == "GroupNorm" else 0
        d.need(f"{name}.running_mean" not in d.store, f"{name} keeps statistics")
        d.channel_norm(name, GroupNorm(groups, part.number("eps", 1e-5)))
    elif kind in ("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"):
        factor, mode = part.number("scale_factor", 2), str(part.settings.get("mode", "nearest"))
        d.need(factor == int(factor) and mode in MODES and not part.settings.get("align_corners"), f"{name} is unusual")
        d.add(lambda: Up(MODES[mode], int(factor)))
    elif kind == "PixelShuffle":
        d.add(lambda: Shuffle(int(part.number("upscale_factor", 2))))
    elif kind in ("AvgPool2d", "MaxPool2d"):
        d.need(part.number("kernel_size") == 2 and part.number("stride", 2) in (2,) and not part.number("padding"),
               f"{name} pools in another way")  # fmt: skip
        d.pool("mean" if kind == "AvgPool2d" else "max")
    elif kind == "AdaptiveAvgPool2d":
        d.need(part.number("output_size", 1) == 1, f"{name} pools in another way")
        d.total("mean")
    elif kind == "Flatten":
        if len(d.shape) == 3:
            d.flat()
    elif kind == "Unflatten":
        shape = part.settings.get("unflattened_size")
        d.need(isinstance(shape, list) and len(shape) == 3 and len(d.shape) == 1, f"{name} is unusual")
        d.view(int(shape[0]))  # type: ignore[index]
    else:
        d.need(
            not any(key.startswith(f"{name}.") for key in d.store.names), f"{name} is a {part.of}, which is not known"
        )


def _score(d: Draft, score: bool) -> None:
    """The critic's last layer with weights."""
    if score:
        d.score_at = len(d.layers)
        d.loss("non-saturating")
