"""A stranger's GAN of points: its files are dropped into the sidebar, and both twins go on from its weights."""

from __future__ import annotations

import streamlit as st
from session import visitors
from session.chosen import Slot
from session.waiting import apart
from theme.language import plain

from rgan.common import limits
from rgan.common.errors import RganError
from rgan.importing.points import ENDS, GUESS, PointNetworks, read
from rgan.networks.described import ACTIVATIONS
from rgan.theory.laboratory.settings import Start

_OPENED = Slot[PointNetworks | None]("laboratory_opened", None)
_ACTIVATION = Slot("laboratory_activation", GUESS)
_END = Slot("laboratory_end", next(iter(ENDS)))
_PROBLEM = Slot("laboratory_problem", "")
_TURN = Slot("laboratory_turn", 0)


def opened() -> Start | None:
    """It, with what was said of what its weights do not tell."""
    networks = _OPENED.get()
    return None if networks is None else Start(networks, _ACTIVATION.get(), _END.get())


def yours() -> None:
    """The place to drop it, and to say what its weights do not tell."""
    if visitors.shelf() is None:
        return
    with st.expander("Your own GAN of points"):
        networks = _OPENED.get()
        if networks is None:
            _drop()
            return
        st.caption(plain(f"A and B go on from it: {networks.words}."))
        if networks.latent != 2:
            st.caption(f"Of its {networks.latent} noise numbers the first two are looked at, the others being 0.")
        st.selectbox(
            "Activation", tuple(ACTIVATIONS), tuple(ACTIVATIONS).index(GUESS), key=_ACTIVATION.key,
            help="Between its layers; weights do not tell.",
        )  # fmt: skip
        st.selectbox("Generator’s end", tuple(ENDS), format_func=ENDS.__getitem__, key=_END.key)
        st.caption("Choose its data and noise above. A link does not hold your file.")
        st.button("Leave it", on_click=_leave, icon=":material/close:")


def _leave() -> None:
    _OPENED.pop()


def _drop() -> None:
    sent = st.file_uploader(
        "Fully connected layers that make 2 numbers, with or without a critic of 2",
        accept_multiple_files=True, key=f"laboratory_files:{_TURN.get()}",
        max_upload_size=limits.MAX_UPLOAD_BYTES // limits.MIB,
        help=".pth, .pt, .ckpt or .safetensors. Nothing in a file is ever run.",
    )  # fmt: skip
    if sent:
        _TURN.set(_TURN.get() + 1)  # a new widget: Streamlit frees the old one's files
        _PROBLEM.set("")
        try:
            _OPENED.set(apart(visitors.reading, read, [(file.name, file.getvalue()) for file in sent]))
        except RganError as error:
            _PROBLEM.set(str(error))
        st.rerun()
    if problem := _PROBLEM.get():
        st.error(plain(problem))
