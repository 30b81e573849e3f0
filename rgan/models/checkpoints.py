"""One file a Gan: `.safetensors` with generator, average, critic, companion, reference images and JSON metadata.

Nothing in a file is ever executed. Everything a file claims (size, version, recipe, names, shapes, finite values)
is checked before a weight is used, and each way of being wrong has its own message.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rgan.common.errors import CheckpointError, SettingsError, number_between
from rgan.common.files import write_atomically
from rgan.common.geometry import finite
from rgan.common.limits import MAX_BYTES, MAX_HEADER_BYTES, MAX_ORIGIN, MAX_REFERENCES
from rgan.common.safetensors_header import parse_header, shown
from rgan.data.identity import DataIdentity
from rgan.models import own
from rgan.models.gan import Gan, Origin, Training
from rgan.models.recipes import Recipe
from rgan.networks.labels import labelled

VERSION = 1
KEY = "rgan-lab"  # of the metadata that make a safetensors file one of ours
_DTYPES = {torch.float32: "F32", torch.int64: "I64", torch.uint8: "U8"}


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file says about itself, readable without loading a weight.

    tensors: (dtype, shape) by name. trained_on: the images, as `Gan.trained_on`.
    """

    version: int
    recipe: Recipe
    training: Training | None
    tensors: dict[str, tuple[str, tuple[int, ...]]]
    bytes: int
    trained_on: DataIdentity
    origin: Origin | None = None


def save(gan: Gan, path: str | Path) -> str:
    """Write `gan` to `path` atomically (a reader sees the old file or the new one) and return its SHA-256.

    Raises:
        FileError: the folder cannot be written or is full; an older file at `path` is left as it was.
    """
    from safetensors.torch import save as to_bytes

    tensors: dict[str, Tensor] = {}
    for part, network in _parts(gan).items():
        tensors |= {f"{part}.{name}": value.contiguous() for name, value in network.state_dict().items()}
    if gan.reference is not None:
        tensors["reference"] = gan.reference.contiguous()
    about = {
        "version": VERSION,
        "recipe": gan.recipe.to_dict(),
        "training": dataclasses.asdict(gan.training) if gan.training else None,
    } | ({"origin": dataclasses.asdict(gan.origin)} if gan.origin else {})
    data = to_bytes(tensors, metadata={KEY: json.dumps(about)})
    write_atomically(Path(path), data)
    return hashlib.sha256(data).hexdigest()


def load(path: str | Path) -> Gan:
    """Read and check a file, or ask for the operator's own model at a place such as my_models.py:mine (see `own`).

    Raises:
        CheckpointError: there is no such file, or it is too large, truncated, foreign, of another version,
            inconsistent with its own recipe, or holds values that are not finite; or the operator's code failed.
    """
    if (place := own.place_of(path)) is not None:
        return own.load(place)
    path = Path(path)
    return loads(read_bytes(path), path.name)


def glance(path: str | Path) -> tuple[Header, str]:
    """What a file says about itself, and its SHA-256; of an operator's own model, what is known of it.

    Raises:
        CheckpointError: as `inspect`, or there is no such file.
    """
    if (place := own.place_of(path)) is not None:
        gan = own.load(place)
        return Header(VERSION, gan.recipe, None, {}, 0, gan.trained_on), gan.digest
    path = Path(path)
    data = read_bytes(path)
    return inspect(data, path.name), hashlib.sha256(data).hexdigest()


def loads(data: bytes, name: str = "the file") -> Gan:
    """`load` for a file already in memory; `name` is used in messages."""
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    header = inspect(data, name)
    generator, critic = header.recipe.networks()
    average = None
    if any(key.startswith("average.") for key in header.tensors):
        average = header.recipe.networks()[0]
    companion = header.recipe.companion()
    networks: dict[str, nn.Module] = {"generator": generator, "critic": critic, "companion": companion}
    if average is not None:
        networks["average"] = average
    _check_tensors(header, networks, name)
    try:
        tensors = from_bytes(data)
    except SafetensorError as error:
        raise CheckpointError(f"{name}: expected a whole file, got a damaged one; copy it again") from error
    for key, value in tensors.items():
        if value.is_floating_point() and not finite(value):
            raise CheckpointError(
                f"{name}: expected finite weights, got NaN or infinity in {key}; the training that wrote it diverged"
            )
    for part, network in networks.items():
        state = {key.removeprefix(f"{part}."): value for key, value in tensors.items() if key.startswith(f"{part}.")}
        network.load_state_dict(state, assign=True)
    gan = Gan(
        recipe=header.recipe,
        generator=generator,
        critic=critic,
        average=average,
        training=header.training,
        reference=tensors.get("reference"),
        digest=hashlib.sha256(data).hexdigest(),
        origin=header.origin,
        label=_label(header),
        companion=companion,
    )
    return checked(gan, name)


