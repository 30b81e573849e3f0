"""A path along ε as pictures and numbers: all that a player needs to show worst noise growing, and nothing else.

`frames` reads a search, also an unfinished one, at the radii of a player. A later call, from a search that knows more,
gives better frames for the same radii: coarse pictures at once, fine ones in their places.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import pixel_change
from rgan.attack.perturbation import notices
from rgan.attack.search import Attack, WorstNoise, between, random_noise
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError
from rgan.common.geometry import lengths
from rgan.common.images import to_uint8
from rgan.metrics.judges import BAD
from rgan.models.gan import Gan
from rgan.robustness.attributes import AttributeChanges, attribute_changes
from rgan.robustness.measured import JudgedGan

COUNT = 25  # radii above 0


@dataclass(frozen=True)
class Track:
    """N samples under one kind of noise at K + 1 radii.

    images: uint8 (K + 1, N, H, W, C), as every picture of a result. All others are (K + 1, N). loss: the generator's,
    by the model's own critic, NaN without one. change: root mean square difference from the original, as a fraction of
    black to white. badness: the judge's, 0 to 1, and whether it is BAD or more: `broken`; both None without a judge.
    labels: what the judge reads in each image, numbers by the name of what is read: its attributes, or "class";
    empty without a judge.
    """

    images: np.ndarray
    loss: np.ndarray
    change: np.ndarray
    badness: np.ndarray | None
    broken: np.ndarray | None
    labels: Mapping[str, np.ndarray]

    @property
    def relabelled(self) -> np.ndarray:
        """Whether anything that the judge reads differs from what it reads in the original, (K + 1, N)."""
        changed = [read != read[0] for read in self.labels.values()]
        return np.any(changed, axis=0) if changed else np.zeros(self.change.shape, bool)


@dataclass(frozen=True)
class Frames:
    """The path of one model from one noise z at one λ, as arrays and names.

    attack: the search, whose radii are those of the frames, the first of them 0. seed: of the search and of its
    control. worst, random: beside each other; `random` goes in one direction all along, each sample as far as its worst
    noise. length: ‖r‖ of both, (K + 1, N). gradients: spent on each sample and radius. done: the search has ended.
    names: of the labels' values, where they have names.
    """

    model: str
    attack: Attack
    seed: int
    worst: Track
    random: Track
    length: np.ndarray
    gradients: int
    done: bool
    names: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def radii(self) -> tuple[float, ...]:
        """0 = r₀ < … < r_K."""
        return self.attack.radii

    @property
    def original(self) -> np.ndarray:
        """The images that nothing has moved, uint8 (N, H, W, C)."""
        images: np.ndarray = self.worst.images[0]
        return images

    @property
    def judged(self) -> bool:
        """Whether a judge has said what is broken."""
        return self.worst.broken is not None


def notices_at(found: Frames, radius: float) -> list[str]:
    """`perturbation.notices` of the frame nearest to `radius`; what is raised is told by the loss, or without a critic
    by the change of the images."""
    at = _nearest(found, radius)
    lossy = bool(np.isfinite(found.worst.loss).all())
    raised = found.worst.loss if lossy else found.worst.change
    means = raised.mean(axis=1)
    best = int(means[: at + 1].argmax())
    return notices(
        dataclasses.replace(found.attack, radii=(found.radii[at],)),
        torch.from_numpy(found.length[at]),
        lowered=int((raised[at] < raised[0]).sum()),
        stronger=found.radii[best] if means[best] > means[at] else None,
        noun="loss" if lossy else "change",
    )


def changes_at(found: Frames, radius: float) -> AttributeChanges | None:
    """What the judge reads otherwise than in the originals at the frame nearest to `radius`; None where it reads no
    attributes."""
    if len(found.worst.labels) < 2:
        return None
    at = _nearest(found, radius)

    def read(track: Track, frame: int) -> dict[str, Tensor]:
        return {name: torch.from_numpy(classes[frame]) for name, classes in track.labels.items()}

    return attribute_changes(read(found.worst, 0), read(found.worst, at), read(found.random, at))


def _nearest(found: Frames, radius: float) -> int:
    return int(np.abs(np.array(found.radii) - radius).argmin())


def frame_radii(largest: float, *also: float, count: int = COUNT) -> tuple[float, ...]:
    """0 and `count` radii at even distances up to `largest`, in hundredths as sliders have them; `also` among them.

    Raises:
        SettingsError: the largest is not above 0.
    """
    if not largest > 0:
        raise SettingsError(f"expected a largest ε above 0, where something moves, got {largest:g}; raise it")
    even = np.linspace(0, largest, count + 1).round(2).tolist()
    return tuple(sorted({0.0, *even, *(round(one, 2) for one in also if one <= largest)}))


def frames(
    source: JudgedGan | Gan,
    found: WorstNoise,
    radii: Sequence[float],
    *,
    model: str,
    seed: int,
) -> Frames:
    """What `found` knows, at these radii: between searched ones by `between`, beyond the last one its answer.

    Costs two passes a radius and sample, and no gradient.

    Args:
        source: the Gan with the judge that measures; a Gan alone is measured by its own critic only.
        found: the state of a search of that Gan's noise at any radii.
        radii: rising, from 0.
        model: its name.
        seed: of the random directions, which are those of `perturbation.with_controls`.

    Raises:
        SettingsError: the radii do not rise from 0.
    """
    steps = in_steps(source, found, radii, model=model, seed=seed)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Frames = end.value
            return made


def in_steps(
    source: JudgedGan | Gan, found: WorstNoise, radii: Sequence[float], *, model: str, seed: int
) -> Generator[None, None, Frames]:
    """`frames`, yielding before every radius."""
    attack = dataclasses.replace(found.attack, radii=tuple(radii))
    if attack.radii[0] != 0 or len(attack.radii) < 2:
        raise SettingsError(f"expected radii that rise from 0, got {attack.radii}; take them from frame_radii")
    look = _Look(source)
    original = look(found.z)
    worst, random, length = [original], [original], [torch.zeros(len(found.z))]
    count = len(found.z)
    for radius in attack.radii[1:]:
        yield
        r = between(found, radius)
        length.append(lengths(r))
        control = random_noise(found.z, length[-1], seed, keep_shell=attack.keep_shell)[0]
        both = look(torch.cat([found.z + r, found.z + control]))
        worst.append(both.rows(slice(None, count)))
        random.append(both.rows(slice(count, None)))
    names = source.judge.facts.questions if isinstance(source, JudgedGan) else {}
    return Frames(
        model, attack, seed, _track(worst), _track(random), torch.stack(length).cpu().numpy(), found.gradients,
        found.done, names,
    )  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    """Images uint8 (N, H, W, C) and what is said of them, (N,) each, as in Track; no badness without a judge."""

    images: np.ndarray
    change: Tensor
    loss: Tensor
    badness: Tensor | None
    labels: Mapping[str, Tensor]

    def rows(self, index: slice) -> _Seen:
        badness = None if self.badness is None else self.badness[index]
        labels = {name: read[index] for name, read in self.labels.items()}
        return _Seen(self.images[index], self.change[index], self.loss[index], badness, labels)


class _Look:
    """Noise (N, latent) → what is seen of it, by whoever there is to look; the first noise is the original, and later
    ones are some of its moves, each as long."""

    def __init__(self, source: JudgedGan | Gan):
        self._judged = source if isinstance(source, JudgedGan) else None
        self._gan = source.gan if isinstance(source, JudgedGan) else source
        self._probe = source.probe if isinstance(source, JudgedGan) else source.probe(device=choose_device("auto"))
        self._original: Tensor | None = None

    def __call__(self, z: Tensor) -> _Seen:
        badness: Tensor | None = None
        labels: Mapping[str, Tensor] = {}
        if self._judged is not None:
            images, said = self._judged.look(z)
            loss, badness = said.loss, said.badness
            labels = said.opinion.attributes or {"class": said.opinion.label}
        elif self._gan.has_critic:
            images, loss = self._probe.images_and_loss(z)
        else:
            images, loss = self._probe.images(z), torch.full((len(z),), torch.nan)
        if self._original is None:
            self._original = images
        before = self._original.repeat(len(images) // len(self._original), 1, 1, 1)
        return _Seen(to_uint8(images), pixel_change(images, before), loss, badness, labels)


def _track(seen: Sequence[_Seen]) -> Track:
    def stacked(values: Sequence[Tensor]) -> np.ndarray:
        return torch.stack(list(values)).cpu().numpy()

    badness = None if seen[0].badness is None else stacked([one.badness for one in seen if one.badness is not None])
    return Track(
        images=np.stack([one.images for one in seen]),
        loss=stacked([one.loss for one in seen]),
        change=stacked([one.change for one in seen]),
        badness=badness,
        broken=None if badness is None else badness >= BAD,
        labels={name: stacked([one.labels[name] for one in seen]) for name in seen[0].labels},
    )
