"""What a search for worst noise raises: the generator's loss, the distance from real images, or the image's change.

The paper raises the loss by the Gan's own critic (eq. 8). An independent judge's distance needs no critic, and the
change of the image needs neither: its worst noise is the direction in which the generator moves most, held against the
random directions that generators are usually probed by.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.search import CHUNK, Attack, SampleLoss, WorstNoise, losses, search
from rgan.common.devices import choose_device, choose_dtype
from rgan.common.errors import CheckpointError, SettingsError, one_of
from rgan.common.formatting import decimal, signed
from rgan.common.geometry import lengths, random_directions, separate
from rgan.metrics.judges import ATTACKED, Judge, first
from rgan.models.gan import Gan, Probe, rows_a_call

CRITIC, JUDGE, CHANGE = OBJECTIVES = ("critic", "judge", "change")
LADDER = 6  # lengths tried for a priced first move, each a quarter of the one before


@dataclass(frozen=True)
class ObjectiveWords:
    """How to speak of an objective.

    noun: its name. full: the name in a sentence of its own. more, less: what worst noise does beside random noise, and
    the steadier of two Gans beside the other. by: where the number comes from. unit: what follows it.
    """

    noun: str
    full: str
    more: str
    less: str
    by: str
    unit: str = ""

    def number(self, value: float, sign: str = "") -> str:
        """The number with its unit, two decimals; sign "+": also that of a gain."""
        return (signed if sign else decimal)(value) + self.unit


LOSS = ObjectiveWords("loss", "generator loss", "costs more", "loses less", "judged by the model's own critic")


@dataclass(frozen=True)
class Objective:
    """What a search raises, ready for many evaluations of N samples.

    rate: images (B, C, H, W) as the probe draws them, the noise (B, latent) they are drawn of and the samples (B,) they
    belong to → loss (B,), differentiable.
    flat: r = 0 is its minimum, without a slope to follow. coarse: the same, faster and less exact, for all but the last
    steps of a search.
    """

    probe: Probe
    words: ObjectiveWords
    rate: Callable[[Tensor, Tensor, Tensor], Tensor]
    flat: bool = False
    coarse: Objective | None = None

    @property
    def loss(self) -> SampleLoss:
        """For `attack.search`."""

        def loss(z: Tensor, samples: Tensor) -> Tensor:
            return self.rate(self.probe.draw(z, self.probe.labels(samples)), z, samples).to(z.device)

        return SampleLoss(loss, rows_a_call(self.probe.recipe, CHUNK))

    def images(self, z: Tensor) -> Tensor:
        """As `Probe.images`."""
        return self.probe.images(z)

    def images_and_loss(self, z: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """`images` of noise (B, latent) and the loss (B,) from one pass, without gradients."""
        return self.probe.rated(z, lambda images: self.rate(images, z, samples), self.probe.labels(samples))

    def search(self, z: Tensor, attack: Attack, *, seed: int = 0, start: Tensor | None = None) -> Iterator[WorstNoise]:
        """The search for worst noise from z (N, latent), step by step; see `attack.search`.

        start: r to begin with, (N, latent) or one for each radius; by default its own.
        """
        start = self.start(z, attack, seed) if start is None else start
        if self.coarse is None:
            return search(self.loss, z, attack, seed=seed, start=start)
        return search(self.coarse.loss, z, attack, seed=seed, start=start, exact=self.loss)

    def start(self, z: Tensor, attack: Attack, seed: int) -> Tensor | None:
        """r (N, latent) to begin a search with, up to its largest radius; None where r = 0 has a slope to follow.

        A random direction of the seed, apart from the control's. Where moving has a price, the length that is worth
        most: the change grows with the length and the price with its square, so one of the lengths is worth more than
        staying unless the best is shorter than all of them.
        """
        if not self.flat:
            return None
        directions = random_directions((len(z), z.shape[1]), separate(seed, "first move")).to(z)
        shares = 4.0 ** -torch.arange(LADDER if attack.price else 1)
        moves = attack.radii[-1] * shares.to(z)[:, None, None] * directions
        worth = losses(self.loss, z + moves) - attack.price * moves.square().sum(dim=-1)
        return moves[worth.argmax(dim=0), torch.arange(len(z))]


def objective_for(
    gan: Gan,
    name: str,
    z: Tensor,
    *,
    judge: Judge | None = None,
    device: str = "auto",
    precision: str = "float32",
) -> Objective:
    """One of OBJECTIVES, of this Gan and noise z (N, latent); a coarser precision gives it a coarse twin.

    The change has one precision: differences of nearly equal images would drown in bfloat16's rounding.

    Raises:
        CheckpointError: the loss is to be raised and there is no critic.
        SettingsError: the distance is to be raised and no judge is given; or another word than those of OBJECTIVES.
    """
    one_of("what the search raises", name, OBJECTIVES)
    where = choose_device(device)
    exact = gan.probe(device=where)
    if name == CHANGE:
        return _change(exact, z)
    made: Callable[[Probe], Objective] = _loss
    if name == JUDGE:
        if judge is None:
            raise SettingsError("expected a judge, whose distance the search raises, got none; name one")
        made = functools.partial(_distance, judge=judge)
    elif not gan.has_critic:
        raise CheckpointError(
            "expected a model with a critic, whose loss the search raises, got a generator alone; search --objective "
            "judge or --objective change instead, or import it again with its critic's file beside it"
        )
    dtype = choose_dtype(precision, where)
    return (
        made(exact) if dtype is exact.dtype else dataclasses.replace(made(exact), coarse=made(gan.probe(dtype, where)))
    )


def check_method(objective: str, method: str) -> None:
    """Raise SettingsError where the one-step method has no gradient to take its step along."""
    if objective == CHANGE and method == "one-step":
        raise SettingsError(
            "expected the search by ascent for the change of the image, got the one-step method; the change has no "
            "gradient at the original noise, so choose ascent"
        )


def judge_for(gans: Sequence[Gan], role: str = ATTACKED) -> Judge | None:
    """The judge for the data of the first of these Gans that has one; None without.

    role: one of `judges.ROLES`, by default the one that a search may raise.
    """
    try:
        return first([gan.trained_on for gan in gans], role)
    except CheckpointError:
        return None


def choices(gans: Sequence[Gan], judge: Judge | None) -> tuple[str, ...]:
    """What a search can raise for all of these Gans, the usual one first."""
    able = {JUDGE: judge is not None, CRITIC: all(gan.has_critic for gan in gans), CHANGE: True}
    return tuple(name for name, possible in able.items() if possible)


def pixel_change(changed: Tensor, original: Tensor) -> Tensor:
    """Root mean square change of each image (N,), as a fraction of the full range from black to white."""
    change = (changed - original).flatten(1)
    return lengths(change) / (2 * math.sqrt(change.shape[1]))  # whose gradient at no change is zero and not NaN


def _loss(probe: Probe) -> Objective:
    return Objective(probe, LOSS, lambda images, z, samples: probe.cost(images, z, probe.labels(samples)))


def _distance(probe: Probe, judge: Judge) -> Objective:
    by = f"measured by the judge of {judge.data} that is raised, to the third nearest real image in its features"
    words = ObjectiveWords("distance", "distance from real images", "strays farther", "strays less", by)
    distance = judge.measure(probe.device, probe.dtype)
    return Objective(probe, words, lambda images, *_: distance(images))


def _change(probe: Probe, z: Tensor) -> Objective:
    by = "the root mean square difference from the image of the original noise, in per cent of black to white"
    words = ObjectiveWords("change", "change of the image", "changes more", "changes less", by, " %")
    with torch.no_grad():
        pieces = torch.arange(len(z)).split(rows_a_call(probe.recipe, CHUNK))
        original = torch.cat([probe.draw(z[rows], probe.labels(rows)) for rows in pieces])
    return Objective(probe, words, lambda images, _, samples: 100 * pixel_change(images, original[samples]), flat=True)
