"""What models draw and what their files say of them, without opening one: known by digest, for tiles to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from session.paths import answers
from session.state import background, models

from rgan.common.errors import RganError
from rgan.models import checkpoints, own
from rgan.models.portrait import Portrait, portrait, question
from rgan.report.parts import data_uri


class About(NamedTuple):
    """A model's title, data ("" if not known), seed and digest; `broken`: its file cannot be read."""

    title: str = ""
    data: str = ""
    seed: int | None = None
    digest: str = ""
    broken: bool = False

    @property
    def words(self) -> tuple[str, str]:
        """Two lines: what it is, and what it was trained on."""
        if self.broken:
            return "cannot be opened", ""
        data = self.data or "data not known"
        return self.title, data if self.seed is None else f"{data}, seed {self.seed}"


def about(name: str) -> About:
    """What the file of a model at hand says."""
    path = models()[name]
    try:
        return _about(str(path), own.changed(path))
    except OSError:
        return About(broken=True)


@st.cache_resource(max_entries=256, show_spinner=False)
def _about(path: str, changed: int) -> About:
    try:
        header, digest = checkpoints.glance(Path(path))
    except RganError:
        return About(broken=True)
    data = header.training.data if header.training else header.origin.data if header.origin else ""
    return About(header.recipe.title, data, header.training.seed if header.training else None, digest)


def picture(name: str) -> str | None:
    """A data URI of what it draws; None while that is being drawn, "" where it cannot be."""
    digest = about(name).digest
    if not digest:
        return ""
    made = _made(digest, name)
    return made.result() if made.done() else None


def drawn(names: Iterable[str]) -> bool:
    """Whether all of these that can be drawn have been."""
    known = models()
    return all(picture(name) is not None for name in names if name in known)


@st.cache_resource(max_entries=256, show_spinner=False)
def _made(digest: str, _name: str) -> Future[str]:
    known = answers().result(Portrait, question(digest))
    if known is not None:
        ready: Future[str] = Future()
        ready.set_result(_uri(known))
        return ready
    return background().submit(_make, models()[_name])


def _make(path: Path) -> str:
    """Drawn once, by whoever first asks, and kept on disk."""
    try:
        gan = checkpoints.load(path)
        made = portrait(gan)
    except RganError:
        return ""
    answers().keep(question(gan.digest), made)
    return _uri(made)


def _uri(one: Portrait) -> str:
    return data_uri(one.sheet.tobytes(), "webp")
