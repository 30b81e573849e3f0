"""Files of strangers: what torch.load reads is read alike, nothing in a file runs, each attack has its own words."""

import collections
import datetime
import enum
import io
import json
import os
import pickle
import random
import re
import struct
import subprocess
import sys
import warnings
import zipfile

import pytest
import torch
from safetensors.torch import save as safetensors_save

from rgan.common import limits
from rgan.common.errors import CheckpointError
from rgan.importing import containers, pickle_reader
from tests.work import calls, processor


def saved(value, *, legacy=False, **options) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=not legacy, **options)
    return file.getvalue()


def rezipped(data: bytes, *, compression=zipfile.ZIP_STORED, extra=(), **replaced: bytes) -> bytes:
    """The zip with some entries replaced by their last name, `extra` (name, bytes) added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", compression) as new:
        for entry in old.infolist():
            last = entry.filename.rpartition("/")[2].replace(".", "_")
            new.writestr(entry.filename, replaced.get(last, old.read(entry)))
        for name, content in extra:
            new.writestr(name, content)
    return file.getvalue()


def pickled(*instructions: bytes) -> bytes:
    return rezipped(saved({"w": torch.zeros(2)}), data_pkl=b"\x80\x02" + b"".join(instructions) + b".")


TRILLION = b"\x8a\x06\x00\x10\xa5\xd4\xe8\x00"
KEY = b"X\x01\x00\x00\x000"


def tensor(offset=b"K\x00", shape=b"K\x02\x85", strides=b"K\x01\x85", count=b"K\x02", key=KEY) -> bytes:
    """A dictionary of one tensor, as the instructions that torch.save writes."""
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n" + key + b"X\x03\x00\x00\x00cpu" + count + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + strides + b"\x89N" + b"tR"
    return b"}X\x01\x00\x00\x00w" + call + b"s"


def doubled(wide: int, deep: int) -> bytes:
    """A dictionary whose every value is the dictionary of the level above: a little file with wide^deep values."""
    levels = [b"}q\x00"]
    for level in range(deep):
        items = [b"X\x01\x00\x00\x00%dh%cs" % (name, level) for name in range(wide)]
        levels.append(b"}" + b"".join(items) + b"q%c" % (level + 1))
    return b"".join(levels)


def directory(entries: int, extra=b"") -> bytes:
    """A zip of nothing but its list of entries."""
    head = b"PK\x03\x04" + bytes(26)
    one = struct.pack("<6H3I5H2I", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, len(extra), 0, 0, 0, 0, 0) + b"a" + extra
    listed = (b"PK\x01\x02" + one) * entries
    return head + listed + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 0, 0, len(listed), len(head), 0)


def resized(size: int) -> bytes:
    """A zip whose directory gives another size for the numbers of its only tensor."""
    data = bytearray(saved(TWO))
    listed = data.rindex(b"archive/data/0") - 46
    assert data[listed : listed + 4] == b"PK\x01\x02"
    data[listed + 20 : listed + 28] = struct.pack("<2I", size, size)
    return bytes(data)


def long_shapes(tensors: int) -> bytes:
    """Tensors that share one shape of 100,000 sides: a little file, of which reading it naively makes gigabytes."""
    shape = b"}X\x01\x00\x00\x00a(" + b"K\x01" * 100_000 + b"tq\x01s"
    one = b"X\x01\x00\x00\x00b" + tensor(shape=b"h\x01", strides=b"h\x01")
    return pickled(shape + one * tensors)


def in_this_process(pickled: bytes, name: str, *, legacy: bool, whole: bool = False) -> dict:
    """The reader's answer without a process of its own, for thousands of files."""
    try:
        told = (
            pickle_reader.whole(pickled, containers.LIMITS)
            if whole
            else pickle_reader.read(pickled, containers.LIMITS, legacy=legacy)
        )
        return json.loads(json.dumps(told))
    except pickle_reader.RefusedError as refused:
        raise CheckpointError(containers._refusal(*refused.args, name)) from refused


class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)


