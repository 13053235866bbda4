import pytest

from larouter.core.results import KEPT_S, Result, Results
from tests.fakes import Clock

FIELDS = [("x-request-id", "req_1")]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def results(clock):
    return Results(clock, most_bytes=10)


def a_result(body=b"four", project="p"):
    return Result(project, FIELDS, body)


def test_an_answer_is_there_for_ten_minutes(results, clock):
    results.keep("req_1", a_result())
    clock.advance(KEPT_S - 1)

    assert results.of("req_1") == a_result()

    clock.advance(1)
    assert results.of("req_1") is None
    assert results.count() == 0


def test_nobody_finds_what_was_never_kept(results):
    assert results.of("req_1") is None


def test_the_oldest_makes_room(results):
    for number in range(3):
        results.keep(f"req_{number}", a_result())

    assert results.of("req_0") is None
    assert results.of("req_1") == results.of("req_2") == a_result()


def test_what_was_forgotten_leaves_its_room(results, clock):
    results.keep("req_1", a_result(b"12345678"))
    clock.advance(KEPT_S)
    results.forget_expired()

    results.keep("req_2", a_result())
    results.keep("req_3", a_result())

    assert results.count() == 2


def test_a_very_long_answer_is_not_kept(clock):
    results = Results(clock)

    results.keep("req_1", a_result(b"x" * (4 * 1024 * 1024 + 1)))

    assert results.count() == 0


def test_a_project_forgets_its_own(results):
    results.keep("req_1", a_result())
    results.keep("req_2", a_result(project="q"))

    assert results.forget_all("p") == 1
    assert results.of("req_1") is None
    assert results.of("req_2") is not None
