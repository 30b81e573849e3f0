"""A study as it is planned, in a TOML file: recipes × robust parts × data × training seeds, and what is measured.

```toml
title = "Digits"
seeds = 3                       # 0, 1, 2; or a list of them
data = "digits"                 # or a list: names of data sets, folders and zips

[recipes.small]                 # a family: any field of Recipe, and iterations and precision
system = "dcgan"
iterations = 2000
width = 16

[robust.paper]                  # a robust part: any field of Robust, and a preset to begin with
preset = "paper"
players = ["generator", "critic", "both"]   # a list stands for one model each

[robust.grid]
weight = [0.1, 1]
image_radius = [1, 4]
recipes = ["small"]             # only these families; data and seeds narrow it too

[evaluation]
radii = [0.01, 0.5, 1, 2]
repeats = 1
samples = 500
budget = "standard"
objectives = ["critic", "judge"]

[needs]                         # of one training or evaluation
processors = 1
gpus = 0
```

Each family is trained plain as well. Two names for one training are one model, called by the first.
"""

from __future__ import annotations

import dataclasses
import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgan.attack.search import budget_of
from rgan.common.errors import FileError, SettingsError, number_between
from rgan.common.fields import typed
from rgan.common.files import check_name
from rgan.models.recipes import PRESETS, SETTABLE, Recipe, Robust, lasting, recipe
from rgan.paper.evaluation import EvaluationSettings
from rgan.training import runs
from rgan.training.runs import TrainingPlan

MOST_MODELS = 2000
_TOP = ("title", "seeds", "data", "recipes", "robust", "evaluation", "needs")
_RECIPE = ("system", "iterations", "precision", *SETTABLE)
_ROBUST = ("preset", "recipes", "data", "seeds", *(field.name for field in dataclasses.fields(Robust)))
_EVALUATION = ("radii", "repeats", "samples", "budget", "objectives", "features", "weights")
_PLAIN = "plain"


@dataclass(frozen=True)
class PlannedModel:
    """A model to be trained. alike: what models of one duration share, its family and whether it is robust."""

    name: str
    training: TrainingPlan
    alike: str


@dataclass(frozen=True)
class StudyPlan:
    """A study to be made. processors, gpus: what one training or evaluation needs. text: of the file."""

    title: str
    models: tuple[PlannedModel, ...]
    evaluation: EvaluationSettings
    processors: int
    gpus: float
    text: str


