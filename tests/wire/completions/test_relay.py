"""A legacy completion that passes as it came."""

import json
from pathlib import Path

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire import sse
from larouter.wire.completions import WIRE
from larouter.wire.completions.request import read_request

_STREAMS = sorted((Path(__file__).parent.with_name("streams") / "completions").glob("*.sse"))
_USAGE = {
    "deepseek_fim": Usage(input=10, cache_read=4, output=17),
    "llamacpp": Usage(input=3, output=5),
    "two": None,
}


def _relay(*, wants_usage=False):
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    body = {"model": "auto", "prompt": "Once", "stream": True, **options}
    return WIRE.relay(read_request(json.dumps(body).encode()))


def _relayed(*pieces, wants_usage=False):
    road = _relay(wants_usage=wants_usage)
    out = b"".join([road.feed(piece) for piece in pieces])
    return out + road.finish(prompt_tokens=11), road


def _chunks(stream):
    data = [sse.data_of(event) for event in sse.split(stream)]
    return [json.loads(found) for found in data if found and found != b"[DONE]"]


@pytest.mark.parametrize("path", _STREAMS, ids=[path.stem for path in _STREAMS])
@pytest.mark.parametrize("wants_usage", [False, True])
def test_a_cut_at_any_byte_changes_nothing(path, wants_usage):
    data = path.read_bytes()
    expected, _ = _relayed(data, wants_usage=wants_usage)

    for cut in range(1, len(data)):
        out, road = _relayed(data[:cut], data[cut:], wants_usage=wants_usage)
        assert out == expected
        assert road.usage == _USAGE[path.stem]
    assert expected.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("path", _STREAMS, ids=[path.stem for path in _STREAMS])
def test_the_texts_pass_as_they_came(path):
    data = path.read_bytes()

    passed = [choice for chunk in _chunks(_relayed(data)[0]) for choice in chunk["choices"]]

    assert passed == [choice for chunk in _chunks(data) for choice in chunk["choices"]]


def test_usage_leaves_once_for_those_who_ask():
    data = (_STREAMS[0].with_name("deepseek_fim.sse")).read_bytes()

    *chunks, last = _chunks(_relayed(data, wants_usage=True)[0])

    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 17
    assert not any(chunk.get("usage") for chunk in chunks)


def test_what_was_delivered_is_estimated_from_the_texts():
    _, road = _relayed((_STREAMS[0].with_name("two.sse")).read_bytes())

    assert road.delivered() == 2
    assert road.parts() == ()
    assert _relay().delivered() == 0


def test_a_whole_answer_passes():
    road = _relay()
    body = b'{"id":"c","choices":[{"text":"Hello there","index":0,"finish_reason":"stop"}]}'

    assert road.whole(body, prompt_tokens=3) == body
    assert (road.provider_id, road.usage, road.delivered()) == ("c", None, 3)


def test_odd_events_are_no_text():
    road = _relay()
    road.feed(b'data: {"choices":[{"text":"Hi"}]}\n\n')
    road.feed(b'data: {"choices":[{"text":7},{"text":""}]}\n\ndata: {nonsense}\n\n')

    assert road.delivered() >= 1


@pytest.mark.parametrize("body", [b"<html>", b'{"error":"no"}', b'{"choices":[]}'])
def test_what_is_no_answer_is_the_providers_fault(body):
    with pytest.raises(UpstreamError):
        _relay().whole(body, prompt_tokens=1)


def test_a_broken_stream_ends_with_an_error_event():
    assert json.loads(sse.data_of(_relay().broken(UpstreamError("Gone."))))["error"]["message"]
