"""An independent judge of images: a classifier that has seen real images only, and how far a picture is from them.

Badness of an image is the share of held-out real images that lie nearer to real images than it does, by the distance to
its third nearest neighbour in the classifier's features (Sun et al. 2022; per image: Gu et al. 2020, GIQA). Images that
train the classifier, that neighbours are looked for among (reference) and that badness is a percentile of (calibration)
are three disjoint sets.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate, log_softmax, pad

from rgan.common.errors import CheckpointError, DataError, number_between
from rgan.common.files import write_atomically
from rgan.common.geometry import lengths
from rgan.common.images import to_unit
from rgan.data.datasets import ImageData, held_out
from rgan.networks.classifier import FEATURES, Classifier, Features, initialise

SIZE = 32  # pixels that every judge looks at
NEIGHBOURS = 3
BAD = 0.95  # an image is bad from this badness on: further from real ones than 95 % of held-out real images
HELD_OUT = 0.2  # of a set without test images: kept as reference, and as much again for calibration
MOST = 5000  # reference and calibration images each
BATCH = 256
CHUNK = 256  # images a call in evaluation
EPOCHS = {"digits": 30, "mnist": 4, "cifar10": 16}  # usual ones
TEST_IMAGES = ("mnist", "cifar10")  # data sets whose models never see what their judge holds out
MIRRORED = ("cifar10", "stl10")  # things look alike in a mirror; digits do not
VERSION = 1
MAX_BYTES = 64 * 2**20
SHIPPED = Path(__file__).with_name("shipped")
_KEY = "rgan-lab-judge"


@dataclass(frozen=True)
class Opinion:
    """What a judge says of images, (N,) each.

    distance: to the third nearest reference image in feature space. badness: percentile of that among held-out real
    images, above 0 to 1. realism: largest ratio of a reference image's own neighbourhood to the image's distance from
    it, 1 or more inside the real ones (Kynkäänniemi et al. 2019, eq. 3); many real images have less. entropy: of the
    named class, in nats. label: the class.
    """

    distance: Tensor
    badness: Tensor
    realism: Tensor
    entropy: Tensor
    label: Tensor


@dataclass(frozen=True)
class Judge:
    """A classifier in evaluation mode with what it needs to tell badness.

    reference: features (R, FEATURES) of real images, radius: the distance of each to its third neighbour (R,);
    calibration: distances of other real images from the reference, rising (C,). accuracy: on images that neither
    trained it; of `held_out` images.
    """

    data: str
    channels: int
    width: int
    classes: int
    network: Classifier
    reference: Tensor
    radius: Tensor
    calibration: Tensor
    accuracy: float
    held_out: int
    epochs: int
    seed: int
    digest: str = ""

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)

    @property
    def apart(self) -> bool:
        """Whether the real images that it holds out are none that models of its data are trained on."""
        return self.data in TEST_IMAGES

    @property
    def caveat(self) -> str:
        """A sentence on what flatters models in the eyes of this judge; empty where nothing does."""
        if self.apart:
            return ""
        return (
            f"{self.data.capitalize()} has no test images of its own: its models were trained on the real images that "
            "this judge holds out, too, so badness and FID flatter a model that repeats them."
        )

    def features(self, images: Tensor) -> Tensor:
        """(N, FEATURES) float32 on the CPU of images (N, C, H, W) in [−1, 1] of any size."""
        with torch.no_grad():
            return torch.cat([self.eyes(fitted(chunk, self)) for chunk in images.split(CHUNK)])

    @functools.cached_property
    def eyes(self) -> Features:
        """The network up to its features, rearranged for speed."""
        return Features(self.network)

    def measure(
        self, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> Callable[[Tensor], Tensor]:
        """`Opinion.distance` as a function of images (N, C, H, W) in [−1, 1] → (N,), differentiable, on a device."""
        eyes = self.eyes if dtype is torch.float32 else Features(self.network, dtype)
        if torch.device(device).type != "cpu":
            eyes = copy.deepcopy(eyes).to(device)
        reference = self.reference.to(device)

        def distance(images: Tensor) -> Tensor:
            seen = eyes(fitted(images.to(reference), self))
            return lengths(seen - reference[_third_nearest(seen.detach(), reference)])

        return distance

    @property
    def scale(self) -> float:
        """How far a real image usually is from its third nearest, in feature space: where two images are alike."""
        return float(self.radius.median())

    def logits(self, images: Tensor) -> Tensor:
        """(N, classes) of images (N, C, H, W) in [−1, 1]."""
        with torch.no_grad():
            logits: Tensor = self.network.score(self.features(images))
        return logits

    def opinion(self, images: Tensor) -> Opinion:
        """Judge images (N, C, H, W) in [−1, 1]; each for itself."""
        return self.opinion_of(self.features(images))

    def opinion_of(self, seen: Tensor) -> Opinion:
        """The opinion of images whose `features` (N, FEATURES) are known."""
        with torch.no_grad():
            log_p = log_softmax(self.network.score(seen), dim=1)
        apart = distances(seen, self.reference)
        distance = apart.kthvalue(NEIGHBOURS, dim=1).values
        inner = self.radius <= self.radius.median()  # loosely placed reference images would call anything real
        realism = (self.radius[inner] / apart[:, inner].clamp_min(1e-12)).amax(dim=1)
        return Opinion(
            distance=distance,
            badness=self.badness(distance),
            realism=realism,
            entropy=-(log_p.exp() * log_p).sum(dim=1),
            label=log_p.argmax(dim=1),
        )

    def badness(self, distance: Tensor) -> Tensor:
        """`Opinion.badness` of images at such an `Opinion.distance`, (N,)."""
        below = torch.searchsorted(self.calibration, distance, right=True)
        return (1 + below) / (1 + len(self.calibration))


@functools.lru_cache(maxsize=8)
def shipped(data: str) -> Judge:
    """The judge of a data set that comes with RGAN Lab.

    Raises:
        CheckpointError: there is none, or its file is damaged.
    """
    path = SHIPPED / f"{data}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.safetensors")))
        more = f", or train it: `python -m rgan judge {data} --out {path}`" if data in EPOCHS else ""
        raise CheckpointError(f"expected a judge for {data}, found those for {there}; judge by one of these{more}")
    return load(path)


def first_shipped(names: Sequence[str]) -> Judge:
    """The judge of the first of these data sets that has one.

    Raises:
        CheckpointError: none has.
    """
    for name in dict.fromkeys(names):
        try:
            return shipped(name)
        except CheckpointError as error:
            missing = error
    raise missing


def fitted(images: Tensor, judge: Judge) -> Tensor:
    """Images in the judge's channels and size: grey is repeated or colours averaged, 28-pixel MNIST is padded as
    in training, other sizes are resized."""
    if images.shape[1] != judge.channels:
        images = images.mean(dim=1, keepdim=True).expand(-1, judge.channels, -1, -1)
    side = images.shape[-1]
    if side == SIZE:
        return images
    if judge.data == "mnist" and side == 28:
        before = (SIZE - side) // 2
        after = SIZE - side - before
        return pad(images, (before, after, before, after), value=-1.0)
    return interpolate(images, (SIZE, SIZE), mode="bicubic", antialias=True, align_corners=False).clamp(-1, 1)


def _third_nearest(seen: Tensor, reference: Tensor) -> Tensor:
    """Which of the reference (R, FEATURES) is the NEIGHBOURS-th nearest to each row, (N,).

    The quick expansion of the square picks some candidates, among which exact distances decide.
    """
    quick = torch.addmm(reference.square().sum(dim=1), seen, reference.T, alpha=-2)
    near = quick.topk(min(2 * NEIGHBOURS, len(reference)), dim=1, largest=False).indices
    exact = torch.linalg.vector_norm(reference[near] - seen[:, None], dim=2)
    return near.gather(1, exact.kthvalue(NEIGHBOURS, dim=1, keepdim=True).indices)[:, 0]


def distances(seen: Tensor, reference: Tensor) -> Tensor:
    """Euclidean distances (N, R), exact for near points too."""
    return torch.cdist(seen, reference, compute_mode="donot_use_mm_for_euclid_dist")


@dataclass(frozen=True)
class JudgeStep:
    """`step` of `steps` of a judge's training; `judge` is there at the end."""

    step: int
    steps: int
    loss: float
    judge: Judge | None = None


