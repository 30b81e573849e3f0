"""From the bytes of a file to named tensors, whatever program wrote it, without running anything of it.

`sniff` says what a file is from its first bytes, and refuses by name what is no checkpoint. `listing` reads names and
shapes, `read` the numbers as well. A `.safetensors` file is parsed here. The pickle inside a `.pth`, `.pt` or `.ckpt`
is never opened in this process: `pickle_reader` reads it as data, in a process of its own with limits on memory, time
and files, and says only where in the file each tensor lies. These places are checked here against the file before a
number is read. Graphs with weights (TorchScript, torch.export, ONNX) are read as `graphs` has them. All limits are in
`limits`.
"""

from __future__ import annotations

import codecs
import io
import json
import math
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.common import limits
from rgan.common.errors import CheckpointError
from rgan.common.safetensors_header import parse_header, shown
from rgan.importing import pickle_reader
from rgan.importing.graphs import exported, onnx, script_reader
from rgan.importing.graphs.exported import Exported
from rgan.importing.graphs.flows import UnknownError
from rgan.importing.graphs.onnx import Onnx
from rgan.importing.graphs.program import Program
from rgan.importing.graphs.torchscript import Script

Group = dict[str, Tensor]

_DTYPES = {
    "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64,
    "int64": torch.int64, "int32": torch.int32, "int16": torch.int16, "int8": torch.int8, "uint8": torch.uint8,
    "bool": torch.bool,
    # as safetensors writes them
    "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip

_TORCH_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of torch.save, pickled
_WANTED = "expected a checkpoint (.safetensors, .pth, .pt, .ckpt, .pt2 or .onnx)"

# Files people upload by mistake: first bytes, what it is, what to do.
_MISTAKES: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer instead of the file it stands for",
     "run `git lfs pull` where you cloned it, or download the file itself"),
    (b"\x89PNG", "a PNG image", "choose the file with the weights"),
    (b"\xff\xd8\xff", "a JPEG image", "choose the file with the weights"),
    (b"GIF8", "a GIF image", "choose the file with the weights"),
    (b"RIFF", "an image, sound or film", "choose the file with the weights"),
    (b"BM", "a BMP image", "choose the file with the weights"),
    (b"%PDF", "a PDF document", "choose the file with the weights"),
    (b"\x1f\x8b", "a gzip archive", "unpack it and choose the file with the weights"),
    (b"BZh", "a bzip2 archive", "unpack it and choose the file with the weights"),
    (b"\xfd7zXZ", "an xz archive", "unpack it and choose the file with the weights"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it and choose the file with the weights"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it and choose the file with the weights"),
    (b"Rar!", "a RAR archive", "unpack it and choose the file with the weights"),
    (b"PK\x05\x06", "an empty zip archive", "choose the file with the weights"),
    (b"\x89HDF", "an HDF5 file, as Keras writes", "only PyTorch's weights can be read"),
    (b"\x93NUMPY", "a numpy array", "save the network's state_dict() with torch.save"),
    (b"GGUF", "a GGUF file of a language model", "choose the checkpoint of a GAN"),
    (b"SQLite format 3", "a database", "choose the file with the weights"),
    (b"\x7fELF", "a program", "choose the file with the weights"),
    (b"MZ", "a program", "choose the file with the weights"),
)  # fmt: skip


LIMITS = {  # of one description, as its reader is told
    "operations": limits.MAX_OPERATIONS, "nodes": limits.MAX_NODES, "depth": limits.MAX_DEPTH,
    "name": limits.MAX_NAME, "tensors": limits.MAX_TENSORS, "groups": limits.MAX_GROUPS,
    "entries": limits.MAX_ENTRIES, "dimensions": limits.MAX_DIMENSIONS,
}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """What a file holds: `kind` of container; tensors in groups, by their path in it ("" where they lie at the top);
    `unread`, the classes of objects that were passed over; `metadata` of a safetensors file; `modules`, by their path,
    the parts of whole modules in their order: name, class and plain attributes of each; `odd`, tensors that cannot be
    read or used, by path and name, and why; `graph`, how they are wired, where the file says it.
    """

    name: str
    kind: str
    groups: Mapping[str, Group]
    unread: tuple[str, ...] = ()
    metadata: Mapping[str, str] | None = None
    modules: Mapping[str, tuple[tuple[str, str, Mapping[str, Any]], ...]] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)
    graph: Program | None = None


