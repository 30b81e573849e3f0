"""Work in the background of the app: once for all who want it, given up when nobody does."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "app"))

from session import tasks as module
from session.tasks import GivenUpError, Tasks


def test_a_task_is_done_once_for_everybody():
    tasks, calls = Tasks(), []
    mine = tasks.want("me", {"x": lambda report: calls.append(1) or 5})
    yours = tasks.want("you", {"x": lambda report: calls.append(2) or 6})
    assert mine["x"] is yours["x"] and mine["x"].value() == 5 and calls == [1]
    assert tasks.finished("x") and tasks.value("x") == 5 and not tasks.finished("y")
    assert tasks.want("me", {"x": lambda report: 7})["x"].value() == 5, "finished ones are kept"


def test_what_nobody_wants_any_more_is_given_up():
    tasks, begun, go = Tasks(1), threading.Event(), threading.Event()

    def slow(report):
        begun.set()
        go.wait(10)
        report(0.5)
        return 1

    running = tasks.want("me", {"slow": slow, "queued": lambda report: 2})
    shared = tasks.want("you", {"queued": lambda report: 2})
    assert begun.wait(10)
    tasks.want("me", {"other": lambda report: 3})
    go.set()
    with pytest.raises(GivenUpError):
        running["slow"].value()
    assert shared["queued"].value() == 2, "somebody else waits for it"
    assert running["slow"].share == 0.5
    again = tasks.want("me", {"slow": lambda report: 4})
    assert again["slow"].value() == 4
    tasks.forget("me")
    with pytest.raises(GivenUpError):
        tasks.value("nothing")


def test_a_task_that_needs_another_never_waits_for_one_behind_it():
    """Findings need clouds; clouds given up and wanted again are queued behind the findings."""
    tasks, begun, go = Tasks(1), threading.Event(), threading.Event()

    def busy(report):
        begun.set()
        go.wait(10)

    def findings(report):
        return tasks.value("clouds") + 1

    tasks.want("you", {"busy": busy})
    tasks.want("me", {"clouds": lambda report: 1, "findings": findings})
    assert begun.wait(10)
    tasks.want("me", {"findings": findings})
    mine = tasks.want("me", {"findings": findings, "clouds": lambda report: 2})
    go.set()
    assert mine["findings"].future.result(10) == 3 and mine["clouds"].future.result(10) == 2


def test_what_was_given_up_or_failed_is_begun_again():
    tasks = Tasks()

    def orphan(report):
        return tasks.value("nobody wants this")

    first = tasks.want("me", {"x": orphan})["x"]
    with pytest.raises(GivenUpError):
        first.value()
    assert tasks.want("me", {"x": lambda report: 2})["x"].value() == 2

    def fails(report):
        raise ValueError("no")

    tasks.want("me", {"y": fails})["y"].future.exception(10)
    assert not tasks.finished("y")
    tasks.forget_failed()
    assert tasks.want("me", {"y": lambda report: 3})["y"].value() == 3


def test_an_owner_finds_what_it_wants_again():
    tasks = Tasks()
    mine = tasks.want("server", {"x": lambda report: 5})
    tasks.want("you", {"y": lambda report: 6})["y"].value()
    assert tasks.wanted("server") == mine and mine["x"].value() == 5
    assert tasks.wanted("server") == mine, "also once it is done"
    tasks.want("server", {})
    assert tasks.wanted("server") == {} == tasks.wanted("nobody")


def test_first_pictures_come_in_the_order_of_asking():
    """One slot, and a crowd: nobody's first second is cut up by those who came later."""
    tasks, order, go = Tasks(1), [], threading.Event()

    def work(name):
        def pieces(report):
            go.wait(10)
            for _ in range(3):
                order.append(name)
                time.sleep(0.01)
                report(0.1)

        return pieces

    found = [tasks.want(name, {name: work(name)})[name] for name in "abcd"]
    wait_until(lambda: [task.ahead for task in found] == [0, 0, 1, 2])
    go.set()
    for task in found:
        task.value()
    assert "".join(order) == "aaabbbcccddd"


def test_first_pictures_do_not_wait_for_a_long_step():
    tasks, go = Tasks(1, fast=1), threading.Event()
    long = tasks.want("me", {"long": lambda report: go.wait(10)})["long"]
    wait_until(lambda: long.begun)
    assert tasks.want("you", {"short": lambda report: report(0.5) or "short"})["short"].future.result(5) == "short"
    assert not long.done
    go.set()


