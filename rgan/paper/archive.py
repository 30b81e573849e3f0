"""A study as plain JSON, without its checkpoints: what is committed, sent to others and shown at first."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from rgan.common.errors import FileError, SettingsError
from rgan.data.identity import DataIdentity
from rgan.models.gan import Training
from rgan.models.recipes import Recipe
from rgan.paper.ablation import LeftOut, Model, ablations
from rgan.paper.claims import CLAIMED, claims
from rgan.paper.evaluation import Evaluation, EvaluationSettings
from rgan.paper.study import Study

FILE = "study.json"
VERSION = 1


def to_json(found: Study) -> bytes:
    """`from_json` gives it back, its claims made anew from the same numbers."""
    about = {
        "version": VERSION,
        "settings": dataclasses.asdict(found.settings),
        "models": [_told(model) for model in found.models],
        "left_out": [dataclasses.asdict(one) for one in found.left],
        "waiting": list(found.waiting),
    }
    return json.dumps(about, separators=(",", ":")).encode()


def from_json(data: bytes, name: str = FILE) -> Study:
    """The study in these bytes.

    Raises:
        FileError: they are no study, or one of another version; `name` says whose.
    """
    try:
        about = json.loads(data)
        if about["version"] != VERSION:
            raise FileError(f"expected a study of version {VERSION} in {name}, got another; make it again")
        settings = EvaluationSettings(**{**about["settings"], **_tuples(about["settings"], "radii", "objectives")})
        models = [_read(told, settings) for told in about["models"]]
        left = tuple(LeftOut(**one) for one in about["left_out"])
        waiting = tuple(map(str, about["waiting"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SettingsError) as error:
        raise FileError(f"expected a study in {name}, got something else; make it again with `rgan study`") from error
    columns, twins = ablations(models)
    found = claims(columns, settings.attack.radii, settings.objectives)
    return Study(settings, columns, found, (*left, *twins), waiting)


def load(path: Path) -> Study:
    """The study in a file.

    Raises:
        FileError: it cannot be read, or holds none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"expected a study in {path}, got no file that can be read; check its name") from error
    return from_json(data, path.name)


def _told(model: Model) -> dict[str, Any]:
    """Of its history only what Figure 2 shows."""
    assert model.evaluation is not None
    history = [line for line in model.training.history if any(measure in line for measure in CLAIMED)]
    return {
        "name": model.name,
        "digest": model.digest,
        "recipe": model.recipe.to_dict(),
        "training": dataclasses.asdict(dataclasses.replace(model.training, history=tuple(history))),
        "trained_on": dataclasses.asdict(model.trained_on),
        "evaluation": json.loads(model.evaluation.to_json()),
    }


def _read(told: dict[str, Any], settings: EvaluationSettings) -> Model:
    training = Training(**{**told["training"], **_tuples(told["training"], "history")})
    return Model(
        told["name"], Path(told["name"]), told["digest"], Recipe.from_dict(told["recipe"]), training,
        DataIdentity(**told["trained_on"]), Evaluation.from_json(json.dumps(told["evaluation"]).encode(), settings),
    )  # fmt: skip


def _tuples(told: dict[str, Any], *names: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(told[name]) for name in names}
