"""Every answer that ends well says how fast its model is."""

from __future__ import annotations

import pytest

from larouter.core.errors import UpstreamError
from larouter.core.pace import Pace
from tests.fakes import CLOUD, LOCAL, OTHER, House, a_request


@pytest.fixture
def house():
    return House()


def _slow_reply(house, **more):
    return house.reply(b"one", lambda: house.clock.advance(2.0), b"two", **more)


def _first_word_after(house, seconds):
    return lambda: house.clock.advance(seconds)


def test_a_stream_teaches_both_times(house):
    house.cloud.will(_first_word_after(house, 1.0), _slow_reply(house))

    list(house.ask(a_request(stream=True)))

    found = house.gateway.pace.forecast(CLOUD, 100, 10)
    assert (found.first_s, found.total_s) == (pytest.approx(1.0), pytest.approx(3.0))
    assert house.gateway.pace.under_way(CLOUD) == 0


def test_a_whole_answer_teaches_what_it_took(house):
    house.cloud.will(_first_word_after(house, 1.5), house.reply(b"{}"))
    answer = house.ask()
    answer.reply.usage = answer.reply._usage

    answer.finish()
    assert house.gateway.pace.under_way(CLOUD) == 1
    answer.close()

    assert house.gateway.pace.forecast(CLOUD, 100, 10).total_s == pytest.approx(1.5)
    assert house.gateway.pace.under_way(CLOUD) == 0


def test_an_estimate_teaches_nothing(house):
    house.cloud.will(_slow_reply(house, usage=None))

    list(house.ask(a_request(stream=True)))

    assert house.gateway.pace.forecast(CLOUD, 100, 10) is None


def test_a_call_that_fails_is_no_longer_under_way(house):
    house.cloud.will(UpstreamError("busy"))
    house.other.will(house.reply(b"hi"))

    answer = house.ask(a_request(stream=True))

    pace = house.gateway.pace
    assert (pace.under_way(CLOUD), pace.under_way(OTHER)) == (0, 1)
    answer.close()
    answer.close()
    assert pace.under_way(OTHER) == 0


def test_a_cold_model_teaches_how_long_it_loads():
    house, cold = House(), [True]
    pace = Pace(lambda model: not cold)
    object.__setattr__(house.gateway, "pace", pace)
    house.models = [LOCAL]
    house.local.will(_first_word_after(house, 30.0), _slow_reply(house))
    list(house.ask(a_request(stream=True)))
    cold.clear()
    house.local.will(_first_word_after(house, 1.0), _slow_reply(house))
    list(house.ask(a_request(stream=True)))

    hot, loaded = (pace.predict(LOCAL, 100, 10, hot=is_hot) for is_hot in (True, False))
    assert hot is not None
    assert loaded is not None
    assert hot.total_s == pytest.approx(3.0)
    assert loaded.first_s == pytest.approx(31.0)
