"""Keeping a model that was brought along, with real images of its data where they are at hand."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from session import chosen
from session.state import DATA, UPLOADED, load, models
from session.table import MODEL
from theme.language import plain
from torch import Tensor

from rgan.common.errors import DataError, RganError
from rgan.data import datasets
from rgan.importing import conversion
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf

UNKNOWN = "not known"


def offer(made: Gan | None, name: str, data: str, shelf: Shelf, clear: Callable[[], None]) -> None:
    """The button that keeps it, if the files make a model, and the one that does not."""
    with st.container(horizontal=True):
        wanted = made is not None and st.button("Keep this model", type="primary", icon=":material/add:")
        st.button("Discard", on_click=clear, icon=":material/close:")
    if made is not None and wanted:
        try:
            shelf.add(name, made if data in ("", UNKNOWN) else _told(made, data))
        except RganError as error:
            st.error(plain(str(error)))
            return
        clear()
        chosen.put(MODEL, UPLOADED + name)
        st.rerun()


def _told(made: Gan, data: str) -> Gan:
    """`made` with its data set's name, and real images of it where they are at hand: in data/, or in a model's file."""
    try:
        real: Tensor | None = datasets.load(data, size=made.recipe.size, root=DATA).some(datasets.REFERENCE_IMAGES)
    except DataError as error:
        real = _carried(data, made)
        if real is None:
            st.toast(plain(f"Kept without real images. {error}"), icon=":material/info:", duration="long")
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
