"""The operator's own models: functions of a Python file that return a Gan by `rgan.wrap`.

    # my_models.py
    def mine():
        return rgan.wrap(Generator(), latent=128)

RGAN_MODELS names the file. Its models go by a place such as my_models.py:mine wherever a file's path goes. The file is
code and runs when one of its models is asked for; nothing but the environment and the command line can name one.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import sys
from pathlib import Path

from rgan.common.errors import CheckpointError
from rgan.models.gan import Gan

VARIABLE = "RGAN_MODELS"


def is_own(path: str | Path) -> bool:
    """Whether this is the place of such a model and no file's path."""
    file, _, function = str(path).rpartition(":")
    return file.endswith(".py") and function.isidentifier()


def places() -> dict[str, Path]:
    """The models of the file that RGAN_MODELS names, by their functions' names; nothing runs yet.

    Raises:
        CheckpointError: the file is missing, is no Python, or has no such function.
    """
    told = os.environ.get(VARIABLE, "")
    return {name: Path(f"{told}:{name}") for name in functions(Path(told))} if told else {}


def place_of(path: str | Path) -> Path | None:
    """The place of an operator's own model: as it stands, or by its name alone where no file has that; None for files.

    Raises:
        CheckpointError: as `places`.
    """
    if is_own(path):
        return Path(path)
    return places().get(str(path)) if os.environ.get(VARIABLE) and not os.path.exists(path) else None


def functions(file: Path) -> list[str]:
    """Names of the functions in a Python file that need no arguments, but for those that begin with an underscore.

    Raises:
        CheckpointError: there is no such file, it is no Python, or there is no such function in it.
    """
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise CheckpointError(f"expected a Python file of models at {file}, got: {error.strerror or error}") from error
    except (SyntaxError, ValueError) as error:
        raise CheckpointError(f"{file}: expected Python, got: {error}") from error
    found = [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and _needs_nothing(one.args)]
    names = [name for name in found if not name.startswith("_")]
    if not names:
        raise CheckpointError(
            f"{file}: expected functions without arguments that return rgan.wrap(...), got none; write one a model"
        )
    return names


def _needs_nothing(arguments: ast.arguments) -> bool:
    given = len(arguments.defaults) + sum(default is not None for default in arguments.kw_defaults)
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs) == given


def changed(path: str | Path) -> int:
    """When the file of a model, an operator's own or any, changed last, in nanoseconds.

    Raises:
        OSError: it is not there.
    """
    return os.stat(_split(path)[0] if is_own(path) else path).st_mtime_ns


def load(path: str | Path) -> Gan:
    """The model at this place; the file runs, and the function.

    Raises:
        CheckpointError: the file is missing, or it or the function fails or returns no Gan.
    """
    file, name = _split(path)
    if name not in functions(file):
        raise CheckpointError(
            f"{file}: expected a function {name!r} without arguments, got {', '.join(functions(file))}"
        )
    return _made(str(file.resolve()), name, changed(path))


@functools.lru_cache(maxsize=32)
def _made(file: str, name: str, stamp: int) -> Gan:
    try:
        gan = getattr(_module(file, stamp), name)()
    except Exception as error:  # it is somebody's code: anything can be raised
        raise CheckpointError(f"{Path(file).name}: {name}() failed with {type(error).__name__}: {error}") from error
    if not isinstance(gan, Gan):
        raise CheckpointError(
            f"{Path(file).name}: expected {name}() to return rgan.wrap(...), got {type(gan).__name__}; begin the names "
            "of other functions with an underscore"
        )
    return gan


@functools.lru_cache(maxsize=4)
def _module(file: str, stamp: int) -> object:
    """The file as a module; it finds the modules beside it."""
    spec = importlib.util.spec_from_file_location(f"rgan_models_{Path(file).stem}", file)
    assert spec is not None and spec.loader is not None, "it ends in .py"
    module = importlib.util.module_from_spec(spec)
    folder = str(Path(file).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    spec.loader.exec_module(module)
    return module


def _split(path: str | Path) -> tuple[Path, str]:
    file, _, name = str(path).rpartition(":")
    return Path(file), name