MANY = {
    "plain": torch.arange(6.0).view(2, 3),
    "turned": torch.arange(6.0).view(2, 3).t(),
    "part": torch.arange(24.0).view(2, 3, 4)[:, 1:, ::2],
    "half": torch.tensor([0.5, -2.0]).half(),
    "brain": torch.tensor([0.5, -2.0]).bfloat16(),
    "double": torch.tensor([0.1]).double(),
    "count": torch.tensor(7),
    "none": torch.zeros(0, 3),
    "learned": torch.nn.Parameter(torch.ones(2)),
}


@pytest.mark.parametrize("legacy", [False, True])
def test_numbers_are_those_that_torch_reads(legacy):
    data = saved(MANY | {"epoch": 3, "best": None}, legacy=legacy)
    expected = torch.load(io.BytesIO(data), weights_only=True)
    found = containers.read(data).groups[""]
    assert list(found) == list(MANY)
    for name, value in found.items():
        assert value.is_contiguous() and torch.equal(
            value, expected[name].float() if name != "count" else MANY["count"]
        )
    shapes = containers.listing(data).groups[""]
    assert all(shapes[name].is_meta and shapes[name].shape == value.shape for name, value in found.items())


def test_places_far_apart_cost_only_what_is_read():
    """A thousand pairs of numbers at both ends of one storage: what lies between them is not copied for each."""
    base = torch.arange(4e6)
    data, together = (saved({str(k): base.as_strided((2,), (step,)) for k in range(1000)}) for step in (3_999_999, 1))
    far, near = {}, {}
    spent = processor(lambda: far.update(containers.read(data).groups[""]))
    assert spent < 20 * processor(lambda: near.update(containers.read(together).groups[""]))  # 500 with copies
    assert far["999"].tolist() == [0, 3_999_999] and near["999"].tolist() == [0, 1]


def test_pairs_that_python_2_wrote_at_once():
    pairs = b"]X\x01\x00\x00\x00k" + tensor()[1 + 6 : -1] + b"\x86a"
    found = containers.read(pickled(b"ccollections\nOrderedDict\n(" + pairs + b"tR")).groups
    assert found[""]["k"].tolist() == [0, 0]


def test_networks_come_in_groups_and_optimisers_not():
    network = torch.nn.Linear(3, 2)
    adam = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(2, 3)}}, "param_groups": [{"lr": 0.1}]}
    value = {"net_G": network.state_dict(), "optim": adam, "all": {"d": network.state_dict()}}
    for legacy in (False, True):
        groups = containers.read(saved(value, legacy=legacy)).groups
        assert list(groups) == ["net_G", "all/d"]
        assert torch.equal(groups["net_G"]["weight"], network.weight)


def test_objects_beside_the_weights_stay_unread():
    network = torch.nn.Linear(2, 2)
    data = saved({"generator": network.state_dict(), "losses": [torch.nn.L1Loss()], "seen": {1, 2}})
    found = containers.read(data)
    assert list(found.groups) == ["generator"] and found.unread == ("torch.nn.modules.loss.L1Loss",)


class Mode(enum.Enum):
    LAST = "last"


def test_plain_objects_of_python_beside_the_weights_stay_unread():
    about = {"mode": Mode.LAST, "seen": collections.Counter("aab"), "day": datetime.date(2026, 1, 2)}
    found = containers.read(saved(about | {"generator": MANY}))
    assert list(found.groups) == ["generator"] and found.unread == ("tests.importing.test_containers.Mode",)


class ByName:
    """Pickled as an attribute of a class, as some Pythons write the members of an Enum."""

    def __init__(self, of, name):
        self.told = of, name

    def __reduce__(self):
        return getattr, self.told


def test_members_of_an_enum_may_be_written_by_name_and_nothing_else_may():
    found = containers.read(saved({"mode": ByName(Mode, "LAST"), "generator": MANY}))
    assert list(found.groups) == ["generator"] and found.unread == ("tests.importing.test_containers.Mode",)
    for told in ((subprocess.Popen, "wait"), (torch.nn.Module, "apply"), (os.path.join, "__code__")):
        with pytest.raises(CheckpointError, match="code that would run when the file is opened"):
            containers.read(saved({"mode": ByName(*told), "generator": MANY}))


