"""From the bytes of a file to named tensors, whatever program wrote it, without running anything of it.

`sniff` says what a file is from its first bytes, and refuses by name what is no checkpoint. `listing` reads names and
shapes, `read` the numbers as well. A `.safetensors` file is parsed here. The pickle inside a `.pth`, `.pt` or `.ckpt`
is never opened in this process: `pickle_reader` reads it as data, in a process of its own with limits on memory, time
and files, and says only where in the file each tensor lies. These places are checked here against the file before a
number is read. All limits are in `limits`.
"""

from __future__ import annotations

import codecs
import io
import json
import math
import subprocess
import sys
import zipfile
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
_WANTED = "expected a checkpoint (.safetensors, .pth, .pt or .ckpt)"

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
    read or used, by path and name, and why.
    """

    name: str
    kind: str
    groups: Mapping[str, Group]
    unread: tuple[str, ...] = ()
    metadata: Mapping[str, str] | None = None
    modules: Mapping[str, tuple[tuple[str, str, Mapping[str, Any]], ...]] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)


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
    """The container: "safetensors", "zip" or "legacy" (both of torch.save).

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
    what, mend = _mistaken(data)
    raise CheckpointError(f"{name}: {_WANTED}, got {what}; {mend}")


def listing(data: bytes, name: str = "the file") -> Contents:
    """Names, shapes and dtypes, as tensors of torch's "meta" device; no number is read.

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
    if kind == "safetensors":
        metadata, places = _safetensors(data, name)
    else:
        answer, starts = _zip(data, name) if kind == "zip" else _legacy(data, name)
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


def _zip(data: bytes, name: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """What the pickle of a zip file says, and where each storage lies."""
    damaged = f"{name}: expected a whole zip file of torch.save, got a damaged one; copy it again"
    many = (
        f"{name}: expected at most {limits.MAX_ENTRIES:,} short entries in a zip, got more; save the state_dict() alone"
    )
    try:
        with zipfile.ZipFile(_Directory(data)) as archive:
            entries = archive.infolist()
    except _DirectoryError as error:
        raise CheckpointError(many) from error
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, UnicodeDecodeError, NotImplementedError) as error:
        raise CheckpointError(damaged) from error
    if len(entries) > limits.MAX_ENTRIES:
        raise CheckpointError(many)
    names = [entry.filename for entry in entries]
    pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl") or entry.filename == "data.pkl"]
    for last, what in (("constants.pkl", "a TorchScript program"), ("archive_format", "an exported program")):
        if any(path.rpartition("/")[2] == last for path in names):
            raise CheckpointError(
                f"{name}: expected weights, got {what}, which would have to be run; save the network's state_dict() "
                "with torch.save instead"
            )
    if len(pickles) != 1:
        first = ", ".join(shown(path, 40) for path in names[:3])
        raise CheckpointError(
            f"{name}: expected a file of torch.save, got a zip archive of {len(names)} files ({first}, …); unpack it "
            "and choose the file with the weights"
        )
    if len(set(names)) != len(names):
        raise CheckpointError(f"{name}: expected entries with names of their own, got two of one; it is damaged")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise CheckpointError(
                f"{name}: expected entries stored as they are, as torch.save does, got {shown(entry.filename, 60)} "
                f"compressed or encrypted ({entry.compress_size:,} bytes for {entry.file_size:,}); save it with "
                "torch.save again"
            )
    spans = {entry.filename: _span(data, entry, damaged) for entry in entries}
    folder = pickles[0].filename.removesuffix("data.pkl")
    begin, size = spans.get(f"{folder}byteorder", (0, 0))
    if data[begin : begin + size] not in (b"", b"little"):
        raise CheckpointError(f"{name}: expected little-endian numbers, got others; save it on an ordinary machine")
    begin, size = spans[pickles[0].filename]
    answer = _ask(data[begin : begin + min(size, limits.MAX_PICKLE_BYTES + 1)], name, legacy=False)
    prefix = f"{folder}data/"
    return answer, {path.removeprefix(prefix): span for path, span in spans.items() if path.startswith(prefix)}


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


def _ask(pickled: bytes, name: str, *, legacy: bool) -> dict[str, Any]:
    """Have the pickle read by a process of its own.

    Raises:
        CheckpointError: it holds code, is damaged, or exceeds a limit.
    """
    if len(pickled) > limits.MAX_PICKLE_BYTES:
        raise CheckpointError(
            f"{name}: expected at most {limits.MAX_PICKLE_BYTES // limits.MIB} MiB of description, got more; save the "
            "network's state_dict() alone"
        )
    told = {"legacy": legacy, "memory": limits.READER_MEMORY, "seconds": limits.READER_SECONDS} | LIMITS
    stopped = f"{name}: expected a description of tensors, got one that "
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(pickle_reader.__file__))],
            input=json.dumps(told).encode() + b"\n" + pickled,
            capture_output=True,
            timeout=2 * limits.READER_SECONDS,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(f"{stopped}takes too long to read; it may be built to harm") from error
    except (subprocess.CalledProcessError, ValueError) as error:
        raise CheckpointError(f"{stopped}ends its reader; it is damaged or built to harm") from error
    if "error" in answer:
        raise CheckpointError(_refusal(answer["kind"], answer["error"], name))
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
