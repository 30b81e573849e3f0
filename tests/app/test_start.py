"""The app keeps the README's promise wherever it is started: this machine alone can reach it, and nothing is told on."""

import socket

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import Config
from websockets.sync.client import connect

from benchmarks.serving import Server
from rgan.cli import app
from rgan.cli.main import main
from tests.conftest import ROOT

STARTS = {
    "streamlit": ("-m", "streamlit", "run", str(ROOT / "app" / "Home.py")),
    "rgan app": ("-m", "rgan", "app", "--"),
}
STRANGE = '[server]\naddress = "0.0.0.0"\n[browser]\ngatherUsageStats = true\n'


def answers(host: str, address: str) -> bool:
    try:
        socket.create_connection((host, int(address.rpartition(":")[2])), timeout=2).close()
    except OSError:
        return False
    return True


def page_settings(address: str) -> Config:
    """What the browser is told when it opens the page."""
    with connect(f"{address.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"]) as page:
        message = BackMsg()
        message.rerun_script.query_string = ""
        page.send(message.SerializeToString())
        while True:
            sent = ForwardMsg.FromString(page.recv(timeout=60))
            if sent.HasField("new_session"):
                return sent.new_session.config


@pytest.mark.parametrize("start", STARTS)
def test_from_another_folder_it_is_for_this_machine_alone_and_sends_no_telemetry(start, tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(STRANGE)
    server = Server(STARTS[start], environment={"PYTHONPATH": str(ROOT)}, folder=tmp_path)
    server.start()
    try:
        # Who listens on all interfaces answers on every address of this machine.
        assert [host for host in ("127.0.0.1", "127.0.0.2", "::1") if answers(host, server.address)] == ["127.0.0.1"]
        assert not page_settings(server.address).gather_usage_stats
    finally:
        server.stop()


def test_the_operator_may_choose_the_address(tmp_path):
    program = ("-m", "rgan", "app", "--address", "0.0.0.0", "--")
    server = Server(program, environment={"PYTHONPATH": str(ROOT)}, folder=tmp_path)
    server.start()
    try:
        assert answers("127.0.0.2", server.address)
    finally:
        server.stop()


def test_without_the_app_or_streamlit_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    assert main(["app"]) == 2 and "requirements.txt" in capsys.readouterr().err
    monkeypatch.setattr(app, "CHECKOUT", tmp_path)
    assert main(["app"]) == 2 and "make app" in capsys.readouterr().err
