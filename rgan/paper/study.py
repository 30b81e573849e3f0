"""The paper's tables made again from the models at hand, each evaluated once and kept in a folder.

What is kept there is not done again, so that a study that was interrupted goes on with the model it was at.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rgan.attack.objectives import JUDGE
from rgan.common.devices import choose_device
from rgan.common.errors import CheckpointError, DataError, FileError, RganError
from rgan.common.files import shipped_models, write_atomically
from rgan.data.identity import DataIdentity
from rgan.metrics import judges, scores
from rgan.models import checkpoints
from rgan.paper.ablation import Ablation, LeftOut, Model, ablations, members
from rgan.paper.claims import Claim, claims
from rgan.paper.evaluation import Evaluation, EvaluationSettings, Scoring, evaluate
from rgan.training import runs
from rgan.training.runs import CHECKPOINT

EVALUATIONS = "evaluations"  # the folder's part with a file a model


def places() -> list[Path]:
    """Where models are looked for: the shipped ones, and what was trained into runs/, if there is any."""
    return [place for place in (shipped_models(), Path("runs")) if place.is_dir()]


def find(places: Iterable[str | Path]) -> list[Path]:
    """Checkpoint files among `places`: files as they are, of folders their checkpoints and those of runs in them.

    Raises:
        FileError: a place is neither file nor folder.
    """
    found: dict[Path, None] = {}
    for place in map(Path, places):
        if place.is_dir():
            own = [place / CHECKPOINT] if (place / CHECKPOINT).exists() else sorted(place.glob("*.safetensors"))
            found |= dict.fromkeys(own)
            found |= dict.fromkeys(sorted(place.glob(f"*/{CHECKPOINT}")))
        elif place.exists():
            found[place] = None
        else:
            raise FileError(
                f"expected a checkpoint or a folder of checkpoints, got {place}, which is not there; check its name"
            )
    return list(found)


def survey(paths: Iterable[Path]) -> tuple[tuple[Model, ...], tuple[LeftOut, ...]]:
    """The models in these files, without loading a weight, and the files that cannot be used, with the reason."""
    models, left = [], []
    for path in paths:
        name = path.parent.name if path.name == CHECKPOINT else path.stem
        try:
            header, digest = checkpoints.glance(path)
            if header.training is None:
                raise DataError("expected a model whose training is known, got one without; its data decide its judge")
            judges.of(header.trained_on)
            _check_finished(path, header.training.iterations)
        except RganError as error:
            left.append(LeftOut(name, str(path), str(error)))
        else:
            models.append(Model(name, path, digest, header.recipe, header.training, header.trained_on))
    return tuple(models), tuple(left)


def _check_finished(path: Path, done: int) -> None:
    """Raise DataError where it is the checkpoint of a run that has further to go."""
    if path.name == CHECKPOINT and (path.parent / runs.PLAN).exists():
        asked = runs.read(path.parent).plan.iterations
        if done < asked:
            raise DataError(f"expected a finished training, got {done:,} of {asked:,} iterations; resume it")


class Scorings:
    """Who looks at which model's images, each made once."""

    def __init__(self, settings: EvaluationSettings, *, device: str = "auto", data_root: str | Path = "data"):
        self.settings, self._device, self._root = settings, device, data_root
        self._known: dict[tuple[DataIdentity, int], Scoring] = {}

    def of(self, model: Model) -> Scoring:
        """The scoring of a model's images.

        Raises:
            CheckpointError: no judge for its data is there, or Inception's weights cannot be read.
            DataError: the real images that Inception's scores need are missing.
        """
        key = model.trained_on, model.recipe.size
        if key not in self._known:
            images, size = key
            judge = judges.of(images)
            if self.settings.features == "judge":
                standard = scores.by_judge(judge)
            else:
                weights, device = self.settings.weights or None, choose_device(self._device)
                standard = scores.by_inception(images.name, weights=weights, root=self._root, size=size, device=device)
            attacked = judges.of(images, judges.ATTACKED) if JUDGE in self.settings.objectives else None
            self._known[key] = Scoring(standard, judge, attacked)
        return self._known[key]


