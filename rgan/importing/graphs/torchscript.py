"""TorchScript archives (torch.jit.save): objects with tensors, and code as text that says in which order they work.

The text is parsed by a process of its own (`script_reader`) and followed here, statement by statement, with a limit on
how many: operators on the noise become layers, and nothing else is done than arithmetic on plain numbers and lists.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from rgan.importing.graphs import operators
from rgan.importing.graphs.flows import EndlessError, Flow, Products, Table, Tape, Turned, UnknownError
from rgan.importing.graphs.operators import Value, need
from rgan.importing.graphs.program import Input, Program

MAX_STEPS = 200_000  # expressions and statements that are followed
MAX_CALLED = 64  # functions within functions
MAX_LIST = 100_000  # values in a list
ARITHMETIC: dict[str, Callable[..., Value]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "floordiv": operator.floordiv,
    "div": operator.truediv, "remainder": operator.mod, "neg": operator.neg, "eq": operator.eq, "ne": operator.ne,
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "__not__": operator.not_,
    "__and__": lambda a, b: bool(a and b), "__or__": lambda a, b: bool(a or b), "__is__": operator.is_,
    "__isnot__": operator.is_not, "__contains__": lambda some, one: one in some, "len": len, "min": min, "max": max,
    "Int": int, "Float": float, "Bool": bool, "ceil": math.ceil, "floor": math.floor, "abs": abs, "list": list,
    "IntImplicit": int, "FloatImplicit": float, "ScalarImplicit": lambda x: x, "floor_divide": operator.floordiv,
    "slice": lambda some, *ends: some[slice(*ends)], "__getitem__": operator.getitem, "sqrt": math.sqrt,
    "format": lambda *_: "", "warn": lambda *_: None,
}  # fmt: skip
IDENTITIES = {"NumToTensor", "data", "unchecked_unwrap_optional", "grad"}  # of ops.prim


class _Object:
    """An object of the archive: its class, and its attributes."""

    def __init__(self, of: str):
        self.of = of
        self.fields: dict[str, Value] = {}


class _Path:
    """A dotted name: of a function, a class or a namespace."""

    def __init__(self, path: str):
        self.path = path


class _Method:
    def __init__(self, owner: _Object, name: str):
        self.owner, self.name = owner, name


class _Return(Exception):  # noqa: N818
    def __init__(self, value: Value):
        self.value = value


class Script(Program):
    """A TorchScript module. Its inputs are the arguments of `forward` that have no default."""

    kind = "TorchScript"

    def __init__(
        self, told: Mapping[str, Any], constants: Sequence[Value], code: Mapping[str, Any],
        tensor: Callable[[Any], Tensor | None],
    ):  # fmt: skip
        """told, code: what `pickle_reader` and `script_reader` say. tensor: reads one of the file's."""
        self._classes, self._functions = code["classes"], code["functions"]
        objects = [_Object(of) for of, _ in told["objects"]]
        self.tensors = {}

        def value(given: Any) -> Value:
            if not isinstance(given, list):
                return given
            kind, inner = given
            if kind == "tensor":
                return tensor(inner)
            if kind == "object":
                return objects[inner]
            if kind == "list":
                return [value(one) for one in inner]
            if kind == "dict":
                return {key: value(one) for key, one in inner if isinstance(key, (str, int))}
            return None

        for one, (_, fields) in zip(objects, told["objects"], strict=True):
            one.fields = {key: value(given) for key, given in fields.items()}
        self._constants = list(constants)
        self._root = value(told["root"])
        if not isinstance(self._root, _Object):
            raise UnknownError("no module at its root")
        self._name(self._root, "", set())
        forward = self._function(self._root, "forward")
        self.inputs = tuple(Input(name) for name, default in forward[0][1:] if default is None)

    def _name(self, owner: _Object, prefix: str, seen: set[int]) -> None:
        """The tensors by the names of state_dict()."""
        if id(owner) in seen:
            return
        seen.add(id(owner))
        for key, value in owner.fields.items():
            if isinstance(value, Tensor):
                self.tensors[f"{prefix}{key}"] = value
            elif isinstance(value, _Object):
                self._name(value, f"{prefix}{key}.", seen)

    def _function(self, owner: _Object, name: str) -> Any:
        methods = self._classes.get(owner.of, {})
        need(name in methods, f"{name}() of {owner.of.rpartition('.')[2][:60]}, which has no code")
        return methods[name]

    def follow(self, tape: Tape, values: Sequence[Value]) -> Value:
        run = _Run(self, tape)
        try:
            return run.call(self._function(self._root, "forward"), [self._root, *values], {})
        except RecursionError as error:
            raise UnknownError("code that is nested too deep") from error


