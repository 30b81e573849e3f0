"""The visual language of every screen: a colour for model A and one for B, a mark each for original, worst and random.

Marks differ in shape as well as in colour.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import streamlit as st

from rgan.report.charts.basic import COLOURS
from rgan.report.charts.robustness import MARKS as MARKS  # for screens too

HOME = "screens/home/screen.py"
WORST_NOISE = "screens/worst_noise/screen.py"
FAILURES = "screens/failures/screen.py"
EMBEDDINGS = "screens/embeddings/screen.py"
EVIDENCE = "screens/evidence/screen.py"
BLIND_TEST = "screens/blind_test/screen.py"
REPRODUCE = "screens/reproduce/screen.py"
TRAIN = "screens/train/screen.py"
CHECKPOINTS = "screens/checkpoints/screen.py"

# What stands on more than one screen, in the words of all of them.
SYMBOLS = {
    "z": "the noise that an image is made of, a vector",
    "‖z‖": "its length",
    "‖r‖": "length of the move from original to worst noise",
    "ε": "how far worst noise may move each noise vector",
    "λ": "price of moving, paid per squared unit of length",
    "step": "of the search for worst noise",
    "loss": "the generator's, by the model's own critic: the higher, the worse the critic finds the image",
    "distance": "from the image to its third nearest real image, as an independent judge sees them",
    "change": "root of the mean squared difference from the original image, in per cent of black to white",
    "RMS": "root of the mean squared difference of pixels, in per cent of black to white",
    "gradient calls": "how often the search asked the model which way is worse",
    "ε₁": "length of the worst noise step in training",
    "ε₂": "length of the worst image step in training",
    "λ of training": "weight of the robust terms",
}
_ROOT = f":root {{ --model-a: {COLOURS['A']}; --model-b: {COLOURS['B']}; }}"


def style() -> None:
    """Once a run, before anything is drawn."""
    st.html(f"<style>{_ROOT}</style>")
    st.html(Path(__file__).with_name("style.css"))


def model_title(side: str, name: str, about: str, stamp: str = "") -> str:
    """HTML heading of a model: its letter in its colour, its name, a few words, and at the end the picture's stamp."""
    return (
        f'<div class="model {side}"><b>{side}</b><span class="name" title="{escape(name)}">{escape(name)}</span>'
        f'<span class="about">{escape(about)}</span>{stamp}</div>'
    )


def symbols(*names: str, **words: str) -> None:
    """What the symbols near this place mean: `names` of SYMBOLS, and `words` for those of this place alone."""
    meant = {name: SYMBOLS[name] for name in names} | words
    st.html(
        '<p class="symbols">'
        + "".join(f"<span><b>{escape(name)}</b> {escape(meaning)}</span>" for name, meaning in meant.items())
    )


def plain(text: str) -> str:
    """Markdown that shows `text` as it is: names in a stranger's file must not become links or pictures."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|$~:!-])", r"\\\1", text)


def marked(kind: str, words: str = "") -> str:
    """HTML "▲ worst noise" with the mark of its kind."""
    return f'<span><span aria-hidden="true">{MARKS[kind]}</span> {escape(words or kind)}</span>'
