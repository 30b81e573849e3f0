"""Data sets as one uint8 tensor of images, with the labels where there are any.

Sets that must be decoded or resized are prepared once: DATA_ROOT/prepared/ then holds the tensor, which later loads map
into memory without reading it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
import torch
from torch import Tensor

from rgan.common.errors import DataError, SettingsError
from rgan.common.files import prepare_folder, write_atomically
from rgan.data.image_files import LEVELS, ImageError, ImageFiles, deep, holds_images, reading, square

if TYPE_CHECKING:
    from PIL import Image

Report = Callable[[int, int], None]  # images done, images in all

MAX_SKIPPED = 10  # unreadable images that are skipped, or 1 in 100 where that is more
FOLDER_SIZES = (64, 48, 32)  # of images from a folder: the largest of these that nine in ten of them fill
VERSION = 3  # of the way images are cropped, resized, told grey from coloured, and labelled by their folders
PREPARED, PIXELS, FACTS = "prepared", "images.raw", "about.json"
REFERENCE_IMAGES = 512  # real images in a checkpoint
# Fingerprints of sets that were other once, of models whose files do not say: all digits, with those now held out.
BEFORE = {"digits": "1797-a8b6791daf3d924c"}
DIGITS_HELD_OUT, DIGITS_SEED = 718, 0  # two fifths of scikit-learn's 1,797 digits, kept from training by this seed


@dataclass(frozen=True)
class ImageData:
    """`images` uint8 (N, C, H, W), `labels` int64 (N,) where known, and the names of images that were unreadable.

    skipped: also what kinds of files were left out. remarks: on what was read in a way that is not plain.
    classes: what the labels stand for, where folders name them. own: whether it is a folder or zip, which may be called
    like a known set.
    """

    name: str
    images: Tensor
    labels: Tensor | None = None
    skipped: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    own: bool = False
    remarks: tuple[str, ...] = ()

    def some(self, count: int, seed: int = 0) -> Tensor:
        """`count` images drawn without replacement (all of them if there are fewer), uint8."""
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(seed))
        return self.images[order[:count]]

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of the reading: what was left out, and what was read in a way that is not plain."""
        shown = ", ".join(self.skipped[:10]) + (" …" if len(self.skipped) > 10 else "")
        left = (f"skipped {len(self.skipped)} unreadable: {shown}",) if self.skipped else ()
        return (*left, *self.remarks)

    @functools.cached_property
    def fingerprint(self) -> str:
        """The number of images, a digest of 64 of them, and one of all. Older files hold only the first two parts:
        `identity.same_images` compares them."""
        return f"{len(self.images)}-{digest(self.some(64))}-{digest(self.images)}"


def digest(images: Tensor) -> str:
    """A digest of these images, uint8 (N, C, H, W)."""
    return hashlib.sha256(np.ascontiguousarray(images.numpy()).data).hexdigest()[:16]


@dataclass(frozen=True)
class About:
    """A data set before it is loaded: its usual size in pixels, its channels and what it shows."""

    size: int
    channels: int
    what: str


KNOWN: dict[str, About] = {
    "digits": About(32, 1, "1,079 handwritten digits, 8×8 enlarged; they come with scikit-learn"),
    "mnist": About(28, 1, "60,000 handwritten digits"),
    "cifar10": About(32, 3, "50,000 photographs of ten kinds of things"),
    "stl10": About(48, 3, "105,000 photographs (train and unlabeled), 96×96 made smaller"),
    "celeba": About(64, 3, "202,599 faces, the middle 178×178 made smaller"),
    "faces": About(64, 3, "20,000 faces that this package draws, with all that is to be known about each"),
}
DATA_SETS = tuple(KNOWN)


def about(name: str, root: str | Path = "data") -> About:
    """Usual size and channels of a data set; of a folder or zip, as the headers of its images tell them.

    Raises:
        DataError: there is no such set, folder or zip, or no image in it.
    """
    if name in KNOWN:
        return KNOWN[name]
    files = ImageFiles(_path(name, Path(root)))
    return _about_files(files.path, files.fingerprint())


