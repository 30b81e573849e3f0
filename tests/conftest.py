"""Shared fixtures: small models, a real server of the app, and a real browser, where there is one."""

import os
import shutil
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings

from benchmarks.serving import Server, chromium
from tests import tiny_models

ROOT = Path(__file__).resolve().parent.parent

PATIENCE = 120_000  # ms for whatever a browser waits for: the other tests keep the cores busy
QUICK_APP = ("-m", "tests.quick_app", "run", "app/Home.py")

# What all processes of a test run share, and the models that the app has in it; the first process names the folders.
SHARED = "RGAN_TESTS_SHARED"
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ[SHARED] = tempfile.mkdtemp(prefix="rgan-")
    os.environ["RGAN_CHECKPOINTS"] = str(Path(os.environ[SHARED]) / "checkpoints")
# Every test process has its own runs/ and uploads/, apart from the user's and from its neighbours'.
OWN = ("RGAN_RUNS", "RGAN_UPLOADS")
for _name in OWN:
    os.environ[_name] = tempfile.mkdtemp(prefix="rgan-")

# As app/.streamlit/config.toml has it, which a script that is tested without its server does not read.
os.environ["STREAMLIT_RUNNER_MAGIC_ENABLED"] = "false"

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


def pytest_collection_modifyitems(items):
    """First what takes long, the tests in a browser, so that all processes end together."""
    items.sort(key=lambda item: not {"page", "browser"} & set(getattr(item, "fixturenames", ())))


def pytest_unconfigure(config):
    """End what all processes shared, once they have ended."""
    if hasattr(config, "workerinput"):
        return
    shared = Path(os.environ[SHARED])
    if (shared / "server").exists():
        with suppress(ProcessLookupError):
            os.kill(int((shared / "server").read_text().split()[0]), signal.SIGTERM)
    shutil.rmtree(shared, ignore_errors=True)


@pytest.fixture(scope="session")
def models():
    """Small models in place of the shipped ones, see tests/tiny_models.py: made once a run."""
    folder = Path(os.environ["RGAN_CHECKPOINTS"])
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made = folder.with_suffix(".part")
            tiny_models.make(made)
            made.rename(folder)


@pytest.fixture(scope="session")
def address(models):
    """Where a server of the app answers, one for all processes of the run."""
    shared = Path(os.environ[SHARED])
    with FileLock(shared / "server.lock"):
        if not (shared / "server").exists():
            own = {name: str(shared / name) for name in OWN}
            server = Server(QUICK_APP, environment=own)
            server.start()
            (shared / "server").write_text(f"{server.process.pid} {server.address}")
    return (shared / "server").read_text().split()[1]


@pytest.fixture(scope="session")
def browser():
    """A browser; without one the browser tests skip, or fail if RGAN_BROWSER=required."""
    from playwright.sync_api import Error, expect

    with ExitStack() as stack:
        try:
            found = stack.enter_context(chromium())
        except Error as error:
            if os.environ.get("RGAN_BROWSER") == "required":
                raise
            pytest.skip(f"no Chromium to test with: {str(error).splitlines()[0]}")
        found.on("context", lambda context: context.set_default_timeout(PATIENCE))
        expect.set_options(timeout=PATIENCE)
        yield found


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    yield context.new_page()
    context.close()