def test_the_fast_lane_is_left_after_the_first_second(monkeypatch):
    monkeypatch.setattr(module, "FIRST", 0.01)
    tasks, go, order = Tasks(1, fast=1), threading.Event(), []
    long = tasks.want("me", {"long": lambda report: go.wait(10) and order.append("long")})["long"]
    wait_until(lambda: long.begun)

    def slow(report):
        time.sleep(0.05)
        report(0.5)
        order.append("slow")

    def short(report):
        order.append("short")

    slower = tasks.want("you", {"slow": slow})["slow"]
    wait_until(lambda: slower.begun)
    tasks.want("they", {"short": short})["short"].value()
    go.set()
    slower.value()
    assert order == ["short", "long", "slow"]


def test_whoever_has_computed_least_goes_next(monkeypatch):
    """One slot, reports that take turns: a late comer's first piece is done before the first one's next."""
    monkeypatch.setattr(module, "FIRST", 0.0)
    tasks, order, late = Tasks(1), [], threading.Event()

    def pieces(name, count):
        def work(report):
            for piece in range(count):
                time.sleep(0.03)
                order.append((name, piece))
                if (name, piece) == ("early", 3):
                    late.set()
                    time.sleep(0.05)
                report(piece / count)
            return name

        return work

    early = tasks.want("me", {"early": pieces("early", 12)})["early"]
    assert late.wait(10)
    other = tasks.want("you", {"late": pieces("late", 3)})["late"]
    assert other.value() == "late" and not early.done
    assert [name for name, _ in order].index("late") == 4, "it waits for the piece at work and no longer"
    assert [one for one in order if one[0] == "late"] == order[4:7], "it has had less until it is done"
    assert early.value() == "early"


def test_many_that_wait_are_served_alike_and_know_how_many_come_first(monkeypatch):
    monkeypatch.setattr(module, "FIRST", 0.0)
    tasks, counts, held = Tasks(1), dict.fromkeys("abcd", 0), threading.Event()

    def work(name):
        def piece(report):
            held.wait(10)
            for _ in range(30):
                time.sleep(0.002)
                counts[name] += 1
                seen.append(max(counts.values()) - min(counts.values()))
                report(counts[name] / 30)

        return piece

    seen = []
    found = [tasks.want(name, {name: work(name)})[name] for name in "abcd"]
    wait_until(lambda: sorted(task.ahead for task in found) == [0, 0, 1, 2] or any(task.begun for task in found))
    held.set()
    for task in found:
        task.value()
    middle = seen[len(seen) // 10 : -len(seen) // 3]
    assert max(middle) <= 15, "nobody gets far ahead of the others, as the first would by 30"


def wait_until(met):
    end = time.monotonic() + 10
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_work_in_several_threads_passes_its_one_turn_on():
    tasks = Tasks(1)

    def split(report):
        def part(number):
            for _ in range(20):
                time.sleep(0.001)
                report(0.5)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(part, range(2)))
        return "done"

    found = [tasks.want(name, {name: split})[name] for name in "abc"]
    assert [task.value() for task in found] == ["done"] * 3
    inside = []

    def alone(report):
        for _ in range(10):
            inside.append(1)
            assert len(inside) == 1, "there is still one slot, and no more"
            time.sleep(0.001)
            inside.pop()
            report(0.5)

    for task in [tasks.want(name, {name: alone})[name] for name in "de"]:
        task.value()


def test_errors_reach_whoever_waits():
    def fails(report):
        raise ValueError("no")

    task = Tasks().want("me", {"x": fails})["x"]
    with pytest.raises(ValueError, match="no"):
        task.value()


def test_the_process_ends_in_peace_while_work_is_inside_torch():
    """Begun from a daemon's thread, as Streamlit's are; without waiting for it the process would abort."""
    program = """
import sys, threading, torch
sys.path.insert(0, "app")
from session.tasks import Tasks

begun = threading.Event()

def work(report):
    images = torch.ones(600, 600)
    while True:
        begun.set()
        images @ images
        report(0.5)

threading.Thread(target=lambda: Tasks(1).want("me", {"work": work}), daemon=True).start()
begun.wait()
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=150)
    assert (ended.returncode, ended.stderr) == (0, "")
