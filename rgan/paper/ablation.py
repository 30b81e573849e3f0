"""Models sorted into the columns and rows of the paper's Table 2: one baseline, trained by robust players or none."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rgan.attack.objectives import CRITIC
from rgan.data.identity import DataIdentity
from rgan.models.gan import Training
from rgan.models.recipes import Recipe, Robust
from rgan.models.systems import SYSTEMS
from rgan.paper.evaluation import MEASURES, Evaluation
from rgan.paper.published import ROWS

Family = tuple[Recipe, DataIdentity, int, str]  # what a column's models share: also iterations and precision
MIN_SEEDS = 3  # training seeds below which no claim is made


@dataclass(frozen=True)
class Model:
    """A checkpoint as the tables need it: its file and SHA-256, how it was trained and on which images, and its
    evaluation once known."""

    name: str
    path: Path
    digest: str
    recipe: Recipe
    training: Training
    trained_on: DataIdentity
    evaluation: Evaluation | None = None

    @property
    def row(self) -> str:
        """Key of ROWS."""
        return self.recipe.robust.players if self.recipe.robust else "none"


@dataclass(frozen=True)
class LeftOut:
    """A model that is in no table, its file, which alone tells it from others of its name, and why."""

    name: str
    path: str
    reason: str


@dataclass(frozen=True)
class Cell:
    """A number of several training seeds, one value a seed; repeats: its mean standard deviation over repeats."""

    measure: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    repeats: float | None

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float | None:
        """Standard deviation over training seeds; None of one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def whisker(self) -> float | None:
        """What a chart draws as whisker: the spread over seeds, of one seed that over repeats."""
        return self.repeats if self.spread is None else self.spread

    @property
    def words(self) -> str:
        """ "8.31 ± 0.12"."""
        number = MEASURES[self.measure].number
        return number(self.mean) + ("" if self.spread is None else f" ± {number(self.spread)}")


@dataclass(frozen=True)
class Learning:
    """A measure along the training: mean and standard deviation over `seeds`, at iterations that all have."""

    iterations: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    seeds: int


