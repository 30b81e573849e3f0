"""Data sets as one uint8 tensor of images, with the labels where there are any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rgan.errors import DataError, one_of


@dataclass(frozen=True)
class ImageData:
    """`images` uint8 (N, C, H, W) and `labels` int64 (N,)."""

    name: str
    images: Tensor
    labels: Tensor

    def some(self, count: int, seed: int = 0) -> Tensor:
        """`count` images drawn without replacement (all of them if there are fewer), uint8."""
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(seed))
        return self.images[order[:count]]


def _digits(size: int, root: Path) -> ImageData:
    """1,797 handwritten digits of scikit-learn, 8×8 grey levels 0 to 16, enlarged bicubically."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * (255 / 16)).round().astype(np.uint8)
    large = [np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)) for image in small]
    return ImageData(
        "digits", torch.from_numpy(np.stack(large))[:, None], torch.from_numpy(digits.target.astype(np.int64))
    )


def _mnist(size: int, root: Path) -> ImageData:
    """The 60,000 training images of MNIST, 28×28; larger sizes are padded with background on all sides."""
    from torch.nn.functional import pad
    from torchvision.datasets import MNIST

    if size < 28:
        raise DataError(f"expected a size of at least 28 for MNIST, got {size}; choose 28 or 32")
    try:
        mnist = MNIST(str(root), train=True, download=False)
    except RuntimeError as error:
        raise DataError(
            f"expected MNIST in torchvision's layout under {root}, found none; download it once with "
            f"`python -c \"from torchvision.datasets import MNIST; MNIST('{root}', download=True)\"` "
            "or name its folder with --data-root"
        ) from error
    before = (size - 28) // 2
    after = size - 28 - before
    return ImageData("mnist", pad(mnist.data, (before, after, before, after))[:, None].contiguous(), mnist.targets)


_LOADERS: dict[str, Callable[[int, Path], ImageData]] = {"digits": _digits, "mnist": _mnist}
DATA_SETS = tuple(_LOADERS)
NATIVE_SIZE = {"digits": 32, "mnist": 28}
CHANNELS = {"digits": 1, "mnist": 1}


def load(name: str, *, size: int | None = None, root: str | Path = "data") -> ImageData:
    """Load a data set at `size` pixels (its own usual size by default).

    Args:
        name: one of DATA_SETS. "digits" comes with scikit-learn and needs no file.
        root: folder of the files, in torchvision's layout.

    Raises:
        SettingsError: an unknown name.
        DataError: the files are missing; the text holds the command that fetches them.
    """
    one_of("data set", name, DATA_SETS)
    return _LOADERS[name](size or NATIVE_SIZE[name], Path(root))
