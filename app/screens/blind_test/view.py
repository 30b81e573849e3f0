"""The Blind test on the page: one pair without labels, and the result with all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from components.pieces import download
from theme.html import beside, part
from theme.language import marked, plain, stamp

from rgan.common.files import as_csv
from rgan.common.images import png
from rgan.metrics.judges import Judge
from rgan.report.parts import Picture
from rgan.robustness.blind_test import BROKEN, RANDOM, SIDES, WORST, Pair, Tally, conclusion, rows, tally
from rgan.robustness.checks import Strength
from rgan.robustness.checks import strength as words

_answer_keys = st.components.v2.component(
    "answer_keys", html="<span></span>", js=beside(__file__, "js"), isolate_styles=False
)
ASKED = {BROKEN: "Which one is broken?"}
ROBUST_ASKED = "Which one is from the robust model?"
NOISE = {WORST: "worst noise", RANDOM: "random noise of the same length"}


def ask(question: str, radius: float, pair: Pair, trial: int, total: int, choose: Callable[[int, int], None]) -> None:
    """The pair of number `trial`, its noise moved by `radius`; `choose` is told that number and the side chosen."""
    st.html(
        part("blind_test.html", "question", ASKED.get(question, ROBUST_ASKED), stamp(f"pair {trial + 1} of {total}"))
    )
    _answer_keys(key="answer_keys", height=1)
    with st.container(key="blind_pair"):
        for side, column in enumerate(st.columns(2, gap="large")):
            with column:
                st.html(part("blind_test.html", "image", _picture(pair, side)))
                st.button(
                    SIDES[side].capitalize(), key=f"choose_{SIDES[side]}", on_click=choose, args=(trial, side),
                    shortcut=SIDES[side].capitalize(), width="stretch",
                )  # fmt: skip
    st.progress(trial / total)
    whose = "Both are A's, one is moved" if question == BROKEN else "A's and B's, both moved"
    st.caption(
        f"{whose} within ε {radius:g}: in half of the pairs to the worst noise found, in the others, the control, as "
        "far at random."
    )


def result(
    question: str,
    shown: Sequence[Pair],
    answers: Sequence[int],
    judge: Judge | None,
    names: tuple[str, str],
    everybody: tuple[int, dict[str, Tally]],
) -> None:
    """What the answers say, what all visitors and the judge answered, every pair with its labels, and the file."""
    yours = {kind: tally(shown, answers, kind) for kind in NOISE}
    headline, because = conclusion(question, yours[WORST], yours[RANDOM])
    st.html(part("blind_test.html", "outcome", headline, because))
    others = everybody[0] > 1
    judged = None if judge is None else [pair.judged for pair in shown]
    rows_ = [
        (
            marked(kind, words),
            yours[kind].words(),
            *([everybody[1][kind].words()] if others else []),
            *([tally(shown, judged, kind).words()] if judged else []),
        )
        for kind, words in NOISE.items()
    ]
    heads = [
        "Right under",
        "You",
        *([f"All {everybody[0]:,} visitors here"] if others else []),
        *([f"The judge of {judge.data}"] if judge else []),
    ]
    st.html(part("blind_test.html", "tally", heads, rows_))
    framed = "the moved image" if question == BROKEN else f"the image of B, {plain(names[1])}"
    nothing = " Random noise breaks next to nothing, so there guessing is all one can do." if question == BROKEN else ""
    judging = (
        f" The judge, a classifier of real {plain(judge.data)} that has seen no model, takes the image further from "
        f"real ones for {'the broken one' if question == BROKEN else 'A'}."
        if judge
        else ""
    )
    st.caption(f"Right is {framed}; it is framed below. Guessing is right in 50 %.{nothing}{judging}")
    what = "moved" if question == BROKEN else "B's"
    cards = [_card(number, *one, what) for number, one in enumerate(zip(shown, answers, strict=True), 1)]
    st.html(part("blind_test.html", "cards", cards))
    download("answers", as_csv(rows(shown, answers)), "blind-test.csv")


def class_result(group: str, tests: int, found: dict[str, Tally]) -> None:
    """What the tests of a class come to; shown to whoever asks, so that it influences nobody's answers."""
    if not tests:
        st.markdown(f"Nobody of {plain(group)} has finished this test yet. The link is this page's address.")
        return
    rows_ = [(marked(kind, words), found[kind].words()) for kind, words in NOISE.items()]
    st.html(
        part(
            "blind_test.html",
            "tally",
            ["Right under", f"{group}, {tests:,} {'test' if tests == 1 else 'tests'}"],
            rows_,
        )
    )
    st.caption("Guessing is right in 50 %. Of these models and settings, whatever the seed.")


def strength(found: dict[str, Strength]) -> None:
    """How much of the worst noise was shown; empty while that is being measured."""
    said = words({side: one.words for side, one in found.items()})
    if any(one.weak for one in found.values()):
        st.warning(f"There is worse noise than this. {said} Choose a smaller ε.", icon=":material/warning:")
    else:
        st.caption(said or "Checking the search …")


def _card(number: int, pair: Pair, answer: int, what: str) -> dict[str, object]:
    """Both images of a pair, the one that was asked for (`what`) framed, what you took and who was right."""
    judge = "" if pair.judged is None else f" · judge {_mark(pair.judged == pair.target)}"
    return {
        "pictures": [_picture(pair, side, f", {what}" if side == pair.target else "") for side in (0, 1)],
        "target": pair.target,
        "number": number,
        "kind": marked(pair.kind),
        "said": f"you {SIDES[answer]} {_mark(answer == pair.target)}{judge}",
    }


def _mark(right: bool) -> str:
    return "✓" if right else "✗"


def _picture(pair: Pair, side: int, more: str = "") -> Picture:
    return Picture(png(pair.images[side]), f"{SIDES[side]} image{more}")
