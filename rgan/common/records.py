"""Results on disk: frozen dataclasses of numbers, names and arrays, in one .safetensors file with JSON metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import numpy as np
import torch
from torch import Tensor

from rgan.common.errors import FileError
from rgan.common.files import write_atomically

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def save(result: object, path: str | Path) -> None:
    """Write a dataclass of plain values, numpy arrays, CPU tensors and such dataclasses; `load` gives it back.

    Raises:
        FileError: the file cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    arrays: dict[str, np.ndarray] = {}
    values = _converter(arrays).unstructure(result)
    metadata = {"result": type(result).__name__, "values": json.dumps(values)}
    write_atomically(Path(path), to_bytes(arrays or {"": np.empty(0)}, metadata))


def load(kind: type[T], path: str | Path) -> T:
    """The result of that type that `save` wrote; equal to the last bit.

    Raises:
        FileError: the file cannot be read, or holds something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError) as error:
        raise FileError(f"expected a result in {path}, got a file that is missing or damaged; make it again") from error
    if metadata.get("result") != kind.__name__:
        raise FileError(
            f"expected a result of type {kind.__name__} in {path}, got {metadata.get('result', 'none')}; choose another"
        )
    try:
        return _converter(arrays).structure(json.loads(metadata["values"]), kind)
    except Exception as error:  # cattrs raises groups of whatever went wrong inside
        raise FileError(f"expected a whole {kind.__name__} in {path}, got parts of one; make it again") from error


def _converter(arrays: dict[str, np.ndarray]) -> Converter:
    """Of values that refer to `arrays` by name; what it unstructures is added to them."""
    from cattrs import Converter

    def put(array: np.ndarray) -> str:
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(array)
        return name

    converter = Converter()
    converter.register_unstructure_hook(np.ndarray, put)
    converter.register_unstructure_hook(Tensor, lambda tensor: put(tensor.detach().numpy()))
    converter.register_structure_hook(np.ndarray, lambda name, _: arrays[name])
    converter.register_structure_hook(Tensor, lambda name, _: torch.from_numpy(arrays[name]))

    def pairs(kind: Any) -> bool:
        return get_origin(kind) is dict and get_origin(get_args(kind)[0]) is tuple

    def from_pairs(values: Any, kind: Any) -> Any:
        key, value = get_args(kind)
        return {converter.structure(one, key): converter.structure(other, value) for one, other in values}

    # JSON's names are words: a mapping by tuples is a list of pairs.
    converter.register_unstructure_hook_func(
        pairs, lambda mapping: [[converter.unstructure(each) for each in pair] for pair in mapping.items()]
    )
    converter.register_structure_hook_func(pairs, from_pairs)
    return converter