def _label(header: Header) -> int:
    """The class that a conditional Gan draws first, as its importer said."""
    told = header.origin.answers.get("class", "0") if header.origin else "0"
    classes = header.recipe.layers.classes if header.recipe.layers else 0
    return int(told) if told.isdecimal() and int(told) < classes else 0


def checked(gan: Gan, name: str = "the file") -> Gan:
    """`gan`, if what it makes of noise is finite.

    Raises:
        CheckpointError: it is not.
    """
    with torch.no_grad(), labelled(gan.label):
        # A Gan without critic is asked for its images.
        z = gan.noise(2, 0)
        images = gan.sampler(z)
        loss = gan.recipe.criterion.generator(gan.critic(images, *gan.companion.beside_fake(images, z)))
    if not finite(loss):
        raise CheckpointError(f"{name}: expected weights that give finite losses, got others; it is damaged")
    return gan


def inspect(data: bytes, name: str = "the file") -> Header:
    """Read what a file says about itself, without loading a weight.

    Raises:
        CheckpointError: too large, truncated, foreign, of another version, or with an impossible recipe.
    """
    _check_size(len(data), name)
    foreign = f"{name}: expected a checkpoint written by RGAN Lab (.safetensors)"
    if len(data) < 8:
        raise CheckpointError(f"{name}: expected at least 8 bytes, got {len(data)}; the file is cut short")
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"{foreign}, got something else; train one with `python -m rgan train`")
    if 8 + length > len(data):
        raise CheckpointError(
            f"{name}: expected a header of {length} bytes, got {len(data) - 8}; the file is cut short or foreign"
        )
    try:
        metadata, entries, start = parse_header(data)
    except ValueError as error:
        raise CheckpointError(f"{foreign}, got something else; train one with `python -m rgan train`") from error
    tensors = {key: (dtype, shape) for key, (dtype, shape, _, _) in entries.items()}
    end = start + max((end for *_, end in entries.values()), default=0)
    if not isinstance(metadata.get(KEY), str):
        raise CheckpointError(f"{foreign}, got a safetensors file of another program with {len(tensors)} tensors")
    try:
        about = json.loads(metadata[KEY])
        version = about["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{foreign}, got unreadable metadata; the file is damaged") from error
    if version != VERSION:
        raise CheckpointError(
            f"{name}: expected format version {VERSION}, got {str(version)[:20]}; "
            "use the RGAN Lab release that wrote it, or train again"
        )
    if end > len(data):
        raise CheckpointError(f"{name}: expected {end} bytes, got {len(data)}; the file is cut short: copy it again")
    try:
        recipe = Recipe.from_dict(about.get("recipe"))
        if not recipe.critic_scale:
            raise SettingsError("expected critic_scale as measured by the training, got 0")
        training, origin = _training(about.get("training")), _origin(about.get("origin"))
    except SettingsError as error:
        raise CheckpointError(f"{name}: {error}") from error
    data_name = training.data if training else origin.data if origin else ""
    known = DataIdentity(data_name, *((training.fingerprint, training.own) if training else ()))
    if "reference" in entries:
        *_, first, last = entries["reference"]
        known = dataclasses.replace(known, real=hashlib.sha256(data[start + first : start + last]).hexdigest()[:16])
    return Header(VERSION, recipe, training, tensors, len(data), known, origin)


