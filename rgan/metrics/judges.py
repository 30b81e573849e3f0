"""Independent judges of images: classifiers that have seen real images only, and how far a picture is from them.

Badness of an image is the share of held-out real images that lie nearer to real images than it does, by the distance to
its third nearest neighbour in the classifier's features (Sun et al. 2022; per image: Gu et al. 2020, GIQA). Images that
train the classifier, that neighbours are looked for among (reference) and that badness is a percentile of (calibration)
are three disjoint sets.

A data set has two, of unlike networks and trained on disjoint halves of its images (`judge_training`). One may be
attacked: its distance can be raised by a search, after which it knows too little to be asked. The other only ever
measures. Those of known data sets come with RGAN Lab; those of one's own images lie beside one's own runs.
"""

from __future__ import annotations

import copy
import functools
import glob
import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, log_softmax, pad

from rgan.common.errors import CheckpointError, number_between
from rgan.common.files import own_runs, usable_name, write_atomically
from rgan.common.geometry import finite, lengths
from rgan.data.datasets import DIGITS_SEED
from rgan.data.identity import DataIdentity, same_images
from rgan.networks.classifier import FEATURES, GRID, KINDS, Classifier, Features

MEASURING, ATTACKED = ROLES = ("measuring", "attacked")
SIZE = GRID  # pixels that judges look at, but for SIZES
SIZES = {"faces": 64}
NEIGHBOURS = 3
BAD = 0.95  # an image is bad from this badness on: further from real ones than 95 % of held-out real images
CHUNK = 256  # images a call in evaluation
EPOCHS = {"digits": 60, "mnist": 8, "cifar10": 24, "faces": 20}  # usual ones
VERSION = 3  # of files that are written; 1 had one judge a data set, of the residual network, and 2 no own images
MAX_BYTES = 64 * 2**20
SHIPPED = Path(__file__).with_name("shipped")
_KEY = "rgan-lab-judge"