NOT_FINITE = "NaN or infinity"


class _ExpandedError(Exception):
    """A tensor shows some of its numbers more than once."""


@dataclass(frozen=True)
class _Place:
    """Where the numbers of a tensor lie in a file: `start` and `count` of its storage, then as torch's strides say."""

    dtype: torch.dtype
    start: int
    count: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def sniff(data: bytes, name: str = "the file") -> str:
    """The container: "safetensors", "zip" (of torch.save, TorchScript or torch.export), "legacy" (of torch.save) or
    "onnx".

    Raises:
        CheckpointError: the file is too large, empty or something else, which is named.
    """
    name = shown(name, limits.MAX_NAME)
    if len(data) > limits.MAX_BYTES:
        raise CheckpointError(
            f"{name}: expected at most {limits.MAX_BYTES // limits.MIB} MiB, got {len(data) / limits.MIB:.0f} MiB; "
            "save the weights alone, without the optimiser"
        )
    if not data:
        raise CheckpointError(f"{name}: {_WANTED}, got an empty file; copy it again")
    if data.startswith(b"PK\x03\x04"):
        return "zip"
    if data.startswith(_TORCH_LEGACY):
        return "legacy"
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= limits.MAX_HEADER_BYTES:
        return "safetensors"
    if onnx.is_onnx(data):
        return "onnx"
    what, mend = _mistaken(data)
    raise CheckpointError(f"{name}: {_WANTED}, got {what}; {mend}")


def listing(data: bytes, name: str = "the file") -> Contents:
    """Names, shapes and dtypes, as tensors of torch's "meta" device; no number is read, but those of a graph, which are
    part of how it is wired.

    Raises:
        CheckpointError: as `read`, except what only the numbers tell.
    """
    return _contents(data, name, lambda place, _: torch.empty(place.shape, dtype=place.dtype, device="meta"))


def read(data: bytes, name: str = "the file") -> Contents:
    """All tensors, contiguous, floating ones as float32.

    Raises:
        CheckpointError: not a checkpoint, damaged, cut short, built to harm or beyond a limit.
    """
    return _contents(data, name, lambda place, where: _numbers(data, place, where))


def _contents(data: bytes, name: str, make: Callable[[_Place, str], Tensor]) -> Contents:
    name = shown(name, limits.MAX_NAME)
    kind = sniff(data, name)
    metadata: dict[str, str] | None = None
    unread: tuple[str, ...] = ()
    odd: dict[str, str] = {}
    modules: dict[str, tuple[tuple[str, str, Mapping[str, Any]], ...]] = {}
    if kind == "onnx":
        return _graph(name, kind, lambda: Onnx(data))
    if kind == "safetensors":
        metadata, places = _safetensors(data, name)
    else:
        if kind == "zip":
            archive = _Archive(data, name)
            if archive.is_script:
                return _graph(name, "torchscript", lambda: _script(archive))
            if archive.exported:
                return _graph(name, "torch.export", lambda: _exported(archive))
            answer, starts = archive.pickled()
        else:
            answer, starts = _legacy(data, name)
        unread = tuple(map(shown, answer["unread"]))
        odd = {shown(path): shown(what) for path, what in answer["odd"].items()}
        modules = {
            path: tuple((shown(part), shown(of), settings) for part, of, settings in parts)
            for path, parts in answer["modules"].items()
        }
        _check_names(answer["groups"], name)
        places = {}
        for path, group in answer["groups"].items():
            places[path] = {}
            for key, told in group.items():
                try:
                    places[path][key] = _place(data, starts, told, f"{name}: {key}")
                except _ExpandedError as error:
                    odd[f"{path}/{key}".lstrip("/")] = str(error)
    everything = [place for group in places.values() for place in group.values()]
    if len(everything) > limits.MAX_TENSORS:
        raise CheckpointError(f"{name}: expected at most {limits.MAX_TENSORS:,} tensors, got {len(everything):,}")
    # An empty side counts as one: torch multiplies the others all the same.
    total = sum(math.prod(max(1, side) for side in place.shape) for place in everything)
    if total > limits.MAX_NUMBERS:
        raise CheckpointError(
            f"{name}: expected at most {limits.MAX_NUMBERS:,} numbers in all, got {total:,}; save one network a file"
        )
    groups: dict[str, Group] = {}
    for path, own in places.items():
        groups[path] = {}
        for key, place in own.items():
            value = make(place, f"{name}: {key}")
            if value.is_floating_point() and not value.is_meta and not bool(torch.isfinite(value).all()):
                odd[f"{path}/{key}".lstrip("/")] = NOT_FINITE
            else:
                groups[path][key] = value
    return Contents(name, kind, groups, unread, metadata, modules, odd)


