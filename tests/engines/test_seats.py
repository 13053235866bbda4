"""What a seat makes of crashes; the rest of it is in test_pool.py."""

import pytest

from larouter.core.catalog import Model
from larouter.core.errors import EngineDown
from larouter.engines.log import EngineLog
from larouter.engines.seats import EngineCrash, Seat, again, down

MODEL = Model(id="small", name="small", provider="local")


@pytest.fixture
def seat(tmp_path):
    return Seat(log=EngineLog(tmp_path, "small"))


def test_an_empty_seat_takes_nothing_and_waits_for_nothing(seat):
    assert (seat.alive, seat.reserved, seat.wait_s(MODEL, 5.0)) == (None, 0, 0.0)


def test_a_short_pause_is_waited_for_and_a_long_one_told(seat):
    seat.not_before = 6.0

    assert seat.wait_s(MODEL, 5.0) == 1.0
    with pytest.raises(EngineDown) as caught:
        seat.wait_s(MODEL, 1.5)
    assert caught.value.retry_after_s == 5


def test_what_is_forgotten_is_no_reason_any_more(seat):
    seat.quarantine, seat.crashes, seat.not_before = down(MODEL, 1), [1.0], 9.0
    with pytest.raises(EngineDown):
        seat.wait_s(MODEL, 0.0)

    seat.forget()

    assert (seat.wait_s(MODEL, 0.0), seat.crashes) == (0.0, [])


def test_an_error_is_a_new_one_each_time():
    error = down(MODEL, 1.2)

    fresh = again(error, "last words")

    assert fresh is not error
    assert (fresh.message, fresh.retry_after_s) == (error.message, 2)
    assert isinstance(fresh.__cause__, EngineCrash)
