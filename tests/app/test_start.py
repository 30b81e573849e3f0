"""The app keeps the README's promise wherever it is started: only this machine reaches it, and nothing is told on."""

import socket
import subprocess
import sys
import tomllib

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import NewSession
from websockets.sync.client import connect

from benchmarks.serving import Server
from rgan.cli import app
from rgan.cli.main import main
from tests.conftest import ROOT

STREAMLIT = ("-m", "streamlit", "run", str(ROOT / "app" / "Home.py"))
RGAN = ("-m", "rgan", "app")
# What the folder it is started in would have instead.
STRANGE = """
[server]
address = "0.0.0.0"
[browser]
gatherUsageStats = true
[theme.light]
primaryColor = "#FF0000"
"""


def answers(host: str, address: str) -> bool:
    try:
        socket.create_connection((host, int(address.rpartition(":")[2])), timeout=2).close()
    except OSError:
        return False
    return True


def opened(address: str) -> NewSession:
    """What the browser is told when it opens the page."""
    with connect(f"{address.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"]) as page:
        message = BackMsg()
        message.rerun_script.query_string = ""
        page.send(message.SerializeToString())
        while True:
            sent = ForwardMsg.FromString(page.recv(timeout=60))
            if sent.HasField("new_session"):
                return sent.new_session


# Who listens on all interfaces answers on every address of this machine, as on 127.0.0.2.
@pytest.mark.parametrize(
    ("start", "reached"),
    [
        (STREAMLIT, ["127.0.0.1"]),
        ((*RGAN, "--"), ["127.0.0.1"]),
        ((*RGAN, "--address", "0.0.0.0", "--"), ["127.0.0.1", "127.0.0.2"]),
    ],
    ids=["streamlit", "rgan app", "rgan app for all"],
)
def test_from_any_folder_it_has_its_own_settings(start, reached, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(STRANGE)
    own = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())
    server = Server(start, environment={"PYTHONPATH": str(ROOT)}, folder=tmp_path)
    server.start()
    try:
        assert [host for host in ("127.0.0.1", "127.0.0.2", "::1") if answers(host, server.address)] == reached
        page = opened(server.address)
    finally:
        server.stop()
    assert not page.config.gather_usage_stats
    assert page.custom_theme.light.primary_color == own["theme"]["light"]["primaryColor"]


def test_without_the_app_or_streamlit_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    assert main(["app"]) == 2 and "requirements.txt" in capsys.readouterr().err
    monkeypatch.setattr(app, "CHECKOUT", tmp_path)
    assert main(["app"]) == 2 and "make app" in capsys.readouterr().err


def imported(program, names):
    """Which of these modules a Python of its own has imported after the program, whose last word is `gc`'s state."""
    asked = f"{program}\nimport gc, sys\nprint(*({set(names)!r} & sys.modules.keys()), gc.isenabled())"
    found = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    *there, collects = found.stdout.splitlines()[-1].split()
    return set(there), collects == "True"


def test_the_first_picture_waits_for_nothing_that_it_needs_not():
    home = "import streamlit.testing.v1 as st\nassert not st.AppTest.from_file('app/Home.py').run(timeout=99).exception"
    there, collects = imported(home, {"torch", "pandas", "scipy.optimize", "sklearn", "torchvision", "umap"})
    assert there == {"torch"} and collects


def test_a_command_waits_for_nothing_that_it_needs_not():
    assert not imported("from rgan.cli.main import parser\nparser('app')", {"torch", "streamlit", "numpy"})[0]
