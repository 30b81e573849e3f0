"""Forty people in one class: `python benchmarks/class_of_forty.py`, ten minutes, on loopback.

The teacher has looked at the page before the class. Within ten seconds all open one link (`--links 40`: a link each) to
Worst noise that nobody has opened before. Then each moves ε every two seconds, and once a minute λ or the seed, which
begins a path that nobody has asked for. Four of them are pages in Chromium, the others sessions of the server in
Streamlit's protocol (`visitor.py`), which draw nothing and for which moving ε costs nothing by construction; pages show
that it costs the server nothing either.

first_picture_p95_s: from opening to the first picture. setting_p95_s: from a change to the first pictures of what was
asked for, the old ones standing meanwhile. errors: on pages or in consoles. lost_connections: of the server. told:
waits during which the page said how many come before. slowest_over_median: of what each waited in all. memory_growth:
of the server, the last tenth of the time over the tenth after a fifth of it. messages_for_epsilon: sent by pages for
their moves of ε.

Server and visitors share the machine: `generator_cores` is what the visitors took of it, most of it Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measure import report
from playwright.async_api import Browser, Page, async_playwright
from serving import FLAGS, Server, installed_chromium
from visitor import Heard, Visitor

OPENED_WITHIN = 10.0  # seconds
EPSILON_EVERY, SETTING_EVERY = 2.0, 60.0
GIVEN_UP = 120.0  # seconds after which a picture is an error
LAMBDAS = ("0", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1")

# The frames on a page's stage, once it has drawn them and they are those that were asked for.
DRAWN = """
() => {
  const { stage } = document.querySelector('.stage-place') || {};
  if (!stage || !stage.data || !stage.width || stage.latest.waiting || stage.data !== stage.latest) return '';
  return stage.data.models.map((one) => one.frames.id).join(' ');
}
"""
WRONG = "[data-testid=stException], [data-testid=stAlertContentError]"
HARMLESS = ("404",)  # Streamlit looks for its own health below the page's address first


@dataclass
class Measured:
    """What the class has been through."""

    first: list[float] = field(default_factory=list)
    settings: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # of each person, in all
    errors: list[str] = field(default_factory=list)
    lost: int = 0
    told: int = 0
    messages: int = 0  # for moves of ε
    in_pages: list[float] = field(default_factory=list)  # waits of those in Chromium
    memory: list[tuple[float, float]] = field(default_factory=list)  # (seconds, MB) of the server
    generator: float = 0.0  # seconds of the processor, of all visitors


@dataclass(frozen=True)
class Seat:
    """One person: when they open what, and what they change when."""

    opens: float
    link: str
    changes: tuple[tuple[float, str, float | str], ...]  # after so many seconds this parameter to this value


def seats(count: int, links: int, seconds: float) -> list[Seat]:
    """Everybody's plan; no two changes ask for the same."""
    rng = random.Random(0)
    made = []
    for number in range(count):
        at, changes = SETTING_EVERY * rng.uniform(0.25, 1.0), []
        while at < seconds - 5:
            seed = 1000 + 100 * number + len(changes)
            changes.append((at, "lam", rng.choice(LAMBDAS[1:])) if len(changes) % 2 else (at, "seed", seed))
            at += SETTING_EVERY
        made.append(Seat(OPENED_WITHIN * number / count, f"worst-noise?seed={7 + number % links}", tuple(changes)))
    return made


