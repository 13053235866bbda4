"""Who waits for room: turns, limits, and leaving."""

import pytest

from larouter.core.errors import EngineBusy
from larouter.engines.line import Line


def test_the_first_alone_has_its_turn():
    line = Line()
    with line.place("a") as first, line.place("b") as other, line.place("a") as second:
        assert line.is_turn_of(first)
        assert not line.is_turn_of(second)
        assert not line.is_turn_of(other)
        assert line.is_shared


def test_who_leaves_makes_room_for_the_next():
    line = Line()
    with line.place("a"):
        pass
    with line.place("b") as other:
        assert line.is_turn_of(other)
        assert not line.is_shared


def test_not_too_many_wait_for_one_model():
    line = Line(most=1)
    with line.place("a"), line.place("b"), pytest.raises(EngineBusy) as caught, line.place("a"):
        pass

    assert (caught.value.status, caught.value.code) == (429, "engines_busy")
    assert caught.value.retry_after_s == 10


def test_nobody_waits_for_ever():
    line = Line(longest_s=-1)

    with line.place("a") as place, pytest.raises(EngineBusy, match="waited"):
        line.is_turn_of(place)


def test_a_line_knows_whether_somebody_waits_for_another_model():
    line = Line()
    with line.place("a"), line.place("a"):
        assert not line.has_others("a")
        with line.place("b"):
            assert line.has_others("a")
