"""Where to compute and in which precision."""

from __future__ import annotations

import functools
import os
import threading
import time

import torch
from torch.nn.functional import conv2d

from rgan.common.errors import SettingsError, one_of

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str) -> torch.device:
    """ "auto" is the GPU if there is one; "cuda:1" is a certain one.

    Raises:
        SettingsError: "cuda" where torch sees no GPU.
    """
    kind, _, index = name.partition(":")
    one_of("device", kind if index.isdecimal() else name, DEVICES)
    if kind == "cuda" and torch.cuda.device_count() <= int(index or 0):
        raise SettingsError("expected a CUDA GPU that torch can use, found none; use --device cpu, or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of convolutions and matrix products: "auto" takes bfloat16 where it measures three times as fast.

    Less would not be worth results that differ from float32 machines in the third digit.
    """
    one_of("precision", precision, PRECISIONS)
    if precision == "auto":
        return torch.bfloat16 if bfloat16_speedup(device.type) >= 3 else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def in_background() -> None:
    """From now on this thread computes on one core, and where the system knows priorities of threads, after others."""
    torch.set_num_threads(1)  # two threads on shared cores wait for each other by spinning
    if hasattr(os, "setpriority"):
        # On Linux a thread has its own priority: screens come first where cores are few.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


_measuring = threading.Lock()


def bfloat16_speedup(device_type: str) -> float:
    """Seconds of a small convolution, forward and backward, in float32 over those in bfloat16; measured once."""
    with _measuring:  # threads that ask together share one answer, and do not disturb the measurement
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # two threads on shared cores would measure their waiting for each other
        try:
            return _measure(device_type)
        finally:
            torch.set_num_threads(threads)


@functools.cache
def _measure(device_type: str) -> float:
    device = torch.device(device_type)
    if device.type == "cuda":
        # Without tensor cores for it (compute capability < 8) bfloat16 is emulated and slow.
        return 4.0 if torch.cuda.get_device_capability(device)[0] >= 8 else 0.5
    numbers = torch.Generator().manual_seed(0)
    x = torch.randn(32, 64, 16, 16, generator=numbers).to(memory_format=torch.channels_last)
    weight = torch.randn(128, 64, 5, 5, generator=numbers).to(memory_format=torch.channels_last)
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(20):  # in turns, and the best of many: other work on the machine hits both alike
        for dtype in best:
            inputs, kernel = x.to(dtype).requires_grad_(), weight.to(dtype)
            started = time.perf_counter()
            try:
                torch.autograd.grad(conv2d(inputs, kernel, stride=2, padding=2).sum(), inputs)
            except RuntimeError:  # a processor or build without bfloat16 convolutions
                return 0.0
            best[dtype] = min(best[dtype], time.perf_counter() - started)
    return best[torch.float32] / best[torch.bfloat16]
