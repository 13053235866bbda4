"""Reading an answer from the side: usage, the end, errors – whatever the pieces it comes in."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire import sse
from larouter.wire.chat.relay import Relay, error_text, estimate_output, read_completion
from larouter.wire.chat.writer import DONE
from tests.fakes import a_request
from tests.wire.chat.examples import STREAMS, USAGE

_CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
_FINISH = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def _relay(*, wants_usage=False):
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    return Relay(a_request(stream=True, **options))


def _relayed(*pieces, wants_usage=False):
    """Feed these pieces; return what the client gets and the reader."""
    reader = _relay(wants_usage=wants_usage)
    out = b"".join([reader.feed(piece) for piece in pieces])
    return out + reader.finish(prompt_tokens=11), reader


def _chunks(stream):
    """What a client makes of a stream: the objects of its events, `[DONE]` among them."""
    data = [sse.data_of(event) for event in sse.split(stream)]
    return [found if found == b"[DONE]" else json.loads(found) for found in data if found]


def _without_usage(chunks):
    kept = [chunk for chunk in chunks if chunk != b"[DONE]" and chunk["choices"]]
    return [{key: chunk[key] for key in chunk if key != "usage"} for chunk in kept]


def _said(chunks):
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[:-1] if chunk["choices"]]
    return "".join(delta.get("reasoning_content") or delta.get("content") or "" for delta in deltas)


@pytest.fixture(params=STREAMS)
def stream(request):
    return request.param, STREAMS[request.param]


@pytest.mark.parametrize(("line_end", "wants_usage"), [(b"\n", False), (b"\r\n", True)])
def test_a_cut_at_any_byte_changes_nothing(stream, line_end, wants_usage):
    name, data = stream
    data = data.replace(b"\n", line_end)
    expected, _ = _relayed(data, wants_usage=wants_usage)

    for cut in range(1, len(data)):
        out, reader = _relayed(data[:cut], data[cut:], wants_usage=wants_usage)
        assert out == expected
        assert reader.usage == USAGE[name]


@pytest.mark.parametrize("wants_usage", [False, True])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_small_pieces_change_nothing(stream, size, line_end, wants_usage):
    name, data = stream
    data = data.replace(b"\n", line_end)
    expected, _ = _relayed(data, wants_usage=wants_usage)

    out, reader = _relayed(
        *(data[at : at + size] for at in range(0, len(data), size)), wants_usage=wants_usage
    )

    assert out == expected
    assert reader.usage == USAGE[name]


def test_without_usage_everything_else_arrives(stream):
    _, data = stream

    chunks = _chunks(_relayed(data)[0])

    assert chunks[-1] == b"[DONE]"
    assert chunks.count(b"[DONE]") == 1
    assert chunks[:-1] == _without_usage(_chunks(data))


def test_usage_that_was_asked_for_is_the_last_chunk(stream):
    name, data = stream

    *chunks, last, done = _chunks(_relayed(data, wants_usage=True)[0])

    assert done == b"[DONE]"
    assert last["choices"] == []
    assert last["id"] == chunks[0]["id"]
    assert last["model"] == chunks[0]["model"]
    assert not [chunk for chunk in chunks if chunk.get("usage")]
    assert _without_usage(chunks) == _without_usage(_chunks(data))
    if USAGE[name] is not None:
        reported = [chunk["usage"] for chunk in _chunks(data)[:-1] if chunk.get("usage")]
        assert [last["usage"]] == reported


def test_a_provider_without_usage_is_estimated():
    data = STREAMS["no_usage"]

    *_, last, _ = _chunks(_relayed(data, wants_usage=True)[0])

    assert last["usage"] == {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


def test_what_was_not_touched_is_the_same_bytes():
    data = STREAMS["llamacpp"]
    usage_at = data.rindex(b"data: {")

    assert _relayed(data)[0] == data[:usage_at] + DONE


def test_text_that_looks_like_the_protocol_is_text():
    data = STREAMS["openai"]

    text = _said(_chunks(_relayed(data)[0]))

    assert text == 'Grüße aus 你好! 🌍 "usage": null, [DONE] "error": \n\n fertig'


def test_comments_before_the_first_event_start_nothing():
    reader = _relay()

    assert reader.feed(b": keep-alive\n\n: keep-alive\n\n") == b""
    assert not reader.started
    assert reader.feed(_CHUNK) == _CHUNK
    assert reader.started
    assert reader.feed(b": keep-alive\n\n") == b": keep-alive\n\n"
    assert reader.provider_id == "c"


def test_each_event_leaves_when_it_is_whole():
    reader = _relay()

    assert reader.feed(_CHUNK + _CHUNK[:20]) == _CHUNK
    assert reader.feed(_CHUNK[20:]) == _CHUNK
    assert reader.feed(_FINISH) == _FINISH


@pytest.mark.parametrize(
    "null", [b',"usage":null', b', "usage" : null', b',\t"usage":\tnull', b'"usage": null,']
)
@pytest.mark.parametrize("frame", [_CHUNK, _FINISH])
def test_a_null_usage_is_stripped_unless_asked_for(null, frame):
    first = null.endswith(b",")
    marked = frame.replace(b"{", b"{" + null, 1) if first else frame.replace(b"}\n", null + b"}\n")

    assert _relayed(_CHUNK, marked, _FINISH)[0] == _CHUNK + frame + _FINISH + DONE
    assert _relayed(_CHUNK, marked, _FINISH, wants_usage=True)[0].startswith(_CHUNK + marked)


def test_the_last_usage_counts():
    usage = b'"usage":{"prompt_tokens":5,"completion_tokens":%d}'
    chunk = b'data: {"choices":[{"delta":{}}],' + usage + b"}\n\n"

    out, reader = _relayed(_CHUNK, chunk % 1, chunk % 2, _FINISH, DONE, wants_usage=True)

    assert reader.usage == Usage(input=5, output=2)
    assert out.count(b'"usage"') == 1


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 5, "completion_tokens": 2.5},
        {"prompt_tokens": 5, "completion_tokens": "2"},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": 2**53},
        {"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 6},
        {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": 5, "completion_tokens": 2,
         "prompt_tokens_details": {"cached_tokens": -1}},
        {}, [], "many", 7,
    ],
)  # fmt: skip
def test_usage_that_cannot_be_true_is_none(usage):
    data = b'data: {"id":"c","choices":[],"usage":%b}\n\n' % json.dumps(usage).encode()
    answer = {"choices": [{"message": {"content": "Hello you"}}], "usage": usage}

    out, reader = _relayed(_CHUNK, data, _FINISH, DONE, wants_usage=True)

    assert reader.usage is None
    assert _chunks(out)[-2]["usage"]["prompt_tokens"] == 11
    assert read_completion(json.dumps(answer).encode()) == (None, None)


@pytest.mark.parametrize(
    ("usage", "buckets"),
    [
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage()),
        ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(input=5, output=2)),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None},
            Usage(input=5, output=2),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": [1]},
            Usage(input=5, output=2),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2,
             "prompt_tokens_details": {"cached_tokens": 5}},
            Usage(cache_read=5, output=2),
        ),
        # An explicit zero of the one is not overruled by the other.
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 4,
             "prompt_tokens_details": {"cached_tokens": 0}},
            Usage(input=5, output=2),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 4},
            Usage(input=1, cache_read=4, output=2),
        ),
    ],
)  # fmt: skip
def test_usage_becomes_disjoint_buckets(usage, buckets):
    answer = {"id": "a", "choices": [{}], "usage": usage}

    assert read_completion(json.dumps(answer).encode()) == (buckets, "a")


@pytest.mark.parametrize("pieces", [[_CHUNK], [_CHUNK, _CHUNK], [_CHUNK, _FINISH[:-1]], []])
def test_a_stream_without_finish_and_done_was_cut(pieces):
    with pytest.raises(UpstreamError, match="broke off"):
        _relayed(*pieces)


def test_every_cut_before_the_finish_is_noticed():
    data = STREAMS["llamacpp"]
    finished = data.index(b"\n\n", data.index(b'"finish_reason":"stop"')) + 2

    for cut in range(finished):
        with pytest.raises(UpstreamError, match="broke off"):
            _relayed(data[:cut])


def test_done_alone_or_a_finish_alone_is_an_end():
    assert _relayed(_CHUNK, DONE)[0] == _CHUNK + DONE
    assert _relayed(_CHUNK, _FINISH)[0] == _CHUNK + _FINISH + DONE


def test_nothing_follows_the_end():
    reader = _relay()

    assert reader.feed(_CHUNK + DONE + _CHUNK + b": x\n\n") == _CHUNK
    assert reader.done
    assert reader.feed(_CHUNK) == b""
    assert reader.finish(prompt_tokens=0) == DONE


@pytest.mark.parametrize("before", [[], [_CHUNK]])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (b'{"error":{"message":"overloaded","type":"x"}}', "overloaded"),
        (b'{"error" : {"code":"busy"}, "choices":[]}', "busy"),
        (b'{"error":{"type":"server_error"}}', "server_error"),
        (b'{"error":{}}', "no message"),
        (b'{"error":"out of memory"}', "out of memory"),
    ],
)
def test_an_error_event_breaks_the_stream(before, error, said):
    reader = _relay()
    for piece in before:
        reader.feed(piece)

    with pytest.raises(UpstreamError, match=said):
        reader.feed(b"event: error\ndata: " + error + b"\n\n")


@pytest.mark.parametrize(
    "event",
    [b"data: <html>\n\n", b"data: []\n\n", b'data: {"choices":null}\n\n', b'data: {"id":"x"}\n\n',
     b'data: {"choices":{}}\n\n', b"data: \xff\n\n", b"data: " + b"[" * 9999 + b"\n\n"],
)  # fmt: skip
def test_a_first_event_that_is_no_chunk_is_refused(event):
    with pytest.raises(UpstreamError):
        _relay().feed(event)


def test_an_error_that_is_null_is_none():
    chunk = _CHUNK.replace(b"}\n", b',"error":null}\n')

    assert _relayed(chunk, chunk, DONE)[0] == chunk + chunk + DONE


def test_a_strange_id_is_no_id():
    _, reader = _relayed(_CHUNK.replace(b'"c"', b"7"), DONE, wants_usage=True)

    assert reader.provider_id is None
    assert read_completion(b'{"id":7,"choices":[{}]}') == (None, None)


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"content": "four by four"}, 3),
        ({"content": "你好"}, 2),
        ({"reasoning_content": "thinking", "content": None}, 2),
        ({"reasoning": "thinking"}, 2),
        ({"refusal": "I can't"}, 2),
        ({"tool_calls": [{"function": {"name": "four", "arguments": '{"a":1}'}}]}, 3),
        ({"content": ""}, 0),
        ({"content": 1, "tool_calls": [{"function": None}, "x", None]}, 0),
        ({"tool_calls": "x"}, 0),
        ([], 0),
        ("x", 0),
    ],
)
def test_delivered_text_is_counted(delta, tokens):
    reader = _relay()

    reader.feed(b'data: {"choices":[]}\n\n')
    reader.feed(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")

    assert reader.delivered() == tokens
    assert estimate_output(json.dumps({"choices": [{"message": delta}]}).encode()) == tokens


def test_an_event_is_at_least_a_token():
    reader = _relay()
    reader.feed(_CHUNK * 10)

    assert reader.delivered() == 10


def test_an_event_that_was_cut_does_not_pass():
    reader = _relay()
    reader.feed(_CHUNK)

    with pytest.raises(UpstreamError):
        reader.feed(b'data: {"choices": [{"delta": {"cont\n\n')


def test_nothing_delivered_is_nothing():
    assert _relay().delivered() == 0


@pytest.mark.parametrize(
    "odd", [b"data: {not json}\n\n", b'data: {"choices":["x"]}\n\n', b": x\n\n"]
)
def test_counting_never_fails(odd):
    reader = _relay()
    reader.feed(_CHUNK)
    reader.feed(odd)

    assert reader.delivered() == 1
    assert estimate_output(odd) == 0


def test_of_a_long_answer_the_rest_is_taken_to_be_like_its_start():
    reader = _relay()
    many = 3 * 1024 * 1024 // len(_CHUNK)
    for _ in range(many):
        reader.feed(_CHUNK)

    assert abs(reader.delivered() - many) <= 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html></html>", "not a JSON completion"),
        (b"", "not a JSON completion"),
        (b"[]", "not a JSON completion"),
        (b'{"choices":[{}]', "not a JSON completion"),
        (b'{"choices":[{}]}x', "not a JSON completion"),
        (b'{"choices":"x"}', "not a JSON completion"),
        (b'{"choices":[{"a":"\xff"}],"id":"\xff"}', "not a JSON completion"),
        (b"{}", "no choices"),
        (b'{"choices":[]}', "no choices"),
        (b'{"choices":null,"usage":{}}', "no choices"),
        (b'{"error":{"message":"busy"},"choices":[{}]}', "busy"),
        (b'{"error":"busy"}', "busy"),
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body, said):
    with pytest.raises(UpstreamError, match=said) as caught:
        read_completion(body)

    assert caught.value.status == 502


def test_the_text_of_an_error_is_short():
    assert len(error_text({"message": "x" * 9999})) == 500