def _check_names(groups: Mapping[str, Iterable[str]], name: str) -> None:
    """Raise CheckpointError unless all paths and names are short and can be printed: a terminal obeys what cannot."""
    for path, group in groups.items():
        for key in group:
            if not (path + key).isprintable() or len(key) > limits.MAX_NAME:
                raise CheckpointError(f"{name}: expected short names to print, got {shown(key)}; it is damaged")


def _safetensors(data: bytes, name: str) -> tuple[dict[str, str], dict[str, dict[str, _Place]]]:
    try:
        metadata, entries, start = parse_header(data)
    except ValueError as error:
        raise CheckpointError(
            f"{name}: expected the header of a safetensors file, got something else; it is damaged or cut short: "
            "copy it again"
        ) from error
    _check_names({"": entries}, name)
    places: dict[str, _Place] = {}
    for key, (dtype, shape, begin, end) in entries.items():
        if dtype not in _DTYPES or len(shape) > limits.MAX_DIMENSIONS:
            raise CheckpointError(f"{name}: {key[:80]}: expected plain numbers, got {shown(dtype, 20)}")
        count = math.prod(shape)
        if end - begin != count * _DTYPES[dtype].itemsize or start + end > len(data):
            raise CheckpointError(
                f"{name}: {key[:80]}: expected {count:,} numbers of {dtype} within the file, got bytes {begin:,} to "
                f"{end:,}; the file is cut short or damaged: copy it again"
            )
        places[key] = _Place(_DTYPES[dtype], start + begin, count, 0, shape, _strides(shape))
    spans = sorted((place.start, place.start + place.count * place.dtype.itemsize) for place in places.values())
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        raise CheckpointError(f"{name}: expected tensors beside each other, got some that overlap; it is damaged")
    return metadata, {"": places}


