"""Forty people in the laboratory: `python benchmarks/laboratories.py`, on loopback, sessions without a browser.

Within ten seconds each opens it with a seed of their own and presses play; the bench asks for more as its script does,
at once after pictures, and where others come first as late as it was told. Then all pause.

answer_p95_s: from asking to the bench's next word. told: answers that said how many come before. running_at_once: the
most trainings that went on within two seconds. trained: how many got on at all. steps_least_over_median: of the steps
that each made. errors, lost_connections. memory_growth: of the server, the last tenth of the time over the tenth after
a fifth. paused_cores: processors that the server takes in nine seconds after all have paused.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field

from class_of_forty import GIVEN_UP, OPENED_WITHIN, growth, percentile, processor_seconds, resident
from measure import report
from serving import Server
from visitor import Visitor

PAUSED = 10.0  # seconds


@dataclass
class Measured:
    answers: list[float] = field(default_factory=list)
    told: int = 0
    steps: dict[int, int] = field(default_factory=dict)  # of each person
    moved: list[tuple[float, int]] = field(default_factory=list)  # when whose training got on
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)


async def person(address: str, number: int, people: int, end: float, over: float, measured: Measured) -> None:
    await asyncio.sleep(OPENED_WITHIN * number / people)
    async with Visitor(address) as visitor:
        await visitor.open(f"laboratory?lab_seed={100 + number}")
        if not await visitor.until(lambda heard: bool(heard.bench), GIVEN_UP):
            measured.errors.append(f"no bench: {visitor.lost} {visitor.heard.errors}")
            return
        count, stands = 0, 0
        while time.perf_counter() < end and visitor.lost is None:
            count += 1
            began, facts = time.perf_counter(), visitor.heard.bench
            await visitor.ask(kind="play", stride=1, number=count, aim=facts["aim"], seen=facts["seen"])
            if not await visitor.until(lambda heard, asked=count: heard.bench["answers"] == asked, GIVEN_UP):
                measured.errors.append(f"no answer: {visitor.lost} {visitor.heard.errors}")
                break
            measured.answers.append(time.perf_counter() - began)
            facts = visitor.heard.bench
            if facts["error"]:
                measured.errors.append(facts["error"])
            if facts["at"] > stands:
                stands = facts["at"]
                measured.moved.append((time.perf_counter(), number))
            if facts["waiting"]:
                measured.told += 1
                await asyncio.sleep(facts["again"])
        measured.steps[number] = stands
        await asyncio.sleep(max(0, over - time.perf_counter()))
        measured.lost += visitor.lost is not None
        measured.errors += visitor.heard.errors


async def lesson(server: Server, people: int, seconds: float) -> tuple[Measured, float]:
    """Everybody's visit, and the processors that the server takes while all have paused."""
    measured, start = Measured(), time.perf_counter()
    end = start + OPENED_WITHIN + seconds
    over = end + 3 * PAUSED

    async def weigh() -> None:
        while True:
            measured.memory.append((time.perf_counter() - start, resident(server.process.pid)))
            await asyncio.sleep(2)

    weighing = asyncio.create_task(weigh())
    visits = [
        asyncio.create_task(person(server.address, number, people, end, over, measured)) for number in range(people)
    ]
    await asyncio.sleep(over - PAUSED - time.perf_counter())
    before = processor_seconds(server.process.pid)
    await asyncio.sleep(PAUSED - 1)
    paused = (processor_seconds(server.process.pid) - before) / (PAUSED - 1)
    for outcome in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(outcome, BaseException):
            measured.errors.append(repr(outcome)[:300])
    weighing.cancel()
    return measured, paused


def at_once(moved: list[tuple[float, int]]) -> int:
    """The most people whose training got on within two seconds."""
    return max(len({who for at, who in moved if begun <= at < begun + 2}) for begun, _ in moved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="of playing, after everybody has opened the page")
    parser.add_argument("--people", type=int, default=40)
    options = parser.parse_args()
    runs = tempfile.mkdtemp()
    server = Server(environment={"RGAN_RUNS": runs})
    server.start()
    try:
        measured, paused = asyncio.run(lesson(server, options.people, options.seconds))
    finally:
        server.stop()
        shutil.rmtree(runs, ignore_errors=True)
    for words in dict.fromkeys(measured.errors):
        print(f"{measured.errors.count(words)} x {words[:300]}")
    steps = sorted(measured.steps.values())
    print("steps of each:", steps)
    report(
        "laboratories",
        {
            "answer_p50_s": percentile(measured.answers, 0.5),
            "answer_p95_s": percentile(measured.answers, 0.95),
            "told": measured.told,
            "running_at_once": at_once(measured.moved),
            "trained": sum(count > 0 for count in steps),
            "steps_least_over_median": steps[0] / max(1, statistics.median(steps)),
            "errors": len(measured.errors),
            "lost_connections": measured.lost,
            "memory_growth": growth(measured.memory),
            "memory_mb": measured.memory[-1][1],
            "paused_cores": paused,
        },
    )


if __name__ == "__main__":
    main()
