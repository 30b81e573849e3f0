"""A real server of the app and a real browser in front of it, for the benchmarks and the browser tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
STREAMLIT = ("-m", "streamlit", "run", "app/Home.py")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """The app's server on a free port of this machine; `start` again after a `kill` takes the same port.

    Args:
        program: what Python runs, up to the server's own options.
        environment: variables over those of this process.
        folder: the working directory.
    """

    def __init__(
        self, program: Sequence[str] = STREAMLIT, *, environment: Mapping[str, str] | None = None, folder: Path = ROOT
    ):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["--server.headless", "true", "--server.port", str(port)]
        self.command = [sys.executable, *program, *options]
        self.address = f"http://127.0.0.1:{port}"
        self._environment, self._folder = os.environ | dict(environment or {}), folder

    def start(self) -> None:
        """Start it, and `wait`."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.command, cwd=self._folder, env=self._environment, **quiet)
        self.wait()

    def wait(self) -> None:
        """Return once the started process answers.

        Raises:
            RuntimeError: it did not within two minutes.
        """
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).read()
                return
            except OSError:
                time.sleep(0.1)
        self.kill()
        raise RuntimeError("the app's server did not answer within two minutes")

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in good order."""
        self.process.terminate()
        self.process.wait(60)


def installed_chromium() -> str | None:
    """The system's Chromium; None where it has none, and Playwright takes its own."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=FLAGS)
        yield browser
        browser.close()
