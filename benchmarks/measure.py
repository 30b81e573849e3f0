"""What every benchmark shares: fair timing of several candidates, and the JSON line at the end."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch


def interleaved(candidates: dict[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Seconds of each call, the candidates taking turns so that a drifting machine treats them alike."""
    for _ in range(warm_up):
        for call in candidates.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(over: list[float], under: list[float]) -> float:
    """Median of the ratios of calls that ran one after the other."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def report(benchmark: str, figures: dict[str, float]) -> None:
    """Print the last line: figures rounded to three digits after the point, and the machine they belong to."""
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"benchmark": benchmark, "figures": rounded, "machine": machine}))
