"""Says where the tensors of a .pth file lie, by reading its pickle as data: nothing in it is looked up or called.

A pickle is a program for a small machine. This script is that machine without its dangerous parts: names of classes
and functions stay names, and of all calls only those that describe a tensor mean anything. It is run as a process of
its own (`containers` does), imports nothing of RGAN Lab or torch, limits its own memory, time and files first, reads

    one line of JSON   {"legacy": bool, "whole": bool, "memory": bytes, "seconds": n, "operations": n, "nodes": n,
                        "depth": n, "name": n, "tensors": n, "groups": n, "entries": n, "dimensions": n}
    the pickle's bytes

from standard input and writes one JSON object to standard output: {"groups": {path: {name: tensor}}, "unread": [class
names], "odd": {path: what tensor cannot be read}, "modules": {path: [[name, class, {attribute: plain value}], …] of a
whole module, parts in their order}, "end": bytes read, "storages": [[key, dtype] as they follow in a legacy file]},
where a tensor is [storage key, dtype, numbers in the storage, offset, shape, strides]; of the pickles in a TorchScript
archive ("whole") {"root": value, "objects": [[class, {attribute: value}], …]}, where a value is JSON's own, or one of
["tensor", tensor], ["object", its place in the list], ["list", [value, …]], ["dict", [[key, value], …]], or ["unknown",
class]; or {"error":
what was found instead, "kind": one of "program",
"damaged", "large", "foreign"}.
"""

from __future__ import annotations

import io
import json
import pickletools
import sys
from _compat_pickle import IMPORT_MAPPING
from collections.abc import Iterable
from typing import Any

MAGIC = 0x1950A86A20F9469CFC6C  # begins a legacy file of torch.save, as its first pickle
DTYPES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
# Calls that torch.save and numpy write around plain values. Their results are kept as `Made`, with nothing inside.
HARMLESS = {
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
    "numpy.dtype",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "_codecs.encode",
    "copy_reg._reconstructor",
    "copyreg._reconstructor",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pathlib.Path",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "builtins.set",
    "builtins.frozenset",
    "builtins.bytearray",
    "builtins.complex",
    "builtins.range",
    "builtins.slice",
    "builtins.object",
    "builtins.list",
    "builtins.tuple",
    "builtins.dict",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "collections.Counter",
    "collections.deque",
    "collections.UserDict",
    "decimal.Decimal",
    "fractions.Fraction",
    "functools.partial",
    "uuid.UUID",
    "argparse.Namespace",
    "types.SimpleNamespace",
    "numpy.ndarray",
    "numpy.random.__pickle.__generator_ctor",
    "numpy.random._pickle.__generator_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._pickle.__randomstate_ctor",
    "torch.Generator",
    "torch.dtype",
    "torch.memory_format",
}
RECONSTRUCTORS = {"copy_reg._reconstructor", "copyreg._reconstructor"}  # of objects by the oldest protocols
TYPED_LISTS = {f"torch.jit._pickle.build_{kind}list" for kind in ("int", "double", "bool", "tensor")} | {
    "torch.jit._pickle.restore_type_tag"
}
TENSORS = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
OF_A_CLASS = ("torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type")
UNUSUAL = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor",
    "torch._utils._rebuild_qtensor": "a quantised tensor",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without data",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of another kind",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_tensor_v3": "a tensor of a rare dtype",
    "torch._utils._rebuild_xla_tensor": "a tensor of another device",
    "torch.storage._load_from_bytes": "tensors pickled without torch.save",
}


class RefusedError(Exception):
    """The pickle is not one that describes tensors; (kind, what was found)."""


class Name:
    """A class or function that the pickle mentions: its name, and nothing else."""

    def __init__(self, module: str, name: str):
        self.path = f"{module}.{name}"


class Made:
    """An object of a class that is not looked up: its name, and the attributes that the pickle gives it, if any."""

    def __init__(self, of: str):
        self.of = of
        self.state: dict[Any, Any] = {}

    @property
    def is_module(self) -> bool:
        """Whether it has what every torch.nn.Module has."""
        return isinstance(self.state.get("_modules"), dict) and isinstance(self.state.get("_parameters"), dict)


class Storage:
    def __init__(self, key: str, dtype: str, count: int):
        self.key, self.dtype, self.count = key, dtype, count


class TensorAt:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def plain(self) -> list[Any]:
        return [
            self.storage.key, self.storage.dtype, self.storage.count, self.offset, list(self.shape), list(self.strides)
        ]  # fmt: skip