def test_networks_may_lie_in_a_short_list():
    value = [{"a": torch.ones(1)}, {"a": torch.zeros(1)}]
    assert list(containers.read(saved(value)).groups) == ["0", "1"]
    long = {"losses": [0.5] * 1000, "more": [{"a": torch.zeros(1)}] * 1000, "g": {"a": torch.ones(1)}}
    assert list(containers.read(saved(long)).groups) == ["g"]


def test_the_stride_of_a_single_number_may_be_anything():
    data = pickled(tensor(shape=b"K\x01K\x02\x86", strides=b"\x8a\x08" + b"\0" * 7 + b"\x20K\x01\x86"))
    assert containers.read(data).groups[""]["w"].tolist() == [[0, 0]]


def whole(number: int) -> bytes:
    """The instruction that puts a number on the stack."""
    return pickle.dumps(number, 2)[2:-1]


def test_shapes_strides_and_offsets_of_all_kinds_are_what_torch_makes_of_them_or_refused(monkeypatch):
    """2,000 tensors of eight numbers, each nearly right or far off: never an error of another kind."""
    monkeypatch.setattr(containers, "_ask", in_this_process)
    stored = torch.arange(8.0)
    file = saved({"w": stored})
    rng = random.Random(0)
    sizes, far = (0, 1, 1, 2, 2, 3, 4), (7, 8, 9, 2**31, 2**32 - 1, 2**59, 2**61, 2**62 - 1, 2**62, -1)
    read = refused = 0
    for _ in range(2000):
        shape = [rng.choice(far if rng.random() < 0.1 else sizes) for _ in range(rng.randrange(5))]
        strides = [rng.choice(far if rng.random() < 0.2 else sizes) for _ in shape]
        offset, count = rng.choice((0, 0, 0, 1, 3, *far)), rng.choice((8, 8, 8, 8, 7, *far))
        sides, steps = (b"(" + b"".join(map(whole, numbers)) + b"t" for numbers in (shape, strides))
        made = tensor(whole(offset), sides, steps, whole(count))
        try:
            contents = containers.read(rezipped(file, data_pkl=b"\x80\x02" + made + b"."))
            if "w" in contents.odd:
                refused += 1
                continue
            found = contents.groups[""]["w"]
        except CheckpointError as error:
            refused += 1
            assert "expected" in str(error) and "got" in str(error)
            continue
        read += 1
        taken = [step if side > 1 else 0 for side, step in zip(shape, strides, strict=True)]
        expected = torch.zeros(shape) if 0 in shape else stored.as_strided(shape, taken, offset)
        assert torch.equal(found, expected) and found.is_contiguous()
    assert read > 100 and refused > 500


def test_safetensors_are_read_with_their_metadata():
    data = safetensors_save({"w": torch.arange(4.0).half(), "n": torch.tensor([3])}, {"who": "me"})
    found = containers.read(data)
    assert found.metadata == {"who": "me"} and found.groups[""]["w"].tolist() == [0, 1, 2, 3]
    assert found.groups[""]["w"].dtype is torch.float32 and found.groups[""]["n"].item() == 3


