"""Bringing a model along: files are dropped, recognised without running anything in them, looked at, and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from screens.checkpoints import guesses, keep, proposals
from session import visitors
from session.chosen import Slot
from session.waiting import apart
from theme.html import part
from theme.language import plain

from rgan.common import limits
from rgan.common.errors import RganError
from rgan.common.files import usable_name
from rgan.common.images import grid, png, to_uint8
from rgan.importing.conversion import MissingGeneratorError, Proposal
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf
from rgan.report.parts import Picture

SHOWN, COLUMNS = 48, 12  # images of the preview, its rows


@dataclass(frozen=True)
class Brought:
    """Files, (name, bytes) each, what they are, and what could not be done with the last ones sent."""

    files: tuple[tuple[str, bytes], ...] = ()
    found: Proposal | Gan | None = None
    problem: str = ""


BROUGHT = Slot("brought", Brought())
TURN = Slot("brought_turn", 0)


def drop(shelf: Shelf | None) -> None:
    """The place to drop files, and then what they are, with all that had to be guessed."""
    if shelf is None:
        st.caption(
            "Bringing your own models is for whoever sits at the server's own machine, unless its operator starts it "
            "with RGAN_VISITORS_UPLOAD=1."
        )
        return
    sent = st.file_uploader(
        "Bring your own model: drop its file here, or the generator's and the critic's together",
        accept_multiple_files=True, key=f"bring:{TURN.get()}", max_upload_size=limits.MAX_UPLOAD_BYTES // limits.MIB,
        help="A .safetensors of RGAN Lab, or weights of another program as .safetensors, .pth, .pt or .ckpt, or a "
        "graph of TorchScript, torch.export or ONNX. Nothing in a file is ever run.",
    )  # fmt: skip
    if sent:
        _take([(file.name, file.getvalue()) for file in sent])
    brought = BROUGHT.get()
    if brought.problem:
        st.error(plain(brought.problem), icon=":material/error:")
    if brought.found is not None:
        with st.container(border=True):
            _review(brought.files[0][0], brought.found, shelf)
    elif brought.files:
        st.button("Start over", on_click=_clear, icon=":material/close:")


def _take(sent: list[tuple[str, bytes]]) -> None:
    """Read what was sent together with what is there already; the browser's copies are let go of.

    Files that cannot be used are let go of too, and what was there before them stays.
    """
    before = BROUGHT.get()
    files = tuple(dict.fromkeys([*before.files, *sent]))  # two may have one name
    _clear()
    try:
        with st.spinner("Reading the file; nothing in it is run …"):
            BROUGHT.set(Brought(files, apart(visitors.read, files)))
    except MissingGeneratorError as error:
        BROUGHT.set(Brought(files, problem=str(error)))
    except RganError as error:
        there = ", ".join(name for name, _ in before.files)
        BROUGHT.set(replace(before, problem=f"{error}. Still here: {there}" if there else str(error)))
    st.rerun()


def _clear() -> None:
    """Forget what was dropped."""
    TURN.set(TURN.get() + 1)  # a new widget: Streamlit frees the old one's files
    BROUGHT.pop()


def _review(first: str, found: Proposal | Gan, shelf: Shelf) -> None:
    """What the files are, how their images look under the answers given, and the way to keep them."""
    if isinstance(found, Proposal) and found.others:
        found = proposals.picked(found)
    seen, kept = st.columns([3, 2], gap="large")
    with kept:
        name = st.text_input("Name", usable_name(first.rpartition(".")[0]), key="brought_name")
        data, judge = ("", None) if isinstance(found, Gan) else guesses.data_of(first)
    made: Gan | None = None
    try:
        if isinstance(found, Gan):
            about = [f"a file of RGAN Lab: {found.recipe.title}"]
            made, images = found, to_uint8(found.probe().images(found.noise(SHOWN, 0)))
        else:
            answers = guesses.answers_to(found, judge)
            parts = [part.words for part in (found.generator, found.average, found.critic) if part is not None]
            about = [*parts, *found.notes(answers)]
            made, images = found.gan(answers), guesses.images(found.key, tuple(answers.items()), SHOWN, found)
        drawn = Picture(png(grid(images, COLUMNS, scale=2)), f"{SHOWN} images of the model")
        seen.html(part("board.html", "card", drawn))
        seen.markdown("\n".join(f"- {plain(sentence)}" for sentence in about))
    except RganError as error:
        kept.error(plain(str(error)))
    with kept:
        keep.offer(made, name, data, shelf, _clear)