class Mark:
    """Where a list of arguments begins on the stack."""


class Odd:
    """A tensor of a kind that no network here has, and what it is."""

    def __init__(self, what: str):
        self.what = what


def modern(path: str) -> str:
    """A name as Python 3 writes it: torch.save writes those of Python 2, and Python 3.13 moved its paths."""
    module, _, name = path.rpartition(".")
    return f"{MOVED.get(module, module)}.{name}"


MOVED = {"__builtin__": "builtins", "pathlib._local": "pathlib", "pathlib._abc": "pathlib"}


class Machine:
    """Runs the instructions of pickles that matter, for one file."""

    def __init__(self, limits: dict[str, int]):
        self.limits = limits
        self.left = limits["operations"]
        self.made: dict[str, None] = {}
        self.storages: dict[str, str] = {}

    def run(self, stream: io.BytesIO) -> Any:
        """The value that one pickle describes."""
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        for code, argument, _ in pickletools.genops(stream):
            self.left -= 1
            if self.left < 0:
                raise RefusedError("large", f"more than {self.limits['operations']:,} instructions")
            if code.name == "STOP":
                return self.stack.pop()
            getattr(self, f"op_{code.name.lower()}", self.unknown)(argument)
        raise RefusedError("damaged", "no end")

    def unknown(self, _: Any) -> None:
        raise RefusedError("program", "an instruction that files of weights do not use")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def nothing(self, _: Any) -> None:
        """An instruction about the pickle itself."""

    op_proto = op_frame = nothing
    op_int = op_binint = op_binint1 = op_binint2 = op_long = op_long1 = op_long4 = op_float = op_binfloat = push
    op_string = op_binstring = op_short_binstring = op_binbytes = op_short_binbytes = op_binbytes8 = push
    op_unicode = op_binunicode = op_short_binunicode = op_binunicode8 = op_bytearray8 = push

    def op_none(self, _: Any) -> None:
        self.push(None)

    def op_newtrue(self, _: Any) -> None:
        self.push(True)

    def op_newfalse(self, _: Any) -> None:
        self.push(False)

    def op_mark(self, _: Any) -> None:
        self.push(Mark)

    def op_pop(self, _: Any) -> None:
        self.stack.pop()

    def op_pop_mark(self, _: Any) -> None:
        self.since_mark()

    def op_dup(self, _: Any) -> None:
        self.push(self.stack[-1])

    def op_empty_dict(self, _: Any) -> None:
        self.push({})

    def op_empty_list(self, _: Any) -> None:
        self.push([])

    def op_empty_tuple(self, _: Any) -> None:
        self.push(())

    def op_empty_set(self, _: Any) -> None:
        self.push([])

    def op_tuple(self, _: Any) -> None:
        self.push(tuple(self.since_mark()))

    def op_tuple1(self, _: Any) -> None:
        self.push((self.stack.pop(),))

    def op_tuple2(self, _: Any) -> None:
        second, first = self.stack.pop(), self.stack.pop()
        self.push((first, second))

    def op_tuple3(self, _: Any) -> None:
        third, second, first = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.push((first, second, third))

    def op_list(self, _: Any) -> None:
        self.push(self.since_mark())

    def op_frozenset(self, _: Any) -> None:
        self.push(self.since_mark())

    def op_dict(self, _: Any) -> None:
        values = self.since_mark()
        self.push({})
        self.fill(zip(values[::2], values[1::2], strict=True))

    def op_append(self, _: Any) -> None:
        self.extend([self.stack.pop()])

    def op_appends(self, _: Any) -> None:
        self.extend(self.since_mark())

    op_additems = op_appends

    def op_setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.fill([(key, value)])

    def op_setitems(self, _: Any) -> None:
        values = self.since_mark()
        self.fill(zip(values[::2], values[1::2], strict=True))

    def op_put(self, where: Any) -> None:
        self.memo[where] = self.stack[-1]

    op_binput = op_long_binput = op_put

    def op_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def op_get(self, where: Any) -> None:
        self.push(self.memo[where])

    op_binget = op_long_binget = op_get

    def op_global(self, path: str) -> None:
        module, _, name = path.partition(" ")
        self.push(Name(module, name))

    def op_stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push(Name(self.text(module), self.text(name)))

    def op_binpersid(self, _: Any) -> None:
        self.push(self.storage(self.stack.pop()))

    def op_reduce(self, _: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        self.push(self.call(called, arguments))
        if isinstance(called, Name) and called.path == "collections.OrderedDict" and arguments:
            self.fill(arguments[0])  # Python 2 gives it its pairs at once

    def op_newobj(self, _: Any) -> None:
        self.stack.pop()
        self.push(self.object(self.stack.pop()))

    def op_newobj_ex(self, _: Any) -> None:
        del self.stack[-2:]
        self.push(self.object(self.stack.pop()))

    def op_build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1] if self.stack else None
        if isinstance(target, Made) and isinstance(state, dict):
            target.state = state

    def since_mark(self) -> list[Any]:
        """Take what lies above the last mark, and the mark."""
        values: list[Any] = []
        while (value := self.stack.pop()) is not Mark:
            values.append(value)
        values.reverse()
        return values

    def fill(self, pairs: Iterable[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Made):
            return
        if not isinstance(target, dict):
            raise RefusedError("damaged", "items for what is no dictionary")
        for key, value in pairs:
            if isinstance(key, (str, int, float, bytes)) or key is None:
                target[key] = value
            # Other keys (tuples, objects) name no tensor of a network.

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target += values
        elif not isinstance(target, Made):
            raise RefusedError("damaged", "items for what is no list")

    def call(self, called: Any, arguments: Any) -> Any:
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise RefusedError("program", "a call of what is no function")
        path = modern(called.path)
        if path in TENSORS:
            return self.tensor(*arguments[:4])
        if path in PARAMETERS:
            return arguments[0]
        if path in OF_A_CLASS and len(arguments) > 2 and isinstance(arguments[0], Name):  # its numbers are a tensor's
            inner = modern(arguments[0].path)
            return self.call(*arguments[:3:2]) if inner in TENSORS + PARAMETERS else Odd("a tensor of another kind")
        if path in ("collections.OrderedDict", "collections.defaultdict"):
            return {}
        if path in TYPED_LISTS and arguments:
            return arguments[0]
        if path in UNUSUAL:
            return Odd(UNUSUAL[path])
        if path in RECONSTRUCTORS and arguments and isinstance(arguments[0], Name):
            return self.object(arguments[0])
        if path in HARMLESS:
            return Made(path)
        # Some Pythons write an Enum's member by its name.
        if path == "builtins.getattr" and arguments and isinstance(arguments[0], Name):
            called, arguments = arguments[0], arguments[1:]
        if self.is_member(called.path, arguments):
            return self.object(called)
        raise RefusedError("program", path[:80])

    def is_member(self, path: str, arguments: tuple[Any, ...]) -> bool:
        """Whether a call looks as that of a program's own Enum with one of its values. Nothing is called either way;
        what could do harm elsewhere, a function or anything that comes with Python, 2 or 3, or torch, is refused.
        """
        module, _, name = path.rpartition(".")
        own = module.partition(".")[0] not in {*sys.stdlib_module_names, *IMPORT_MAPPING, "nt", "torch", "numpy"}
        value = arguments[0] if len(arguments) == 1 else None
        return own and name[:1].isupper() and isinstance(value, (str, int)) and len(str(value)) <= 100

    def object(self, of: Any) -> Made:
        """An object of a class; ordinary ones are made without a call, so this file would run no code of its own."""
        path = of.path if isinstance(of, Name) else "something"
        self.made[path[:80]] = None
        return Made(path)

    def storage(self, told: Any) -> Storage | Name:
        if isinstance(told, tuple) and len(told) > 1 and told[0] == "module" and isinstance(told[1], Name):
            return told[1]  # a module's class, beside which old files keep its source
        if not isinstance(told, tuple) or len(told) < 5 or told[0] != "storage" or not isinstance(told[1], Name):
            raise RefusedError("damaged", "a reference to what is no storage")
        if len(told) > 5 and told[5] is not None:
            raise RefusedError("foreign", "storages that are parts of others, as torch wrote them before 0.4")
        dtype = DTYPES.get(told[1].path.rpartition(".")[2], "")  # others are not read, where they are no network's
        key = self.text(told[2])
        self.storages[key] = dtype
        return Storage(key, dtype, self.count(told[4]))

    def tensor(self, storage: Any = None, offset: Any = None, shape: Any = None, strides: Any = None) -> TensorAt | Odd:
        if isinstance(storage, Storage) and not storage.dtype:
            return Odd("numbers of an unusual type")
        if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
            raise RefusedError("damaged", "a tensor without storage, shape or strides")
        if len(shape) != len(strides) or len(shape) > self.limits["dimensions"]:
            raise RefusedError("damaged", f"a tensor of {len(shape):,} dimensions and {len(strides):,} strides")
        sizes, steps = tuple(self.count(size) for size in shape), tuple(self.count(step) for step in strides)
        return TensorAt(storage, self.count(offset), sizes, steps)

    def count(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**62:
            raise RefusedError("damaged", "a shape, stride or offset that is no count")
        return value

    def text(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > self.limits["name"]:
            raise RefusedError("damaged", "a name that is no short text")
        return value


class Walk:
    """The dictionaries of tensors in a value, by their path, in short lists too: those of networks. Optimisers number
    theirs.
    """

    def __init__(self, limits: dict[str, int]):
        self.limits = limits
        self.groups: dict[str, dict[str, list[Any]]] = {}
        self.modules: dict[str, list[list[Any]]] = {}
        self.odd: dict[str, str] = {}  # tensors that cannot be read, by where they lie, and what they are
        self.nodes = self.tensors = 0

    def visit(self, value: Any, path: tuple[str, ...] = ()) -> None:
        self.nodes += 1
        if self.nodes > self.limits["nodes"]:
            raise RefusedError("large", f"more than {self.limits['nodes']:,} values")
        if isinstance(value, (TensorAt, Odd)) and not path:
            raise RefusedError("foreign", "one tensor without a name" if isinstance(value, TensorAt) else value.what)
        if isinstance(value, (list, tuple)) and len(value) <= self.limits["groups"]:  # of networks perhaps
            value = {str(place): inner for place, inner in enumerate(value) if isinstance(inner, (dict, list, tuple))}
        if isinstance(value, Made) and value.is_module:
            where = "/".join(path)
            self.modules[where] = []
            self.groups.setdefault(where, {})
            self.module(value, where, "", 0)
            return
        if not isinstance(value, dict) or len(path) > self.limits["depth"]:
            return
        for key, inner in value.items():
            self.nodes += 1
            if not isinstance(key, str) or len(key) > self.limits["name"]:
                continue
            if isinstance(inner, TensorAt):
                self.tensors += 1
                if self.tensors > self.limits["tensors"]:
                    raise RefusedError("large", f"more than {self.limits['tensors']:,} tensors")
                self.groups.setdefault("/".join(path), {})[key] = inner.plain()
            elif isinstance(inner, Odd):
                self.odd["/".join((*path, key))] = inner.what
            else:
                self.visit(inner, (*path, key))

    def module(self, value: Made, where: str, name: str, depth: int) -> None:
        """The parts of a module, and its tensors by the names that state_dict() gives them."""
        self.nodes += 1
        if self.nodes > self.limits["nodes"] or depth > 4 * self.limits["depth"]:
            raise RefusedError("large", f"more than {self.limits['nodes']:,} values")
        if len(name) > self.limits["name"]:
            raise RefusedError("damaged", "a name that is no short text")
        plain = {key: told for key, inner in value.state.items() if (told := simple(key, inner)) is not None}
        self.modules[where].append([name, value.of[:200], dict(list(plain.items())[:40])])
        prefix = f"{name}." if name else ""
        buffers = value.state.get("_buffers")
        for own in (value.state["_parameters"], buffers if isinstance(buffers, dict) else {}):
            for key, inner in own.items():
                if isinstance(inner, TensorAt) and isinstance(key, str):
                    self.tensors += 1
                    if self.tensors > self.limits["tensors"]:
                        raise RefusedError("large", f"more than {self.limits['tensors']:,} tensors")
                    self.groups[where][prefix + key] = inner.plain()
        for key, inner in value.state["_modules"].items():
            if isinstance(inner, Made) and inner.is_module and isinstance(key, str):
                self.module(inner, where, prefix + key, depth + 1)


class Whole:
    """All that a pickle of TorchScript says: its objects with their attributes, each once."""

    def __init__(self, limits: dict[str, int]):
        self.limits = limits
        self.nodes = self.tensors = 0
        self.objects: list[list[Any]] = []
        self.places: dict[int, int] = {}

    def value(self, value: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if self.nodes > self.limits["nodes"] or depth > 16 * self.limits["depth"]:
            raise RefusedError("large", f"more than {self.limits['nodes']:,} values")
        if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 2**63):
            return value
        if isinstance(value, str) and len(value) <= 1000:
            return value
        if isinstance(value, TensorAt):
            self.tensors += 1
            if self.tensors > self.limits["tensors"]:
                raise RefusedError("large", f"more than {self.limits['tensors']:,} tensors")
            return ["tensor", value.plain()]
        if isinstance(value, (list, tuple)):
            return ["list", [self.value(inner, depth + 1) for inner in value]]
        if isinstance(value, dict):
            return ["dict", [[self.value(k, depth + 1), self.value(inner, depth + 1)] for k, inner in value.items()]]
        if isinstance(value, Made):
            if id(value) not in self.places:
                self.places[id(value)] = place = len(self.objects)
                self.objects.append([value.of[:1000], {}])
                told = {key: inner for key, inner in value.state.items() if isinstance(key, str)}
                self.objects[place][1] = {key: self.value(inner, depth + 1) for key, inner in told.items()}
            return ["object", self.places[id(value)]]
        return ["unknown", value.what if isinstance(value, Odd) else type(value).__name__]


def whole(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """All that the pickle of a TorchScript archive says.

    Raises:
        RefusedError, MemoryError: as `read`.
    """
    walk = Whole(limits)
    try:
        value = Machine(limits).run(io.BytesIO(data))
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # as in `read`
        raise RefusedError("damaged", type(error).__name__) from error
    root = walk.value(value)
    return {"root": root, "objects": walk.objects}


def simple(key: Any, value: Any) -> Any:
    """An attribute's value if it is plain: a number, a short text, or a few numbers; None for all else."""
    if not isinstance(key, str) or key.startswith("_") or len(key) > 60:
        return None
    if isinstance(value, (bool, int, float)):
        return value if abs(value) < 1e12 else None
    if isinstance(value, str):
        return value if len(value) <= 60 else None
    if isinstance(value, (tuple, list)) and 0 < len(value) <= 8:
        return list(value) if all(isinstance(one, (int, float)) and abs(one) < 1e12 for one in value) else None
    return None


def read(data: bytes, limits: dict[str, int], *, legacy: bool) -> dict[str, Any]:
    """What the pickle says of its tensors, as this module's docstring tells.

    Raises:
        RefusedError: it is no pickle of tensors, or exceeds a limit.
        MemoryError: it asks for more than this process may have.
    """
    stream, machine, walk = io.BytesIO(data), Machine(limits), Walk(limits)
    storages: list[tuple[str, str]] = []
    try:
        if legacy:
            if machine.run(stream) != MAGIC:
                raise RefusedError("foreign", "a pickle of another program")
            machine.run(stream)  # version of the format
            if machine.run(stream).get("little_endian") is not True:
                raise RefusedError("foreign", "numbers of a machine with another byte order")
        value = machine.run(stream)
        if legacy:
            keys = machine.run(stream)
            if len(keys) > limits["entries"]:
                raise RefusedError("large", f"more than {limits['entries']:,} storages")
            storages = [(key, machine.storages[key]) for key in keys]
            if not all(dtype for _, dtype in storages):
                raise RefusedError("foreign", "numbers of an unusual type")
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # whatever a broken pickle does to the stack: it is the pickle's fault
        raise RefusedError("damaged", type(error).__name__) from error
    if isinstance(value, Made) and not value.is_module:
        raise RefusedError("foreign", f"a whole object, of class {value.of[:80]}, instead of weights by name")
    walk.visit(value)
    parts = {part[1] for parts in walk.modules.values() for part in parts}
    unread = [name for name in machine.made if name not in parts]
    return {
        "groups": walk.groups, "modules": walk.modules, "odd": walk.odd, "unread": unread[:20], "end": stream.tell(),
        "storages": storages,
    }  # fmt: skip


def main() -> None:
    """Read from standard input, write to standard output."""
    limits = json.loads(sys.stdin.buffer.readline())
    restrict(limits["memory"], limits["seconds"])
    try:
        data = sys.stdin.buffer.read()
        answer = whole(data, limits) if limits.get("whole") else read(data, limits, legacy=limits["legacy"])
    except RefusedError as refused:
        answer = {"kind": refused.args[0], "error": refused.args[1]}
    except (MemoryError, RecursionError):
        answer = {"kind": "large", "error": "more than the memory that reading may take"}
    sys.stdout.write(json.dumps(answer))


def restrict(memory: int, seconds: int) -> None:
    """Limits of this process, where the system has them (not on Windows, where the caller's clock remains)."""
    try:
        import resource
    except ImportError:
        return
    wanted = {"RLIMIT_AS": memory, "RLIMIT_CPU": seconds, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 16, "RLIMIT_CORE": 0}
    for name, value in wanted.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):
            continue  # macOS refuses RLIMIT_AS; the others hold


if __name__ == "__main__":
    main()
