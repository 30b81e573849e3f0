"""What commands print under terminals of old or no encodings: never an error, and every character that can be shown."""

import contextlib
import io
import sys

import pytest

from rgan.cli.main import COMMANDS, main
from rgan.cli.output import SPELLED


def printed(arguments, encoding, monkeypatch):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    with contextlib.suppress(SystemExit):
        main(arguments)
    for stream in streams:
        stream.flush()
    return [stream.buffer.getvalue().decode(encoding) for stream in streams]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "shift_jis", "utf-8"])
def test_no_character_ends_a_command(encoding, monkeypatch):
    for command in COMMANDS:
        out, err = printed([command, "--help"], encoding, monkeypatch)
        assert out.startswith("usage: rgan") and not err
    out, _ = printed(["recipes"], encoding, monkeypatch)
    assert ("λ 0.1" in out) == (encoding not in ("ascii", "cp1252", "cp437")) != ("lambda 0.1" in out)
    assert ("Å" in out or "A" in out) and "?" not in out


def test_a_name_that_is_no_text_is_said_all_the_same(monkeypatch):
    _, err = printed(["inspect", "caf\udce9-猫.pth"], "ascii", monkeypatch)
    assert err.startswith("rgan: expected") and "caf?-?.pth" in err
    _, err = printed(["inspect", "caf\udce9-猫.pth"], "utf-8", monkeypatch)
    assert "caf?-猫.pth" in err


def test_whatever_stands_for_a_character_is_ascii():
    assert all(text.isascii() and not mark.isascii() for mark, text in SPELLED.items())
