"""What the API shows of a download."""

import pytest

from larouter.downloads.row import row_of
from tests.downloads.conftest import order_for, piece_of

ORDER = order_for(piece_of(b"x" * 1000))


def test_what_runs_says_how_far_how_fast_and_how_long():
    row = row_of(ORDER, {"phase": "fetching", "done": 400, "total": 1000, "speed": 100}, 350)

    assert (row.state, row.bytes_done, row.bytes_total, row.left_s) == ("running", 400, 1000, 6)


@pytest.mark.parametrize("speed", [None, 0])
def test_without_a_speed_nobody_knows_how_long(speed):
    row = row_of(ORDER, {"phase": "fetching", "done": 0, "total": 1000, "speed": speed}, 0)

    assert row.left_s is None


def test_while_what_is_there_is_checked_the_bar_does_not_go_back():
    row = row_of(ORDER, {"phase": "checking", "done": 100, "total": 1000, "speed": 9}, 800)

    assert (row.phase, row.bytes_done, row.speed) == ("checking", 800, None)


def test_what_is_waited_for_is_said():
    row = row_of(ORDER, {"phase": "waiting", "why": "the hub wants us to wait"}, 5)

    assert (row.why, row.bytes_done) == ("the hub wants us to wait", 5)


def test_before_its_first_word_it_starts():
    assert row_of(ORDER, {}, 0).phase == "starting"


@pytest.mark.parametrize("state", ["queued", "paused"])
def test_what_does_not_run_has_neither_phase_nor_speed(state):
    row = row_of(order_for(state=state), None, 7)

    assert (row.state, row.phase, row.speed, row.bytes_done) == (state, None, None, 7)


def test_a_failure_says_why():
    row = row_of(order_for(state="failed", code="disk_full", message="Make room."), None, 0)

    assert row.error == {"code": "disk_full", "message": "Make room."}
