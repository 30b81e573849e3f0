"""Images in a folder or a zip, of whatever size and kind, as uint8 squares."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from rgan.common.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
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


def _is_image(name: str) -> bool:
    """Whether a name within a folder or zip is that of an image nobody hid."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
    return name.lower().endswith(SUFFIXES) and not hidden


class ImageFiles:
    """The images of a folder (at any depth) or a zip, by name, in the order of their names.

    Raises:
        DataError: it is neither, or holds no image.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.is_dir():
            inside = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
            names = [file.as_posix() for file in inside]
        else:
            try:
                with zipfile.ZipFile(path) as archive:
                    names = archive.namelist()
            except (zipfile.BadZipFile, OSError) as error:
                raise DataError(
                    f"expected a folder or a zip of images, got {path.name}, which is neither ({error}); name another"
                ) from error
        self.names = sorted(filter(_is_image, names))
        if not self.names:
            raise DataError(
                f"expected images ({', '.join(s[1:] for s in SUFFIXES)}) in {path}, found none; "
                "name the folder or zip that holds them"
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
        return any(_is_image(file.relative_to(path).as_posix()) for file in path.rglob("*"))
    try:
        return path.suffix.lower() == ".zip" and bool(ImageFiles(path).names)
    except DataError:
        return False


def is_grey(image: Image.Image) -> bool:
    """Whether the image's mode has no colour."""
    return image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Grey levels as uint8. Integers run to 65,535: Pillow has 16 bits in modes of 16 and of 32. Floats run to 1, or,
    where any is larger, to 255.

    Raises:
        ValueError: a level is NaN or infinite.
    """
    if not np.isfinite(pixels).all():
        raise ValueError("not finite")
    full = 65535.0 if pixels.dtype.kind != "f" else 1.0 if pixels.max() <= 1 else 255.0
    scaled: np.ndarray = (pixels * (255 / full)).round().clip(0, 255).astype(np.uint8)
    return scaled


def square(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """uint8 (size, size, C): the middle square, resized bilinearly with antialiasing, on white. `image` may change.

    A damaged image can raise anything: call it inside `reading`.
    """
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    # Cropped first: resizing a part of an image lets what lies beside it seep in.
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    middle = image.crop((left, top, left + side, top + side))
    if middle.mode.startswith("I") or middle.mode == "F":
        middle = Image.fromarray(_eight_bits(np.asarray(middle)))
    if middle.has_transparency_data:
        over = middle.convert("RGBA")
        middle = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    middle = middle.convert("L" if channels == 1 else "RGB")
    return np.asarray(middle.resize((size, size), Image.Resampling.BILINEAR)).reshape(size, size, channels)
