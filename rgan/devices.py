"""Where to compute and in which precision."""

from __future__ import annotations

import functools
import time

import torch
from torch import nn

from rgan.errors import SettingsError, one_of

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str) -> torch.device:
    """ "auto" is the GPU if there is one.

    Raises:
        SettingsError: "cuda" where torch sees no GPU.
    """
    one_of("device", name, DEVICES)
    if name == "cuda" and not torch.cuda.is_available():
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


@functools.cache
def bfloat16_speedup(device_type: str) -> float:
    """Seconds of a small convolution, forward and backward, in float32 over those in bfloat16; measured once."""
    device = torch.device(device_type)
    if device.type == "cuda":
        # Without tensor cores for it (compute capability < 8) bfloat16 is emulated and slow.
        return 2.0 if torch.cuda.get_device_capability(device)[0] >= 8 else 0.5
    weights = torch.Generator().manual_seed(0)
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        with torch.device("meta"):
            conv = nn.Conv2d(64, 128, 5, 2, 2)
        conv.to_empty(device=device)
        with torch.no_grad():
            for parameter in conv.parameters():
                parameter.normal_(generator=weights)
        conv.to(memory_format=torch.channels_last).to(dtype).requires_grad_(False)
        x = torch.randn(32, 64, 16, 16, generator=weights).to(dtype, memory_format=torch.channels_last).requires_grad_()
        best = float("inf")
        try:
            for _ in range(5):
                start = time.perf_counter()
                torch.autograd.grad(conv(x).sum(), x)
                best = min(best, time.perf_counter() - start)
        except RuntimeError:  # a processor or build without bfloat16 convolutions
            best = float("inf")
        times[dtype] = best
    return times[torch.float32] / times[torch.bfloat16]