class _Archive:
    """A zip file: where each of its entries lies, and what kind of archive it is."""

    def __init__(self, data: bytes, name: str):
        """Raises:
        CheckpointError: it is damaged, or has more entries than any checkpoint.
        """
        self.data, self.name = data, name
        self.damaged = f"{name}: expected a whole zip file of torch.save, got a damaged one; copy it again"
        many = (
            f"{name}: expected at most {limits.MAX_ENTRIES:,} short entries in a zip, got more; save the state_dict() "
            "alone"
        )
        try:
            with zipfile.ZipFile(_Directory(data)) as archive:
                self.entries = {entry.filename: entry for entry in archive.infolist()}
                count = len(archive.infolist())
        except _DirectoryError as error:
            raise CheckpointError(many) from error
        except (zipfile.BadZipFile, ValueError, OSError, EOFError, UnicodeDecodeError, NotImplementedError) as error:
            raise CheckpointError(self.damaged) from error
        if count > limits.MAX_ENTRIES:
            raise CheckpointError(many)
        if count != len(self.entries):
            raise CheckpointError(f"{name}: expected entries with names of their own, got two of one; it is damaged")
        self.is_script = bool(self.ending("constants.pkl"))
        self.exported = bool(self.ending("archive_format") or self.ending("serialized_exported_program.json"))

    def ending(self, last: str) -> list[str]:
        """Names of the entries whose last part this is."""
        return [path for path in self.entries if path == last or path.endswith(f"/{last}")]

    def span(self, path: str) -> tuple[int, int]:
        """Where an entry's bytes begin, and how many they are.

        Raises:
            CheckpointError: it is compressed, or the file is cut short.
        """
        entry = self.entries[path]
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise CheckpointError(
                f"{self.name}: expected entries stored as they are, as torch.save does, got {shown(path, 60)} "
                f"compressed or encrypted ({entry.compress_size:,} bytes for {entry.file_size:,}); save it with "
                "torch.save again"
            )
        return _span(self.data, entry, self.damaged)

    def content(self, path: str, most: int) -> bytes:
        """An entry's bytes, at most one more than `most`."""
        begin, size = self.span(path)
        return self.data[begin : begin + min(size, most + 1)]

    def spans(self, folder: str) -> dict[str, tuple[int, int]]:
        """Where each entry of a folder lies."""
        return {path.removeprefix(folder): self.span(path) for path in self.entries if path.startswith(folder)}

    def check_order(self, folder: str) -> None:
        """That numbers are little-endian."""
        path = f"{folder}byteorder"
        if path in self.entries and self.content(path, 10) not in (b"", b"little"):
            raise CheckpointError(
                f"{self.name}: expected little-endian numbers, got others; save it on an ordinary machine"
            )

    def pickled(self, *, whole: bool = False) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
        """What the pickle of a file of torch.save says, as networks or as a whole, and where each storage lies."""
        pickles = self.ending("data.pkl")
        if len(pickles) != 1:
            first = ", ".join(shown(path, 40) for path in list(self.entries)[:3])
            raise CheckpointError(
                f"{self.name}: expected a file of torch.save, got a zip archive of {len(self.entries)} files ({first}, "
                "…); unpack it and choose the file with the weights"
            )
        self.spans("")  # none is compressed
        folder = pickles[0].removesuffix("data.pkl")
        self.check_order(folder)
        answer = _ask(self.content(pickles[0], limits.MAX_PICKLE_BYTES), self.name, legacy=False, whole=whole)
        return answer, self.spans(f"{folder}data/")

    def code(self, folder: str) -> list[tuple[str, bytes]]:
        """The texts of a TorchScript archive by their dotted names, the only entries that may be compressed.

        Raises:
            CheckpointError: they are damaged, or too long.
        """
        found: list[tuple[str, bytes]] = []
        left = limits.MAX_CODE_BYTES
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
                for path, entry in self.entries.items():
                    if path.startswith(folder) and path.endswith(".py"):
                        with archive.open(entry) as file:
                            text = file.read(left + 1)
                        left -= len(text)
                        if left < 0:
                            raise CheckpointError(
                                f"{self.name}: expected at most {limits.MAX_CODE_BYTES // limits.MIB} MiB of code, got "
                                "more; save the network's state_dict() with torch.save instead"
                            )
                        found.append((path.removeprefix(folder).removesuffix(".py").replace("/", "."), text))
        except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise CheckpointError(self.damaged) from error
        except zlib.error as error:
            raise CheckpointError(self.damaged) from error
        return found


def _graph(name: str, kind: str, make: Callable[[], Program]) -> Contents:
    """A file that is a graph with weights.

    Raises:
        CheckpointError: it is damaged, or of a format that is not known.
    """
    try:
        program = make()
    except UnknownError as error:
        raise CheckpointError(
            f"{name}: expected a graph with weights, got {shown(str(error), 200)}; save the network's state_dict() "
            "with torch.save instead"
        ) from error
    tensors = {key: value for key, value in program.tensors.items() if key}
    if len(tensors) > limits.MAX_TENSORS:
        raise CheckpointError(f"{name}: expected at most {limits.MAX_TENSORS:,} tensors, got {len(tensors):,}")
    _check_names({"": tensors}, name)
    return Contents(name, kind, {"": tensors}, graph=program)


class _Reader:
    """Reads tensors of one file, as many numbers in all as a file may have: a graph may name one several times."""

    def __init__(self, data: bytes, name: str):
        self.data, self.name, self.left = data, name, limits.MAX_NUMBERS

    def __call__(self, place: _Place) -> Tensor:
        self.left -= math.prod(place.shape)
        if self.left < 0:
            raise CheckpointError(
                f"{self.name}: expected at most {limits.MAX_NUMBERS:,} numbers in all, got more; save one network a "
                "file"
            )
        return _numbers(self.data, place, self.name)


