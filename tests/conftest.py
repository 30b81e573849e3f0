"""Shared fixtures: a real server of the app and a real browser, where there is one."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from benchmarks.serving import Server, chromium

ROOT = Path(__file__).resolve().parent.parent

# Every test process has its own runs/ and uploads/, apart from the user's and from its neighbours'.
OWN = ("RGAN_RUNS", "RGAN_UPLOADS")
for _name in OWN:
    os.environ[_name] = tempfile.mkdtemp(prefix="rgan-")

# The same examples at every run and on every machine, and no clock: cores are shared.
settings.register_profile("tests", max_examples=60, deadline=None, derandomize=True, database=None)
settings.load_profile("tests")

# Several test processes share the cores: threads that wait by spinning would slow each other tenfold.
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _own_folders():
    yield
    for name in OWN:
        shutil.rmtree(os.environ[name], ignore_errors=True)


@pytest.fixture(scope="session")
def address():
    server = Server()
    server.start()
    yield server.address
    server.stop()


@pytest.fixture(scope="session")
def browser():
    """A browser; without one the browser tests skip, or fail if RGAN_BROWSER=required."""
    from playwright.sync_api import Error

    with ExitStack() as stack:
        try:
            found = stack.enter_context(chromium())
        except Error as error:
            if os.environ.get("RGAN_BROWSER") == "required":
                raise
            pytest.skip(f"no Chromium to test with: {str(error).splitlines()[0]}")
        yield found


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    yield context.new_page()
    context.close()