def read(path: str | Path, *, data_root: str = "data") -> StudyPlan:
    """The plan in a TOML file.

    Raises:
        FileError: it cannot be read.
        SettingsError: it is no plan; the message names the place.
        DataError: a data set is not there.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"expected a study's plan in {path}, got a file that cannot be read; check its name") from error
    return parse(text, data_root=data_root)


def parse(text: str, *, data_root: str = "data") -> StudyPlan:
    """The plan that a TOML text describes. Errors as of `read`."""
    try:
        told = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"expected a plan in TOML, got something else: {error}; mend that line") from error
    _known("the plan", told, _TOP)
    recipes, robust = _tables(told, "recipes"), _tables(told, "robust")
    if not recipes:
        raise SettingsError("expected [recipes.NAME] in the plan, with a system and iterations, got none; add one")
    seeds, data = _seeds(told.get("seeds", 1), "seeds"), _words(told.get("data", ()), "data")
    if not data:
        raise SettingsError('expected data in the plan, got none; add a line such as data = "digits"')
    models: dict[TrainingPlan, PlannedModel] = {}
    names: set[str] = set()
    for model in _models(recipes, robust, data, seeds, data_root):
        if model.training in models:
            continue
        if model.name in names:
            raise SettingsError(f"expected a name a model, got {model.name} for two; rename a recipe or a robust part")
        check_name(model.name)
        names.add(model.name)
        models[model.training] = model
        if len(models) > MOST_MODELS:
            raise SettingsError(f"expected at most {MOST_MODELS:,} models in a plan, got more; make lists shorter")
    needs = _table(told, "needs")
    _known("[needs]", needs, ("processors", "gpus"))
    processors, gpus = needs.get("processors", 1), needs.get("gpus", 0)
    number_between("processors", processors, 1, 1024)
    number_between("gpus", gpus, 0, 64)
    title = told.get("title", "Study")
    if not isinstance(title, str) or not isinstance(processors, int):
        raise SettingsError("expected a title in words and a whole number of processors; mend these lines")
    return StudyPlan(title, tuple(models.values()), _evaluation(_table(told, "evaluation")), processors, gpus, text)


def _models(
    recipes: Mapping[str, dict[str, Any]], robust: Mapping[str, dict[str, Any]], data: Sequence[str],
    seeds: Sequence[int], data_root: str,
) -> Iterator[PlannedModel]:  # fmt: skip
    """Seed by seed, so that a study that is not finished has whole columns."""
    parts: dict[str, dict[str, Any]] = {_PLAIN: {}} | dict(robust)
    if len(parts) == len(robust):
        raise SettingsError(f"expected another name than {_PLAIN} for a robust part; every family is trained plain")
    for name, fields in robust.items():
        _known(f"[robust.{name}]", fields, _ROBUST)
        unknown = set(_words(fields.get("recipes", ()), "recipes")) - recipes.keys()
        unknown |= set(_words(fields.get("data", ()), "data")) - set(data)
        if unknown:
            raise SettingsError(f"[robust.{name}]: expected recipes and data of this plan, got {sorted(unknown)[0]!r}")
        if stray := set(_seeds(fields.get("seeds", list(seeds)), "seeds")) - set(seeds):
            raise SettingsError(f"[robust.{name}]: expected seeds of this plan, got {min(stray)}")
    for seed in seeds:
        for family, about in recipes.items():
            _known(f"[recipes.{family}]", about, _RECIPE)
            for images in data:
                for part, fields in parts.items():
                    if family not in _words(fields.get("recipes", family), "recipes"):
                        continue
                    if images not in _words(fields.get("data", images), "data"):
                        continue
                    if seed not in _seeds(fields.get("seeds", [seed]), "seeds"):
                        continue
                    yield from _family(family, about, images, len(data) > 1, part, fields, seed, data_root)


def _family(
    family: str, about: dict[str, Any], images: str, named: bool, part: str, fields: dict[str, Any], seed: int,
    data_root: str,
) -> Iterator[PlannedModel]:  # fmt: skip
    """The models of one family, data set, robust part and seed: one for each choice of listed values."""
    where = f"[recipes.{family}]" if part == _PLAIN else f"[robust.{part}]"
    for made, words in _grid(about, Recipe):
        for own, more in _grid(fields, Robust):
            try:
                training = _training(made, None if part == _PLAIN else own, images, seed, data_root)
            except SettingsError as error:
                raise SettingsError(f"{where}: {error}") from error
            name = "-".join([family, *words, *([Path(images).stem.lower()] if named else []), part, *more, f"s{seed}"])
            alike = "-".join([family, *words, images, _PLAIN if part == _PLAIN else "robust"])
            yield PlannedModel(name, training, alike)


def _training(
    made: dict[str, Any], robust: dict[str, Any] | None, images: str, seed: int, data_root: str
) -> TrainingPlan:
    for name in ("system", "iterations"):
        if name not in made:
            raise SettingsError(f"expected a line {name} = …, got none; add it")
    given = {name: value for name, value in made.items() if name in SETTABLE}
    changes = runs.fitting(made["system"], images, typed(Recipe, given), data_root)
    if robust is None:
        whole = recipe(made["system"], None, **changes)
    else:
        own = {name: value for name, value in robust.items() if name not in ("preset", "recipes", "data", "seeds")}
        preset = robust.get("preset", PRESETS[0])
        whole = recipe(made["system"], preset, **changes)
        assert whole.robust is not None
        whole = dataclasses.replace(whole, robust=dataclasses.replace(whole.robust, **typed(Robust, own)))
    iterations = made["iterations"]
    if "decay" not in changes and isinstance(iterations, int):
        whole = lasting(whole, iterations)
    return TrainingPlan(whole, images, iterations, seed, precision=made.get("precision", "auto"), data_root=data_root)


def _grid(fields: Mapping[str, Any], kind: type) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Every choice of one value of each list, with words for the choices, as names have them."""
    pairs = {field.name for field in dataclasses.fields(kind) if str(field.type).startswith("tuple")}
    listed = {
        name: value for name, value in fields.items()
        if isinstance(value, list) and name not in ("recipes", "data", "seeds")
        and (name not in pairs or (value and isinstance(value[0], list)))
    }  # fmt: skip
    if empty := next((name for name, value in listed.items() if not value), None):
        raise SettingsError(f"expected values for {empty}, got an empty list; name one, or leave the line out")
    for values in itertools.product(*listed.values()):
        chosen = dict(zip(listed, values, strict=True))
        yield {**fields, **chosen}, [_word(name, value) for name, value in chosen.items()]


def _word(name: str, value: object) -> str:
    """ "both", "weight0.1"."""
    shown = f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value).lower()
    return shown if name in ("players", "system", "preset") else f"{name.replace('_', '-')}{shown}"


def _evaluation(told: dict[str, Any]) -> EvaluationSettings:
    _known("[evaluation]", told, _EVALUATION)
    fields = {name: value for name, value in told.items() if name != "budget"}
    for name in ("radii", "objectives"):
        if name in fields:
            if not isinstance(fields[name], list):
                raise SettingsError(f"[evaluation]: expected a list of {name}, got {fields[name]!r}")
            fields[name] = tuple(fields[name])
    if not all(isinstance(one, (int, float)) for one in fields.get("radii", ())):
        raise SettingsError(f"[evaluation]: expected numbers as radii, got {fields['radii']!r}")
    gradients = budget_of(str(told["budget"])) if "budget" in told else EvaluationSettings.gradients
    try:
        return EvaluationSettings(**fields, gradients=gradients)
    except (TypeError, SettingsError) as error:
        raise SettingsError(f"[evaluation]: {error}") from error


def _known(where: str, told: Mapping[str, Any], names: Sequence[str]) -> None:
    if unknown := next((name for name in told if name not in names), None):
        raise SettingsError(f"{where}: expected one of {', '.join(names)}; got {unknown!r}")


def _table(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name, {})
    if not isinstance(found, dict):
        raise SettingsError(f"expected [{name}] to be a table of the plan, got {found!r}")
    return found


def _tables(told: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    found = _table(told, name)
    if wrong := next((one for one, fields in found.items() if not isinstance(fields, dict)), None):
        raise SettingsError(f"expected [{name}.NAME] with fields, got {name}.{wrong} = {found[wrong]!r}")
    return found


def _seeds(told: object, name: str) -> list[int]:
    seeds = list(range(told)) if isinstance(told, int) and not isinstance(told, bool) and told > 0 else told
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int for seed in seeds):
        raise SettingsError(f"expected {name} to be their number or a list of whole numbers, got {told!r}")
    return seeds


def _words(told: object, name: str) -> tuple[str, ...]:
    words = (told,) if isinstance(told, str) else told
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise SettingsError(f"expected {name} to be a name or a list of names, got {told!r}")
    return tuple(words)
