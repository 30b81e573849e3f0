"""The caches of the app, and what its sessions share."""

from __future__ import annotations

import atexit
import gc
import hashlib
import os
import uuid
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
import torch
from session import visitors
from session.chosen import Slot, current, is_chosen
from session.table import LABEL, A, B
from session.tasks import Task, Tasks, Work

from rgan.attack.path import LivePath, Request
from rgan.common import memory
from rgan.common.errors import DataError, RganError
from rgan.common.files import shipped_models
from rgan.data import datasets
from rgan.embedding import projections
from rgan.models import checkpoints, own
from rgan.models.gan import EACH, Gan, class_digest
from rgan.models.shelf import SUFFIX
from rgan.paper import archive, evaluation, study
from rgan.paper.ablation import LeftOut, Model
from rgan.paper.work import MODELS
from rgan.training.jobs import Jobs, measure
from rgan.training.runs import CHECKPOINT, TrainingPlan

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
SHIPPED = shipped_models()
RUNS = Path(os.environ.get("RGAN_RUNS", ROOT / "runs"))
STUDIES = RUNS / "reproduce"  # a folder for each setting of a study; it holds no run
PLANNED = RUNS / "studies"  # studies that train their own models, a folder each
COMMITTED = ROOT / "benchmarks" / "results"  # studies that come with RGAN Lab, a folder each
TRAINED, UPLOADED, STUDIED = "runs/", "uploads/", "studies/"  # before the names of such models

T = TypeVar("T")
R = TypeVar("R")


@st.cache_resource(show_spinner=False)
def share_memory() -> None:
    """Once a process: the threads to come share their memory."""
    memory.share_pools(os.cpu_count() or 1)


def settle() -> None:
    """After the first run: what is imported by now never needs to be looked at by the garbage collector, which was off
    meanwhile."""
    if not gc.isenabled():
        gc.collect()
        gc.freeze()
        gc.enable()
        atexit.register(gc.unfreeze)  # else what is frozen is not freed at the end, and triton complains of leaks


@st.cache_resource(show_spinner=False)
def workers() -> ThreadPoolExecutor:
    """The process's computing threads, one a core and each single-threaded: sessions share them and never spin."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "compute", initializer=lambda: torch.set_num_threads(1))


def together(function: Callable[[T], R], items: list[T]) -> list[R]:
    """function of every item, side by side on the computing threads; training waits meanwhile."""
    with jobs().gate.interactive():
        return list(workers().map(function, items))


@st.cache_resource(show_spinner=False)
def background() -> ThreadPoolExecutor:
    """Threads for parts of a task that can be done side by side; apart from `workers`, which sliders wait for."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "background", initializer=lambda: torch.set_num_threads(1))


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The process's trainings: they outlive pages, sessions and reloads of this code."""
    return Jobs(RUNS)


@st.cache_resource(show_spinner=False)
def tasks() -> Tasks:
    """What screens let be computed in the background."""
    return Tasks(fast=1)


@st.cache_resource(scope="session", on_release=lambda owner: tasks().forget(owner), show_spinner=False)
def _owner() -> str:
    return uuid.uuid4().hex


def want(works: dict[Hashable, Work[Any]]) -> dict[Hashable, Task[Any]]:
    """The tasks that this session waits for from now on, instead of those it named before."""
    return tasks().want(_owner(), works)


def also(works: dict[Hashable, Work[Any]]) -> dict[Hashable, Task[Any]]:
    """The tasks that this session waits for beside those it has named in this run."""
    return tasks().want(_owner(), works, also=True)


@st.cache_resource(show_spinner=False)
def _measuring() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "measure", initializer=lambda: torch.set_num_threads(1))


@st.cache_resource(max_entries=64, ttl=3600.0, show_spinner=False)
def pace(_plan: TrainingPlan, key: str) -> Future[float]:
    """Seconds an iteration of the plan takes here, measured in the background; `key` is all it depends on."""
    return _measuring().submit(measure, _plan)


@st.cache_resource(show_spinner=False)
def drawing_pace(layout: projections.Layout) -> Future[float]:
    """The pace of an embedding here, as `projections.seconds` takes it; measuring it compiles UMAP."""
    return _measuring().submit(projections.pace, layout)


@st.cache_resource(show_spinner=False)
def studies() -> Tasks:
    """The studies that run: wanted by the server itself, they outlive pages and sessions."""
    return Tasks(1)


@st.cache_resource(show_spinner=False)
def critics() -> Tasks:
    """The critics that are trained for models without one; like studies they outlive pages and sessions."""
    return Tasks(1)


@st.cache_resource(max_entries=256, show_spinner=False)
def evaluation_pace(digest: str, _model: Model, _referees: study.Scorings) -> Future[evaluation.Pace]:
    """The pace of a model's evaluation here, measured in the background."""
    return _measuring().submit(
        lambda: evaluation.pace(checkpoints.load(_model.path), _referees.settings, _referees.of(_model))
    )


def committed() -> dict[str, Path]:
    """The studies that come with RGAN Lab: names and files."""
    return {path.parent.name: path for path in sorted(COMMITTED.glob(f"*/{archive.FILE}"))}


