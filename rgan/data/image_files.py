"""Images in a folder or a zip, of whatever size and kind, as uint8 squares."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from rgan.common.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".apng", ".avif", ".avifs",
    ".bw", ".dds", ".dib", ".icns", ".ico", ".im", ".j2c", ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpf", ".jpx",
    ".msp", ".pbm", ".pcx", ".pfm", ".pnm", ".psd", ".qoi", ".ras", ".rgb", ".rgba", ".sgi", ".tga", ".xbm", ".xpm",
)  # fmt: skip
UNREADABLE = (  # images, too, but none that Pillow decodes
    ".ai", ".arw", ".cr2", ".cr3", ".dcm", ".dng", ".emf", ".eps", ".exr", ".fits", ".hdr", ".heic", ".heif", ".jxl",
    ".nef", ".orf", ".pdf", ".ps", ".raf", ".raw", ".rw2", ".svg", ".wmf",
)  # fmt: skip
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
DEFLATE64 = 9
LEVELS = (0.0, 65535.0)  # black and white of 16 bits
SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation")  # folders that are no class
MAX_FILE = 64 * 2**20  # bytes of one image file, unpacked
MAX_PIXELS = 64_000_000  # of one image: a small file can hold billions


class ImageError(Exception):
    """An image to be skipped. Its text is the image's name, followed by the reason if it is not damage."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Whatever fails inside is `ImageError`, but for a DataError, which is about the whole set."""
    from PIL import Image

    try:
        yield
    except (ImageError, DataError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limit is higher
        raise _too_many_pixels(name) from error
    except Exception as error:  # Pillow and zlib meet damaged data with nearly any error
        raise ImageError(name) from error


def _too_many_pixels(name: str) -> ImageError:
    return ImageError(f"{name} (more than {MAX_PIXELS // 10**6} megapixels)")


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _begins_as_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"PK"
    except OSError:
        return False


def _is_image(name: str) -> bool:
    """Whether a name within a folder or zip is that of an image nobody hid."""
    return name.lower().endswith(SUFFIXES) and not _hidden(name)


def _files(folder: Path) -> Iterator[str]:
    """Names of the files in a folder at any depth, also behind links; each folder once, however many lead to it."""
    seen = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        status = os.stat(root)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        inside = Path(root).relative_to(folder)
        yield from ((inside / name).as_posix() for name in files if (Path(root) / name).is_file())


class ImageFiles:
    """The images of a folder (at any depth) or a zip, by name, in the order of their names.

    Raises:
        DataError: it is neither, or holds no image.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.is_dir():
            names = list(_files(path))
        else:
            try:
                with zipfile.ZipFile(path) as archive:
                    names = archive.namelist()
            except Exception as error:  # a damaged directory of a zip breaks zipfile in many ways
                if _begins_as_zip(path):
                    got = f"{path.name}, a zip that is damaged or cut short; copy or pack it again"
                else:
                    got = f"{path.name}, which is neither; name another"
                raise DataError(f"expected a folder or a zip of images, got {got}") from error
        self.names = sorted(filter(_is_image, names))
        others = Counter(Path(name).suffix.lower() for name in names if not _hidden(name))
        self.unreadable = tuple(
            f"{others[kind]:,} {kind} file{'s' * (others[kind] != 1)}, which Pillow cannot open: save as .png"
            for kind in UNREADABLE if others[kind]
        )  # fmt: skip
        if not self.names:
            raise DataError(
                f"expected images ({', '.join(s[1:] for s in SUFFIXES[:10])} …) in {path}, found "
                f"{'; '.join(self.unreadable) or 'none; name the folder or zip that holds them'}"
            )

    def look(self, name: str) -> tuple[int, bool]:
        """Length of the image's shorter side in pixels and whether it is grey, from its header alone.

        Raises:
            ImageError: there is no such header, or the image is too large.
            DataError: the zip is encrypted.
        """
        with reading(name), self._open(name) as file, self._header(name, file) as image:
            return min(image.size), is_grey(image)

    def image(self, name: str) -> Image.Image:
        """The image of that name, decoded.

        Raises:
            ImageError: it is damaged or too large.
            DataError: the zip is encrypted.
        """
        # Read whole, since a zip unpacks again from its start whenever a decoder goes back.
        with reading(name), self._open(name) as file, self._header(name, io.BytesIO(file.read())) as image:
            image.load()
            return image

    def _open(self, name: str) -> IO[bytes]:
        """The bytes of the image, if they are not too many."""
        if self.path.is_dir():
            size = (self.path / name).stat().st_size
        else:
            entry = self._archive.getinfo(name)
            size = entry.file_size
            if entry.compress_type not in COMPRESSIONS:
                kind = "Deflate64" if entry.compress_type == DEFLATE64 else f"method {entry.compress_type}"
                raise DataError(
                    f"expected a zip that Python can unpack, got {self.path.name}, which is compressed with {kind}; "
                    "unpack it and name the folder, or pack it again with Deflate"
                )
            if entry.flag_bits & 1:
                raise DataError(
                    f"expected a zip without a password, got {self.path.name}, which is encrypted; unpack it and name "
                    "the folder"
                )
        if size > MAX_FILE:
            raise ImageError(f"{name} (more than {MAX_FILE // 2**20} MiB)")
        return (self.path / name).open("rb") if self.path.is_dir() else self._archive.open(name)

    @contextmanager
    def _header(self, name: str, file: IO[bytes]) -> Iterator[Image.Image]:
        """The image of which nothing but the header has been read."""
        from PIL import Image

        with Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels(name)
            yield image

    def levels(self) -> dict[str, tuple[float, float]]:
        """Black and white of `deep` images, by their mode: one range for all images of a set, so that a dark one stays
        dark. Decodes these images."""
        found: dict[str, list[tuple[float, float]]] = {}
        for name in self.names:
            with suppress(ImageError), reading(name):
                if deep(image := self.image(name)):
                    found.setdefault(image.mode, []).append(extremes(image))
        return {
            mode: full_range(min(low for low, _ in ends), max(high for _, high in ends)) for mode, ends in found.items()
        }

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """The folder that each image lies in, as torchvision's ImageFolder has classes; empty where they lie in one.

        Folders around all of them, and those named after a split (train, test …), tell no class:
        `cats/train/grey/0.png` and `cats/test/white/1.png` are of grey and white.
        """
        folders = [[part for part in name.split("/")[:-1] if part.lower() not in SPLITS] for name in self.names]
        telling = (level for level in zip(*folders, strict=False) if len(set(level)) > 1)
        return next(telling, ())

    def fingerprint(self) -> str:
        """Changes when a file is added, removed or replaced."""
        files = [self.path / name for name in self.names] if self.path.is_dir() else [self.path]
        seen = hashlib.sha256(os.fsencode(self.path.resolve()))
        for file in files:
            status = file.stat()
            seen.update(os.fsencode(file.name) + f" {status.st_size} {status.st_mtime_ns}\n".encode())
        return seen.hexdigest()[:16]

    @functools.cached_property
    def _archive(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)


def holds_images(path: Path) -> bool:
    """Whether `path` is a folder or zip with an image in it, found without listing all of a folder."""
    if path.is_dir():
        return any(map(_is_image, _files(path)))
    try:
        return path.suffix.lower() == ".zip" and bool(ImageFiles(path).names)
    except DataError:
        return False


def is_grey(image: Image.Image) -> bool:
    """Whether the image has no colour: by its mode, or, where it has a palette, by the colours that it uses."""
    if image.mode in ("P", "PA"):
        palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        grey = (palette == palette[:, :1]).all(axis=1)
        return bool(grey.all() or grey[np.unique(np.asarray(image.getchannel(0)))].all())
    return image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")


def deep(image: Image.Image) -> bool:
    """Whether its levels have no usual range: integers or floats of 32 bits."""
    return image.mode in ("I", "F")


def extremes(image: Image.Image) -> tuple[float, float]:
    """Smallest and largest level of a deep image.

    Raises:
        ValueError: a level is NaN or infinite.
    """
    pixels = np.asarray(image)
    if not np.isfinite(pixels).all():
        raise ValueError("not finite")
    return float(pixels.min()), float(pixels.max())


def full_range(low: float, high: float) -> tuple[float, float]:
    """Black and white of deep images, of which no level lies beyond `low` and `high`: the smallest usual range around
    them, 0 or −1 to 1, 0 to 255 or to 65,535, or else from 0 or the smallest to the largest."""
    usual = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0))
    return next(((black, white) for black, white in usual if black <= low and high <= white), (min(low, 0.0), high))


def _eight_bits(pixels: np.ndarray, black: float, white: float) -> np.ndarray:
    """Grey levels as uint8."""
    scaled: np.ndarray = ((pixels - black) * (255 / (white - black))).round().clip(0, 255).astype(np.uint8)
    return scaled


def square(image: Image.Image, size: int, channels: int, levels: tuple[float, float] = LEVELS) -> np.ndarray:
    """uint8 (size, size, C): the middle square, resized bilinearly with antialiasing, on white. `image` may change.

    levels: black and white of a `deep` image.

    A damaged image can raise anything: call it inside `reading`.
    """
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    # Cropped first: resizing a part of an image lets what lies beside it seep in.
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    middle = image.crop((left, top, left + side, top + side))
    if middle.mode.startswith("I") or middle.mode == "F":
        middle = Image.fromarray(_eight_bits(np.asarray(middle), *(levels if deep(middle) else LEVELS)))
    if middle.has_transparency_data:
        over = middle.convert("RGBA")
        middle = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    middle = middle.convert("L" if channels == 1 else "RGB")
    return np.asarray(middle.resize((size, size), Image.Resampling.BILINEAR)).reshape(size, size, channels)
