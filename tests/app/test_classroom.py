"""A server that is open to a class: visitors explore, and can neither train, upload, delete nor exhaust it."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from benchmarks.serving import Server
from benchmarks.visitor import Visitor
from rgan.cli.main import main
from tests.app.test_screens import app
from tests.conftest import ROOT


@pytest.fixture
def visitor(monkeypatch):
    """This process is a class's server, and whoever opens a page sits elsewhere."""
    monkeypatch.setenv("RGAN_CLASSROOM", "1")
    monkeypatch.setenv("RGAN_VISITORS_UPLOAD", "1")
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))


def test_a_visitor_can_neither_train_nor_upload_nor_delete(visitor):
    test = app("train")
    assert not test.button and len(test.info) == 1 and not test.exception
    assert "opened this class" in test.info[0].value
    test = app("reproduce", study="models at hand")
    assert not test.exception and not test.text_area
    assert not any(button.label in ("Run", "Start", "Go on", "Stop") for button in test.button)
    test = app("checkpoints")
    assert not test.exception and not test.get("file_uploader")
    assert not any("Delete" in button.label or "Rename" in button.label for button in test.button)


def test_a_visitor_explores_what_this_machine_can_bear(visitor):
    test = app(budget="strong", samples="256", rows="0-99")
    assert not test.exception
    assert test.segmented_control(key="budget").options == ["live", "standard"]
    assert test.select_slider(key="samples").options == ["16", "32", "64"]
    assert any("up to 64 sample numbers" in error.value for error in test.error)


def test_the_teacher_at_the_machine_can_do_all(visitor, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: None))
    assert app("train").button
    assert "strong" in app().segmented_control(key="budget").options


def test_without_the_setting_nothing_is_closed(visitor, monkeypatch):
    monkeypatch.delenv("RGAN_CLASSROOM")
    assert app("train").button


def test_the_command_opens_the_server_to_the_class_and_seats_are_counted(tmp_path):
    """Two browsers elsewhere, as a proxy tells of them, at a server with one seat."""
    start = tmp_path / "start.py"
    start.write_text(
        f"import sys; sys.path[:0] = [{str(ROOT / 'app')!r}, {str(ROOT)!r}]\n"
        "from session import classroom; classroom.SEATS = 1\n"
        "from streamlit.web.cli import main; sys.argv[:1] = ['streamlit', 'run', 'app/Home.py']; main()\n"
    )
    server = Server((str(start),), environment={"RGAN_CLASSROOM": "1"})
    server.start()

    async def visits():
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        async with Visitor(server.address, elsewhere) as first:
            await first.open("train")
            assert await first.until(lambda heard: any("opened this class" in word for word in heard.words), 60)
            async with Visitor(server.address, elsewhere) as second:
                await second.open("worst-noise")
                assert await second.until(lambda heard: any("all are taken" in word for word in heard.words), 60)
            assert not first.heard.errors and first.lost is None

    try:
        with ThreadPoolExecutor(1) as thread:  # the tests' browser may have a loop in this one
            thread.submit(lambda: asyncio.run(visits())).result()
    finally:
        server.stop()


def test_only_the_classrooms_command_listens_beyond_this_machine(monkeypatch):
    called = []
    monkeypatch.setenv("RGAN_CLASSROOM", "")
    monkeypatch.setattr("os.execv", lambda program, command: called.append(command))
    monkeypatch.setattr("os.chdir", lambda folder: None)
    monkeypatch.setattr("subprocess.call", lambda command: 0)
    for options in ([], ["--classroom"], ["--classroom", "--address", "192.0.2.1"]):
        with pytest.raises(SystemExit):
            main(["app", *options])
    addresses = [dict(itertools.pairwise(command)).get("--server.address") for command in called]
    assert addresses == [None, "0.0.0.0", "192.0.2.1"]
