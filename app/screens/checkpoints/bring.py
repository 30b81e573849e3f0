"""Bringing a model along: files are dropped, recognised without running anything in them, looked at, and kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from session import visitors
from session.state import DATA, UPLOADED, data_sets, load, models
from theme.html import part
from theme.language import plain
from torch import Tensor

from rgan.common import limits
from rgan.common.errors import CheckpointError, DataError, RganError
from rgan.common.files import usable_name
from rgan.common.formatting import per_cent
from rgan.common.images import grid, png, to_uint8
from rgan.data import datasets
from rgan.importing import conversion
from rgan.importing.conversion import MissingGeneratorError, Proposal
from rgan.importing.formats import Question
from rgan.metrics.judges import Judge, shipped
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf
from rgan.report.parts import Picture

FILES, FOUND, SAID, TURN = "brought_files", "brought", "brought_said", "brought_turn"
UNKNOWN = "not known"
SHOWN, COLUMNS, TRIED, JUDGED = 48, 12, 4, 64  # images of the preview, its rows, each answer; those judged


def drop(shelf: Shelf | None) -> None:
    """The place to drop files, and then what they are, with all that had to be guessed."""
    if shelf is None:
        st.caption(
            "Bringing your own models is for whoever sits at the server's own machine, unless its operator starts it "
            "with RGAN_VISITORS_UPLOAD=1."
        )
        return
    st.session_state.setdefault(TURN, 0)
    sent = st.file_uploader(
        "Bring your own model: drop its file here, or the generator's and the critic's together",
        accept_multiple_files=True, key=f"bring:{st.session_state[TURN]}",
        max_upload_size=limits.MAX_UPLOAD_BYTES // limits.MIB,
        help="A .safetensors of RGAN Lab, or weights of another program as .safetensors, .pth, .pt or .ckpt: DCGANs, "
        "MLPs and residual GANs as the README lists them. Nothing in a file is ever run.",
    )  # fmt: skip
    if sent:
        _take([(file.name, file.getvalue()) for file in sent])
    if said := st.session_state.get(SAID):
        st.error(plain(said), icon=":material/error:")
    if FOUND in st.session_state:
        with st.container(border=True):
            _review(st.session_state[FOUND], shelf)
    elif st.session_state.get(FILES):
        st.button("Start over", on_click=_clear, icon=":material/close:")


def _take(sent: list[tuple[str, bytes]]) -> None:
    """Read what was sent together with what is there already; the browser's copies are let go of.

    Files that cannot be used are let go of too, and what was there before them stays.
    """
    before = {key: st.session_state[key] for key in (FILES, FOUND) if key in st.session_state}
    files = list(dict.fromkeys([*before.get(FILES, ()), *sent]))  # two may have one name
    _clear()
    try:
        with st.spinner("Reading the file; nothing in it is run …"):
            st.session_state[FOUND] = visitors.read(files)
        st.session_state[FILES] = files
    except MissingGeneratorError as error:
        st.session_state[FILES] = files
        st.session_state[SAID] = str(error)
    except RganError as error:
        st.session_state.update(before)
        there = ", ".join(name for name, _ in before.get(FILES, ()))
        st.session_state[SAID] = f"{error}. Still here: {there}" if there else str(error)
    st.rerun()


def _clear() -> None:
    """Forget what was dropped."""
    st.session_state[TURN] += 1  # a new widget: Streamlit frees the old one's files
    for key in (FILES, FOUND, SAID):
        st.session_state.pop(key, None)


def _review(found: Proposal | Gan, shelf: Shelf) -> None:
    """What the files are, how their images look under the answers given, and the way to keep them."""
    seen, kept = st.columns([3, 2], gap="large")
    first = st.session_state[FILES][0][0]
    with kept:
        name = st.text_input("Name", usable_name(first.rpartition(".")[0]), key="brought_name")
        data, judge = ("", None) if isinstance(found, Gan) else _data(first)
    made: Gan | None = None
    try:
        if isinstance(found, Gan):
            about = [f"a file of RGAN Lab: {found.recipe.title}"]
            made, images = found, to_uint8(found.probe().images(found.noise(SHOWN, 0)))
        else:
            answers = _answers(found, judge)
            parts = [part.words for part in (found.generator, found.average, found.critic) if part is not None]
            about = [*parts, *found.notes(answers)]
            made, images = found.gan(answers), _images(found.files, tuple(answers.items()), SHOWN, found)
        drawn = Picture(png(grid(images, COLUMNS, scale=2)), f"{SHOWN} images of the model")
        seen.html(part("board.html", "card", drawn))
        seen.markdown("\n".join(f"- {plain(sentence)}" for sentence in about))
    except RganError as error:
        kept.error(plain(str(error)))
    with kept:
        _keep(made, name, data, shelf)


def _answers(found: Proposal, judge: Judge | None) -> dict[str, str]:
    """The user's answers to all that weights do not tell; an answer may bring new questions."""
    answers: dict[str, str] = {}
    st.markdown("**The weights do not tell, so this was guessed. Change what looks wrong:**")
    if judge is not None:
        st.caption(
            f"Under each answer: the mean badness of {JUDGED} images to the judge of {judge.data}, the share of real "
            "images that look more real. Lower is likelier right; mistaken answers can still look well."
        )
    columns = st.columns(4, gap="medium")
    while new := [question for question in found.questions(answers) if question.name not in answers]:
        for question in new:
            options = tuple(question.options)
            with columns[len(answers) % len(columns)]:
                answers[question.name] = st.selectbox(
                    question.text, options, options.index(question.guess), format_func=question.options.__getitem__,
                    key=f"answer:{question.name}",
                )  # fmt: skip
                _tried(found, question, answers, judge)
    return answers


