import pytest

from larouter.downloads.words import words

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
