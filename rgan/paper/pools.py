"""Who works on a study: processes of this machine, or a Ray cluster. Both take tasks and tell what becomes of them."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
import traceback
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import torch

from rgan.common.errors import RganError
from rgan.paper.work import Task, work

EVERY = 0.5  # seconds between two words on a task's progress
CONNECTING = 10.0  # seconds that a cluster gets to answer
ENDING = 60.0  # seconds that workers get to keep what they have


@dataclass(frozen=True)
class Event:
    """What became of a task: the share done; that it is done; an error that will come again; or that its process or
    machine was lost, after which it can be tried again."""

    task: Task
    share: float = 0.0
    done: bool = False
    error: str = ""
    lost: bool = False

    @property
    def over(self) -> bool:
        """Whether nobody works on it any more."""
        return self.done or self.lost or bool(self.error)


class Pool(Protocol):
    """Takes tasks, works on as many as it can at once, and tells."""

    @property
    def workers(self) -> int:
        """How many tasks it works on at once."""

    def free(self) -> bool:
        """Whether it takes another task now."""

    def submit(self, task: Task) -> None:
        """Begin a task soon."""

    def events(self, timeout: float) -> list[Event]:
        """What has happened, after `timeout` seconds at most."""

    def close(self) -> None:
        """End what is at work, which keeps what it has."""


def shares(task: Task, device: str) -> Generator[float, None, None]:
    """`work`, now and then."""
    said = time.monotonic()
    with closing(work(task, device)) as steps:
        for share in steps:
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                yield share


class LocalPool:
    """`workers` processes of this machine, each with one task at a time; one that dies costs its task alone.

    A worker whose study was killed notices at its next word, keeps what it has and ends.
    """

    def __init__(self, workers: int, device: str = "auto"):
        self.workers, self._device = workers, device
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}
        self._begun = 0

    def free(self) -> bool:
        return len(self._busy) < self.workers

    def submit(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._begin()
        worker.task = task
        self._busy[worker.connection] = worker
        worker.connection.send(task)

    def events(self, timeout: float) -> list[Event]:
        found = []
        for connection in wait(list(self._busy), timeout) if self._busy else []:
            assert isinstance(connection, Connection)
            worker = self._busy[connection]
            assert worker.task is not None
            try:
                event = Event(worker.task, **connection.recv())
            except (EOFError, OSError):
                event = Event(worker.task, lost=True)
                worker.process.join()
            if event.over:
                del self._busy[connection]
                if not event.lost:
                    self._idle.append(worker)
            found.append(event)
        return found

    def close(self) -> None:
        workers = [*self._idle, *self._busy.values()]
        for worker in workers:
            worker.connection.close()
        end = time.monotonic() + ENDING
        for worker in workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            worker.process.kill()
        self._idle, self._busy = [], {}

    def _begin(self) -> _Worker:
        context = multiprocessing.get_context("spawn")  # a fork would share torch's threads
        here, there = context.Pipe()
        device = self._device
        if device == "auto" and (gpus := torch.cuda.device_count()):
            device = f"cuda:{self._begun % gpus}"
        process = context.Process(target=_serve, args=(there, device), daemon=True)
        process.start()
        there.close()
        self._begun += 1
        return _Worker(process, here)


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: Task | None = None


def _serve(connection: Connection, device: str) -> None:
    """A worker's life: task after task, until the other end is closed or gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches all; the study ends its workers in order
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        with closing(_told(task, device)) as telling:
            for said in telling:
                try:
                    connection.send(said)
                except OSError:
                    return


class RayPool:
    """A Ray cluster, which places each task where its processors and GPUs are free; a lost node costs its tasks alone.

    Every node works on the study's folder by the same path, on a file system that all of them share.

    Raises:
        RganError: Ray is not installed, or no cluster answers at `address`.
    """

    def __init__(self, address: str, device: str = "auto"):
        try:
            import ray
        except ImportError as error:
            raise RganError(
                "expected Ray for a study on several machines, found none; install it with `pip install rgan-lab[ray]`"
            ) from error
        self._ray, self._device, self._mine = ray, device, not ray.is_initialized()
        try:
            if self._mine:
                _check_answers(address)
                ray.init(address=address, log_to_driver=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise RganError(
                f"expected a Ray cluster at {address}, got: {str(error).splitlines()[0]}; start one with `ray start`"
            ) from error
        self._count = 1
        self._working: dict[Any, Task] = {}

    @property
    def workers(self) -> int:
        """Tasks of one processor that the cluster does at once."""
        if self._ray.is_initialized():
            self._count = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return self._count

    def free(self) -> bool:
        return len(self._working) < 2 * self.workers  # some wait in Ray, so that no processor does

    def submit(self, task: Task) -> None:
        remote = self._ray.remote(_told).options(
            num_cpus=task.threads, num_gpus=task.gpus, max_retries=0, num_returns="streaming", name=task.name
        )
        self._working[remote.remote(task, self._device)] = task

    def events(self, timeout: float) -> list[Event]:
        if not self._working:
            return []
        ready, _ = self._ray.wait(list(self._working), num_returns=1, timeout=timeout)
        return [self._event(each) for each in ready]

    def _event(self, told: Any) -> Event:
        task = self._working[told]
        try:
            event = Event(task, **self._ray.get(next(told)))
        except StopIteration:
            event = Event(task, lost=True)  # it ended without its last word
        except self._ray.exceptions.RayTaskError as error:
            event = Event(task, error=str(error.cause))
        except self._ray.exceptions.RayError:
            event = Event(task, lost=True)
        if event.over:
            del self._working[told]
        return event

    def close(self) -> None:
        for told in self._working:
            self._ray.cancel(told)
        self._working = {}
        if self._mine:
            self._ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise OSError where nobody listens at "host:port", which Ray itself would wait minutes for."""
    host, _, port = address.rpartition(":")
    if host and "/" not in host and port.isdecimal():
        socket.create_connection((host, int(port)), CONNECTING).close()


def _told(task: Task, device: str) -> Generator[dict[str, Any], None, None]:
    """`shares` as fields of events, to the last."""
    try:
        with closing(shares(task, device)) as steps:
            for share in steps:
                yield {"share": share}
    except RganError as error:
        yield {"error": str(error)}
    except torch.OutOfMemoryError:
        yield {"error": "the device ran out of memory; plan fewer workers a GPU, or smaller models"}
    except Exception as error:
        traceback.print_exc()
        yield {"error": f"{type(error).__name__}: {error}"}
    else:
        yield {"done": True}
