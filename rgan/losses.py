"""GAN losses, each per sample: critic outputs (N,) in, losses (N,) out; the mean is taken last.

y is the critic's raw output (a logit for the log losses, a score for Wasserstein).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

PerSample = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Loss:
    """What each player pays. The generator minimises `generator`; the critic minimises `real` + `fake`."""

    generator: PerSample
    real: PerSample
    fake: PerSample


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
}
