"""Classes as an input: which class each image of a batch is of, told to whatever layer of a network asks.

A conditional network is a chain of layers as any other; those that depend on the class look here. So the noise stays
the network's one argument, and whoever moves the noise moves nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from rgan.networks.layers import combined

_NOW: ContextVar[Tensor | int] = ContextVar("labels", default=0)


@contextmanager
def labelled(labels: Tensor | int) -> Iterator[None]:
    """Within it networks draw or judge these classes: one for all, or (N,) for the rows of a batch of N."""
    token = _NOW.set(labels)
    try:
        yield
    finally:
        _NOW.reset(token)


def labels_now(count: int) -> Tensor:
    """The labels (count,) of a batch, int64.

    Raises:
        ValueError: there are labels for another number of images.
    """
    labels = _NOW.get()
    if isinstance(labels, int):
        return torch.full((count,), labels)
    if len(labels) != count:
        raise ValueError(f"expected a label for each of {count} images, got {len(labels)}")
    return labels


def rows_of(table: Tensor, count: int) -> Tensor:
    """The row of a table (classes, …) for each of `count` images, (count, …).

    Raises:
        ValueError: there are labels for another number of images.
    """
    labels = _NOW.get()
    if isinstance(labels, int):
        return table[labels].expand(count, *table.shape[1:])
    return table[labels_now(count).to(table.device)]


class Joined(nn.Module):
    """What is known of the class beside, times or added to x (N, …): a row of `table` (classes, …)."""

    def __init__(self, how: str, table: tuple[int, ...], *, first: bool):
        super().__init__()
        self.how, self.first = how, first
        self.table = nn.Parameter(torch.empty(table))

    def forward(self, x: Tensor) -> Tensor:
        known = rows_of(self.table, len(x))
        return combined(self.how, (known, x) if self.first else (x, known))


class ClassNorm(nn.Module):
    """Batch norm whose scale and shift, (classes, C) each, belong to a class (Dumoulin et al. 2017)."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, classes: int, channels: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(classes, channels))
        self.bias = nn.Parameter(torch.empty(classes, channels))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        plain = batch_norm(x, self.running_mean, self.running_var, training=self.training, eps=self.eps)
        scale, shift = rows_of(self.weight, len(x)), rows_of(self.bias, len(x))
        beside = scale.shape + (1,) * (x.dim() - 2)
        return plain * scale.view(beside) + shift.view(beside)


class Projection(nn.Module):
    """A linear layer to one number, plus the product of its input with the class's row (Miyato & Koyama 2018)."""

    def __init__(self, classes: int, features: int, *, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, features))
        self.table = nn.Parameter(torch.empty(classes, features))
        self.bias = nn.Parameter(torch.empty(1)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        score = (x * (self.weight + rows_of(self.table, len(x)))).sum(dim=1, keepdim=True)
        return score if self.bias is None else score + self.bias
