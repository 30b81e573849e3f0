"""The app, started from anywhere."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rgan.cli.common import Subparsers
from rgan.common.errors import RganError
from rgan.common.files import CHECKOUT

FOLDERS = (
    "RGAN_CHECKPOINTS",
    "RGAN_RUNS",
    "RGAN_UPLOADS",
    "RGAN_MODELS",
)  # a relative one is meant from where the command is called
EVERYBODY = "0.0.0.0"


def add(commands: Subparsers) -> None:
    command = commands.add_parser("app", help="start the app in the browser, from any folder; Ctrl-C ends it")
    command.set_defaults(command=run)
    command.add_argument("--port", type=int, help="to listen on (default 8501, or the next that is free)")
    command.add_argument(
        "--address", help="to listen on (default 127.0.0.1: for this machine only; 0.0.0.0: for all that reach it)"
    )
    command.add_argument(
        "--classroom",
        action="store_true",
        help="open it to all who reach this machine, who explore and can neither train, upload nor delete",
    )
    command.add_argument(
        "--models",
        metavar="FILE.py",
        help="functions that return your own models by rgan.wrap; this file is code and runs",
    )
    command.add_argument("more", nargs="*", metavar="OPTION", help="Streamlit's own, as in: -- --server.headless true")


def run(options: argparse.Namespace) -> None:
    home = CHECKOUT / "app" / "Home.py"
    if not home.exists():
        raise RganError(
            f"expected the app beside the library, got none in {CHECKOUT}: a wheel holds the library alone; "
            "run `make app` in a checkout of RGAN Lab"
        )
    if find_spec("streamlit") is None:
        raise RganError(
            f"expected Streamlit in {sys.executable}, got none; run `pip install -r requirements.txt` in {CHECKOUT}"
        )
    command = [sys.executable, str(home.with_name("serve.py")), "run", str(home)]
    address = options.address
    if options.classroom:
        os.environ["RGAN_CLASSROOM"] = "1"
        address = address or EVERYBODY
        command += ["--server.maxUploadSize", "1"]  # MB that Streamlit itself takes from anybody, page or no page
    for name, value in (("port", options.port), ("address", address)):
        if value is not None:
            command += [f"--server.{name}", str(value)]
    command += options.more
    if options.models:
        os.environ["RGAN_MODELS"] = options.models
    if os.environ.get("RGAN_MODELS"):
        from rgan.models import own

        own.functions(Path(os.environ["RGAN_MODELS"]))  # what is wrong with the file is said before the app starts
    os.environ.update({name: os.path.abspath(os.environ[name]) for name in FOLDERS if name in os.environ})
    # Streamlit reads settings, and Python modules, from the folder it is started in: not from the caller's.
    os.chdir(CHECKOUT)
    if os.name == "posix":
        os.execv(sys.executable, command)  # signals to this process are then the server's
    raise SystemExit(subprocess.call(command))
