"""torch-fidelity's Inception network: the features and logits that published scores are made of.

Its weights are a pickle. They are read as tensors only, so that nothing in a file can run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import torch
from torch import Tensor, nn

from rgan.common.errors import CheckpointError, FileError, SettingsError
from rgan.common.files import write_atomically
from rgan.common.geometry import finite
from rgan.data.datasets import ImageData, Report, prepared_folder

FEATURES, CLASSES = 2048, 1008
PUBLISHED = "6726825d"  # of the SHA-256 of the weights that published scores use; their file's name has it too
MOST = 50_000  # real images
CHUNK = 64  # images a call
MAX_BYTES = 256 * 2**20  # the published file has 91 MiB


@dataclass(frozen=True)
class Inception:
    """The network in evaluation mode on `device`; digest: SHA-256 of its file."""

    network: nn.Module
    digest: str
    device: torch.device

    @property
    def published(self) -> bool:
        """Whether these are the weights of published scores."""
        return self.digest.startswith(PUBLISHED)

    def look(self, images: Tensor, report: Report | None = None) -> tuple[Tensor, Tensor]:
        """Features (N, FEATURES) and logits without their bias (N, CLASSES), float32 on the CPU, of grey or RGB images
        uint8 (N, C, H, W) of any size, which the network enlarges as TensorFlow did.

        Raises:
            SettingsError: another number of channels.
        """
        if images.shape[1] not in (1, 3):
            raise SettingsError(
                f"expected grey or RGB images for Inception, got {images.shape[1]} channels; score with a judge"
            )
        seen: list[tuple[Tensor, Tensor]] = []
        for start in range(0, len(images), CHUNK):
            if report:
                report(start, len(images))
            chunk = images[start : start + CHUNK].expand(-1, 3, -1, -1).to(self.device)
            features, logits = self.network(chunk)
            seen.append((features.cpu(), logits.cpu()))
        if report:
            report(len(images), len(images))
        features, logits = (torch.cat(part) for part in zip(*seen, strict=True))
        return features, logits


def load(weights: str | Path | None = None, device: torch.device | str = "cpu") -> Inception:
    """The network with the weights of a file, of torch-fidelity's own (fetched unless torch has it) by default.

    Raises:
        CheckpointError: the file cannot be fetched or read, holds anything but tensors, or those of another network.
    """
    path = _fetched() if weights is None else Path(weights)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise CheckpointError(
            f"expected torch-fidelity's Inception weights at {path}, got: {error.strerror}; check the path"
        ) from error
    wrong = f"{path.name}: expected torch-fidelity's Inception weights"
    if size > MAX_BYTES:
        raise CheckpointError(f"{wrong}, got {size / 2**20:,.0f} MiB; name another file")
    network = _built(data, wrong).to(device)
    return Inception(network, hashlib.sha256(data).hexdigest(), torch.device(device))


def reference(network: Inception, data: ImageData, root: str | Path, report: Report | None = None) -> Tensor:
    """Features (R, FEATURES) of the set's images, of MOST of them where there are more; kept under `root` for the
    next call, as a processor without a GPU looks at a few images a second."""
    from safetensors.torch import save as to_bytes

    name = f"{data.name}-{data.images.shape[-1]}-{data.fingerprint}-inception-{network.digest[:8]}.safetensors"
    path = prepared_folder(Path(root)) / name
    kept = _kept(path, min(MOST, len(data.images)))
    if kept is not None:
        return kept
    features, _ = network.look(data.some(MOST), report)
    with contextlib.suppress(FileError):  # a full disk costs the next call its time, not this one its result
        write_atomically(path, to_bytes({"features": features}))
    return features


def _kept(path: Path, count: int) -> Tensor | None:
    """Features of an earlier call; None where there are none, or the file is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        features = load_file(path).get("features")
    except (OSError, SafetensorError):
        return None
    return features if features is not None and features.shape == (count, FEATURES) else None


def _fetched() -> Path:
    """Where torch keeps torch-fidelity's weights, fetched unless they are there."""
    from torch.hub import download_url_to_file, get_dir
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    path: Path = Path(get_dir()) / "checkpoints" / URL_INCEPTION_V3.rpartition("/")[2]
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            download_url_to_file(URL_INCEPTION_V3, str(path), PUBLISHED, progress=sys.stderr.isatty())
        except (OSError, RuntimeError, HTTPException) as error:  # no network, another file, a broken connection
            raise CheckpointError(
                f"expected to fetch Inception's weights from {URL_INCEPTION_V3}, got: {error}; fetch that file "
                "elsewhere and name it with --weights FILE"
            ) from error
    return path


def _built(data: bytes, wrong: str) -> nn.Module:
    """The network with the weights in `data`, which are given to it in a file written here: it would run whatever
    is in another one."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    elsewhere = "name the file that torch-fidelity fetches"
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a foreign file fails in as many ways as there are formats
        raise CheckpointError(f"{wrong}, got a file that is no table of tensors; {elsewhere}") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{wrong}, got a file with other things than tensors in it; {elsewhere}")
    own = io.BytesIO()
    torch.save({name: value.detach() for name, value in state.items()}, own)
    own.seek(0)
    try:
        with torch.random.fork_rng(devices=[]):  # it draws first weights from the global generator
            network: nn.Module = FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], own)
    except RuntimeError as error:
        raise CheckpointError(f"{wrong}, got tensors of another network; {elsewhere}") from error
    if not all(finite(value) for value in network.state_dict().values()):
        raise CheckpointError(f"{wrong}, got NaN or infinity in them; {elsewhere}")
    return network
