"""How far a download is, as a bar."""

from larouter.cli.bar import Bar

ROW = {
    "id": "m", "state": "running", "phase": "fetching", "bytes_done": 400_000_000,
    "bytes_total": 1_000_000_000, "speed": 20_000_000, "left_s": 30, "why": None,
}  # fmt: skip


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