@dataclass(frozen=True)
class Ablation:
    """A column of Table 2: a family, one setting of its robust part, and the models of each row by training seed.

    family: words for what all models share. robust: words for the robust part, "" where there are only baselines.
    """

    family: str
    robust: str
    system: str
    data: str
    models: Mapping[str, tuple[Model, ...]]

    @property
    def title(self) -> str:
        """Family and robust part."""
        return f"{self.family}; {self.robust}" if self.robust else f"{self.family}; only baselines"

    @property
    def all_models(self) -> tuple[Model, ...]:
        return tuple(model for models in self.models.values() for model in models)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Of its models, as far as they are known. They share data and image size, so all have one protocol."""
        return tuple(model.evaluation for model in self.all_models if model.evaluation is not None)

    def cell(
        self, row: str, measure: str, noise: str = "original", radius: float = 0.0, objective: str = CRITIC
    ) -> Cell | None:
        """A measure of the evaluated models of a row; None if there are none."""
        evaluated = [(m.training.seed, m.evaluation) for m in self.models.get(row, ()) if m.evaluation is not None]
        if not evaluated:
            return None
        spreads = [one.spread(measure, noise, radius, objective) for _, one in evaluated]
        known = [spread for spread in spreads if spread is not None]
        return Cell(
            measure,
            tuple(seed for seed, _ in evaluated),
            tuple(one.mean(measure, noise, radius, objective) for _, one in evaluated),
            statistics.fmean(known) if known else None,
        )

    @property
    def scored(self) -> tuple[Model, ...]:
        """The models that were scored while they trained, all by the protocol of the first of them."""
        known = [model for model in self.all_models if any("score" in line for line in model.training.history)]
        return tuple(model for model in known if model.training.protocol == known[0].training.protocol)

    def learning(self, row: str, measure: str) -> Learning | None:
        """How "score" or "fid" went while the `scored` models of a row trained; None if there are none."""
        curves = [
            {line["iteration"]: line[measure] for line in model.training.history if measure in line}
            for model in self.scored
            if model.row == row
        ]
        known = [curve for curve in curves if curve]
        if not known:
            return None
        iterations = sorted(set.intersection(*(set(curve) for curve in known)))
        values = [[curve[at] for curve in known] for at in iterations]
        spread = tuple(statistics.stdev(one) if len(one) > 1 else 0.0 for one in values)
        return Learning(tuple(iterations), tuple(map(statistics.fmean, values)), spread, len(known))


def seeds(count: int) -> str:
    """ "5 seeds", "1 seed: no claim"."""
    return f"{count} seed{'s' * (count != 1)}" + (": no claim" if count < MIN_SEEDS else "")


def ablations(models: Iterable[Model]) -> tuple[tuple[Ablation, ...], tuple[LeftOut, ...]]:
    """Sort models into columns and rows; a second model of one row and seed, or the same file again, is left out.

    A column's models share data, iterations, precision and every field of the recipe but the robust part, whose
    settings, but for its players, its robust models share as well. The baselines stand in each column of their family.
    Columns with more seeds come first.
    """
    models = list(models)
    sets = _sets(models)
    families: dict[Family, list[Model]] = {}
    left: list[LeftOut] = []
    taken: dict[object, Model] = {}
    for model in models:
        training = model.training
        key = (
            dataclasses.replace(model.recipe, robust=None),
            sets[model.trained_on],
            training.iterations,
            training.precision,
        )
        twin = taken.setdefault((key, model.recipe.robust, training.seed), model)
        if twin is not model:
            same = "the same file as" if twin.digest == model.digest else "another model of the same row and seed as"
            left.append(LeftOut(model.name, str(model.path), f"{same} {twin.name}"))
            continue
        families.setdefault(key, []).append(model)
    found = [
        column for words, members in zip(_names(list(families)), families.values(), strict=True)
        for column in _columns(words, members)
    ]  # fmt: skip
    found.sort(key=lambda column: -max(map(len, column.models.values())))
    return tuple(found), tuple(left)


def _sets(models: Iterable[Model]) -> dict[DataIdentity, DataIdentity]:
    """One identity for all files that were trained on the same images. A file that does not tell which these were
    belongs to the only set of that name, or, if there are several, to none of them."""
    found: dict[DataIdentity, DataIdentity] = {}
    identities = dict.fromkeys(model.trained_on for model in models)
    for images in sorted(identities, key=lambda one: not (one.told or one.real)):
        same = [known for known in found.values() if images.same(known)]
        perhaps = {known for known in found.values() if known.name == images.name and images.same(known) is None}
        found[images] = same[0] if same else perhaps.pop() if len(perhaps) == 1 else images
    return found


def members(columns: Iterable[Ablation]) -> tuple[Model, ...]:
    """Every model of these columns, once."""
    return tuple({model.digest: model for column in columns for model in column.all_models}.values())


def _columns(family: str, members: Sequence[Model]) -> list[Ablation]:
    parts = {_shared(robust): None for model in members if (robust := model.recipe.robust) is not None}
    recipe, data = members[0].recipe, members[0].training.data
    columns = []
    settings: list[Robust | None] = [*parts] or [None]
    for part in settings:
        rows: dict[str, tuple[Model, ...]] = {}
        for row in ROWS:
            mine = [
                model for model in members
                if model.row == row and (model.recipe.robust is None or _shared(model.recipe.robust) == part)
            ]  # fmt: skip
            if mine:
                rows[row] = tuple(sorted(mine, key=lambda model: model.training.seed))
        columns.append(Ablation(family, "" if part is None else robust_words(part), recipe.system, data, rows))
    return columns


def _shared(robust: Robust) -> Robust:
    """The robust part without its players."""
    return dataclasses.replace(robust, players="both")


def robust_words(robust: Robust) -> str:
    """ "λ 0.1, ε₁ 0.01, ε₂ 4", and whatever else is not Algorithm 1's."""
    words = f"λ {robust.weight:g}, ε₁ {robust.noise_radius:g}, ε₂ {robust.image_radius:g}"
    usual = Robust()
    named = ("players", "weight", "noise_radius", "image_radius")
    more = [
        f"{field.name} {value:g}" for field in dataclasses.fields(Robust)
        if field.name not in named and (value := getattr(robust, field.name)) != getattr(usual, field.name)
    ]  # fmt: skip
    return ", ".join([words, *more])


def _names(families: Sequence[Family]) -> list[str]:
    """A name for each family: system, data, iterations; where those are the same also what tells them apart."""
    facts = [_facts(*family) for family in families]
    short = [
        f"{one['title']} on {family[1].name}, {family[2]:,} iterations"
        for one, family in zip(facts, families, strict=True)
    ]
    names = []
    for words, mine in zip(short, facts, strict=True):
        others = [other for name, other in zip(short, facts, strict=True) if name == words]
        apart = [f"{field} {value}" for field, value in mine.items() if any(one[field] != value for one in others)]
        names.append(", ".join([words, *apart]))
    return names


def _facts(recipe: Recipe, data: DataIdentity, iterations: int, precision: str) -> dict[str, object]:
    fields = {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe) if field.name != "robust"}
    return {"title": SYSTEMS[recipe.system].title, "images": data.told or data.real, "precision": precision} | fields
