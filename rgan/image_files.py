"""Images in a folder or a zip, of whatever size and kind, as uint8 squares."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rgan.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
MAX_FILE = 64 * 2**20  # bytes of one image file


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
                    names = [one.filename for one in archive.infolist() if one.file_size <= MAX_FILE]
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

    def image(self, name: str) -> Image.Image | None:
        """The image of that name, decoded; None if it cannot be."""
        from PIL import Image

        try:
            source = self.path / name if self.path.is_dir() else io.BytesIO(self._archive.read(name))
            with Image.open(source) as image:
                image.load()
                return image
        # Pillow and zlib meet damaged data with nearly any error; too large a picture has one of its own.
        except (Exception, Image.DecompressionBombError):
            return None

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
    """Grey levels of 8 or 16 bits, or from 0 to 1, as uint8: which of them it is, the largest level tells."""
    largest = float(pixels.max())
    full = 1.0 if pixels.dtype.kind == "f" and largest <= 1 else 255.0 if largest <= 255 else 65535.0
    scaled: np.ndarray = (pixels * (255 / full)).round().clip(0, 255).astype(np.uint8)
    return scaled


def square(image: Image.Image, size: int, channels: int) -> np.ndarray:
    """uint8 (size, size, C): the middle square, resized bilinearly with antialiasing, on white."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    # Cropped first: resizing a part of an image lets what lies beside it seep in.
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    middle = image.convert("L" if channels == 1 else "RGB").crop((left, top, left + side, top + side))
    return np.asarray(middle.resize((size, size), Image.Resampling.BILINEAR)).reshape(size, size, channels)