@dataclass(frozen=True)
class StudyStep:
    """Where a study stands: the model at work, how many of `total` are done, the share of all work, what fell out."""

    name: str
    done: int
    total: int
    share: float
    left: tuple[LeftOut, ...] = ()


def run(models: Sequence[Model], scorings: Scorings, folder: Path, *, device: str = "auto") -> Iterator[StudyStep]:
    """Evaluate the models that `folder` does not know yet; stop by not asking for the next, and go on by calling again.

    Raises:
        SettingsError: the settings fit no model: too few samples, or no such device.
        FileError: the folder cannot be written.
    """
    left: list[LeftOut] = []
    todo = list(members(ablations(models)[0]))
    for done, model in enumerate(todo):
        try:
            scoring = scorings.of(model)
            if kept(model, scoring, scorings.settings, folder) is None:
                yield StudyStep(model.name, done, len(todo), done / len(todo), tuple(left))
                gan = checkpoints.load(model.path)
                file = _file(model, scoring, scorings.settings, folder)
                parts = file.with_suffix(".parts")
                for progress in evaluate(gan, scorings.settings, scoring, device=device, parts=parts):
                    if progress.found is not None:
                        write_atomically(file, progress.found.to_json())
                    share = (done + progress.share) / len(todo)
                    yield StudyStep(model.name, done, len(todo), share, tuple(left))
        except (CheckpointError, DataError) as error:
            left.append(LeftOut(model.name, str(model.path), str(error)))
            # a model of the same row and seed takes its place
            todo += [other for other in members(ablations(_but(models, left))[0]) if other not in todo]
    yield StudyStep("", len(todo), len(todo), 1.0, tuple(left))


def _but(models: Iterable[Model], left: Iterable[LeftOut]) -> list[Model]:
    """The models whose files are not among those left out; another file may have the same name."""
    paths = {one.path for one in left}
    return [model for model in models if str(model.path) not in paths]


def kept(model: Model, scoring: Scoring, settings: EvaluationSettings, folder: Path) -> Evaluation | None:
    """The evaluation of a model in `folder`; None if it is missing, damaged or of other settings, judge or weights."""
    with contextlib.suppress(OSError, ValueError):
        found = Evaluation.from_json(_file(model, scoring, settings, folder).read_bytes(), settings)
        if (found.digest, found.key) == (model.digest, scoring.key(settings)):
            return found
    return None


def _file(model: Model, scoring: Scoring, settings: EvaluationSettings, folder: Path) -> Path:
    return folder / EVALUATIONS / f"{model.digest[:16]}-{scoring.key(settings)}.json"


@dataclass(frozen=True)
class Study:
    """All that the tables and figures are made of. waiting: models that are not evaluated yet."""

    settings: EvaluationSettings
    columns: tuple[Ablation, ...]
    claims: tuple[Claim, ...]
    left: tuple[LeftOut, ...]
    waiting: tuple[str, ...]

    @property
    def models(self) -> tuple[Model, ...]:
        """Every evaluated model, once."""
        return tuple(model for model in members(self.columns) if model.evaluation is not None)


def study(models: Sequence[Model], left: Sequence[LeftOut], scorings: Scorings, folder: Path) -> Study:
    """The study of these models, but for those in `left`, as far as `folder` knows them."""
    left, known = list(left), []
    for model in _but(models, left):
        try:
            evaluation = kept(model, scorings.of(model), scorings.settings, folder)
        except (CheckpointError, DataError) as error:
            left.append(LeftOut(model.name, str(model.path), str(error)))
        else:
            known.append(dataclasses.replace(model, evaluation=evaluation))
    columns, twins = ablations(known)
    waiting = tuple(model.name for model in members(columns) if model.evaluation is None)
    found = claims(columns, scorings.settings.attack.radii, scorings.settings.objectives)
    return Study(scorings.settings, columns, found, (*left, *twins), waiting)
