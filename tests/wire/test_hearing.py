"""Who listens beside the road understands every format that a provider speaks."""

from __future__ import annotations

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Text
from larouter.wire import sse
from larouter.wire.hearing import Ear
from tests.fakes import a_request, with_fields
from tests.upstream import ANSWER, DONE, FINISH, FIRST, STREAM, USAGE, WORD


def _ear(wire="chat", **fields):
    return Ear(a_request(**fields), wire)


def _said(ear):
    return "".join(part.text for part in ear.heard.answer.parts if isinstance(part, Text))


def test_a_whole_answer():
    ear = _ear(max_tokens=7)

    ear.whole(ANSWER)

    assert _said(ear) == "Hello"
    assert (ear.heard.ended, ear.heard.broken, ear.is_deaf) == (True, False, False)
    assert ear.heard.answer.finished.usage == Usage(input=9, output=3)
    assert ear.heard.asked.max_output == 7


def test_a_stream_in_any_pieces():
    ear = _ear()
    stream = b"".join(STREAM)

    for at in range(0, len(stream), 7):
        ear.feed(stream[at : at + 7])

    assert not ear.heard.ended
    assert ear.end() == Usage(input=9, output=3)
    assert _said(ear) == "HiHi"
    assert ear.heard.ended


def test_a_stream_as_far_as_it_has_come():
    ear = _ear()

    ear.feed(FIRST)
    before = ear.heard.has_begun
    ear.feed(WORD)

    assert (before, ear.heard.has_begun, ear.heard.asked) == (False, True, None)


def test_a_stream_that_was_cut():
    ear = _ear()
    ear.feed(FIRST + WORD)

    assert ear.end() is None
    assert (ear.heard.broken, ear.heard.ended) == (True, False)


def test_what_it_does_not_understand():
    whole, streamed = _ear(), _ear()

    whole.whole(b'{"choices": [{"message": {"content": {"odd": 1}}}]}')
    streamed.feed(b'data: {"choices": 7}\n\n')
    streamed.feed(WORD)

    assert whole.is_deaf
    assert streamed.is_deaf
    assert not streamed.heard.has_begun


def test_a_request_that_only_its_provider_can_read():
    ear = Ear(
        with_fields(
            a_request(),
            body={"messages": [{"role": "function", "name": "f", "content": "1"}]},
        ),
        "chat",
    )

    ear.whole(ANSWER)

    assert ear.heard.ended
    assert ear.heard.asked is None


def _chunk(logprobs):
    choice = {"index": 0, "delta": {"content": "a"}, "logprobs": logprobs}
    return sse.write(json.dumps({"id": "x", "choices": [choice]}).encode())


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        ({"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1}]}, [-0.5, -1]),
        ({"token_logprobs": [None, -0.25]}, [-0.25]),
        ({"content": [7, {"logprob": "much"}], "token_logprobs": "few"}, []),
        ({"content": None}, []),
        ([], []),
        (None, []),
    ],
)
def test_how_likely_the_words_are_where_that_is_told(logprobs, expected):
    ear = _ear()

    ear.feed(FIRST + _chunk(logprobs) + WORD)

    assert ear.heard.logprobs == expected


def test_what_is_no_chunk_of_a_chat_tells_nothing():
    ear = _ear("anthropic")
    said = {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {}}}

    ear.feed(sse.write(json.dumps(said).encode()))
    ear.feed(b'event: ping\ndata: {"type": "ping", "choices": 7, "logprobs": 1}\n\n')

    assert ear.heard.logprobs == []
    assert not ear.is_deaf


def test_what_comes_after_the_end():
    ear = _ear()

    ear.feed(FIRST + FINISH + USAGE + DONE)
    ear.feed(WORD)

    assert _said(ear) == ""
    assert ear.end() == Usage(input=9, output=3)
