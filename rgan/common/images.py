"""Images as arrays, PNGs, WebPs and GIFs: uint8 conversion, pixel-aligned grids, rings, amplified differences."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

RED = (214, 30, 30)
RING = 0.07  # width of a ring, of the image
SHEET_COLUMNS = 25  # at least, of many images in one picture
WEBP_SIDE = 16_383  # pixels, the format's limit


def to_unit(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) → float32 in [−1, 1], as the networks see them: 2(x/255 − ½)."""
    return images.float() / 127.5 - 1


def to_uint8(images: Tensor) -> np.ndarray:
    """Float images (N, C, H, W) in [−1, 1] → uint8 (N, H, W, C), rounded and clipped, on the CPU."""
    scaled = ((images.detach().float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def difference(changed: Tensor, original: Tensor, gain: float) -> np.ndarray:
    """gain × (changed − original) about mid-grey, uint8 (N, H, W, C): grey is no change, brighter is more ink."""
    return to_uint8((changed - original) * (gain / 2))


def amplified(changed: np.ndarray, original: np.ndarray, gain: float) -> np.ndarray:
    """`difference` of pictures uint8 (N, H, W, C) from one or as many."""
    change = changed.astype(np.float32) - original
    return np.asarray((127.5 + gain / 2 * change).clip(0, 255).round(), np.uint8)


def grid(images: np.ndarray, columns: int, *, gap: int = 1, scale: int = 1, background: int = 128) -> np.ndarray:
    """Tile uint8 (N, H, W, C) row by row into one (rows·H', columns·W', C) picture, enlarged by whole pixels.

    Every grid of the same N, columns and image size has the same geometry, so grids line up pixel by pixel.
    """
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), background, np.uint8)
    for index, image in enumerate(images):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet.repeat(scale, axis=0).repeat(scale, axis=1)


def png(picture: np.ndarray) -> bytes:
    """Encode uint8 (H, W, C) as PNG, fast rather than small: three channels as colour, fewer as grey of the first."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(_shown(picture))).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def webp(picture: np.ndarray) -> bytes:
    """Encode uint8 (H, W, C) as WebP: greys exactly, colours at a quality whose loss no eye finds.

    Sides are at most WEBP_SIDE.
    """
    from PIL import Image

    buffer = io.BytesIO()
    exact = picture.shape[-1] < 3
    looks = {"lossless": True, "method": 2} if exact else {"quality": 90, "method": 2}
    Image.fromarray(np.ascontiguousarray(_shown(picture))).save(buffer, format="WEBP", **looks)
    return buffer.getvalue()


def from_webp(picture: bytes) -> np.ndarray:
    """A WebP as uint8 (H, W, 3)."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def tiles(images: np.ndarray) -> tuple[np.ndarray, int]:
    """All of uint8 (n, H, W, C) in one picture (H', W', C) that fits into a WebP, without gaps, and its columns."""
    count, height = images.shape[:2]
    columns = max(SHEET_COLUMNS, math.ceil(count * height / (WEBP_SIDE - height)))
    return grid(images, columns, gap=0), columns


def circled(
    images: np.ndarray, marked: np.ndarray, columns: int, *, gap: int = 1, scale: int = 1, background: int = 128
) -> np.ndarray:
    """`grid` in colour (H, W, 3), with a red ring around each image of which `marked` (N,) holds, inside its cell.

    Its geometry is that of `grid`, so that both line up.
    """
    from PIL import Image, ImageDraw

    plain = grid(images, columns, gap=gap, scale=scale, background=background)
    sheet = Image.fromarray(_shown(plain)).convert("RGB")
    draw = ImageDraw.Draw(sheet)
    height, width = images.shape[1:3]
    for index in np.flatnonzero(marked):
        top = (gap + index // columns * (height + gap)) * scale
        left = (gap + index % columns * (width + gap)) * scale
        box = (left, top, left + width * scale - 1, top + height * scale - 1)
        draw.ellipse(box, outline=RED, width=max(1, round(RING * min(width, height) * scale)))
    return np.asarray(sheet)


def captioned(images: np.ndarray, words: Sequence[str], *, gap: int = 1, scale: int = 1) -> np.ndarray:
    """`grid` of one row in colour (H, W, 3), with words under each image that fill its width at most."""
    from PIL import Image, ImageDraw, ImageFont

    row = Image.fromarray(_shown(grid(images, len(images), gap=gap, scale=scale))).convert("RGB")
    width, step = images.shape[2] * scale, (images.shape[2] + gap) * scale
    size = next((size for size in range(max(8, width // 6), 3, -1)
                 if all(ImageFont.load_default(size).getlength(one) <= width for one in words)), 3)  # fmt: skip
    sheet = Image.new("RGB", (row.width, row.height + 2 * size), "white")
    sheet.paste(row)
    draw = ImageDraw.Draw(sheet)
    for index, one in enumerate(words):
        place = (gap * scale + index * step + width // 2, row.height + size)
        draw.text(place, one, fill="black", font=ImageFont.load_default(size), anchor="mm")
    return np.asarray(sheet)


def gif(frames: np.ndarray, *, scale: int = 1, milliseconds: int = 60, pause: int = 600) -> bytes:
    """Encode uint8 (T, H, W, C) as an endless animated GIF that goes there and back and rests at both ends."""
    from PIL import Image

    enlarged = _shown(frames).repeat(scale, axis=1).repeat(scale, axis=2)
    there = [Image.fromarray(np.ascontiguousarray(frame)) for frame in enlarged]
    if there[0].mode != "L":  # greys are palettes already
        there = [image.quantize(dither=Image.Dither.NONE) for image in there]
    times = [milliseconds] * len(there)
    times[0] = times[-1] = pause
    back = slice(-2, 0, -1)
    buffer = io.BytesIO()
    there[0].save(
        buffer, format="GIF", save_all=True, append_images=there[1:] + there[back], duration=times + times[back],
        loop=0, disposal=1,
    )  # fmt: skip
    return buffer.getvalue()


def _shown(pictures: np.ndarray) -> np.ndarray:
    """uint8 (…, C) as Pillow takes it: the first three channels (…, 3), or the first of fewer (…)."""
    return pictures[..., :3] if pictures.shape[-1] >= 3 else pictures[..., 0]
