"""Text under any encoding of the terminal: what a pipe, an old console or a file cannot show is spelled out."""

from __future__ import annotations

import codecs
import sys
import unicodedata

SPELLED = {
    "λ": "lambda", "ε": "epsilon", "ρ": "rho", "η": "eta", "Δ": "Delta", "−": "-", "–": "-", "—": "-", "×": "x",
    "√": "sqrt ", "∇": "grad ", "‖": "|", "∈": "in", "≤": "<=", "≥": ">=", "≈": "~", "±": "+/-", "→": "->", "←": "<-",
    "↔": "<->", "…": "...", "·": "*", "•": "*", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "✓": "ok",
}  # fmt: skip
HANDLER = "spelled"


def spelled(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding does not have: their names, letters without accents, or `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(map(_ascii, lost)), error.end


def _ascii(character: str) -> str:
    if character in SPELLED:
        return SPELLED[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or "?"


def survive_any_encoding() -> None:
    """Let standard output and error never lose a command's work to a character."""
    codecs.register_error(HANDLER, spelled)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=HANDLER)
