"""A worker, seen from its parent."""

import threading

from larouter.downloads.process import Process
from tests.downloads.downloading import until


def started(script):
    lines: list = []
    ended = threading.Event()
    process = Process(
        ["sh", "-c", script], b'{"a": 1}', environment={}, on_line=lines.append, on_end=ended.set
    )
    return process, lines, ended


def test_lines_come_in_order_and_then_the_end():
    _, lines, ended = started("""read line; echo "$line"; echo 'not JSON'; echo '{"b": 2}'""")

    assert ended.wait(10)
    assert lines == [{"a": 1}, {"b": 2}]


def test_one_that_does_not_leave_is_killed(monkeypatch):
    monkeypatch.setattr("larouter.downloads.process._GRACE_S", 0.2)
    process, lines, ended = started("echo '{}'; exec sleep 60")
    until(lambda: lines)

    process.stop()
    process.stop()

    assert ended.wait(10)


def test_one_that_reads_nothing_is_no_fault():
    _, _, ended = started("exit 3")

    assert ended.wait(10)