def _script(archive: _Archive) -> Script:
    """A TorchScript archive: its pickles as data, and its code as text."""
    (path, *more) = archive.ending("constants.pkl")
    folder = path.removesuffix("constants.pkl")
    if more or f"{folder}data.pkl" not in archive.entries:
        raise CheckpointError(archive.damaged)
    archive.check_order(folder)
    read = _Reader(archive.data, archive.name)

    def pickled(which: str, storages: str) -> tuple[dict[str, Any], Callable[[Any], Tensor | None]]:
        told = archive.content(f"{folder}{which}.pkl", limits.MAX_PICKLE_BYTES)
        starts = archive.spans(f"{folder}{storages}/")

        def tensor(given: Any) -> Tensor | None:
            try:
                return read(_place(archive.data, starts, given, archive.name))
            except _ExpandedError:
                return None

        return _ask(told, archive.name, legacy=False, whole=True), tensor

    told, tensor = pickled("data", "data")
    constants, constant = pickled("constants", "constants")
    items = constants["root"][1] if isinstance(constants["root"], list) else []
    code = archive.code(f"{folder}code/")
    header = {"files": [(name, len(text)) for name, text in code]}
    spoken = _child(script_reader.__file__, header, b"".join(text for _, text in code), archive.name)
    if "error" in spoken:
        raise UnknownError(spoken["error"])
    return Script(
        told, [constant(one[1]) if isinstance(one, list) and one[0] == "tensor" else None for one in items], spoken,
        tensor,
    )  # fmt: skip


MAX_PICKLES = 100  # tensors of a program of torch.export that are pickled each: every one takes a process
# Files of torch.save within a program of torch.export.
_INNER = re.compile(r"(.*/)?(serialized_(state_dict|constants)\.(pt|json)|data/(weights|constants)/[^/]+\.pt)")


def _exported(archive: _Archive) -> Exported:
    """A program of torch.export, in the layouts of torch 2.1 until now."""
    weights: Group = {}
    old = archive.ending("serialized_exported_program.json")
    paths = old or [path for path in archive.entries if re.fullmatch(r"(.*/)?models/[^/]+\.json", path)]
    if len(paths) != 1:
        raise UnknownError(f"{len(paths)} programs in one file")
    told = _json(archive, paths[0])
    read = _Reader(archive.data, archive.name)
    for path in archive.entries:
        last = path.rpartition("/")[2]
        if re.fullmatch(r".*_(weights|constants)_config\.json", last):
            weights |= _configured(archive, path, read)
        elif re.fullmatch(_INNER, path):
            begin, size = archive.span(path)
            inner = archive.data[begin : begin + size]
            if inner[:2] == b"PK" and (archive_of := _Archive(inner, archive.name)).ending("data.pkl"):
                answer, starts = archive_of.pickled()
                reader = _Reader(inner, archive.name)
                for key, one in answer["groups"].get("", {}).items():
                    weights[key] = reader(_place(inner, starts, one, archive.name))
    return Exported(told, weights)


