"""Drawing a control of the table."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, TypeVar, cast

import streamlit as st
from session import shared
from session.chosen import move_into_range
from session.classroom import narrowed
from session.control import Control, Number, OneOf, Switch, Text
from theme.language import plain

T = TypeVar("T")


def draw(control: Control[T], *, disabled: bool = False) -> T:
    """Draw a control into the current container; its value."""
    control = narrowed(control)
    move_into_range(control)
    value = cast(T, _drawn(control, disabled))
    shared.seen(control, value)
    return value


def _drawn(control: Control[Any], disabled: bool) -> object:
    label, key, default, hint = control.label, control.key, control.default, control.help
    match control:
        case Number(widget="slider", low=low, high=high, step=step):
            return st.slider(
                label, low, high, default, step, key=key, bind="query-params", disabled=disabled, help=hint
            )
        case Number(low=low, high=high, step=step):
            return st.number_input(
                label, low, high, default, step, key=key, bind="query-params", disabled=disabled, help=hint
            )
        case OneOf(widget="slider", options=options, words=words):
            return st.select_slider(
                label, options, default, words, key=key, bind="query-params", disabled=disabled, help=hint
            )
        case OneOf(widget="box", options=options, words=words):
            return st.selectbox(
                label, options, options.index(default), words, key=key, bind="query-params", disabled=disabled,
                help=hint,
            )  # fmt: skip
        case OneOf(options=options, words=words):
            return st.segmented_control(
                label, options, default=default, format_func=words, key=key, bind="query-params", required=True,
                disabled=disabled, help=hint,
            )  # fmt: skip
        case Switch():
            return st.toggle(label, default, key=key, bind="query-params", disabled=disabled, help=hint)
        case Text(placeholder=placeholder):
            return st.text_input(
                label, default, key=key, bind="query-params", disabled=disabled, placeholder=placeholder, help=hint
            )
    raise TypeError(type(control))


def choose(control: Control[str], names: Sequence[str], *, on_change: Callable[[], None] | None = None) -> str:
    """Draw the choice of one of the things at hand, at first the control's default or the first of them; without a
    default, one that is set already.

    What a link or the session asks for and is not at hand stays chosen, and in the address, and the returned name is
    none of `names`: nothing takes its place but what somebody chooses.
    """
    asked = st.session_state.get(control.key, st.query_params.get(control.key))
    gone = (asked,) if isinstance(asked, str) and asked and asked not in names else ()
    first = (names.index(control.default) if control.default in names else 0) if control.default else None
    chosen = str(
        st.selectbox(
            control.label, [*names, *gone], first, key=control.key, bind="query-params", on_change=on_change,
            help=control.help,
        )
    )  # fmt: skip
    shared.seen(control, chosen)
    return chosen


def stop_without(names: Container[str], *chosen: str) -> None:
    """End the run in words where something chosen is not at hand."""
    missing = [plain(name) for name in dict.fromkeys(chosen) if name not in names]
    if missing:
        st.error(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not here: never on this machine, or "
            "deleted or renamed. Choose another above; until then the address stays as it is."
        )
        st.stop()
