"""GAN losses, each per sample: critic outputs (N,) in, losses (N,) out; the mean is taken last.

y is the critic's raw output (a logit for the log losses, a score for the others).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn.functional import relu, softplus

PerSample = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Loss:
    """What each player pays. The generator minimises `generator`; the critic minimises `real` + `fake`."""

    generator: PerSample
    real: PerSample
    fake: PerSample

    def scaled(self, scale: float, drift: float, drift_fake: float = 0.0) -> Loss:
        """The loss of y/scale, and drift·y² on real images, which keeps the critic near zero (Karras et al. 2018).

        drift_fake: the same on generated ones.
        """
        if scale == 1 and not drift and not drift_fake:
            return self
        return Loss(
            generator=lambda y: self.generator(y / scale),
            real=lambda y: self.real(y / scale) + drift * y.square(),
            fake=lambda y: self.fake(y / scale) + (drift_fake * y.square() if drift_fake else 0),
        )

    def sharing(self, share: Tensor | None) -> Loss:
        """The critic's cost of generated images multiplied by `share`; None for 1."""
        return self if share is None else replace(self, fake=lambda y: share * self.fake(y))

    def smoothed(self, share: float) -> Loss:
        """Real images count as generated ones by this share: one-sided label smoothing (Salimans et al. 2016)."""
        if not share:
            return self
        return replace(self, real=lambda y: (1 - share) * self.real(y) + share * self.fake(y))


LOSSES: dict[str, Loss] = {
    # −log D(G(z)), critic cross-entropy halved as in the paper's official DCGAN code.
    "non-saturating": Loss(
        generator=lambda y: softplus(-y),
        real=lambda y: softplus(-y) / 2,
        fake=lambda y: softplus(y) / 2,
    ),
    # Eq. 6 as printed: log(1 − D(G(z))).
    "saturating": Loss(
        generator=lambda y: -softplus(y),
        real=lambda y: softplus(-y) / 2,
        fake=lambda y: softplus(y) / 2,
    ),
    # Arjovsky et al. 2017.
    "wasserstein": Loss(generator=lambda y: -y, real=lambda y: -y, fake=lambda y: y),
    # Lim & Ye 2017, Miyato et al. 2018.
    "hinge": Loss(generator=lambda y: -y, real=lambda y: relu(1 - y), fake=lambda y: relu(1 + y)),
    # Dai et al. 2017: the energy softplus(−y) is low on real images; the critic raises it on generated ones.
    "energy": Loss(
        generator=lambda y: softplus(-y),
        real=lambda y: softplus(-y),
        fake=lambda y: -softplus(-y),
    ),
}
