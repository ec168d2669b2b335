"""How far a build is: a bar for people, a line now and then for logs."""

import sys

import pytest

from pes_search.service.cli import progress
from pes_search.service.cli.progress import ProgressDisplay, log_line


def test_a_line_tells_how_far_how_fast_and_how_long() -> None:
    assert log_line("encoding", 500, 2_000, 10.0) == "encoding: 500 of 2,000 texts (25%), 50 a second, 30 s left"
    assert log_line("encoding", 100, 10_000, 10.0) == "encoding: 100 of 10,000 texts (1%), 10 a second, 16 min 30 s left"
    assert log_line("reading", 0, 12, 0.0) == "reading: 0 of 12 files"


def test_a_log_gets_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with ProgressDisplay() as shown:
        for second in range(1, 36):
            now = 100.0 + second
            shown.show("encoding", 10 * second, 1_000)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in lines] == ["pes: encoding: 100", "pes: encoding: 200", "pes: encoding: 300"]


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ProgressDisplay() as shown:
        shown.show("reading", 1, 2)
        shown.show("encoding", 5, 10)
    err = capsys.readouterr().err
    assert "reading" in err
    assert "encoding" in err
