"""What all graphs are to the rest: tensors by name, inputs, and a way to follow the operators from these on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from rgan.importing.graphs.flows import Tape
from rgan.importing.graphs.operators import Value
from rgan.networks.described import Shape


@dataclass(frozen=True)
class Input:
    """An input of a graph. shape: of one sample, None where it is not told; whole: whole numbers, None for not told."""

    name: str
    shape: Shape | None = None
    whole: bool | None = None


class Program(ABC):
    """A graph that was read from a file; nothing of it runs."""

    kind: str
    tensors: dict[str, Tensor]
    inputs: tuple[Input, ...]

    @abstractmethod
    def follow(self, tape: Tape, values: Sequence[Value]) -> Value:
        """The result that these inputs lead to.

        Raises:
            UnknownError: there is an operator on the way that is not known.
        """
