"""Programs of torch.export (.pt2): the operators of a graph one behind the other, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from rgan.importing.graphs import operators
from rgan.importing.graphs.flows import Tape, UnknownError
from rgan.importing.graphs.operators import Value, need
from rgan.importing.graphs.program import Input, Program

DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 12: "bool",
    13: "bfloat16",
}  # fmt: skip
WHOLE = (1, 2, 3, 4, 5)
KEYWORDS = {"alpha", "dtype", "layout", "device", "pin_memory", "memory_format", "rounding_mode", "approximate"}
SPECS = ("parameter", "buffer", "tensor_constant")


class Exported(Program):
    """A program of torch.export."""

    kind = "torch.export"

    def __init__(self, told: Any, tensors: Mapping[str, Tensor]):
        """told: the JSON of its graph. tensors: by the names of the module's parameters, buffers and constants."""
        try:
            self.tensors = dict(tensors)
            module = told["graph_module"]
            self._graph = module["graph"]
            self._nodes = list(self._graph["nodes"])
            self._known: dict[str, Tensor] = {}
            self._order: list[str] = []
            inputs = []
            for spec in module["signature"]["input_specs"]:
                ((kind, inner),) = spec.items()
                if kind in SPECS:
                    own = f"{kind}_name"
                    name = inner["arg"]["name"]
                    if inner[own] in tensors:
                        self._known[name] = tensors[inner[own]]
                elif kind == "user_input":
                    arg = inner["arg"]
                    name = (arg.get("as_tensor") or {}).get("name")
                    if name is None:  # a plain value, which the graph has as a constant too
                        continue
                    inputs.append(self._input(name))
                    self._order.append(name)
                else:
                    raise UnknownError(f"an input that is a {str(kind)[:40]}")
            self.inputs = tuple(inputs)
            outputs = module["signature"]["output_specs"]
            results = [spec["user_output"]["arg"] for spec in outputs if "user_output" in spec]
            self._result = results[0]["as_tensor"]["name"]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise UnknownError("a graph of another format") from error

    def _input(self, name: str) -> Input:
        told = self._graph["tensor_values"][name]
        sides = [side.get("as_int") for side in told["sizes"]]
        shape = tuple(sides[1:])
        fits = all(isinstance(side, int) and side > 0 for side in shape)
        return Input(name, shape if fits else None, told["dtype"] in WHOLE)

    def follow(self, tape: Tape, values: Sequence[Value]) -> Value:
        names: dict[str, Value] = {**self._known, **dict(zip(self._order, values, strict=True))}
        for node in self._nodes:
            try:
                self._step(node, tape, names)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
                raise UnknownError("a graph of another format") from error
        need(self._result in names, "a result that is not there")
        return names[self._result]

    def _step(self, node: Mapping[str, Any], tape: Tape, names: dict[str, Value]) -> None:
        target = str(node["target"])
        arguments: list[Value] = []
        named: dict[str, Value] = {}
        for one in node["inputs"]:
            value = self._value(one["arg"], names)
            if one.get("kind") == 2 or (one.get("kind") is None and one["name"] in KEYWORDS):
                named[one["name"]] = value
            else:
                arguments.append(value)
        made = self._called(target, tape, arguments, named)
        told = node["outputs"]
        if len(told) == 1 and "as_tensors" in told[0]:
            told = [{"as_tensor": one} for one in told[0]["as_tensors"]]
        results = made if isinstance(made, list) and len(told) > 1 else [made]
        if "as_tensors" in (node["outputs"][0] if node["outputs"] else {}):
            results = made
        for one, value in zip(told, results, strict=False):
            ((_, inner),) = one.items()
            name = inner.get("name") or inner.get("as_name") if isinstance(inner, dict) else None
            if name is not None:
                names[name] = value

    def _called(self, target: str, tape: Tape, arguments: list[Value], named: dict[str, Value]) -> Value:
        if target == "_operator.getitem":
            return arguments[0][arguments[1]]
        if target.startswith("torch.ops.aten."):
            return operators.call(tape, target.split(".")[3], arguments, named)
        if target.startswith("_operator.") and not operators.flowing(*arguments):
            return operators.call(tape, target.split(".")[1], arguments, named)
        if "assert" in target or "sym_constrain" in target or "_guards" in target:
            return None
        raise UnknownError(f"the operator {target[:80]}")

    def _value(self, told: Any, names: Mapping[str, Value]) -> Value:
        ((kind, inner),) = told.items()
        if kind == "as_tensor":
            need(inner["name"] in names, "a value that is not there")
            return names[inner["name"]]
        if kind in ("as_tensors", "as_optional_tensors"):
            return [self._value({"as_tensor": one} if "name" in one else one, names) for one in inner]
        if kind == "as_none":
            return None
        if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
            return self._symbol(inner, names)
        if kind in ("as_sym_ints", "as_sym_floats"):
            return [self._symbol(one, names) for one in inner]
        if kind == "as_scalar_type":
            return inner - 1  # as torch itself counts them
        return inner

    def _symbol(self, told: Any, names: Mapping[str, Value]) -> Value:
        ((kind, inner),) = told.items()
        return names[inner] if kind == "as_name" else inner
