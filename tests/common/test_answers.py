"""Answers on disk: found by what they are of and by nothing else, and bounded."""

import json
import os
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rgan.common.answers import RECORD, Answers, name_of, question

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
settings = st.dictionaries(st.text(max_size=5), plain, max_size=4)


@given(of=settings, other=settings, answer=st.dictionaries(st.text(max_size=5), plain, max_size=4))
def test_an_answer_is_found_by_equal_settings_alone(tmp_path_factory, of, other, answer):
    answers = Answers([tmp_path_factory.mktemp("kept")], 10**6)
    assert answers.get(of) is None
    answers.put(of, answer)
    assert answers.get(dict(reversed(of.items()))) == answer, "in any order"
    same = json.dumps(of, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (answers.get(other) is not None) == same


def test_shipped_answers_come_first_and_are_never_written(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    Answers([shipped], 10**6).put({"x": 1}, {"from": "shipped"})
    answers = Answers([shipped, own], 10**6)
    answers.put({"x": 1}, {"from": "own"})
    answers.put({"x": 2}, {"from": "own"})
    assert answers.get({"x": 1}) == {"from": "shipped"} and answers.get({"x": 2}) == {"from": "own"}
    assert [path.name for path in shipped.iterdir()] == [name_of({"x": 1})]


def test_damaged_files_and_files_of_something_else_are_none(tmp_path):
    answers = Answers([tmp_path], 10**6)
    for damage in (b"", b"{", b"[]", b'{"of": {"x": 1}}', b'{"of": {"x": 2}, "answer": {}}'):
        (tmp_path / name_of({"x": 1})).write_bytes(damage)
        assert answers.get({"x": 1}) is None
    answers.put({"x": 1}, {"whole": True})
    assert answers.get({"x": 1}) == {"whole": True}


def test_the_oldest_make_room(tmp_path):
    answers = Answers([tmp_path], 3500)
    for k in range(5):
        answers.put({"k": k}, {"text": "x" * 1000})
        os.utime(tmp_path / name_of({"k": k}), (k, k))
    answers.put({"k": 5}, {"text": "x" * 1000})
    assert [k for k in range(6) if answers.get({"k": k}) is not None] == [3, 4, 5]


def test_results_are_found_by_their_question_and_make_room_like_the_rest(tmp_path):
    @dataclass(frozen=True)
    class Result:
        numbers: np.ndarray
        name: str

    answers = Answers([tmp_path], 10_000)
    of = [question("a thing", 1, [("digest", "judge")], settings=Result(0, str(k))) for k in range(4)]
    for k, one in enumerate(of):
        answers.keep(one, Result(np.arange(500) + k, "kept"))
        os.utime(tmp_path / name_of(one, RECORD), (k, k))
    assert [answers.result(Result, one) is None for one in of] == [True, True, False, False]
    found = answers.result(Result, of[3])
    assert (found.numbers == np.arange(500) + 3).all() and found.name == "kept"
    assert answers.result(Result, of[3] | {"version": 2}) is None, "made in another way"
    (tmp_path / name_of(of[3], RECORD)).write_bytes(b"half")
    assert answers.result(Result, of[3]) is None


def test_a_folder_that_cannot_be_written_loses_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    answers = Answers([tmp_path / "file"], 100)
    answers.put({"x": 1}, {})
    assert answers.get({"x": 1}) is None