def study_in(path: Path) -> study.Study:
    """The study in a file, kept in memory while it does not change.

    Raises:
        FileError: it cannot be read.
    """
    return _study_in(str(path), path.stat().st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _study_in(path: str, changed: int) -> study.Study:
    return archive.load(Path(path))


def surveyed() -> tuple[tuple[Model, ...], tuple[LeftOut, ...]]:
    """The models at hand as a study needs them, and those it cannot use."""
    return _surveyed(tuple((path, own.changed(path)) for path in models().values()))


@st.cache_resource(max_entries=4, show_spinner="Looking at the models …")
def _surveyed(files: tuple[tuple[Path, int], ...]) -> tuple[tuple[Model, ...], tuple[LeftOut, ...]]:
    return study.survey(path for path, _ in files)


@st.cache_data(ttl=10, show_spinner=False)
def data_sets() -> list[str]:
    """Names of the data sets that can be trained on: the known ones, then what lies in data/."""
    return [*datasets.DATA_SETS, *datasets.own_sets(DATA)]


@st.cache_data(ttl=10, show_spinner=False)
def broken_data() -> dict[str, str]:
    """The zips in data/ that cannot be read, and why."""
    return datasets.broken_zips(DATA)


@st.cache_data(ttl=10, show_spinner=False)
def about_data(name: str) -> datasets.About:
    """Usual size and channels of a data set; if it cannot be read, a guess: whoever loads it will say why."""
    try:
        return datasets.about(name, DATA)
    except DataError:
        return datasets.About(32, 3, "")


def models() -> dict[str, Path]:
    """Names and files of the models at hand: shipped ones, the operator's own code, those trained into runs/, and this
    visitor's uploads.
    """
    shipped = {name.removesuffix(SUFFIX): SHIPPED / name for name in _names(SHIPPED) if name.endswith(SUFFIX)}
    files = {run: RUNS / run / CHECKPOINT for run in _names(RUNS)}
    trained = {f"{TRAINED}{run}": file for run, file in files.items() if os.path.exists(file)}
    shelf = visitors.shelf()
    uploaded = {f"{UPLOADED}{name}": path for name, path in shelf.files().items()} if shelf else {}
    return dict(sorted(shipped.items())) | own_code()[0] | dict(sorted(trained.items())) | uploaded | _studied()


def _studied() -> dict[str, Path]:
    """Models of studies that are looked at now: a study has too many to be offered."""
    found = {}
    for key in (A.key, B.key):
        name = st.session_state.get(key, st.query_params.get(key))
        if isinstance(name, str) and name.startswith(STUDIED) and name.count("/") == 2:
            path = study_model(*name.removeprefix(STUDIED).split("/"))
            if path is not None:
                found[name] = path
    return found


def study_model(name: str, model: str) -> Path | None:
    """The file of a model of a study of one's own, if it is there."""
    if name not in _names(PLANNED) or model not in _names(PLANNED / name / MODELS):
        return None
    path = PLANNED / name / MODELS / model / CHECKPOINT
    return path if path.exists() else None


def own_code() -> tuple[dict[str, Path], str]:
    """The models of the file that RGAN_MODELS names, and why there are none although it names one."""
    try:
        return own.places(), ""
    except RganError as error:
        return {}, str(error)


def _names(folder: Path) -> list[str]:
    """What lies in a folder: every run of every page asks, and `Path.glob` takes ten times as long."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def own_name(name: str) -> str:
    """A model's name without the words that say where it lies."""
    return name.rpartition("/")[2]


def load(name: str) -> Gan:
    """The model of that name, kept in memory while its file does not change.

    Raises:
        CheckpointError: the file cannot be used.
    """
    path = models()[name]
    return _load(str(path), own.changed(path))


def load_ahead(names: Iterable[str]) -> None:
    """Begin to load these models side by side; `load` then waits for them, and says what is wrong with one."""
    known = models()
    for name in names:
        if name in known:
            background().submit(_load, str(known[name]), own.changed(known[name]))


def shown(name: str) -> Gan:
    """The model of that name as screens show it: of the class that is chosen, where it has classes.

    Raises:
        CheckpointError: as `load`.
    """
    gan = load(name)
    return gan.of_class(min(current(LABEL), gan.classes - 1)) if gan.classes and is_chosen(LABEL) else gan


def by_digest(digest: str) -> Gan | None:
    """The model at hand whose file's SHA-256 begins so, or that of one of its classes."""
    for name, path in models().items():
        own_digest = _digest(str(path), own.changed(path))
        if own_digest.startswith(digest):
            return load(name)
        classes = _classes(str(path), own.changed(path))
        for label in (*range(classes), *((EACH,) if classes else ())):
            if class_digest(own_digest, label).startswith(digest):
                return load(name).of_class(label)
    return None


@st.cache_data(max_entries=1024, show_spinner=False)
def _classes(path: str, changed: int) -> int:
    try:
        layers = checkpoints.glance(Path(path))[0].recipe.layers
    except RganError:
        return 0
    return layers.classes if layers else 0


@st.cache_data(max_entries=1024, show_spinner=False)
def _digest(path: str, changed: int) -> str:
    if own.is_own(path):
        return own.load(path).digest
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@st.cache_resource(max_entries=32, show_spinner=False)
def _load(path: str, changed: int) -> Gan:
    return checkpoints.load(path)


def live_paths(names: tuple[str, ...], request: Request, slot: str) -> list[LivePath]:
    """The searches of one screen (`slot`): those of the last run if names and request are the same, else new ones."""
    gans = [shown(name) for name in names]
    key = (tuple(gan.digest for gan in gans), request)
    place = Slot[tuple[object, list[LivePath]] | None](f"live_paths:{slot}", None)
    kept = place.get()
    if kept is None or kept[0] != key:
        kept = key, together(lambda gan: LivePath(gan, request), gans)
        place.set(kept)
    return kept[1]