@dataclass(frozen=True)
class Opinion:
    """What a judge says of images, (N,) each.

    distance: to the third nearest reference image in feature space. badness: percentile of that among held-out real
    images, above 0 to 1. realism: largest ratio of a reference image's own neighbourhood to the image's distance from
    it, 1 or more inside the real ones (Kynkäänniemi et al. 2019, eq. 3); many real images have less. entropy: of the
    named class, in nats. label: the class. attributes: the class of each of `Judge.questions`.
    """

    distance: Tensor
    badness: Tensor
    realism: Tensor
    entropy: Tensor
    label: Tensor
    attributes: dict[str, Tensor] = field(default_factory=dict)

    def rows(self, index: Tensor | slice) -> Opinion:
        """Of some of the images."""
        numbers, attributes = self._tensors()
        return Opinion(
            **{name: value[index] for name, value in numbers.items()},
            attributes={name: value[index] for name, value in attributes.items()},
        )

    @staticmethod
    def joined(opinions: Sequence[Opinion]) -> Opinion:
        """Of the images of several, one after the other."""
        parts = [opinion._tensors() for opinion in opinions]
        numbers, attributes = (
            {name: torch.cat([part[which][name] for part in parts]) for name in parts[0][which]} for which in (0, 1)
        )
        return Opinion(**numbers, attributes=attributes)

    def numbers(self) -> dict[str, Tensor]:
        """All but the attributes, (N,) each."""
        return self._tensors()[0]

    def _tensors(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        fields = dict(vars(self))
        attributes: dict[str, Tensor] = fields.pop("attributes")
        return fields, attributes


@dataclass(frozen=True)
class Facts:
    """What is said of a judge's making.

    kind: of its network, one of `classifier.KINDS`. size: pixels it looks at. classes: of the named class. accuracy: on
    `held_out` images, none of which trained it. questions: names of the classes of each attribute that it reads, the
    named class first; empty if it reads none. rates: accuracy on each attribute. apart: whether the real images that it
    holds out are none that models of its data are trained on. fingerprint: of one's own images
    (`ImageData.fingerprint`), "" of a known set. rotations: whether it learned to tell by how many quarter turns an
    image was rotated (Gidaris et al. 2018), for want of labels, instead of classes.
    """

    data: str
    channels: int
    width: int
    classes: int
    accuracy: float
    held_out: int
    epochs: int
    seed: int
    kind: str = "residual"
    role: str = MEASURING
    size: int = SIZE
    precision: str = "float32"
    questions: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    rates: dict[str, float] = field(default_factory=dict, hash=False)
    apart: bool = True
    fingerprint: str = ""
    rotations: bool = False

    @property
    def images(self) -> DataIdentity:
        """The images it knows."""
        return DataIdentity(self.data, self.fingerprint, bool(self.fingerprint))

    def knows(self, images: DataIdentity) -> bool:
        """Whether these, that a model was trained on, are images of the kind that it knows."""
        same = self.data == images.name and not images.own
        return same_images(self.fingerprint, images.fingerprint) if self.fingerprint and images.fingerprint else same

    @property
    def outputs(self) -> tuple[int, ...]:
        """Numbers of classes of all that its network is asked."""
        return tuple(map(len, self.questions.values())) or (self.classes,)

    @property
    def command(self) -> str:
        """What trains it."""
        return (
            f"python -m rgan judge {self.data} --role {self.role} --epochs {self.epochs} --width {self.width} "
            f"--seed {self.seed} --precision {self.precision}"
        )


@dataclass(frozen=True)
class Judge:
    """A classifier in evaluation mode with what it needs to tell badness.

    reference: features (R, FEATURES) of real images, radius: the distance of each to its third neighbour (R,);
    calibration: distances of other real images from the reference, rising (C,). digest: of its file, "" for none.
    """

    facts: Facts
    network: Classifier
    reference: Tensor
    radius: Tensor
    calibration: Tensor
    digest: str = ""

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)

    @property
    def data(self) -> str:
        """The data set whose images it knows."""
        return self.facts.data

    @property
    def channels(self) -> int:
        """Of the images it looks at."""
        return self.facts.channels

    @property
    def classes(self) -> int:
        """Of the named class."""
        return self.facts.classes

    @property
    def accuracy(self) -> float:
        """Share of its `held_out` real images that it names rightly."""
        return self.facts.accuracy

    @property
    def held_out(self) -> int:
        """Real images that it was tried on."""
        return self.facts.held_out

    @property
    def questions(self) -> dict[str, tuple[str, ...]]:
        """Names of the classes of each attribute that it reads."""
        return self.facts.questions

    @property
    def words(self) -> str:
        """ "the judge of digits that only measures (residual network, 1a2b3c4d)"."""
        what = "that may be attacked" if self.facts.role == ATTACKED else "that only measures"
        taught = ", taught by rotations: weaker than by classes" if self.facts.rotations else ""
        return f"the judge of {self.data} {what} ({self.facts.kind} network, {self.digest[:8] or 'unsaved'}{taught})"

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
        return self._answers(self.features(images))[0]

    def attributes(self, images: Tensor) -> dict[str, Tensor]:
        """The class (N,) of each of `questions` that images (N, C, H, W) in [−1, 1] show."""
        return self.attributes_of(self.features(images))

    def attributes_of(self, seen: Tensor) -> dict[str, Tensor]:
        """`attributes` of images whose `features` (N, FEATURES) are known."""
        return {name: logits.argmax(dim=1) for name, logits in zip(self.questions, self._answers(seen), strict=False)}

    def _answers(self, seen: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, classes) of each question, of the named class alone without questions."""
        with torch.no_grad():
            return self.network.answers(self.network.score(seen))

    def opinion(self, images: Tensor) -> Opinion:
        """Judge images (N, C, H, W) in [−1, 1]; each for itself."""
        return self.opinion_of(self.features(images))

    def opinion_of(self, seen: Tensor) -> Opinion:
        """The opinion of images whose `features` (N, FEATURES) are known."""
        log_p = log_softmax(self._answers(seen)[0], dim=1)
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
            attributes=self.attributes_of(seen),
        )

    def badness(self, distance: Tensor) -> Tensor:
        """`Opinion.badness` of images at such an `Opinion.distance`, (N,)."""
        below = torch.searchsorted(self.calibration, distance, right=True)
        return (1 + below) / (1 + len(self.calibration))


def shipped(data: str, role: str = MEASURING) -> Judge:
    """The judge of a known data set: the one that measures, or the one that may be attacked. Where there is but one, it
    is both.

    Raises:
        CheckpointError: there is none, or its file is damaged.
    """
    for path in (shipped_path(data, role), shipped_path(data, MEASURING)):
        if path.exists():
            return _kept(path, path.stat().st_mtime_ns)
    there = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.safetensors") if ATTACKED not in path.stem))
    train = shlex.join(("python", "-m", "rgan", "judge", data))
    raise CheckpointError(
        f"expected a judge for {data}, found those for {there}; train one with `{train}`, or judge by one of these"
    )


def of(images: DataIdentity, role: str = MEASURING) -> Judge:
    """The judge of the images that a model was trained on: that of one's own images, which are known by their
    fingerprint, else `shipped`. Of a model that tells no fingerprint the name of its data decides.

    Raises:
        CheckpointError: there is none, or its file is damaged.
    """
    for wanted in dict.fromkeys((role, MEASURING)):
        for path in _own_paths(images, wanted):
            return _kept(path, path.stat().st_mtime_ns)
    if images.own:
        raise CheckpointError(
            f"expected a judge for your own images of {images.name}, found none in {own_runs() / 'judges'}; train one "
            "by `python -m rgan judge` and the folder or zip of these images"
        )
    return shipped(images.name or "unknown data", role)


@functools.lru_cache(maxsize=16)
def _kept(path: Path, changed: int) -> Judge:
    return load(path)


def shipped_path(data: str, role: str) -> Path:
    """Where the judge of a known data set lies."""
    return SHIPPED / f"{data}{'' if role == MEASURING else f'-{role}'}.safetensors"


def own_path(data: str, fingerprint: str, role: str) -> Path:
    """Where the judge of one's own images lies."""
    name = f"{usable_name(data)}-{fingerprint}{'' if role == MEASURING else f'-{role}'}"
    return own_runs() / "judges" / f"{name}.safetensors"


