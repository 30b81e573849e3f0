"""What a system trains and keeps beside its generator and its critic: an encoder, a denoiser, a number that is steered.

A system that has such things subclasses `Companion` and names the class in its `Family`. Whatever the class holds as
parameters and buffers is trained with the player that it names, goes into checkpoint files, and is resumed exactly;
the methods that it overrides are called by `training.algorithm1` and `training.trainer`. BEGAN, ALI, Improved GAN,
EGAN-Ent-VI and DFM have one each, in the file of their networks; docs/how-to/add-a-gan.md adds another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from torch import Tensor, nn

Draw = Callable[[int], Tensor]  # how many → standard normal numbers (N, many), a row for each image of a critic's batch


class Companion(nn.Module):
    """A system's companion; this one has nothing, as most systems.

    fields: of the recipe, handed to the constructor by name, beside the generator and the critic, which are there to
    be measured and may have no weights yet. generator_parts: names of the child networks that are trained with the
    generator; the others are trained with the critic. mirrored: whether the generator's side also plays on real images,
    where it pays the generator's loss of minus the score (ALI's encoder).

    Whoever trains sets `wrap`, which makes a child network compute in the training's precision, and `mean`, the mean of
    a tensor over the processes that train together, differentiable.
    """

    fields: ClassVar[tuple[str, ...]] = ()
    generator_parts: ClassVar[tuple[str, ...]] = ()
    mirrored: ClassVar[bool] = False

    def __init__(self, generator: nn.Module | None = None, critic: nn.Module | None = None):
        super().__init__()
        self.wrap: Callable[[nn.Module], Callable[[Tensor], Tensor]] = lambda network: network
        self.mean: Callable[[Tensor], Tensor] = lambda own: own

    def begin(self, player: str, draw: Draw) -> None:
        """Before a player's step: draw the random numbers that all of its passes share."""

    # What the critic is given and what its costs count: where Algorithm 1 has log D.

    def beside_real(self, images: Tensor) -> tuple[Tensor, ...]:
        """What the critic is given beside real images (N, C, H, W)."""
        return ()

    def beside_fake(self, images: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """What the critic is given beside images drawn of noise z (N, latent)."""
        return ()

    def fake_share(self) -> Tensor | None:
        """What the critic's cost of generated images is multiplied by; None for 1."""
        return None

    # Terms beside it, on original noise and images: no perturbation of Algorithm 1 raises them.

    def generator_term(self, critic: Any, images: Tensor, features: Tensor, z: Tensor, real: Tensor) -> Tensor | None:
        """A term of the generator's loss, a scalar; features: the critic's of the images, both with their graphs."""
        return None

    def critic_term(self, features: Tensor) -> Tensor | None:
        """A term of the loss of what is trained with the critic, by the critic's features of real images, detached."""
        return None

    def weight_term(self, player: str, network: nn.Module) -> Tensor | None:
        """A term of a player's weights alone; player: "generator" or "critic"."""
        return None

    # After a step.

    def after_critic(self, real_score: Tensor, fake_score: Tensor) -> dict[str, Tensor]:
        """Steer by the mean scores of the critic's step, before its update; numbers to be recorded, by name."""
        return {}

    def after_update(self, player: str, network: nn.Module) -> None:
        """Take note of the weights that a player's update has led to."""

    # What it can do for a trained Gan.

    def encode(self, images: Tensor) -> Tensor | None:
        """The noise (N, latent) that it reads from images (N, C, H, W) in [−1, 1]; None where it reads none."""
        return None

    # For the trainer.

    def reset(self) -> None:
        """Buffers at their first values."""

    def needs_real(self) -> bool:
        """Whether the generator's step looks at real images."""
        return self.mirrored

    def parts(self, player: str) -> Iterator[nn.Parameter]:
        """The parameters that are trained with this player."""
        for name, child in self.named_children():
            if (name in self.generator_parts) == (player == "generator"):
                yield from child.parameters()


NONE = Companion()
