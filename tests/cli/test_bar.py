"""How far a download is, in words and as a bar."""

import pytest

from larouter.cli.bar import Bar, words

ROW = {
    "id": "m", "state": "running", "phase": "fetching", "bytes_done": 400_000_000,
    "bytes_total": 1_000_000_000, "speed": 20_000_000, "left_s": 30, "why": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "40 %  400 MB of 1.0 GB  20 MB/s  30 s left"),
        ({"left_s": 75}, "40 %  400 MB of 1.0 GB  20 MB/s  1 min 15 s left"),
        ({"left_s": 7500}, "40 %  400 MB of 1.0 GB  20 MB/s  2 h 05 min left"),
        ({"speed": None, "left_s": None}, "40 %  400 MB of 1.0 GB"),
        ({"phase": "checking", "speed": None}, "40 %  400 MB of 1.0 GB  checking what is there"),
        ({"phase": "waiting", "why": "it is busy"}, "40 %  400 MB of 1.0 GB  waiting: it is busy"),
        ({"bytes_total": None, "phase": "asking"}, "asking the hub"),
        ({"state": "paused", "phase": None}, "40 %  400 MB of 1.0 GB"),
    ],
)
def test_a_row_in_words(facts, said):
    assert words({**ROW, **facts}) == said


def test_on_a_terminal_a_line_renews_itself(capsys):
    bar = Bar(is_terminal=True)
    bar.show(ROW)
    bar.show({**ROW, "bytes_done": 500_000_000})
    bar.end()
    bar.end()

    out = capsys.readouterr().out
    assert out.count("\r") == 2
    assert out.count("\n") == 1
    assert "[############............]" in out


def test_elsewhere_there_is_a_line_now_and_then(capsys):
    bar = Bar(is_terminal=False)
    for done in range(100):
        bar.show({**ROW, "bytes_done": done * 10_000_000})
    bar.end()

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[3].startswith("m  30 %  300 MB of 1.0 GB")
