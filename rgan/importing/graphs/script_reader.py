"""Says what the code of a TorchScript archive says, as lists: it is parsed as text, and nothing of it is run.

Run as a process of its own (`torchscript` does), as `pickle_reader`: Python's parser is not made for texts that are
built to harm. It reads

    one line of JSON   {"memory": bytes, "seconds": n, "files": [[name, bytes], …]}
    the files' texts, one behind the other

from standard input and writes {"classes": {name: {method: function}}, "functions": {name: function}}, or {"error": what
is wrong}. A function is [[[argument, default or null], …], [statement, …]]; statements are ["=", target, expression],
["do", expression], ["return", expression or null], ["if", test, then, else], ["for", target, expression, body],
["while", test, body]; expressions ["constant", value], ["name", name], ["of", expression, attribute],
["call", expression, [argument, …], {name: argument}], ["list", [expression, …]], ["at", expression, index], ["dict",
[[key, value], …]], and ["unknown", what] for all else.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
from pathlib import Path
from typing import Any, BinaryIO


def expression(node: ast.expr | None) -> Any:
    """An expression as lists."""
    if node is None:
        return ["constant", None]
    if isinstance(node, ast.Constant):
        plain = node.value is None or isinstance(node.value, (bool, int, float, str))
        return ["constant", node.value] if plain else ["unknown", type(node.value).__name__]
    if isinstance(node, ast.Name):
        return ["name", node.id]
    if isinstance(node, ast.Attribute):
        return ["of", expression(node.value), node.attr]
    if isinstance(node, ast.Call):
        named = {one.arg: expression(one.value) for one in node.keywords if one.arg}
        return ["call", expression(node.func), [expression(one) for one in node.args], named]
    if isinstance(node, (ast.List, ast.Tuple)):
        return ["list", [expression(one) for one in node.elts]]
    if isinstance(node, ast.Dict):
        return ["dict", [[expression(k), expression(v)] for k, v in zip(node.keys, node.values, strict=True)]]
    if isinstance(node, ast.Subscript):
        return ["at", expression(node.value), expression(node.slice)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = expression(node.operand)
        if inner[0] == "constant" and isinstance(inner[1], (int, float)):
            return ["constant", -inner[1]]
        return ["call", ["of", ["name", "torch"], "neg"], [inner], {}]
    return ["unknown", type(node).__name__]


def statements(body: list[ast.stmt]) -> list[Any]:
    """Statements as lists."""
    made: list[Any] = []
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            made.append(["=", expression(node.targets[0]), expression(node.value)])
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                made.append(["=", expression(node.target), expression(node.value)])
        elif isinstance(node, ast.Expr):
            made.append(["do", expression(node.value)])
        elif isinstance(node, ast.Return):
            made.append(["return", expression(node.value)])
        elif isinstance(node, ast.If):
            made.append(["if", expression(node.test), statements(node.body), statements(node.orelse)])
        elif isinstance(node, ast.For):
            made.append(["for", expression(node.target), expression(node.iter), statements(node.body)])
        elif isinstance(node, ast.While):
            made.append(["while", expression(node.test), statements(node.body)])
        elif not isinstance(node, ast.Pass):
            made.append(["do", ["unknown", type(node).__name__]])
    return made


def function(node: ast.FunctionDef) -> Any:
    """A function as lists."""
    told = node.args.args
    defaults = [None] * (len(told) - len(node.args.defaults)) + list(node.args.defaults)
    arguments = [
        [one.arg, None if value is None else expression(value)] for one, value in zip(told, defaults, strict=True)
    ]
    return [arguments, statements(node.body)]


def module(text: str, prefix: str, classes: dict[str, Any], functions: dict[str, Any]) -> None:
    """Enter the classes and functions of one file."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            classes[f"{prefix}.{node.name}"] = {part.name: function(part) for part in methods}
        elif isinstance(node, ast.FunctionDef):
            functions[f"{prefix}.{node.name}"] = function(node)


def read(files: list[list[Any]], stream: BinaryIO) -> dict[str, Any]:
    """What the texts of these names and lengths say, as this module's docstring tells."""
    classes: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    try:
        for name, size in files:
            module(stream.read(size).decode(), name, classes, functions)
    except (SyntaxError, ValueError):
        return {"error": "code that is no code"}
    except (MemoryError, RecursionError):
        return {"error": "code that takes more memory than reading may"}
    return {"classes": classes, "functions": functions}


def main() -> None:
    """Read from standard input, write to standard output."""
    told = json.loads(sys.stdin.buffer.readline())
    restrict = runpy.run_path(str(Path(__file__).parents[1] / "pickle_reader.py"))["restrict"]
    restrict(told["memory"], told["seconds"])
    sys.stdout.write(json.dumps(read(told["files"], sys.stdin.buffer), allow_nan=False))


if __name__ == "__main__":
    main()
