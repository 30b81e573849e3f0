"""Results whose numbers are given, for what is said of them."""

import numpy as np
import torch

from rgan.attack.perturbation import Perturbation
from rgan.attack.search import Attack
from rgan.robustness.frames import Frames, Track


def perturbation(attack: Attack, count: int, r: float = 1.0) -> Perturbation:
    """Of `count` samples that all moved alike, with four gradients."""
    ones, moved, loss = torch.ones(count, 2), torch.full((count, 2), r), torch.zeros(count)
    return Perturbation(attack, ones, moved, moved, moved, loss, loss, loss, loss, 4)


def frames(
    radii: tuple[float, ...], size: tuple[int, int, int, int], seed: int = 0, *, model: str = "a", judged: bool = True
) -> Frames:
    """Smooth pictures that differ everywhere, with numbers that nothing ties to them."""
    rng = np.random.default_rng(seed)
    original = _smooth(rng, 1, size)

    def track() -> Track:
        shape = len(radii), size[0]
        badness = np.float32(rng.uniform(0.85, 1.0, shape))
        return Track(
            images=np.concatenate([original, _smooth(rng, len(radii) - 1, size)]),
            loss=np.float32(rng.normal(size=shape)),
            change=np.float32(rng.uniform(0, 0.4, shape)),
            badness=badness if judged else None,
            broken=badness >= np.float32(0.95) if judged else None,
            labels={"class": rng.integers(0, 3, shape)} if judged else {},
        )

    length = np.float32(np.array(radii)[:, None] * rng.uniform(0.5, 1, size[0]))
    return Frames(model, Attack(radii, gradients=40), seed, track(), track(), length, 30, False)


def _smooth(rng: np.random.Generator, count: int, size: tuple[int, int, int, int]) -> np.ndarray:
    """Pictures of slow waves, uint8 (count, N, H, W, C)."""
    samples, height, width, channels = size
    down, across, phase = rng.uniform(-1, 1, (3, count, samples, 1, 1, channels))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    waves = np.sin(2 * np.pi * (down * y + across * x + phase))
    return np.asarray((127.5 * (1 + waves)).round(), np.uint8)