class _Run:
    """One way through the code."""

    def __init__(self, script: Script, tape: Tape):
        self.script, self.tape = script, tape
        self.steps = self.depth = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise EndlessError("code that takes too long to follow")

    def call(self, function: Any, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
        self.depth += 1
        need(self.depth <= MAX_CALLED, "functions that call each other without end")
        told, body = function
        names: dict[str, Value] = {}
        for place, (name, default) in enumerate(told):
            if place < len(arguments):
                names[name] = arguments[place]
            elif name in named:
                names[name] = named[name]
            else:
                need(default is not None, "a call without its arguments")
                names[name] = self.value(default, names)
        try:
            self.run(body, names)
            result = None
        except _Return as done:
            result = done.value
        self.depth -= 1
        return result

    def run(self, body: Sequence[Any], names: dict[str, Value]) -> None:
        for statement in body:
            self.step()
            kind, *rest = statement
            if kind == "=":
                self.assign(rest[0], self.value(rest[1], names), names)
            elif kind == "do":
                self.value(rest[0], names)
            elif kind == "return":
                raise _Return(self.value(rest[0], names))
            elif kind == "if":
                self.run(rest[1] if self.truth(rest[0], names) else rest[2], names)
            elif kind == "for":
                for one in self.plain_list(self.value(rest[1], names)):
                    self.assign(rest[0], one, names)
                    self.run(rest[2], names)
            elif kind == "while":
                while self.truth(rest[0], names):
                    self.step()
                    self.run(rest[1], names)

    def truth(self, test: Any, names: dict[str, Value]) -> bool:
        value = self.value(test, names)
        need(isinstance(value, (bool, int, float)) or (isinstance(value, Tensor) and value.numel() == 1),
             "code that depends on the noise")  # fmt: skip
        return bool(value)

    def plain_list(self, value: Value) -> Sequence[Value]:
        need(isinstance(value, (list, tuple, range)) and len(value) <= MAX_LIST, "a loop over what is no list")
        assert isinstance(value, (list, tuple, range))
        return value

    def assign(self, target: Any, value: Value, names: dict[str, Value]) -> None:
        if target[0] == "name":
            names[target[1]] = value
        elif target[0] == "list":
            parts = self.plain_list(value)
            need(len(parts) == len(target[1]), "a list of another length")
            for one, part in zip(target[1], parts, strict=True):
                self.assign(one, part, names)
        else:
            need(target[0] == "of", "code of an unusual kind")  # an attribute set, as a counter of batches is

    def value(self, told: Any, names: dict[str, Value]) -> Value:
        self.step()
        kind, *rest = told
        if kind == "constant":
            return rest[0]
        if kind == "name":
            return names[rest[0]] if rest[0] in names else _Path(rest[0])
        if kind == "list":
            return [self.value(one, names) for one in rest[0]]
        if kind == "of":
            return self.attribute(self.value(rest[0], names), rest[1])
        if kind == "dict":
            return {self.value(key, names): self.value(one, names) for key, one in rest[0]}
        if kind == "at":
            return self.element(self.value(rest[0], names), self.value(rest[1], names))
        if kind == "call":
            function = self.value(rest[0], names)
            if isinstance(function, _Path) and function.path in ("annotate", "unchecked_cast"):
                return self.value(rest[1][1], names)
            arguments = [self.value(one, names) for one in rest[1]]
            named = {name: self.value(one, names) for name, one in rest[2].items()}
            return self.called(function, arguments, named)
        raise UnknownError(f"code of an unusual kind, {rest[0] if rest else kind}")

    def attribute(self, owner: Value, name: str) -> Value:
        if isinstance(owner, _Path):
            if owner.path == "CONSTANTS":
                place = name[1:]
                need(place.isdecimal() and int(place) < len(self.script._constants), "a constant that is not there")
                return self.script._constants[int(place)]
            return _Path(f"{owner.path}.{name}")
        if isinstance(owner, _Object):
            return owner.fields[name] if name in owner.fields else _Method(owner, name)
        raise UnknownError(f"an attribute {name[:60]}")

    def element(self, owner: Value, place: Value) -> Value:
        if isinstance(owner, _Path):  # a type, as in annotate(List[int], …)
            return owner
        try:
            return owner[place]
        except (TypeError, IndexError, KeyError) as error:
            raise UnknownError("an element that is not there") from error

    def called(self, function: Value, arguments: list[Value], named: dict[str, Value]) -> Value:
        if isinstance(function, _Method):
            return self.call(self.script._function(function.owner, function.name), [function.owner, *arguments], named)
        need(isinstance(function, _Path), "a call of what is no function")
        path = function.path
        if path in self.script._functions:
            return self.call(self.script._functions[path], arguments, named)
        if path == "getattr":
            return self.attribute(*arguments)
        if path == "uninitialized":
            return None
        if path == "range":
            made = range(*arguments)
            need(len(made) <= MAX_LIST, "a loop without end")
            return made
        if path in ("int", "float", "bool", "str") and len(arguments) == 1:
            return self.plain(path, arguments[0])
        space, _, name = path.rpartition(".")
        if space == "ops.prim":
            need(
                name in IDENTITIES, "code that stops there" if name == "RaiseException" else f"the operator {name[:60]}"
            )
            return arguments[0]
        if space in ("torch", "ops.aten"):
            return self.operator(name, arguments, named)
        raise UnknownError(f"the operator {path[:80]}")

    def plain(self, kind: str, value: Value) -> Value:
        need(isinstance(value, (bool, int, float, str)) or (isinstance(value, Tensor) and value.numel() == 1),
             "a number that depends on the noise")  # fmt: skip
        return {"int": int, "float": float, "bool": bool, "str": str}[kind](value)

    def operator(self, name: str, arguments: list[Value], named: dict[str, Value]) -> Value:
        """One of torch's: arithmetic on plain values, else as a layer."""
        tensors = any(isinstance(one, (Flow, Turned, Products, Table, Tensor)) for one in arguments)
        if name == "append":
            need(isinstance(arguments[0], list) and len(arguments[0]) < MAX_LIST, "a list that is too long")
            arguments[0].append(arguments[1])
            return arguments[0]
        if name in ("__getitem__", "__is__", "__isnot__", "len") or (name in ARITHMETIC and not tensors and not named):
            if name == "len" and tensors:
                return operators.shape_of(arguments[0])[0]
            if name == "mul" and any(isinstance(one, (list, str)) for one in arguments):
                raise UnknownError("lists many times over")
            try:
                made = ARITHMETIC[name](*arguments)
            except (TypeError, ValueError, ArithmeticError, LookupError) as error:
                raise UnknownError(f"the operator {name[:60]} with such arguments") from error
            need(not isinstance(made, int) or abs(made) < 2**63, "numbers that are too large")
            need(not isinstance(made, (list, str)) or len(made) <= MAX_LIST, "a list that is too long")
            return made
        return operators.call(self.tape, name, arguments, named)