def safetensors(entries: dict, numbers=64) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + bytes(numbers)


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def out_of_bounds() -> torch.Tensor:
    """A CSR tensor whose columns lie far outside it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor([0, 1, 2], [10**9, 10**9], [1.0, 1.0], (2, 2), check_invariants=False)


TWO = {"w": torch.zeros(2)}
NAN, INFINITY = {"w": torch.tensor([float("nan")])}, {"w": torch.tensor([float("inf")])}
SCRIPT = b"\x80\x02."
ATTACKS = {
    "code in a zip": (lambda: saved({"w": Evil()}), r"code that would run .*(posix|nt)\.system.*nothing of it was run"),
    "code in a legacy file": (lambda: saved({"w": Evil()}, legacy=True), r"code that would run .*system"),
    "code by its older instruction": (lambda: pickled(b"(X\x01\x00\x00\x00aios\nsystem\n"), "code that would run"),
    "code that looks as an Enum of one value": (
        lambda: pickled(b"csubprocess\nPopen\nX\x05\x00\x00\x00touch\x85R"), "subprocess.Popen"
    ),
    "a function of one value": (lambda: pickled(b"c__main__\nrun\nK\x01\x85R"), "__main__.run"),
    "a call of eval": (lambda: pickled(b"cbuiltins\neval\n(X\x01\x00\x00\x001tR"), "builtins.eval"),
    "a deflate bomb": (
        lambda: rezipped(saved(TWO), compression=zipfile.ZIP_DEFLATED, extra=[("archive/data/1", bytes(10**8))]),
        "stored as they are.*compressed",
    ),
    "100,000 entries": (lambda: directory(100_000), "at most 20,000 short entries"),
    "entries with endless extras": (
        lambda: directory(40, b"\x99\x99\x00\x00" * 16_000), "at most 20,000 short entries"
    ),
    "a zip's size beyond the file": (lambda: resized(10**9), "a damaged one"),
    "a zip's size too small": (lambda: resized(4), "2 numbers in its storage, got 1"),
    "two entries of one name": (lambda: rezipped(saved(TWO), extra=[("archive/data/0", bytes(8))]), "two of one"),
    "10^12 numbers by stride 0": (
        lambda: pickled(tensor(shape=TRILLION + b"\x85", strides=b"K\x00\x85")),
        "each number of the tensor once.*1,000,000,000,000",
    ),
    "an expanded tensor": (lambda: saved({"w": torch.ones(1, 1).expand(3, 3)}), "each number of the tensor once"),
    "rows that overlap": (
        lambda: saved({"w": torch.arange(9.0).as_strided((3, 3), (2, 1))}),
        "each number of the tensor once",
    ),
    "a lying count": (lambda: pickled(tensor(count=TRILLION)), "numbers in its storage, got 2"),
    "a size beyond the storage": (lambda: pickled(tensor(shape=b"K\x05\x85")), "places beyond it"),
    "an offset beyond the storage": (lambda: pickled(tensor(offset=b"K\x01")), "places beyond it"),
    "a negative offset": (lambda: pickled(tensor(offset=b"J\xff\xff\xff\xff")), "no count"),
    "a negative stride": (lambda: pickled(tensor(strides=b"J\xff\xff\xff\xff\x85")), "no count"),
    "2 MB of marks": (lambda: pickled(b"(" * 2_000_000), "more than 500,000 instructions"),
    "a dictionary of ten to the seventh": (lambda: pickled(doubled(10, 7)), "more than 200,000 values"),
    "a shape of 100,000 sides": (lambda: long_shapes(2000), "100,000 dimensions"),
    "a persistent id that is no storage": (lambda: pickled(b"}X\x01\x00\x00\x00wK\x01Qs"), "what is no storage"),
    "a persistent id as text": (lambda: pickled(b"}X\x01\x00\x00\x00wPanything\ns"), "do not use"),
    "a name that commands a terminal": (
        lambda: saved({"\x1b[2Jw": torch.zeros(2)}), "names to print, got \N{REPLACEMENT CHARACTER}"
    ),
    "code whose name commands a terminal": (lambda: pickled(b"cos\n\x1b[2J\n(tR"), "\\(os.\N{REPLACEMENT CHARACTER}"),
    "an empty tensor of 2^61 rows": (
        lambda: pickled(tensor(shape=b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x1f\x86", strides=b"K\x01K\x01\x86")),
        "numbers in all",
    ),
    "an endless name": (lambda: pickled(tensor(key=b"X\xe8\x03\x00\x00" + b"k" * 1000)), "no short text"),
    "an empty pickle": (lambda: pickled(), "a damaged one"),
    "a sparse tensor": (
        lambda: saved({"w": torch.eye(2).to_sparse()}),
        "a sparse tensor",
    ),
    "a sparse tensor with places beyond it": (lambda: saved({"w": out_of_bounds()}), "a sparse tensor"),
    "numbers cut short under a name that commands a terminal": (
        lambda: pickled(b"}X\x04\x00\x00\x00\x1b[2J" + tensor(shape=b"K\x05\x85")[7:]), "names to print"
    ),
    "an unknown dtype under a name that commands a terminal": (
        lambda: safetensors({"\x1b[2J": entry([1], 0, 4, "F4")}), "names to print"
    ),
    "complex numbers": (lambda: saved({"w": torch.zeros(2, dtype=torch.complex64)}), "numbers of an unusual type"),
    "a whole object": (lambda: saved(Mode.LAST), r"whole object, of class .*Mode"),
    "one tensor": (lambda: saved(torch.zeros(2)), "one tensor without a name"),
    "half a TorchScript program": (lambda: rezipped(saved(TWO), extra=[("archive/constants.pkl", SCRIPT)]), "damaged"),
    "no exported program": (lambda: rezipped(saved(TWO), extra=[("a/archive_format", b"pt2")]), "got 0 programs"),
    "a zip of anything": (lambda: rezipped(b"PK\x05\x06" + bytes(18), extra=[("a.txt", b"a")]), "archive of 1 files"),
    "NaN in a zip": (lambda: saved(NAN), "NaN or infinity"),
    "infinity in a legacy file": (lambda: saved(INFINITY, legacy=True), "NaN or infinity"),
    "NaN in safetensors": (lambda: safetensors_save(NAN), "NaN or infinity"),
    "a shape of 10^12": (lambda: safetensors({"w": entry([10**12], 0, 64)}), "within the file"),
    "offsets of 10^12": (lambda: safetensors({"w": entry([10**12], 0, 4 * 10**12)}), "within the file"),
    "a shape that overflows": (lambda: safetensors({"w": entry([2**40, 2**40], 0, 64)}), "within the file"),
    "tensors that overlap": (lambda: safetensors({"a": entry([8], 0, 32), "b": entry([8], 16, 48)}), "overlap"),
    "an empty shape that overflows": (lambda: safetensors({"w": entry([0, 2**62, 2**62], 0, 0)}), "numbers in all"),
    "a dtype that is a list": (lambda: safetensors({"w": entry([1], 0, 4, [])}), "header of a safetensors"),
    "a count of 4,000 digits": (lambda: safetensors({"w": entry([10**4000] * 2, 0, 4)}), "header of a safetensors"),
    "a name of a megabyte": (lambda: safetensors({"G." * 10**6: entry([1], 0, 4)}), "header|expected short names"),
    "a negative shape": (lambda: safetensors({"a": entry([-8], 0, 32)}), "header of a safetensors"),
    "a shape of truth": (lambda: safetensors({"a": entry([True], 0, 4)}), "header of a safetensors"),
    "a dtype of its own": (lambda: safetensors({"a": entry([8], 0, 32, "F4")}), "plain numbers, got F4"),
    "a header of 2^60": (lambda: struct.pack("<Q", 2**60) + b"{}" + bytes(64), "expected a checkpoint"),
    "a header deep as the sea": (
        lambda: struct.pack("<Q", 200_000) + b'{"a":' * 40_000 + bytes(64),
        "header of a safetensors",
    ),
    "too many tensors": (lambda: safetensors({str(k): entry([0], 0, 0) for k in range(5000)}), "at most 4,096 tensors"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", ATTACKS)
def test_attacks_are_refused_in_words(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, words = ATTACKS[case]
    data = make()

    def attacked():
        if case in LEFT_OUT:
            found = containers.read(data, "theirs.pth")
            assert not found.groups.get("") and re.search(words, " ".join(found.odd.values()))
        else:
            with pytest.raises(CheckpointError, match=words):
                containers.read(data, "theirs.pth")

    assert calls(attacked) < 500_000  # 100,000 for five thousand tensors
    assert list(tmp_path.iterdir()) == []


LEFT_OUT = {  # alone they are no network, and beside one they do no harm
    "10^12 numbers by stride 0", "an expanded tensor", "rows that overlap", "a sparse tensor", "complex numbers",
    "a sparse tensor with places beyond it", "NaN in a zip", "infinity in a legacy file", "NaN in safetensors",
}  # fmt: skip

VAIN = {
    "dictionaries within themselves": b"}X\x01\x00\x00\x00a}q\x01X\x01\x00\x00\x00bh\x01ss",
    "a place in memory beyond all": b"}r\xff\xff\xff\xff",
    "a number of a megabyte": b"}X\x01\x00\x00\x00w\x8b\x00\x00\x10\x00" + b"\x7f" * 2**20 + b"s",
}


@pytest.mark.parametrize("case", VAIN)
def test_attacks_that_come_to_nothing(case):
    assert containers.read(pickled(VAIN[case])).groups == {}


MISTAKES = {
    "a Git LFS pointer$": b"\xef\xbb\xbfversion https://git-lfs.example/spec/v1\noid sha256:00\nsize 5\n",
    "a web page$": b"\n<!-- saved from a browser -->\n<!DOCTYPE html><html>",
    "a Git LFS pointer": b"version https://git-lfs.example/spec/v1\noid sha256:00\nsize 5\n",
    "a web page": b"\n<!DOCTYPE html><html><body>sign in</body></html>",
    "a PNG image": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "a JPEG image": b"\xff\xd8\xff\xe0" + bytes(40),
    "a gzip archive": b"\x1f\x8b\x08" + bytes(40),
    "a tar archive": bytes(257) + b"ustar" + bytes(300),
    "an empty zip archive": b"PK\x05\x06" + bytes(18),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "a numpy array": b"\x93NUMPY\x01\x00" + bytes(40),
    "a pickle of another program": pickle.dumps({"a": 1}),
    "a text file": b"epoch,loss\n1,0.5\n",
    "zeros": bytes(1000),
    "an empty file": b"",
    "something else": bytes(range(7, 200)),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_files_uploaded_by_mistake_are_named(what):
    named = what.removesuffix("$")
    with pytest.raises(CheckpointError, match=f"mine: expected a checkpoint .*got {named}.*; "):
        containers.sniff(MISTAKES[what], "mine")


def test_no_word_of_a_file_commands_a_terminal():
    for data in (b"", pickled(tensor(shape=b"K\x05\x85")), pickled()):
        with pytest.raises(CheckpointError) as refused:
            containers.read(data, "\x1b[2Jtheirs.pth")
        assert str(refused.value).isprintable() and "theirs.pth: " in str(refused.value)


@pytest.mark.parametrize("legacy", [False, True])
def test_files_cut_short_are_refused(legacy):
    data = saved({"w": torch.arange(1000.0)}, legacy=legacy)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(CheckpointError, match="copy it again"):
            containers.read(data[: int(share * len(data))])


def test_oversized_files_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="at most 0 MiB"):
        containers.sniff(bytes(2000))
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MAX_NUMBERS", 5)
    with pytest.raises(CheckpointError, match="at most 5 numbers in all, got 6"):
        containers.listing(saved({"a": torch.zeros(4), "b": torch.zeros(2)}))


def test_the_reader_is_kept_from_memory_and_files(tmp_path):
    """What its limits forbid fails in a process that has set them as the reader does."""
    script = (
        f"import sys; sys.path.insert(0, {os.path.dirname(pickle_reader.__file__)!r}); import pickle_reader\n"
        "pickle_reader.restrict(2**28, 5)\n"
        "try: bytearray(2**29)\n"
        "except MemoryError: print('memory')\n"
        "try: open('left', 'wb', buffering=0).write(bytes(9)); print('wrote')\n"
        "except OSError: print('files')\n"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout.split() == ["memory", "files"]


def test_a_reader_that_dies_or_hangs_is_an_error(monkeypatch, tmp_path):
    data = saved(TWO)
    for script, words in (("import os; os.abort()", "ends its reader"), ("while True: pass", "too long")):
        (tmp_path / "reader.py").write_text(script)
        monkeypatch.setattr(pickle_reader, "__file__", str(tmp_path / "reader.py"))
        monkeypatch.setattr(limits, "READER_SECONDS", 0.2)
        with pytest.raises(CheckpointError, match=words):
            containers.read(data)