def _own_paths(images: DataIdentity, role: str) -> list[Path]:
    """Those that are there."""
    name = usable_name(images.name)
    found = []
    for path in sorted((own_runs() / "judges").glob(f"{glob.escape(name)}-*.safetensors")):
        told = path.stem.removeprefix(f"{name}-").removesuffix(f"-{ATTACKED}")
        attacked = path.stem.endswith(f"-{ATTACKED}")
        if attacked == (role == ATTACKED) and (not images.fingerprint or same_images(told, images.fingerprint)):
            found.append(path)
    return found


def first(sets: Sequence[DataIdentity], role: str = MEASURING) -> Judge:
    """`of` the first of these that has a judge in this role.

    Raises:
        CheckpointError: none has.
    """
    for images in dict.fromkeys(sets):
        try:
            return of(images, role)
        except CheckpointError as error:
            missing = error
    raise missing


def attackable(judge: Judge) -> Judge:
    """The judge to raise where this one measures: the other one of its data, or itself where there is none."""
    try:
        return of(judge.facts.images, ATTACKED)
    except CheckpointError:
        return judge


def fitted(images: Tensor, judge: Judge) -> Tensor:
    """Images in the judge's channels and size: grey is repeated or colours averaged, 28-pixel MNIST is padded as
    in training, other sizes are resized."""
    if images.shape[1] != judge.channels:
        images = images.mean(dim=1, keepdim=True).expand(-1, judge.channels, -1, -1)
    side, size = images.shape[-1], judge.facts.size
    if side == size:
        return images
    if judge.data == "mnist" and side == 28:
        before = (size - side) // 2
        after = size - side - before
        return pad(images, (before, after, before, after), value=-1.0)
    return resized(images, size)


def resized(images: Tensor, size: int) -> Tensor:
    """Images (N, C, H, W) in [−1, 1] at `size` pixels, bicubic without aliasing."""
    return interpolate(images, (size, size), mode="bicubic", antialias=True, align_corners=False).clamp(-1, 1)


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


