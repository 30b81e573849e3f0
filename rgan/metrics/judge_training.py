"""How a judge is trained: which images teach it, which it is tried on, and what makes the two of a data set unlike.

The images of a data set are cut into halves, the same for whoever asks. The judge that measures learns from one of them
by a residual network, the one that may be attacked from the other by a plain one. Both are given the same held-out
images, as reference and for calibration.

One's own images teach it what folders they lie in or, where these tell nothing, by how many quarter turns an image was
rotated (Gidaris et al. 2018).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from rgan.common.errors import DataError, number_between, one_of
from rgan.common.images import to_unit
from rgan.data import datasets, faces
from rgan.data.datasets import ImageData
from rgan.metrics.judges import (
    ATTACKED,
    EPOCHS,
    MEASURING,
    NEIGHBOURS,
    ROLES,
    SIZE,
    SIZES,
    Facts,
    Judge,
    compact,
    distances,
    resized,
)
from rgan.networks.classifier import FEATURES, KINDS, UNKNOWN, Classifier, initialise

NETWORKS = {MEASURING: "residual", ATTACKED: "plain"}
HELD_OUT = 0.2  # of a set without test images: kept as reference, and as much again for calibration
MOST = 5000  # reference and calibration images each
BATCH = 256
HALVES_SEED = 0  # of the permutation that cuts a set's images into halves
MIRRORED = ("cifar10", "stl10")  # things look alike in a mirror; digits do not, nor what a face's gaze is called
RATE = 0.1  # the largest learning rate, where one question is asked
TURNS = 4  # of an image, by a quarter each
FEWEST = 200  # of one's own images
STEPS = 1500  # of usual trainings on one's own images, which can be few
HARD = {faces.EYES: 6.0}  # weights of questions in the loss; others have 1


@dataclass(frozen=True)
class JudgeStep:
    """`step` of `steps` of a judge's training; `judge` is there at the end."""

    step: int
    steps: int
    loss: float
    judge: Judge | None = None


