"""The visual language of every screen: a colour for model A and one for B, a mark each for original, worst and random.

Marks differ in shape as well as in colour.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import streamlit as st

from rgan.evidence_figures import MARKS
from rgan.figures import COLOURS

HOME, WORST_NOISE, TRAIN = "screens/home.py", "screens/worst_noise.py", "screens/train.py"
EMBEDDINGS, EVIDENCE, FAILURES = "screens/embeddings.py", "screens/evidence.py", "screens/failures.py"
REPRODUCE, CHECKPOINTS = "screens/reproduce.py", "screens/checkpoints.py"
BLIND_TEST = "screens/blind_test.py"

_ROOT = f":root {{ --model-a: {COLOURS['A']}; --model-b: {COLOURS['B']}; }}"


def style() -> None:
    """Once a run, before anything is drawn."""
    st.html(f"<style>{_ROOT}</style>")
    st.html(Path(__file__).with_name("style.css"))


def model_title(side: str, name: str, about: str, stamp: str = "") -> str:
    """HTML heading of a model: its letter in its colour, its name, a few words, and at the end the picture's stamp."""
    return (
        f'<div class="model {side}"><b>{side}</b><span>{escape(name)}</span>'
        f'<span class="about">{escape(about)}</span>{stamp}</div>'
    )


def plain(text: str) -> str:
    """Markdown that shows `text` as it is: names in a stranger's file must not become links or pictures."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|$~:!-])", r"\\\1", text)


def marked(kind: str, words: str = "") -> str:
    """HTML "▲ worst noise" with the mark of its kind."""
    return f'<span><span aria-hidden="true">{MARKS[kind]}</span> {escape(words or kind)}</span>'
