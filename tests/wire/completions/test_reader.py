"""A provider's legacy completion as events."""

import json
from pathlib import Path

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.core.events import Finished, Started, TextDelta
from larouter.wire.completions.reader import Reader
from larouter.wire.sse import EventSplitter

_STREAMS = Path(__file__).parent.with_name("streams") / "completions"
_FOUND = {
    "deepseek_fim": (
        "    if n < 2: # kürzer 🙂\n        return n",
        Finished("stop", Usage(input=10, cache_read=4, output=17)),
    ),
    "llamacpp": ("Hello, wörld", Finished("length", Usage(input=3, output=5))),
}


def _event(value):
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _read(*pieces):
    reader, splitter = Reader(), EventSplitter()
    events = [event for piece in pieces for event in reader.feed(splitter.feed(piece))]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, reader.end(), reader.done


@pytest.mark.parametrize("name", _FOUND)
def test_a_cut_at_any_byte_changes_nothing(name):
    data = (_STREAMS / f"{name}.sse").read_bytes()

    for cut in range(len(data)):
        assert _read(data[:cut], data[cut:]) == (*_FOUND[name], True)


def test_of_several_answers_the_first_of_each_event_is_read():
    events = Reader().feed((_STREAMS / "two.sse").read_bytes())

    assert events[0] == Started("cmpl-9", "gpt-3.5-turbo-instruct")


def test_a_whole_answer_is_read():
    body = {
        "id": "c", "model": "m", "choices": [{"text": "Hi", "finish_reason": "content_filter"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }  # fmt: skip

    assert Reader().whole(json.dumps(body).encode()) == [
        Started("c", "m"),
        TextDelta("Hi"),
        Finished("refusal", Usage(input=3, output=2)),
    ]


def test_a_provider_without_a_name_or_usage_is_read():
    whole = Reader().whole(b'{"choices":[{"text":"","finish_reason":"eos"}]}')

    assert whole == [Started(None, None), Finished("stop", None)]


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"choices":null}', b'{"error":{"message":"busy"}}', b'{"choices":[]}',
     b'{"choices":[{"text":"Hi"}]}', b'{"choices":[{"text":1}]}', b"\xff"],
)  # fmt: skip
def test_what_is_no_answer_is_the_providers_fault(body):
    with pytest.raises(UpstreamError):
        Reader().whole(body)


def test_an_error_in_a_stream_is_told():
    with pytest.raises(UpstreamError, match="busy"):
        Reader().feed(_event({"error": {"message": "busy"}}))


def test_a_stream_that_was_cut_is_an_error():
    reader = Reader()
    reader.feed(b": hi\n\n" + _event({"choices": [{"text": "Hi"}]}))

    with pytest.raises(UpstreamError, match="broke off"):
        reader.end()