def train(
    data: ImageData,
    root: str | Path = "data",
    *,
    epochs: int,
    width: int = 16,
    seed: int = 0,
    precision: str = "float32",
) -> Iterator[JudgeStep]:
    """Train a judge for a labelled data set of SIZE pixels; the last progress carries it.

    Uses the set's own test images as reference and calibration where it has them, else a part of its images.

    Raises:
        DataError: the set has no labels.
        SettingsError: impossible numbers.
    """
    number_between("epochs", epochs, 1, 1000)
    number_between("width", width, 1, 256)
    number_between("seed", seed, 0, 2**63 - 1)
    if data.labels is None:
        raise DataError(
            f"expected a data set with labels, got {data.name}; judges can be had for digits, mnist, cifar10"
        )
    learn, keep, measure = _split(data, root, seed)
    rng = torch.Generator().manual_seed(seed)
    channels, classes = int(data.images.shape[1]), int(data.labels.max()) + 1
    with torch.device("meta"):
        network = Classifier(channels, width, classes)
    network = network.to_empty(device="cpu").to(memory_format=torch.channels_last)
    initialise(network, rng)
    images, labels = learn
    batch = min(BATCH, len(images) // 8)
    steps = epochs * (len(images) // batch)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.1, total_steps=steps, pct_start=0.25)
    low = precision == "bfloat16"
    step = 0
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=rng)
        for index in order[: len(order) // batch * batch].split(batch):
            x = augmented(to_unit(images[index]), rng, mirror=data.name in MIRRORED)
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                loss = network.loss(x.contiguous(memory_format=torch.channels_last), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            step += 1
            if step < steps:
                yield JudgeStep(step, steps, float(loss.detach()))
    network.eval()
    judge = Judge(
        data.name, channels, width, classes, network, torch.zeros(1, FEATURES), torch.zeros(1), torch.zeros(1),
        0.0, 0, epochs, seed,
    )  # fmt: skip
    yield JudgeStep(steps, steps, float(loss.detach()), _calibrated(judge, keep, measure))


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


_Part = tuple[Tensor, Tensor]  # images uint8, labels


def _split(data: ImageData, root: str | Path, seed: int) -> tuple[_Part, _Part, _Part]:
    """Images and labels to learn from, to look for neighbours among, and to calibrate with."""
    assert data.labels is not None
    rng = torch.Generator().manual_seed(seed)
    apart = held_out(data.name, size=SIZE, root=root)
    if apart is not None and apart.labels is not None:
        order = torch.randperm(len(apart.images), generator=rng)
        keep, measure = order[: len(order) // 2][:MOST], order[len(order) // 2 :][:MOST]
        return (
            (data.images, data.labels),
            (apart.images[keep], apart.labels[keep]),
            (apart.images[measure], apart.labels[measure]),
        )
    order = torch.randperm(len(data.images), generator=rng)
    count = int(HELD_OUT * len(order))
    parts = order[2 * count :], order[:count], order[count : 2 * count]
    learn, keep_part, measure_part = ((data.images[part], data.labels[part]) for part in parts)
    return learn, keep_part, measure_part


def _calibrated(judge: Judge, keep: _Part, measure: _Part) -> Judge:
    hits = sum(int((judge.logits(to_unit(images)).argmax(dim=1) == labels).sum()) for images, labels in (keep, measure))
    reference = judge.features(to_unit(keep[0]))
    own = _nearest(reference, reference, NEIGHBOURS + 1)  # the first is the image itself
    found = _nearest(judge.features(to_unit(measure[0])), reference, NEIGHBOURS)
    count = len(keep[0]) + len(measure[0])
    return dataclasses.replace(
        judge, reference=reference, radius=own, calibration=found.sort().values, accuracy=hits / count, held_out=count
    )


def _nearest(seen: Tensor, reference: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest of the reference, (N,)."""
    return torch.cat([distances(chunk, reference).kthvalue(k, dim=1).values for chunk in seen.split(512)])


def save(judge: Judge, path: str | Path) -> str:
    """Write the judge to `path` atomically and return the file's SHA-256.

    Raises:
        FileError: the folder cannot be written or is full.
    """
    from safetensors.torch import save as to_bytes

    tensors = {f"network.{name}": value.contiguous() for name, value in judge.network.state_dict().items()}
    tensors |= {"reference": judge.reference, "radius": judge.radius, "calibration": judge.calibration}
    about = {
        "version": VERSION,
        **{name: getattr(judge, name) for name in _FACTS},
    }
    data = to_bytes(tensors, metadata={_KEY: json.dumps(about)})
    write_atomically(Path(path), data)
    return hashlib.sha256(data).hexdigest()


_FACTS: dict[str, type | tuple[type, ...]] = {
    "data": str, "channels": int, "width": int, "classes": int, "accuracy": float, "held_out": int, "epochs": int,
    "seed": int,
}  # fmt: skip


def load(path: str | Path) -> Judge:
    """Read and check a judge's file.

    Raises:
        CheckpointError: there is no such file, or it is no judge, of another version, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    wrong = f"{path.name}: expected a judge written by `python -m rgan judge`"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{wrong}, got {path.stat().st_size / 2**20:.0f} MiB; name another file")
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"expected a judge's file at {path}, got: {error}; check the path") from error
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{wrong}, got something else; train one with that command") from error
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise CheckpointError(f"{wrong} in format version {VERSION}; train it again")
    if not all(isinstance(about.get(name), kind) for name, kind in _FACTS.items()):
        raise CheckpointError(f"{wrong}, got incomplete facts; the file is damaged")
    for name, low, high in (("channels", 1, 4), ("width", 1, 256), ("classes", 2, 1000)):
        number_between(name, about[name], low, high)
    with torch.device("meta"):
        network = Classifier(about["channels"], about["width"], about["classes"])
    parts = {name: tensors.pop(name, torch.empty(0)) for name in ("reference", "radius", "calibration")}
    count = len(parts["reference"])
    if parts["reference"].shape != (count, FEATURES) or parts["radius"].shape != (count,) or count <= NEIGHBOURS:
        raise CheckpointError(f"{wrong}, got reference features of another shape; the file is damaged")
    state = {name.removeprefix("network."): value for name, value in tensors.items()}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"{wrong}, got weights of another network; the file is damaged") from error
    if not all(bool(torch.isfinite(value.float()).all()) for value in (*state.values(), *parts.values())):
        raise CheckpointError(f"{wrong}, got NaN or infinity in it; train it again")
    return Judge(network=network, digest=digest, **parts, **{name: about[name] for name in _FACTS})