def _configured(archive: _Archive, path: str, read: _Reader) -> Group:
    """The tensors that a list beside them describes."""
    found: Group = {}
    folder = path.rpartition("/")[0]
    pickles = 0
    try:
        for key, one in dict(_json(archive, path)["config"]).items():
            if one.get("use_pickle"):
                pickles += 1
                if pickles > MAX_PICKLES:
                    raise UnknownError(f"more than {MAX_PICKLES} pickles")
                found |= _alone(archive, f"{folder}/{one['path_name']}", key)
                continue
            meta = one["tensor_meta"]
            dtype = _DTYPES[exported.DTYPES[meta["dtype"]]]
            shape, strides = ([int(side["as_int"]) for side in meta[which]] for which in ("sizes", "strides"))
            offset = int(meta["storage_offset"]["as_int"])
            begin, size = archive.span(f"{folder}/{one['path_name']}")
            if min([*shape, *strides, offset], default=0) < 0 or max([*shape, *strides, offset], default=0) >= 2**62:
                raise UnknownError("a tensor without a shape")
            told = ["0", exported.DTYPES[meta["dtype"]], size // dtype.itemsize, offset, shape, strides]
            found[key] = read(_place(archive.data, {"0": (begin, size)}, told, f"{archive.name}: {shown(key)}"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownError("a list of weights of another format") from error
    except _ExpandedError as error:
        raise UnknownError("an expanded tensor") from error
    return found


def _alone(archive: _Archive, path: str, key: str) -> Group:
    """The tensor `key` that a file of torch.save within the archive is; nothing where it is something else."""
    begin, size = archive.span(path)
    inner = archive.data[begin : begin + size]
    if inner[:2] != b"PK":
        raise UnknownError("a tensor of another format")
    told, starts = _Archive(inner, archive.name).pickled(whole=True)
    if not isinstance(told["root"], list) or told["root"][0] != "tensor":
        return {}
    name = f"{archive.name}: {shown(key)}"
    return {key: _Reader(inner, archive.name)(_place(inner, starts, told["root"][1], name))}


def _json(archive: _Archive, path: str) -> Any:
    text = archive.content(path, limits.MAX_GRAPH_BYTES)
    if len(text) > limits.MAX_GRAPH_BYTES:
        raise UnknownError(f"more than {limits.MAX_GRAPH_BYTES // limits.MIB} MiB of graph")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnknownError("a graph that is damaged") from error


class _DirectoryError(Exception):
    """The list of a zip's entries is larger than any that torch.save writes."""


class _Directory(io.BytesIO):
    """A zip of which no more than its directory is read, which `zipfile` does in one piece before it looks at it."""

    def read(self, size: int | None = -1, /) -> bytes:
        most = limits.MAX_DIRECTORY_BYTES + 1
        got = super().read(most if size is None or size < 0 else min(size, most))
        if len(got) == most:
            raise _DirectoryError
        return got


def _span(data: bytes, entry: zipfile.ZipInfo, damaged: str) -> tuple[int, int]:
    """Where a stored entry's bytes begin, and how many they are; its own header says where that ends."""
    begin = entry.header_offset
    header = data[begin : begin + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise CheckpointError(damaged)
    start = begin + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    if start + entry.file_size > len(data):
        raise CheckpointError(damaged)
    return start, entry.file_size


def _legacy(data: bytes, name: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """What the pickles of a file from before torch 1.6 say, and where each storage lies behind them."""
    answer = _ask(data[: limits.MAX_PICKLE_BYTES], name, legacy=True)
    starts: dict[str, tuple[int, int]] = {}
    position = answer["end"]
    for key, dtype in answer["storages"]:
        size = int.from_bytes(data[position : position + 8], "little") * _DTYPES[dtype].itemsize
        starts[key] = position + 8, size
        position += 8 + size
        if position > len(data):
            break  # the tensors it was needed for say so
    return answer, starts


def _ask(pickled: bytes, name: str, *, legacy: bool, whole: bool = False) -> dict[str, Any]:
    """Have the pickle read by a process of its own.

    Raises:
        CheckpointError: it holds code, is damaged, or exceeds a limit.
    """
    if len(pickled) > limits.MAX_PICKLE_BYTES:
        raise CheckpointError(
            f"{name}: expected at most {limits.MAX_PICKLE_BYTES // limits.MIB} MiB of description, got more; save the "
            "network's state_dict() alone"
        )
    answer = _child(pickle_reader.__file__, {"legacy": legacy, "whole": whole} | LIMITS, pickled, name)
    if "error" in answer:
        raise CheckpointError(_refusal(answer["kind"], answer["error"], name))
    return answer


def _child(script: str, header: Mapping[str, Any], body: bytes, name: str) -> dict[str, Any]:
    """What a reader says, a process of its own that is given one line of JSON and then bytes.

    Raises:
        CheckpointError: it does not end, or not well.
    """
    told = {**header, "memory": limits.READER_MEMORY, "seconds": limits.READER_SECONDS}
    stopped = f"{name}: expected a description of tensors, got one that "
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(script))],
            input=json.dumps(told).encode() + b"\n" + body,
            capture_output=True,
            timeout=2 * limits.READER_SECONDS,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(f"{stopped}takes too long to read; it may be built to harm") from error
    except (subprocess.CalledProcessError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{stopped}ends its reader; it is damaged or built to harm") from error
    return answer


def _refusal(kind: str, found: str, name: str) -> str:
    found = shown(found, 200)
    return {
        "program": f"{name}: expected weights, got code that would run when the file is opened ({found}); nothing of "
        "it was run. Ask its author for the state_dict() alone",
        "damaged": f"{name}: expected a whole file of torch.save, got a damaged one ({found}); copy it again",
        "large": f"{name}: expected a description of a network's weights, got {found}; save the state_dict() alone",
        "foreign": f"{name}: expected weights by name, got {found}; save the network's state_dict() with torch.save",
    }[kind]


def _place(data: bytes, starts: Mapping[str, tuple[int, int]], told: list[Any], name: str) -> _Place:
    """Check what the pickle says of one tensor against the file.

    Raises:
        CheckpointError: its numbers are not all in the file.
        _ExpandedError: it shows some of them more than once.
    """
    key, dtype, count, offset, shape, strides = told
    kind = _DTYPES[dtype]
    start, size = starts.get(key, (0, -1))
    if size < 0 or start + size > len(data):
        raise CheckpointError(
            f"{name}: expected its numbers in the file, got none; the file is cut short: copy it again"
        )
    if count * kind.itemsize > size:
        raise CheckpointError(
            f"{name}: expected {count:,} numbers in its storage, got {size // kind.itemsize:,}; the file is damaged"
        )
    if len(shape) != len(strides) or len(shape) > limits.MAX_DIMENSIONS:
        raise CheckpointError(
            f"{name}: expected a stride for each of a few dimensions, got {len(strides)}; it is damaged"
        )
    numbers = math.prod(shape)
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if numbers and last >= count:
        raise CheckpointError(f"{name}: expected its numbers in its storage, got places beyond it; the file is damaged")
    if numbers > count or not _apart(shape, strides):
        raise _ExpandedError(
            f"{name}: expected each number of the tensor once in the file, got {numbers:,} numbers from {count:,} "
            "stored ones; it was expanded, or built to harm: save it with .contiguous()"
        )
    # The stride of a single number is never taken, so it may be anything; numpy would multiply it all the same.
    taken = tuple(step if side > 1 else 0 for side, step in zip(shape, strides, strict=True))
    return _Place(kind, start, count, offset, tuple(shape), taken)


def _apart(shape: list[int], strides: list[int]) -> bool:
    """Whether no two places of a tensor are the same number: each stride steps over all smaller ones."""
    reach = 0
    for step, side in sorted((step, side) for side, step in zip(shape, strides, strict=True) if side > 1):
        if step <= reach:
            return False
        reach += step * (side - 1)
    return True


def _numbers(data: bytes, place: _Place, name: str) -> Tensor:
    if not math.prod(place.shape):
        return torch.zeros(place.shape)
    size = place.dtype.itemsize
    # As integers of that size, which numpy has for every dtype, and without a copy of what lies between them.
    strides = [step * size for step in place.strides]
    stored = np.ndarray(place.shape, f"<i{size}", data, place.start + place.offset * size, strides)
    value = torch.from_numpy(stored.copy()).view(place.dtype)
    if value.is_floating_point():
        value = value.float()
    return value


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[position + 1 :]) for position in range(len(shape)))


def _mistaken(data: bytes) -> tuple[str, str]:
    """What a file that is no checkpoint is, and what to do about it."""
    data = data[:1024].removeprefix(codecs.BOM_UTF8)
    for first, what, mend in _MISTAKES:
        if data.startswith(first):
            return what, mend
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--")):
        return "a web page", "the link led to a page instead of the file: download the file itself"
    if data[257:262] == b"ustar":
        return "a tar archive", "unpack it and choose the file with the weights"
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        return "a pickle of another program", "save the network's state_dict() with torch.save"
    if not any(data[:512]):
        return "zeros", "the file is damaged: copy it again"
    if all(byte in b"\t\r\n\f" or 32 <= byte < 127 for byte in data[:512]):
        return "a text file", "choose the file with the weights"
    return "something else", "choose the file with the weights, as torch.save or safetensors write them"