@dataclass(frozen=True)
class Lessons:
    """Images, uint8 (N, C, H, W), and labels, int64 (N, questions), UNKNOWN where an image does not tell."""

    images: Tensor
    labels: Tensor

    def rows(self, index: Tensor) -> Lessons:
        """Some of them."""
        return Lessons(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Course:
    """What a judge is taught and tried on.

    learn: teaches it; reference, calibration: see `Judge`; broken: also tried on, for what no real image shows; apart,
    questions: see `judges.Facts`; tried: what it is tried on instead of reference and calibration, for want of labels.
    """

    learn: Lessons
    reference: Lessons
    calibration: Lessons
    broken: Lessons | None
    apart: bool
    questions: dict[str, tuple[str, ...]]
    tried: Lessons | None = None


def usual_epochs(data: ImageData) -> int:
    """Passes over the images that a judge usually takes."""
    if not is_own(data):
        return EPOCHS[data.name]
    learn = (1 - 2 * HELD_OUT) * len(data.images) / len(ROLES) * (1 if _tells_classes(data) else TURNS)
    return int(min(1000, max(10, STEPS * min(BATCH, learn / 8) / max(learn, 1))))


def is_own(data: ImageData) -> bool:
    """Whether no judge of these images comes with RGAN Lab, whatever their folder is called."""
    return data.own or data.name not in EPOCHS


def train(
    data: ImageData,
    root: str | Path = "data",
    *,
    role: str = MEASURING,
    epochs: int,
    width: int = 16,
    seed: int = 0,
    precision: str = "float32",
) -> Iterator[JudgeStep]:
    """Train a judge for a data set; the last progress carries it.

    Uses the set's own test images as reference and calibration where it has them, else a part of its images.

    Raises:
        DataError: the set has no labels, or one's own images are fewer than FEWEST.
        SettingsError: impossible numbers, or a role that there is not.
    """
    number_between("epochs", epochs, 1, 1000)
    number_between("width", width, 1, 256)
    number_between("seed", seed, 0, 2**63 - 1)
    one_of("role", role, ROLES)
    course = _course(data, root, role, seed)
    rng = torch.Generator().manual_seed(seed)
    facts = Facts(
        data=data.name, channels=int(data.images.shape[1]), width=width,
        classes=int(course.learn.labels[:, 0].max()) + 1, accuracy=0.0, held_out=0, epochs=epochs, seed=seed,
        kind=NETWORKS[role], role=role, size=_size(data), precision=precision, questions=course.questions,
        apart=course.apart, fingerprint=data.fingerprint if is_own(data) else "", rotations=course.tried is not None,
    )  # fmt: skip
    with torch.device("meta"):
        network = KINDS[facts.kind](facts.channels, width, facts.outputs, facts.size)
    network = network.to_empty(device="cpu").to(memory_format=torch.channels_last)
    initialise(network, rng)
    loss, step, steps = 0.0, 0, 0
    for step, steps, loss in _learn(network, course.learn, facts, rng):
        if step < steps:
            yield JudgeStep(step, steps, loss)
    yield JudgeStep(steps, steps, loss, _calibrated(facts, network.eval(), course))


def _learn(
    network: Classifier, lessons: Lessons, facts: Facts, rng: torch.Generator
) -> Iterator[tuple[int, int, float]]:
    """Train the network in place; the step, the number of steps, and the loss, after each."""
    count = len(lessons.images)
    batch = min(BATCH, count // 8)
    steps = facts.epochs * (count // batch)
    weights = torch.tensor([HARD.get(name, 1.0) for name in facts.questions or ("class",)])
    rate = RATE / float(weights.sum()) ** 0.5
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.25)
    step = 0
    for _ in range(facts.epochs):
        order = torch.randperm(count, generator=rng)
        for index in order[: count // batch * batch].split(batch):
            part = lessons.rows(index)
            x = augmented(to_unit(part.images), rng, mirror=facts.data in MIRRORED)
            with torch.autocast("cpu", torch.bfloat16, enabled=facts.precision == "bfloat16"):
                losses = network.losses(x.contiguous(memory_format=torch.channels_last), part.labels)
            loss = weights @ losses
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            step += 1
            yield step, steps, float(loss.detach())


def augmented(images: Tensor, rng: torch.Generator, *, mirror: bool) -> Tensor:
    """Each image moved by up to 2 pixels (4 with `mirror`), the border repeated, and with `mirror` turned or not."""
    reach = 4 if mirror else 2
    side = images.shape[-1]
    padded = pad(images, (reach,) * 4, mode="replicate")
    count = len(images)
    top, left = (torch.randint(0, 2 * reach + 1, (count,), generator=rng) for _ in range(2))
    rows = top[:, None] + torch.arange(side)
    columns = left[:, None] + torch.arange(side)
    if mirror:
        turned = torch.rand(count, generator=rng) < 0.5
        columns = torch.where(turned[:, None], columns.flip(1), columns)
    which = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def half(count: int, role: str) -> Tensor:
    """The images, of so many, that teach the judge in this role: each image teaches one of the two at most."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(HALVES_SEED))
    return order[ROLES.index(role) :: len(ROLES)].sort().values


def _size(data: ImageData) -> int:
    """Pixels that its judge looks at."""
    if is_own(data):
        return max(size for size in (SIZE, *SIZES.values()) if size <= max(SIZE, data.images.shape[-1]))
    return SIZES.get(data.name, SIZE)


def _course(data: ImageData, root: str | Path, role: str, seed: int) -> Course:
    if is_own(data):
        return _own(data, role)
    if data.name == "faces":
        return _faces(data, root, role, seed)
    assert data.labels is not None
    own = Lessons(data.images, data.labels[:, None])
    test = datasets.held_out(data.name, size=SIZE, root=root)
    if test is not None and test.labels is not None:
        reference, calibration = _held_out(Lessons(test.images, test.labels[:, None]), seed)
        return Course(own.rows(half(len(data.images), role)), reference, calibration, None, True, {})
    order = torch.randperm(len(data.images), generator=torch.Generator().manual_seed(HALVES_SEED))
    kept = int(HELD_OUT * len(order))
    learn = order[2 * kept :]
    return Course(
        own.rows(learn[half(len(learn), role)]), own.rows(order[:kept]), own.rows(order[kept : 2 * kept]),
        None, False, {},
    )  # fmt: skip


def _own(data: ImageData, role: str) -> Course:
    """One's own images, most to learn from, and as many to look for neighbours among as to calibrate by."""
    if len(data.images) < FEWEST:
        raise DataError(
            f"expected at least {FEWEST} images to train a judge with, got {len(data.images)} in {data.name}; add more"
        )
    order = torch.randperm(len(data.images), generator=torch.Generator().manual_seed(HALVES_SEED))
    kept = int(HELD_OUT * len(order))
    held = min(kept, MOST)
    rows = order[2 * kept :][half(len(order) - 2 * kept, role)], order[:held], order[kept : kept + held]
    labels = torch.zeros(len(order), dtype=torch.int64) if data.labels is None else data.labels
    learn, reference, calibration = (Lessons(_fit(data.images[part], _size(data)), labels[part, None]) for part in rows)
    if _tells_classes(data):
        return Course(learn, reference, calibration, None, False, {})
    tried = _turned(torch.cat([reference.images, calibration.images]))
    return Course(_turned(learn.images), reference, calibration, None, False, {}, tried)


def _tells_classes(data: ImageData) -> bool:
    """Whether labels are few enough to be learned, and enough to learn anything."""
    return data.labels is not None and 2 <= len(data.labels.unique()) <= min(1000, len(data.images) // 20)


def _fit(images: Tensor, size: int) -> Tensor:
    """Images uint8 (N, C, H, W) at `size` pixels."""
    if images.shape[-1] == size:
        return images
    parts = [255 * (1 + resized(to_unit(part), size)) / 2 for part in images.split(BATCH)]
    return torch.cat(parts).round().to(torch.uint8)


def _turned(images: Tensor) -> Lessons:
    """Each image upright and rotated by one, two and three quarter turns, which are the classes."""
    turns = [images.rot90(k, (2, 3)) for k in range(TURNS)]
    return Lessons(torch.cat(turns), torch.arange(TURNS).repeat_interleave(len(images))[:, None])


def _faces(data: ImageData, root: str | Path, role: str, seed: int) -> Course:
    """Faces with all that the drawing knows about them; the judge that measures also learns from their unlike-eyed
    twins what eyes alike are."""
    size = data.images.shape[-1]
    ours = half(len(data.images), role)
    test = datasets.held_out("faces", size=size, root=root)
    assert test is not None
    learn, tried = Lessons(data.images, _attributes("train")).rows(ours), Lessons(test.images, _attributes("test"))
    if role == ATTACKED:
        width = len(faces.ATTRIBUTES)
        reference, calibration = _held_out(Lessons(tried.images, tried.labels[:, :width]), seed)
        return Course(Lessons(learn.images, learn.labels[:, :width]), reference, calibration, None, True,
                      faces.ATTRIBUTES)  # fmt: skip
    twins, broken = (
        Lessons(datasets.unlike_faces(split, size=size, root=root).images, _attributes(split, twins=True))
        for split in ("train", "test")
    )
    twins = twins.rows(ours)
    both = Lessons(torch.cat([learn.images, twins.images]), torch.cat([learn.labels, twins.labels]))
    reference, calibration = _held_out(tried, seed)
    return Course(both, reference, calibration, broken, True, faces.ATTRIBUTES | {faces.EYES: faces.ALIKE})


def _attributes(split: str, *, twins: bool = False) -> Tensor:
    """Codes of faces.ATTRIBUTES and of faces.EYES, (N, attributes + 1); a twin's two eyes may look two ways."""
    columns = dict(faces.attributes(split))
    if twins:
        columns["gaze"] = np.full_like(columns["gaze"], UNKNOWN)
    columns[faces.EYES] = np.full(faces.SPLITS[split], int(twins))
    return torch.from_numpy(np.stack(list(columns.values()), axis=1))


def _held_out(lessons: Lessons, seed: int) -> tuple[Lessons, Lessons]:
    """Reference and calibration, MOST each."""
    order = torch.randperm(len(lessons.images), generator=torch.Generator().manual_seed(seed))
    middle = len(order) // 2
    return lessons.rows(order[:middle][:MOST]), lessons.rows(order[middle:][:MOST])


def _calibrated(facts: Facts, network: Classifier, course: Course) -> Judge:
    """The judge with weights and reference as its file will have them, so that reading it changes nothing."""
    network.load_state_dict({name: value.to(torch.float32) for name, value in compact(network.state_dict()).items()})
    judge = Judge(facts, network, torch.zeros(1, FEATURES), torch.zeros(1), torch.zeros(1))
    seen = [judge.features(to_unit(part.images)) for part in (course.reference, course.calibration)]
    reference = seen[0].half().float()
    own = _nearest(reference, reference, NEIGHBOURS + 1)  # the first is the image itself
    found = _nearest(seen[1], reference, NEIGHBOURS)
    labels = torch.cat([course.reference.labels, course.calibration.labels])
    if course.tried is not None:
        labels, seen = course.tried.labels, [judge.features(to_unit(course.tried.images))]
    right = _right(judge, torch.cat(seen), labels)
    accuracy = float(right[0].float().mean())
    rates = {name: float(one.float().mean()) for name, one in zip(facts.questions, right, strict=False)}
    if course.broken is not None:  # of eyes alike and unlike, as many each
        broken = _right(judge, judge.features(to_unit(course.broken.images)), course.broken.labels)
        unlike = dict(zip(facts.questions, broken, strict=True))[faces.EYES]
        rates[faces.EYES] = (rates[faces.EYES] + float(unlike.float().mean())) / 2
    facts = dataclasses.replace(facts, accuracy=accuracy, held_out=len(labels), rates=rates)
    return Judge(facts, network, reference, own, found.sort().values)


def _right(judge: Judge, seen: Tensor, labels: Tensor) -> list[Tensor]:
    """Whether each question (N,) is answered rightly."""
    with torch.no_grad():
        answers = judge.network.answers(judge.network.score(seen))
    return [logits.argmax(dim=1) == label for logits, label in zip(answers, labels.unbind(dim=1), strict=True)]


def _nearest(seen: Tensor, reference: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest of the reference, (N,)."""
    return torch.cat([distances(chunk, reference).kthvalue(k, dim=1).values for chunk in seen.split(512)])