@functools.lru_cache(maxsize=16)
def _about_files(path: Path, fingerprint: str) -> About:
    """About the images in `path`: grey if all are. `fingerprint` is that of its files, looked at once."""
    files = ImageFiles(path)
    sides, greys, skipped = [], [], []
    for name in files.names:
        try:
            side, grey = files.look(name)
        except ImageError as unreadable:
            skipped.append(str(unreadable))
        else:
            sides.append(side)
            greys.append(grey)
    if not sides:
        shown = ", ".join(skipped[:5]) + (" …" if len(skipped) > 5 else "")
        raise DataError(f"expected images in {path.name}, could read none of {len(skipped):,}: {shown}; name another")
    side = sorted(sides)[len(sides) // 10]
    size = next((size for size in FOLDER_SIZES if size <= side), FOLDER_SIZES[-1])
    return About(size, 1 if all(greys) else 3, f"{len(files.names):,} images")


def own_sets(root: str | Path) -> list[str]:
    """Names of the zips and folders of images in `root` that `load` can read."""
    return [path.name for path in _candidates(Path(root)) if holds_images(path)]


def broken_zips(root: str | Path) -> dict[str, str]:
    """The zips in `root` that cannot be read, by name, with the reason."""
    found = {}
    for path in _candidates(Path(root)):
        if path.suffix.lower() == ".zip" and path.is_file():
            try:
                ImageFiles(path)
            except DataError as error:
                found[path.name] = str(error)
    return found


def _candidates(root: Path) -> list[Path]:
    others = {*KNOWN, PREPARED, "MNIST", "cifar-10-batches-py", "stl10_binary"}
    return [path for path in sorted(root.iterdir()) if path.name not in others] if root.is_dir() else []


def load(
    name: str,
    *,
    size: int | None = None,
    root: str | Path = "data",
    download: bool = False,
    report: Report | None = None,
) -> ImageData:
    """Load a data set at `size` pixels (its own usual size by default).

    Args:
        name: one of DATA_SETS, or a folder or zip of images, as a path or by its name in `root`. "digits" comes with
            scikit-learn and "faces" are drawn here: they need no file.
        root: folder of the files, in torchvision's layout.
        download: fetch what is missing, with a progress bar on standard error.
        report: called now and then while images are decoded.

    Raises:
        DataError: the files are missing (the text holds the command that fetches them) or cannot be read.
        SettingsError: a size that the set cannot have.
    """
    root = Path(root)
    size = about(name, root).size if size is None else size
    if not 8 <= size <= 1024:
        raise SettingsError(f"expected images of 8 to 1,024 pixels, got {size}; choose a value in that range")
    if name in _TENSORS:
        return _TENSORS[name](size, root, download, True)
    if name == "faces":
        return _faces(size, root, report)
    if name == "stl10":
        return _prepared(f"stl10-{size}", name, 3, size, root, report, lambda: _stl10(root, download))
    if name == "celeba":
        return _prepared(f"celeba-{size}", name, 3, size, root, report, lambda: _celeba(root, download))
    files = ImageFiles(_path(name, root))
    fingerprint = files.fingerprint()
    channels = _about_files(files.path, fingerprint).channels
    stem = files.path.stem.encode()[:100].decode(errors="ignore")  # the name of a file can be as long as this one's
    key = f"{stem}-{size}-{fingerprint}"
    found = _prepared(key, files.path.name, channels, size, root, report, lambda: _files(files))
    return dataclasses.replace(found, own=True)


def glimpse(name: str, count: int, *, size: int, root: str | Path = "data") -> tuple[int, np.ndarray]:
    """How many training images a set has, and `count` of them, spread evenly over it: uint8 (count, H, W, C).

    Of faces, which are drawn, no more than these are drawn.

    Raises:
        DataError: the files are missing, cannot be read, or hold no image.
    """
    if name == "faces":
        from rgan.data import faces

        total = faces.SPLITS["train"]
        some = [np.asarray(faces.face("train", index, size)) for index in _spread(total, count)]
        return total, np.stack(some)
    images = load(name, size=size, root=root).images
    if not len(images):
        raise DataError(f"expected images in {name}, found none; choose another set")
    return len(images), images[_spread(len(images), count)].permute(0, 2, 3, 1).numpy()


def _spread(total: int, count: int) -> np.ndarray:
    return np.linspace(0, total - 1, count).round().astype(int)


def held_out(name: str, *, size: int, root: str | Path = "data") -> ImageData | None:
    """The test images of a set that has some at hand (digits, MNIST, CIFAR-10, faces), which no training here sees; or
    None.

    Raises:
        DataError: the files are missing or cannot be read.
    """
    if name == "faces":
        return _faces(size, Path(root), None, "test")
    return _TENSORS[name](size, Path(root), False, False) if name in _TENSORS else None


@functools.lru_cache(maxsize=2)
def _digits(size: int, root: Path, download: bool, train: bool = True) -> ImageData:
    """8×8 grey levels 0 to 16, enlarged bicubically.

    scikit-learn has them undivided. Held out are the first DIGITS_HELD_OUT of a permutation of DIGITS_SEED, the same
    whoever trains on the others; both parts keep scikit-learn's order.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = torch.randperm(len(digits.images), generator=torch.Generator().manual_seed(DIGITS_SEED))
    part = (order[DIGITS_HELD_OUT:] if train else order[:DIGITS_HELD_OUT]).sort().values.numpy()
    small = (digits.images[part] * (255 / 16)).round().astype(np.uint8)
    large = [np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)) for image in small]
    labels = torch.from_numpy(digits.target[part].astype(np.int64))
    return ImageData("digits", torch.from_numpy(np.stack(large))[:, None], labels)


@functools.lru_cache(maxsize=2)
def _mnist(size: int, root: Path, download: bool, train: bool = True) -> ImageData:
    """28×28; larger sizes are padded with background on all sides."""
    from torch.nn.functional import pad
    from torchvision.datasets import MNIST

    if size < 28:
        raise SettingsError(f"expected a size of at least 28 for MNIST, got {size}; choose 28 or 32")
    mnist = _from_torchvision("mnist", lambda: MNIST(str(root), train=train, download=download), root)
    before = (size - 28) // 2
    after = size - 28 - before
    return ImageData("mnist", pad(mnist.data, (before, after, before, after))[:, None].contiguous(), mnist.targets)


@functools.lru_cache(maxsize=2)
def _cifar10(size: int, root: Path, download: bool, train: bool = True) -> ImageData:
    from torchvision.datasets import CIFAR10

    if size != 32:
        raise SettingsError(f"expected size 32 for CIFAR-10, got {size}; leave the size out")
    cifar = _from_torchvision("cifar10", lambda: CIFAR10(str(root), train=train, download=download), root)
    images = torch.from_numpy(cifar.data).permute(0, 3, 1, 2).contiguous()
    return ImageData("cifar10", images, torch.tensor(cifar.targets))


_Load = Callable[[int, Path, bool, bool], ImageData]
_TENSORS: dict[str, _Load] = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10}


@dataclass(frozen=True)
class _Source:
    """Images to be decoded: how many, an iterator over each name and what decodes the image, or raises."""

    count: int
    images: Iterable[tuple[str, Callable[[], Image.Image]]]
    labels: Sequence[str] = ()  # the class of each, in their order, where folders tell
    levels: Callable[[], dict[str, tuple[float, float]]] = dict  # see ImageFiles.levels
    unreadable: tuple[str, ...] = ()  # files that are no images here, in words


def _files(files: ImageFiles) -> _Source:
    images = ((name, functools.partial(files.image, name)) for name in files.names)
    return _Source(len(files.names), images, files.labels, files.levels, files.unreadable)


def _stl10(root: Path, download: bool) -> _Source:
    """Train, then unlabeled: one after the other, since torchvision would hold both in memory twice."""
    from torchvision.datasets import STL10

    def part(split: str) -> Any:
        return _from_torchvision("stl10", lambda: STL10(str(root), split=split, download=download), root)

    def images() -> Iterator[tuple[str, Callable[[], Image.Image]]]:
        for split in ("train", "unlabeled"):
            for index, (image, _) in enumerate(part(split)):
                yield f"{split} {index}", image.copy

    part("train")  # says at once what is missing
    return _Source(105_000, images())


def unlike_faces(split: str, *, size: int, root: str | Path = "data") -> ImageData:
    """The `faces.unlike` twins of all faces of a split, drawn at `size`; they are in no data set.

    Raises:
        SettingsError: a size that faces cannot have. DataError: they cannot be kept.
    """
    return _faces(size, Path(root), None, split, twins=True)


def _faces(size: int, root: Path, report: Report | None, split: str = "train", *, twins: bool = False) -> ImageData:
    """Faces drawn at `size`, labelled by what the head shows; `faces.attributes(split)` has all their attributes."""
    from rgan.data import faces

    if size not in faces.SIZES:
        raise SettingsError(f"expected a size of 32, 48 or 64 for faces, got {size}; choose one of these")

    def source() -> _Source:
        named = ((f"{split} {at}", image.copy) for at, image in enumerate(faces.pictures(split, size, twins=twins)))
        return _Source(faces.SPLITS[split], named)

    key = f"faces-{split}{'-unlike' if twins else ''}-{size}-drawing-{faces.VERSION}"
    images = _prepared(key, "faces", 3, size, root, report, source)
    return dataclasses.replace(images, labels=torch.from_numpy(faces.attributes(split)[faces.LABEL].copy()))


def _celeba(root: Path, download: bool) -> _Source:
    from torchvision.datasets import CelebA

    try:
        celeba = _from_torchvision("celeba", lambda: CelebA(str(root), split="all", download=download), root)
    except DataError as error:
        raise DataError(
            f"{error}. A plain folder or zip of its aligned images will do as well: name that as the data set"
        ) from error
    folder = ImageFiles(Path(celeba.root) / celeba.base_folder / "img_align_celeba")
    return _files(folder)


def _from_torchvision(name: str, make: Callable[[], Any], root: Path) -> Any:
    """torchvision's data set from its files under `root`."""
    try:
        return make()
    except Exception as error:  # a download can fail in as many ways as there are servers
        if "download=True" in str(error) or isinstance(error, FileNotFoundError):
            command = f"python -m rgan data {name} --download --data-root {shlex.quote(str(root))}"
            raise DataError(
                f"expected {name} in torchvision's layout under {root}, found none; fetch it once with `{command}`, or "
                "name its folder with --data-root"
            ) from error
        said = " ".join(str(error).split())  # torchvision's spans lines
        raise DataError(
            f"expected to read {name} under {root}, got: {said}; try again, or put its files there by hand"
        ) from error


def _path(name: str, root: Path) -> Path:
    for path in (root / name, Path(name)):
        with contextlib.suppress(OSError):  # a name that no file system takes
            if path.exists():
                return path
    raise DataError(
        f"expected a data set ({', '.join(DATA_SETS)}) or a folder or zip of images, got {name[:80]!r}, which is not "
        f"there; check its name, or put it into {root}"
    )


def prepared_folder(root: Path) -> Path:
    """Where what is made of the data under `root` is kept: there, or in the user's cache where that is read-only."""
    if root.is_dir() and os.access(root, os.W_OK):
        return root / PREPARED
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()
    return Path.home() / ".cache" / "rgan-lab" / digest[:16] / PREPARED


def _prepared(
    key: str, name: str, channels: int, size: int, root: Path, report: Report | None, source: Callable[[], _Source]
) -> ImageData:
    """The images of `source`, decoded once and kept in `prepared_folder`."""
    folder = prepared_folder(root) / f"{key}-v{VERSION}"
    try:
        prepare_folder(folder.parent)
        with filelock.FileLock(f"{folder}.lock"):  # processes that train together prepare once
            if not (folder / FACTS).exists():
                _fill(folder, lambda path: _decode(source(), name, channels, size, path, report))
        facts = json.loads((folder / FACTS).read_text())
        shape = facts["count"], channels, size, size
        if (folder / PIXELS).stat().st_size != math.prod(shape):
            raise ValueError("cut short")
        pixels = np.memmap(folder / PIXELS, np.uint8, "c", shape=shape)
    except OSError as error:
        raise DataError(
            f"expected to prepare {name} in {folder}, got: {error.strerror or error}; free some space there, or "
            "delete that folder"
        ) from error
    except (ValueError, KeyError) as error:
        raise DataError(
            f"expected the images of {name} in {folder}, got damaged files; delete that folder, and it is made anew"
        ) from error
    classes = tuple(sorted(set(facts["labels"])))
    numbers = {label: number for number, label in enumerate(classes)}
    labels = torch.tensor([numbers[label] for label in facts["labels"]]) if classes else None
    return ImageData(
        name, torch.from_numpy(pixels), labels, tuple(facts["skipped"]), classes, remarks=tuple(facts["remarks"])
    )


def _fill(folder: Path, decode: Callable[[Path], dict[str, Any]]) -> None:
    """Make `folder` with what `decode` writes and says; nothing stays if it fails or is interrupted."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        facts = decode(folder / PIXELS)
        write_atomically(folder / FACTS, json.dumps(facts).encode())
    finally:
        if not (folder / FACTS).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _decode(source: _Source, name: str, channels: int, size: int, path: Path, report: Report | None) -> dict[str, Any]:
    """Write every readable image to `path`, raw; their count and the names of the others."""
    limit = min(max(MAX_SKIPPED, source.count // 100), source.count // 2)
    skipped: list[str] = []
    labels: list[str] = []
    levels: dict[str, tuple[float, float]] = {}
    deeper = 0
    count = 0
    with path.open("wb") as file:
        for at, (image_name, decoded) in enumerate(source.images):
            if report and at % 100 == 0:
                report(at, source.count)
            try:
                with reading(image_name):
                    image = decoded()
                    if deep(image):
                        levels, deeper = levels or source.levels(), deeper + 1
                    pixels = square(image, size, channels, levels.get(image.mode, LEVELS))
            except ImageError as unreadable:
                skipped.append(str(unreadable))
                if len(skipped) > limit:
                    raise DataError(
                        f"expected readable images in {name}, got more than {limit} of {source.count:,} that are not: "
                        f"{', '.join(skipped[:5])} …; remove or replace them"
                    ) from unreadable
                continue
            file.write(pixels.transpose(2, 0, 1).tobytes())
            labels += source.labels[at : at + 1]
            count += 1
        file.flush()
        os.fsync(file.fileno())
    if report:
        report(source.count, source.count)
    ranges = ", ".join(f"{black:g} as black and {white:g} as white" for black, white in levels.values())
    remarks = [f"{deeper:,} images of 32 bits, read with {ranges}"] if deeper else []
    return {"count": count, "skipped": [*skipped, *source.unreadable], "labels": labels, "remarks": remarks}
