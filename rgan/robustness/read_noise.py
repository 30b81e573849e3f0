"""What a companion lets one see: the worst noise of a real image, and what an auto-encoding critic keeps of images.

An attack begins at noise. Where a system has a net that reads the noise of an image (ALI, EGAN-Ent-VI), it can begin at
a real one: the worst of this face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.perturbation import Perturbation, perturb
from rgan.attack.search import Attack
from rgan.common.images import grid, png, to_uint8, to_unit
from rgan.models.gan import Gan
from rgan.networks.began import AutoEncodingCritic


@dataclass(frozen=True)
class Gallery:
    """Rows of pictures of the same images, uint8 (N, H, W, C), each with its words."""

    words: str
    rows: tuple[tuple[str, np.ndarray], ...]

    @property
    def picture(self) -> bytes:
        """All rows as a PNG."""
        images = np.concatenate([images for _, images in self.rows])
        return png(grid(images, len(self.rows[0][1]), scale=2))


def reads(gan: Gan) -> bool:
    """Whether it reads the noise of an image."""
    size = gan.recipe.size
    with torch.no_grad():
        return gan.companion.encode(torch.zeros(1, gan.recipe.channels, size, size)) is not None


def worst_of(gan: Gan, real: Tensor, attack: Attack, *, seed: int = 0) -> tuple[Perturbation, Gallery]:
    """Worst noise of real images, uint8 (N, C, H, W), from the noise that is read from them, within one radius.

    Raises:
        SettingsError: it reads no noise, or as `perturb`.
    """
    z = gan.encode(to_unit(real))
    found = perturb(gan, z, attack, seed=seed, precision="float32", device="cpu")
    drawn = {
        "real": to_unit(real), "drawn of the noise read from them": gan.images(z),
        f"at worst noise, ε {found.radius:g}": gan.images(z + found.r),
        "at random noise of the same length": gan.images(z + found.random),
    }  # fmt: skip
    rows = tuple((words, to_uint8(images)) for words, images in drawn.items())
    return found, Gallery(f"From above: {'; '.join(drawn)}.", rows)


def kept_by_critic(gan: Gan, count: int = 16) -> Gallery | None:
    """Real and generated images, and what an auto-encoding critic makes of them; None for other critics."""
    if not isinstance(gan.critic, AutoEncodingCritic):
        return None
    fake = gan.images(gan.noise(count, 0))
    real = fake[:0] if gan.reference is None else to_unit(gan.reference[:count])
    with torch.no_grad():
        kept = [gan.critic.reconstruct(images) for images in (real, fake)]
    drawn = {
        "real": real, "what the critic keeps of them": kept[0], "generated": fake, "what it keeps of these": kept[1]
    }  # fmt: skip
    rows = tuple((words, to_uint8(images)) for words, images in drawn.items() if len(images))
    return Gallery(f"From above: {'; '.join(words for words, _ in rows)}.", rows)