def compact(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights and features as files hold them, in half precision, and all else as it is."""
    return {name: value.half() if value.dim() > 1 else value for name, value in tensors.items()}


def save(judge: Judge, path: str | Path) -> str:
    """Write the judge to `path` atomically and return the file's SHA-256.

    Weights and reference are written in half precision, which `judge_training.train` has rounded them to.

    Raises:
        FileError: the folder cannot be written or is full.
    """
    from safetensors.torch import save as to_bytes

    tensors = {f"network.{name}": value for name, value in judge.network.state_dict().items()}
    tensors |= {"reference": judge.reference, "radius": judge.radius, "calibration": judge.calibration}
    about = {"version": VERSION, **asdict(judge.facts), "command": judge.facts.command}
    held = {name: value.contiguous() for name, value in compact(tensors).items()}
    data = to_bytes(held, metadata={_KEY: json.dumps(about)})
    write_atomically(Path(path), data)
    return hashlib.sha256(data).hexdigest()


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
        raise CheckpointError(f"expected a judge's file at {path}, got: {error.strerror}; check the path") from error
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{wrong}, got something else; train one with that command") from error
    if not isinstance(about, dict) or about.get("version") not in range(1, VERSION + 1):
        raise CheckpointError(f"{wrong} in format version 1 to {VERSION}; train it again")
    facts = _facts(about, wrong)
    with torch.device("meta"):
        network = KINDS[facts.kind](facts.channels, facts.width, facts.outputs, facts.size)
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    parts = {name: tensors.pop(name, torch.empty(0)) for name in ("reference", "radius", "calibration")}
    count = len(parts["reference"])
    if parts["reference"].shape != (count, FEATURES) or parts["radius"].shape != (count,) or count <= NEIGHBOURS:
        raise CheckpointError(f"{wrong}, got reference features of another shape; the file is damaged")
    state = {name.removeprefix("network."): value for name, value in tensors.items()}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"{wrong}, got weights of another network; the file is damaged") from error
    if not all(finite(value.float()) for value in (*state.values(), *parts.values())):
        raise CheckpointError(f"{wrong}, got NaN or infinity in it; train it again")
    return Judge(facts, network, digest=digest, **parts)


_KINDS: dict[str, type] = {
    "data": str, "channels": int, "width": int, "classes": int, "accuracy": float, "held_out": int, "epochs": int,
    "seed": int,
}  # fmt: skip
_LATER: dict[int, dict[str, type]] = {
    2: {"kind": str, "role": str, "size": int, "precision": str, "questions": dict, "rates": dict, "apart": bool},
    3: {"fingerprint": str, "rotations": bool},
}


def _facts(about: Mapping[str, Any], wrong: str) -> Facts:
    """Of a file of any version."""
    kinds = dict(_KINDS)
    for version, later in _LATER.items():
        kinds |= later if about["version"] >= version else {}
    if not all(isinstance(about.get(name), kind) for name, kind in kinds.items()):
        raise CheckpointError(f"{wrong}, got incomplete facts; the file is damaged")
    read = {name: about[name] for name in kinds}
    read["questions"] = {str(name): _names(classes) for name, classes in read.get("questions", {}).items()}
    if about["version"] == 1:  # which held out what its seed said of the digits; now that is what seed 0 says
        read["apart"] = about["data"] != "digits" or about["seed"] == DIGITS_SEED
    facts = Facts(**read)
    if facts.kind not in KINDS or facts.role not in ROLES or facts.size % GRID or not all(facts.questions.values()):
        raise CheckpointError(f"{wrong}, got a network, a role, a size or questions that are unknown; it is damaged")
    for name, low, high in (("channels", 1, 4), ("width", 1, 256), ("classes", 2, 1000), ("size", GRID, 8 * GRID)):
        number_between(name, getattr(facts, name), low, high)
    if facts.questions and (facts.outputs[0] != facts.classes or sum(facts.outputs) > 1000):
        raise CheckpointError(f"{wrong}, got questions that do not fit its classes; the file is damaged")
    return facts


def _names(classes: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, classes)) if isinstance(classes, list) else ()
