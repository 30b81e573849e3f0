"""The visual language of every screen: a colour for model A and one for B, a mark each for original, worst and random.

Marks differ in shape as well as in colour.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

import streamlit as st
from markupsafe import Markup
from theme.html import part

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
THEORY = "screens/theory/screen.py"
LABORATORY = "screens/laboratory/screen.py"

# As a data URI: Streamlit would look at the file twice at every run.
ICON = "data:image/png;base64," + b64encode(Path(__file__).parents[1].joinpath("icon.png").read_bytes()).decode()

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


def style() -> str:
    """CSS of every screen."""
    return _ROOT + Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def model_title(side: str, name: str, about: str, at_end: str = "") -> Markup:
    """HTML heading of a model: its letter in its colour, its name, a few words, and at the end the picture's stamp."""
    return part("language.html", "model_title", side, name, about, at_end)


def stamp(words: str) -> Markup:
    """HTML of the settings that made a picture."""
    return part("language.html", "stamp", words)


def live_stamp(words: str, done: bool, radius: float) -> Markup:
    """The same of a picture that may still be searched for, at ε `radius`."""
    return part("language.html", "live_stamp", words, done, f"{radius:.2f}")


def heading(words: str, at_end: str = "") -> Markup:
    """HTML heading of a picture that is of no model in particular."""
    return part("language.html", "heading", words, at_end)


def title(words: str) -> Markup:
    """HTML of what a picture shows, above it."""
    return part("language.html", "title", words)


def symbols(*names: str, **words: str) -> None:
    """What the symbols near this place mean: `names` of SYMBOLS, and `words` for those of this place alone."""
    st.html(part("language.html", "symbols", {name: SYMBOLS[name] for name in names} | words))


def wrong(field: str, why: str) -> None:
    """Mark the field of this key, just drawn, and say what is wrong with it."""
    st.html(f"<style>.st-key-{field} [data-testid=stTextInputRootElement] {{ border-color: #d61e1e; }}</style>")
    st.error(plain(why))


def plain(text: str) -> str:
    """Markdown that shows `text` as it is: names in a stranger's file must not become links or pictures."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|$~:!-])", r"\\\1", text)


def marked(kind: str, words: str = "") -> Markup:
    """HTML "▲ worst noise" with the mark of its kind."""
    return part("language.html", "marked", kind, words)