def _tried(found: Proposal, question: Question, answers: Mapping[str, str], judge: Judge | None) -> None:
    """The same few images under each answer, if it changes them."""
    tried: dict[str, np.ndarray] = {}
    under = {}
    for option in question.options:
        given = tuple((dict(answers) | {question.name: option}).items())
        try:
            tried[option] = _images(found.files, given, TRIED, found)
        except RganError:
            continue  # an answer that fits no network shows nothing
        under[option] = given
    pictures = list(tried.values())
    if all(np.array_equal(one, pictures[0]) for one in pictures):
        return
    shown = []
    for option, images in tried.items():
        words = question.options[option]
        seen = "" if judge is None else f"badness {per_cent(_badness(judge.data, found.files, under[option], found))}"
        shown.append((Picture(png(grid(images, TRIED, scale=2)), f"{TRIED} images with {words}", words), seen))
    st.html(part("checkpoints.html", "tried", shown))


@st.cache_data(max_entries=256, show_spinner=False)
def _images(
    files: tuple[tuple[str, str], ...], answers: tuple[tuple[str, str], ...], count: int, _found: Proposal
) -> np.ndarray:
    """Images uint8 (count, H, W, C) under these answers."""
    gan = _found.gan(dict(answers))
    return to_uint8(gan.probe().images(gan.noise(count, 0)))


@st.cache_data(max_entries=256, show_spinner="Asking the judge …")
def _badness(
    data: str, files: tuple[tuple[str, str], ...], answers: tuple[tuple[str, str], ...], _found: Proposal
) -> float:
    """Mean badness of images under these answers."""
    gan = _found.gan(dict(answers))
    return float(shipped(data).opinion(gan.probe().images(gan.noise(JUDGED, 0))).badness.mean())


def _data(first: str) -> tuple[str, Judge | None]:
    """The data set that the user says it was trained on, and the judge that knows it."""
    options = (UNKNOWN, *data_sets())
    likely = next((k for k, one in enumerate(options) if k and one in first.lower()), 0)
    data = str(st.selectbox(
        "Trained on", options, likely, key="brought_data",
        help="A judge of these data can then say how bad its images are, and real images stand beside them.",
    ))  # fmt: skip
    try:
        return data, shipped(data)
    except CheckpointError:
        return data, None


def _keep(made: Gan | None, name: str, data: str, shelf: Shelf) -> None:
    """The button that keeps it, if the files make a model, and the one that does not."""
    with st.container(horizontal=True):
        wanted = made is not None and st.button("Keep this model", type="primary", icon=":material/add:")
        st.button("Discard", on_click=_clear, icon=":material/close:")
    if made is not None and wanted:
        try:
            shelf.add(name, made if data in ("", UNKNOWN) else _told(made, data))
        except RganError as error:
            st.error(plain(str(error)))
            return
        _clear()
        st.session_state["model"] = UPLOADED + name
        st.rerun()


def _told(made: Gan, data: str) -> Gan:
    """`made` with its data set's name, and real images of it where they are at hand: in data/, or in a model's file."""
    try:
        real: Tensor | None = datasets.load(data, size=made.recipe.size, root=DATA).some(datasets.REFERENCE_IMAGES)
    except DataError as error:
        real = _carried(data, made)
        if real is None:
            st.toast(f"Kept without real images. {error}", icon=":material/info:", duration="long")
    return conversion.trained_on(made, data, real)


def _carried(data: str, made: Gan) -> Tensor | None:
    """Real images of a data set, in the shape of `made`'s, that another model's file carries."""
    for name in models():
        try:
            other = load(name)
        except RganError:
            continue
        real, shape = other.reference, (made.recipe.channels, made.recipe.size, made.recipe.size)
        if other.data == data and real is not None and real.shape[1:] == shape:
            return real
    return None
