"""Shared fixtures: a real server of the app and a real browser, where there is one."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Several test processes share the cores: threads that wait by spinning would slow each other tenfold.
torch.set_num_threads(1)


def serve(*options: str) -> tuple[subprocess.Popen, str]:
    """A running server of the app and its address; the caller ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/Home.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
            return process, address
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError("the app's server did not answer within 30 s")


@pytest.fixture(scope="session")
def address():
    process, found = serve()
    yield found
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def browser():
    """Chromium of the system or of Playwright; without one the browser tests skip, or fail if RGAN_BROWSER=required."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    executable = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        except Error as error:
            if os.environ.get("RGAN_BROWSER") == "required":
                raise
            pytest.skip(f"no Chromium to test with: {str(error).splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    yield context.new_page()
    context.close()
