"""Something long, told line by line."""

import json

import gevent
import pytest

from larouter.core.errors import BadRequest
from larouter.web.progress import answer, in_thread


def lines(response):
    return [json.loads(line) for line in response.response]


def test_without_a_stream_the_end_is_the_answer():
    response = answer(streamed=False, work=lambda: {"a": 1}, told=dict, status=201)

    assert (response.status_code, json.loads(response.get_data())) == (201, {"a": 1})


def test_a_stream_tells_what_changes_and_how_it_ends():
    said = iter([{"done": 1}, {"done": 1}, {"done": 2}])
    going = []

    def told():
        going.append(next(said))
        return going[-1]

    def work():
        gevent.sleep(0.6)
        return {"a": 1}

    response = answer(streamed=True, work=work, told=told)

    assert lines(response) == [{"done": 1}, {"done": 2}, {"status": "done", "a": 1}]


def test_an_error_is_the_last_line():
    def work():
        raise BadRequest("No.", code="c", param="p")

    response = answer(streamed=True, work=work, told=dict)

    assert lines(response)[-1] == {"error": {"message": "No.", "code": "c", "param": "p"}}


def test_a_client_that_leaves_is_noticed():
    left = []

    def forever():
        gevent.sleep(30)
        return {}

    response = answer(streamed=True, work=forever, told=dict, leave=lambda: left.append(1))
    next(iter(response.response))

    response.close()

    assert left == [1]


def test_a_fault_in_a_thread_is_the_caller_s():
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 / 0)
