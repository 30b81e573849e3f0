"""Several processes that train as one: each takes its slice of every batch (torch.distributed).

Sums over the batch, gradients and batch norm statistics alike, run over all processes, so the update is that of one
process with the whole batch; so are the worst perturbations, which depend on the batch through batch norm alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from rgan.common.errors import SettingsError
from rgan.networks.layers import MinibatchDiscrimination

BatchNorm = (nn.BatchNorm1d, nn.BatchNorm2d)


def size() -> int:
    """Number of processes that train together; 1 outside `group`."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0; process 0 writes the files."""
    return dist.get_rank() if size() > 1 else 0


@contextmanager
def group(device: str) -> Iterator[str]:
    """Join the processes that `torchrun` started; yields this process's device ("cuda:1"), `device` itself if alone.

    GPUs talk through nccl, processors through gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield device
        return
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    # The first process may fetch and prepare a data set while the others wait.
    dist.init_process_group("nccl" if cuda else "gloo", timeout=timedelta(hours=6))
    try:
        yield f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if cuda else "cpu"
    finally:
        dist.destroy_process_group()


def wait() -> None:
    """Until every process has come here."""
    if size() > 1:
        dist.barrier()


def check_batch(batch: int) -> None:
    """Raise SettingsError unless `batch` splits evenly among the processes."""
    if batch % size():
        raise SettingsError(
            f"expected a batch that splits evenly among {size()} processes, got {batch}; choose a multiple of {size()}"
        )


def own(batch: Tensor) -> Tensor:
    """This process's rows of a batch that every process drew alike."""
    return batch.chunk(size())[rank()]


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """The mean of each parameter's gradient over the processes."""
    if size() == 1:
        return
    # By hand: DistributedDataParallel expects one backward pass a step, the robust terms make several.
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = mean(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, piece in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(piece.view(gradient.shape))


def mean(tensor: Tensor) -> Tensor:
    """The mean over the processes, without gradients."""
    if size() == 1:
        return tensor
    total = tensor.detach().clone()
    dist.all_reduce(total)
    return total / size()


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether any process says so: all of them get the same answer."""
    return bool(mean(torch.tensor(float(flag), device=device))) if size() > 1 else flag


def share_statistics(network: nn.Module) -> None:
    """Make what mixes the images of a batch, batch norm and minibatch discrimination, do so over all processes."""
    if size() == 1:
        return
    for name, child in network.named_children():
        if isinstance(child, BatchNorm):
            setattr(network, name, _SharedBatchNorm(child))
        elif isinstance(child, MinibatchDiscrimination):
            child.batch = whole_batch  # type: ignore[assignment,method-assign]
        else:
            share_statistics(child)


def shared_mean(own: Tensor) -> Tensor:
    """The mean over the processes, differentiable."""
    return _Sum.apply(own) / size() if size() > 1 else own


def whole_batch(rows: Tensor) -> tuple[Tensor, int]:
    """The rows (N, …) of every process, differentiable, and where this process's begin."""
    if size() == 1:
        return rows, 0
    before = rank() * len(rows)
    after = (size() - rank() - 1) * len(rows)
    padded = torch.cat([rows.new_zeros(before, *rows.shape[1:]), rows, rows.new_zeros(after, *rows.shape[1:])])
    return _Sum.apply(padded), before


class _Sum(torch.autograd.Function):
    """Sum over the processes; the gradient of a sum of every process's loss is summed likewise.

    Written out because torch's own differentiable all_reduce changes its place between the releases we run on.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


class _SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over every process's slice; torch's SyncBatchNorm runs on GPUs only."""

    def __init__(self, like: nn.Module):
        assert isinstance(like, BatchNorm)
        super().__init__(like.num_features, like.eps, like.momentum)
        self.to(like.weight).load_state_dict(like.state_dict())

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.to(self.weight.dtype)
        over = [d for d in range(x.dim()) if d != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        center = _Sum.apply(x.mean(over)) / size()
        apart = x - center.view(shape)
        variance = _Sum.apply(apart.square().mean(over)) / size()
        with torch.no_grad():
            count = size() * x.numel() / x.shape[1]
            assert self.running_mean is not None and self.running_var is not None
            assert self.num_batches_tracked is not None and self.momentum is not None
            self.num_batches_tracked += 1
            self.running_mean.lerp_(center, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = self.weight / (variance + self.eps).sqrt()
        normalised: Tensor = apart * scale.view(shape) + self.bias.view(shape)
        return normalised.to(input.dtype)