async def without_browser(address: str, seat: Seat, start: float, end: float, measured: Measured) -> None:
    """One session in Streamlit's protocol."""
    await asyncio.sleep(start + seat.opens - time.perf_counter())
    began, waits = time.perf_counter(), []
    async with Visitor(address) as visitor:
        await visitor.open(seat.link)
        if await visitor.until(lambda heard: heard.there, GIVEN_UP):
            measured.first.append(time.perf_counter() - began)
            waits.append(measured.first[-1])
        else:
            measured.errors.append(f"no first picture: {visitor.lost} {visitor.heard.errors}")
        for at, parameter, value in seat.changes:
            await asyncio.sleep(max(0, start + OPENED_WITHIN + at - time.perf_counter()))
            if visitor.lost is not None:
                break
            before, began = visitor.heard.stage.ids, time.perf_counter()
            await visitor.set(parameter, value)

            def new(heard: Heard, before: tuple[str, ...] = before) -> bool:
                return heard.there and not set(heard.stage.ids) & set(before)

            if await visitor.until(new, GIVEN_UP):
                measured.settings.append(time.perf_counter() - began)
                waits.append(measured.settings[-1])
            else:
                measured.errors.append(f"nothing for {parameter} {value}: {visitor.lost} {visitor.heard.errors}")
        await asyncio.sleep(max(0, end - time.perf_counter()))
        measured.lost += visitor.lost is not None
        measured.errors += visitor.heard.errors
        measured.told += sum("before" in one for one in visitor.heard.waits)
    measured.waits.append(sum(waits))


async def in_browser(browser: Browser, address: str, seat: Seat, start: float, end: float, measured: Measured) -> None:
    """One page in Chromium, whose ε is moved by its keys."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    sent: list[float] = []
    wanted, gone = [True], 0

    def watch(socket: object) -> None:
        nonlocal gone
        socket.on("framesent", lambda _: sent.append(time.perf_counter()))  # type: ignore[attr-defined]
        socket.on("close", lambda _: lost())  # type: ignore[attr-defined]

    def lost() -> None:
        if wanted[0]:
            measured.lost += 1

    page.on("websocket", watch)
    page.on("pageerror", lambda error: measured.errors.append(str(error)))
    page.on("console", lambda said: note(said.type, said.text))

    def note(kind: str, text: str) -> None:
        if kind == "error" and not any(one in text for one in HARMLESS):
            measured.errors.append(text)

    await asyncio.sleep(max(0, start + seat.opens - time.perf_counter()))
    began = time.perf_counter()
    await page.goto(f"{address}/{seat.link}")
    await drawn(page, "")
    measured.first.append(time.perf_counter() - began)
    waits = [measured.first[-1]]
    changes, key = list(seat.changes), 0
    while time.perf_counter() < end:
        if changes and changes[0][0] <= time.perf_counter() - start - OPENED_WITHIN:
            changes.pop(0)
            place = page.get_by_label("Seed", exact=True)
            shown = await drawn(page, "")
            began = time.perf_counter()
            await place.fill(str(100_000 + 100 * round(seat.opens) + len(changes)))
            await place.press("Enter")
            await drawn(page, shown)
            measured.settings.append(time.perf_counter() - began)
            waits.append(measured.settings[-1])
        quiet = await settled(page)
        before = len(sent)
        await page.locator(".stage input[type=range]").press("ArrowRight" if key % 20 < 10 else "ArrowLeft")
        key += 1
        await asyncio.sleep(EPSILON_EVERY)
        if quiet:
            measured.messages += len(sent) - before
    measured.errors += [await one.inner_text() for one in await page.locator(WRONG).all()]
    measured.waits.append(sum(waits))
    measured.in_pages += waits
    wanted[0] = False
    await context.close()


async def drawn(page: Page, before: str) -> str:
    """Wait for other frames than `before`; their ids."""
    handle = await page.wait_for_function(
        f"(before) => {{ const ids = ({DRAWN})(); return ids && ids !== before && ids; }}",
        arg=before,
        timeout=1000 * GIVEN_UP,
        polling=50,
    )
    return str(await handle.json_value())


async def settled(page: Page) -> bool:
    """Whether the page waits for no better frames: it then asks the server for nothing by itself."""
    done = "document.querySelector('.stage-place').stage.panes.every((pane) => pane.frames.done)"
    return bool(await page.evaluate(done))


async def lesson(server: Server, options: argparse.Namespace) -> Measured:
    """Everybody's visit."""
    measured = Measured()
    plans = seats(options.people, options.links, options.seconds)
    every = max(1, len(plans) // options.browsers) if options.browsers else len(plans) + 1
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed_chromium(), args=FLAGS)
        start = time.perf_counter() + 1
        end = start + OPENED_WITHIN + options.seconds
        people, pages = [], 0
        for number, plan in enumerate(plans):
            if pages < options.browsers and number % every == every // 2:
                people.append(in_browser(browser, server.address, plan, start, end, measured))
                pages += 1
            else:
                people.append(without_browser(server.address, plan, start, end, measured))

        async def weigh() -> None:
            while True:
                measured.memory.append((time.perf_counter() - start, resident(server.process.pid)))
                measured.generator = max(measured.generator, taken_by_visitors(server.process.pid))
                await asyncio.sleep(2)

        weighing = asyncio.create_task(weigh())
        for outcome in await asyncio.gather(*people, return_exceptions=True):
            if isinstance(outcome, BaseException):
                measured.errors.append(repr(outcome)[:300])
        weighing.cancel()
        await browser.close()
    return measured


