"""Images as arrays and PNGs: uint8 conversion, pixel-aligned grids, amplified differences, strips."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from torch import Tensor


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

    shown = picture[..., :3] if picture.shape[-1] >= 3 else picture[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
