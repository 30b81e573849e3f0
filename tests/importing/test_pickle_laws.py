"""Any bytes and any pickle: the reader refuses in its own words or reads plain data, and nothing runs meanwhile."""

import io
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from rgan.common import limits
from rgan.importing import pickle_reader
from rgan.importing.pickle_reader import Machine, RefusedError, read

LIMITS = {
    "operations": 2000, "nodes": 1000, "depth": limits.MAX_DEPTH, "name": limits.MAX_NAME, "tensors": 50,
    "groups": limits.MAX_GROUPS, "entries": 50, "dimensions": limits.MAX_DIMENSIONS,
}  # fmt: skip
KINDS = {"program", "damaged", "large", "foreign"}

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
KEYS = st.integers() | st.text(max_size=8)
PLAIN = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
GLOBALS = st.sampled_from(
    [
        *(path.rpartition(".")[::2] for path in sorted(pickle_reader.HARMLESS | pickle_reader.UNUSUAL.keys())),
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"),
        ("builtins", "open"), ("subprocess", "Popen"), ("importlib", "import_module"), ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"), ("torch", "FloatStorage"),
        ("collections", "OrderedDict"), ("collections", "defaultdict"), ("theirs", "Mode"), ("", ""),
    ]
) | st.tuples(st.text(max_size=8), st.text(max_size=8))  # fmt: skip
LEAVES = [ATOMS, st.binary(max_size=8)]


def coded(value) -> bytes:
    """A value's pickle without its frame."""
    return pickle.dumps(value, 3)[2:-1]


def shuffled(inner):
    """Ways to build a larger piece of a pickle from smaller ones; all leave one value on the stack."""
    some = st.lists(inner, max_size=4).map(b"".join)
    call = st.sampled_from([b"R", b"\x81", b"b"])  # REDUCE, NEWOBJ, BUILD
    return st.one_of(
        some.map(lambda items: b"(" + items + b"t"),
        some.map(lambda items: b"](" + items + b"e"),
        some.map(lambda items: b"}(" + items + b"u"),
        st.tuples(inner, inner, call).map(b"".join),
        st.tuples(NAMES, some, call).map(lambda parts: parts[0] + b"(" + parts[1] + b"t" + parts[2]),
        inner.map(lambda one: one + b"Q"),  # BINPERSID
        inner.map(lambda one: one + b"q\x00h\x00a"),  # a list in itself
    )


NAMES = GLOBALS.map(lambda pair: coded(pair[0]) + coded(pair[1]) + b"\x93")  # STACK_GLOBAL
PROGRAMS = st.recursive(st.one_of(*LEAVES).map(coded) | NAMES, shuffled, max_leaves=12)

EVAL = b"\x80\x04" + coded("builtins") + coded("eval") + b"\x93" + coded("1 + 1") + b"\x85R."

RUNS = {"import", "compile", "exec", "open", "pickle.find_class", "os.system", "subprocess.Popen", "socket.connect"}
seen: list[str] = []
watched: set[int] = set()  # threads; those that other tests have left may do as they like


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if threading.get_ident() in watched and event in RUNS:
        seen.append(event)


sys.addaudithook(_watch)


@contextmanager
def watching() -> Iterator[None]:
    """Note in `seen` what runs."""
    seen.clear()
    watched.add(threading.get_ident())
    try:
        yield
    finally:
        watched.clear()


def answer(data: bytes, *, legacy: bool) -> dict | None:
    """What the reader makes of it; None where it refuses. Anything else that happens fails."""
    found = None
    with watching():
        try:
            found = read(data, LIMITS, legacy=legacy)
        except RefusedError as refused:
            assert refused.args[0] in KINDS and isinstance(refused.args[1], str)
    assert seen == []
    return found


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(data, legacy):
    answer(data, legacy=legacy)
    answer(b"\x80\x02" + data + b".", legacy=legacy)


@settings(max_examples=200)
@given(PROGRAMS, st.booleans())
def test_any_program_is_read_or_refused(program, legacy):
    answer(b"\x80\x04" + program + b".", legacy=legacy)


def test_something_that_runs_is_noticed():
    """The watch of the tests above sees what the real unpickler does with such a program."""
    with watching():
        pickle.loads(EVAL)
    assert {"pickle.find_class", "compile", "exec"} <= set(seen)
    assert answer(EVAL, legacy=False) is None


@given(PLAIN, st.integers(0, 5))
def test_plain_data_is_what_pickle_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    assert Machine(LIMITS).run(io.BytesIO(data)) == pickle.loads(data)
    assert read(data, LIMITS, legacy=False) == {
        "groups": {},
        "modules": {},
        "odd": {},
        "unread": [],
        "end": len(data),
        "storages": [],
    }