async def looked_at(address: str) -> None:
    """The first visit of a server, which imports what all need."""
    async with Visitor(address) as teacher:
        await teacher.open("worst-noise")
        if not await teacher.until(lambda heard: heard.there, GIVEN_UP):
            raise RuntimeError(f"the first visitor saw no picture: {teacher.lost} {teacher.heard.errors}")


def resident(process: int) -> float:
    """Megabytes of memory that a process holds."""
    line = next(one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def processor_seconds(process: int) -> float:
    """What a process has had of the processor."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def taken_by_visitors(server: int) -> float:
    """Seconds of the processor that this process and those that it began have had, but for the server's."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    family, found = [os.getpid()], 0.0
    while family:
        one = family.pop()
        family += [child for child in children.get(one, []) if child != server]
        with contextlib.suppress(OSError):
            found += processor_seconds(one)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of `values` does not exceed; infinite where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


def growth(memory: Sequence[tuple[float, float]]) -> float:
    """The last tenth of the time over the tenth after a fifth of it."""
    whole = memory[-1][0]

    def mean(begin: float, end: float) -> float:
        return statistics.mean(held for at, held in memory if begin * whole <= at <= end * whole)

    return mean(0.9, 1.0) / mean(0.2, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="after everybody has opened the page")
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--browsers", type=int, default=4, help="how many of them are pages in Chromium")
    parser.add_argument("--links", type=int, default=1, help="how many different ones they open")
    options = parser.parse_args()
    runs = tempfile.mkdtemp()
    server = Server(environment={"RGAN_RUNS": runs})
    server.start()
    try:
        asyncio.run(looked_at(server.address))
        started, at_first = time.perf_counter(), processor_seconds(server.process.pid)
        before = taken_by_visitors(server.process.pid)
        measured = asyncio.run(lesson(server, options))
        took = time.perf_counter() - started
        of_server = processor_seconds(server.process.pid) - at_first
    finally:
        server.stop()
        shutil.rmtree(runs, ignore_errors=True)
    for words in dict.fromkeys(measured.errors):
        print(f"{measured.errors.count(words)} x {words[:300]}")
    memory = measured.memory
    print("memory MB:", [round(held) for _, held in memory[:: max(1, len(memory) // 12)]])
    print("waits of those in Chromium, seconds:", [round(one, 1) for one in measured.in_pages])
    report(
        "class_of_forty",
        {
            "first_picture_p50_s": percentile(measured.first, 0.5),
            "first_picture_p95_s": percentile(measured.first, 0.95),
            "setting_p50_s": percentile(measured.settings, 0.5),
            "setting_p95_s": percentile(measured.settings, 0.95),
            "settings": len(measured.settings),
            "errors": len(measured.errors),
            "lost_connections": measured.lost,
            "slowest_over_median": max(measured.waits) / statistics.median(measured.waits),
            "memory_growth": growth(memory),
            "memory_mb": memory[-1][1],
            "told": measured.told,
            "messages_for_epsilon": measured.messages,
            "server_cores": of_server / took,
            "generator_cores": (measured.generator - before) / took,
        },
    )


if __name__ == "__main__":
    main()
