"""Data sets as one uint8 tensor of images, with the labels where there are any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    mnist = _from_torchvision(MNIST, root)
    before = (size - 28) // 2
    after = size - 28 - before
    return ImageData("mnist", pad(mnist.data, (before, after, before, after))[:, None].contiguous(), mnist.targets)


def _cifar10(size: int, root: Path) -> ImageData:
    """The 50,000 training images of CIFAR-10, 32×32 in colour."""
    from torchvision.datasets import CIFAR10

    if size != 32:
        raise DataError(f"expected size 32 for CIFAR-10, got {size}; leave the size out")
    cifar = _from_torchvision(CIFAR10, root)
    images = torch.from_numpy(cifar.data).permute(0, 3, 1, 2).contiguous()
    return ImageData("cifar10", images, torch.tensor(cifar.targets))


def _from_torchvision(kind: Callable[..., Any], root: Path) -> Any:
    """torchvision's training set `kind` from its files under `root`."""
    try:
        return kind(str(root), train=True, download=False)
    except RuntimeError as error:
        name = kind.__name__
        raise DataError(
            f"expected {name} in torchvision's layout under {root}, found none; download it once with "
            f"`python -c \"from torchvision.datasets import {name}; {name}('{root}', download=True)\"` "
            "or name its folder with --data-root"
        ) from error


_LOADERS: dict[str, Callable[[int, Path], ImageData]] = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10}
DATA_SETS = tuple(_LOADERS)
NATIVE_SIZE = {"digits": 32, "mnist": 28, "cifar10": 32}
CHANNELS = {"digits": 1, "mnist": 1, "cifar10": 3}


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