def read_bytes(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        CheckpointError: it is too large, which is looked at first, or cannot be read, or is no file: reading a pipe
            would not end.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CheckpointError(f"expected a checkpoint file at {path}, got a pipe or a device; name a file")
        _check_size(path.stat().st_size, path.name)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # some files have no size to look at, and no end
        _check_size(len(data), path.name)
        return data
    except OSError as error:
        raise CheckpointError(
            f"expected a readable checkpoint file at {path}, got: {error.strerror}; check the path"
        ) from error


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{name}: expected at most {MAX_BYTES // 2**20} MiB, got {size / 2**20:.0f} MiB; "
            "choose the checkpoint of a GAN, without its optimiser"
        )


def _parts(gan: Gan) -> dict[str, nn.Module]:
    parts = {"generator": gan.generator, "critic": gan.critic, "companion": gan.companion}
    return parts | ({"average": gan.average} if gan.average is not None else {})


def _check_tensors(header: Header, networks: dict[str, nn.Module], name: str) -> None:
    """Every tensor the recipe implies is there with its dtype and shape, and nothing else is."""
    expected: dict[str, tuple[str, tuple[int, ...]]] = {}
    for part, network in networks.items():
        for key, value in network.state_dict().items():
            expected[f"{part}.{key}"] = _DTYPES[value.dtype], tuple(value.shape)
    found = dict(header.tensors)
    reference = found.pop("reference", None)
    recipe = header.recipe
    if reference is not None and (
        reference[0] != "U8"
        or len(reference[1]) != 4
        or reference[1][1:] != (recipe.channels, recipe.size, recipe.size)
        or not 1 <= reference[1][0] <= MAX_REFERENCES
    ):
        raise CheckpointError(
            f"{name}: expected reference images U8 (1 to {MAX_REFERENCES}, {recipe.channels}, {recipe.size}, "
            f"{recipe.size}), got {reference[0]} {reference[1]}"
        )
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            raise CheckpointError(
                f"{name}: expected tensor {shown(key)} to be {_say(expected.get(key))} for its recipe, "
                f"got {_say(found.get(key))}; the file does not match its own recipe"
            )


def _say(tensor: tuple[str, tuple[int, ...]] | None) -> str:
    return "absent" if tensor is None else f"{tensor[0]} {tensor[1]}"


def _training(values: Any) -> Training | None:
    if values is None:
        return None
    if not isinstance(values, dict):
        raise SettingsError(f"expected training facts, got {type(values).__name__}")
    kinds: dict[str, type | tuple[type, ...]] = {
        "data": str,
        "iterations": int,
        "seed": int,
        "seconds": (int, float),
        "device": str,
        "precision": str,
    }
    for field, kind in kinds.items():
        if not isinstance(values.get(field), kind):
            raise SettingsError(f"expected training fact {field}, got {str(values.get(field))[:40]!r}")
    rows = values.get("history", [])
    if not isinstance(rows, list) or len(rows) > 100_000:
        raise SettingsError("expected the training history to be a list of rows")
    for row in rows:
        if not isinstance(row, dict):
            raise SettingsError(f"expected a row of the training history, got {type(row).__name__}")
        for value in row.values():
            number_between("a number of the training history", value, -1e30, 1e30)
    protocol = values.get("protocol", "")
    if not isinstance(protocol, str):
        raise SettingsError(f"expected the protocol of the scores as text, got {type(protocol).__name__}")
    images = values.get("fingerprint", "")
    if not isinstance(images, str):
        raise SettingsError(f"expected the fingerprint of the images as text, got {type(images).__name__}")
    own = values.get("own", False)
    if not isinstance(own, bool):
        raise SettingsError(f"expected whether the images are the user's own as true or false, got {str(own)[:40]!r}")
    facts = {field: values[field] for field in kinds}
    return Training(history=tuple(rows), protocol=protocol, fingerprint=images, own=own, **facts)


def _origin(values: Any) -> Origin | None:
    if values is None:
        return None
    try:
        files, answers, data, critic = values["files"], values["answers"], values["data"], values.get("critic", "")
        texts = [data, critic, *answers.keys(), *answers.values(), *(text for pair in files for text in pair)]
        whole = all(len(pair) == 2 for pair in files) and all(
            isinstance(text, str) and text.isprintable() for text in texts
        )
    except (TypeError, KeyError, AttributeError):
        whole = False
    if not whole or sum(map(len, texts)) > MAX_ORIGIN:
        raise SettingsError("expected the origin of an imported model as names, digests and answers, got other values")
    return Origin(tuple((str(name), str(digest)) for name, digest in files), dict(answers), data, critic)
