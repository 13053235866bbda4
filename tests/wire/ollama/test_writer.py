"""Answers in Ollama's shape: lines, the last one with counts and true times."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.chat.reader import Reader
from larouter.wire.ollama import DIALECT
from larouter.wire.ollama.request import read_chat, read_generate
from larouter.wire.ollama.writer import Writer, loaded, write_error
from larouter.wire.road import Translation

_USAGE = Usage(input=20, cache_read=6, output=9)
_STREAMS = Path(__file__).parent.with_name("streams")


def _asked(kind="chat", **fields):
    if kind == "chat":
        body = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}], **fields}
        return read_chat(json.dumps(body).encode())
    return read_generate(json.dumps({"model": "auto", "prompt": "Hi", **fields}).encode())


def _writer(kind="chat", **fields):
    """A writer whose clock ticks once each time that it is read."""
    return Writer(_asked(kind, **fields), clock=itertools.count(100, 10).__next__)


def _lines(data):
    return [json.loads(line) for line in data.splitlines()]


def test_a_chat_streams_message_by_message():
    writer = _writer()

    lines = _lines(writer.write([Started("id", "gemma"), TextDelta("Hi "), TextDelta("you")]))
    last = _lines(writer.finish(Finished("stop", _USAGE)))

    assert [line.pop("created_at") is not None for line in lines] == [True, True]
    assert lines == [
        {"model": "gemma", "message": {"role": "assistant", "content": text}, "done": False}
        for text in ("Hi ", "you")
    ]
    assert last[0].pop("created_at")
    assert last == [
        {
            "model": "gemma",
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "total_duration": 20,
            "load_duration": 0,
            "prompt_eval_count": 26,
            "prompt_eval_duration": 10,
            "eval_count": 9,
            "eval_duration": 10,
        }
    ]


def test_a_prompt_streams_response_by_response():
    writer = _writer("generate")

    lines = _lines(writer.write([Started(None, None), ThinkingDelta("Hm"), TextDelta("Hi")]))
    last = _lines(writer.finish(Finished("length", _USAGE)))[0]

    assert [(line["response"], line.get("thinking")) for line in lines] == [
        ("", "Hm"),
        ("Hi", None),
    ]
    assert [line["model"] for line in lines] == ["auto", "auto"]
    assert (last["response"], last["done"], last["done_reason"]) == ("", True, "length")
    assert "message" not in last


def test_a_line_says_when_it_was_written():
    line = _lines(_writer().write([TextDelta("Hi")]))[0]

    written = datetime.fromisoformat(line["created_at"])

    assert line["created_at"].endswith("Z")
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)


@pytest.mark.parametrize(("think", "shown"), [(None, ["Hm"]), (True, ["Hm"]), (False, [])])
def test_a_thought_is_shown_unless_it_is_not_wanted(think, shown):
    lines = _lines(_writer(think=think).write([ThinkingDelta("Hm"), Sealed(Opaque("x", "y"))]))

    assert [line["message"]["thinking"] for line in lines] == shown
    assert all(line["message"]["content"] == "" for line in lines)


def test_calls_leave_whole_before_the_last_line():
    writer = _writer()
    written = writer.write(
        [
            Started("id", "gemma"),
            ToolStart(0, "a", "weather"),
            ToolStart(1, "b", "time"),
            ToolDelta(0, '{"city":'),
            ToolDelta(0, '"Rome"}'),
        ]
    )

    calls, last = _lines(writer.finish(Finished("tool_calls", _USAGE)))

    assert written == b""
    assert calls["done"] is False
    assert calls["message"]["tool_calls"] == [
        {"id": "a", "function": {"index": 0, "name": "weather", "arguments": {"city": "Rome"}}},
        {"id": "b", "function": {"index": 1, "name": "time", "arguments": {}}},
    ]
    assert last["done_reason"] == "stop"


def test_a_call_that_was_cut_off_is_left_out():
    writer = _writer()
    writer.write([ToolStart(0, "a", "weather"), ToolDelta(0, '{"city":')])

    lines = _lines(writer.finish(Finished("length", _USAGE)))

    assert [line["done_reason"] for line in lines] == ["length"]


@pytest.mark.parametrize("arguments", ["[1]", "{"])
def test_arguments_that_are_no_object_are_the_models_fault(arguments):
    writer = _writer()
    writer.write([ToolStart(0, "a", "weather"), ToolDelta(0, arguments)])

    with pytest.raises(UpstreamError, match="'weather'"):
        writer.finish(Finished("tool_calls", _USAGE))


def test_a_refusal_is_said():
    assert _lines(_writer().write([RefusalDelta("No.")]))[0]["message"]["content"] == "No."


def test_a_heartbeat_is_a_line_that_says_nothing():
    writer = _writer()
    writer.write([Started("id", "gemma")])

    line = _lines(writer.heartbeat)[0]

    assert (line["model"], line["message"]["content"], line["done"]) == ("gemma", "", False)
    assert _lines(_writer("generate").heartbeat)[0]["response"] == ""


def test_a_stream_that_breaks_ends_with_an_error():
    error = UpstreamError("The provider broke off.")

    assert _writer().broken(error) == b'{"error":"The provider broke off."}\n'
    assert write_error(UpstreamError()) == b'{"error":"Something went wrong inside LARouter."}'
    assert DIALECT.write_error is write_error


def test_a_whole_chat_is_one_object():
    events: list[Event] = [
        Started("id", "gemma"),
        ThinkingDelta("Hm"),
        TextDelta("Hi"),
        ToolStart(0, "a", "f"),
    ]

    whole = json.loads(_writer().whole(Folded(events), Finished("tool_calls", _USAGE)))

    assert whole["model"] == "gemma"
    assert whole["message"] == {
        "role": "assistant",
        "content": "Hi",
        "thinking": "Hm",
        "tool_calls": [{"id": "a", "function": {"index": 0, "name": "f", "arguments": {}}}],
    }
    assert (whole["done"], whole["eval_count"], whole["eval_duration"]) == (True, 9, 0)


def test_a_whole_chat_without_calls_says_nothing_of_them():
    whole = json.loads(_writer().whole(Folded([TextDelta("Hi")]), Finished("stop", _USAGE)))

    assert whole["message"] == {"role": "assistant", "content": "Hi"}
    assert whole["model"] == "auto"


def test_a_whole_prompt_is_one_object():
    events: list[Event] = [ThinkingDelta("Hm"), TextDelta("Hi"), RefusalDelta("!")]

    plain = json.loads(_writer("generate").whole(Folded(events), Finished("stop", _USAGE)))
    unseen = _writer("generate", think=False).whole(Folded(events), Finished("stop", _USAGE))

    assert (plain["model"], plain["response"], plain["thinking"]) == ("auto", "Hi!", "Hm")
    assert "thinking" not in json.loads(unseen)
    assert "tool_calls" not in plain


def test_a_model_is_loaded_at_once():
    chat = json.loads(loaded(_asked(), "load"))
    prompt = json.loads(loaded(_asked("generate"), "unload"))

    assert (chat["message"]["content"], chat["done"], chat["done_reason"]) == ("", True, "load")
    assert (prompt["response"], prompt["done_reason"]) == ("", "unload")


def _read(data):
    """What a client makes of the lines."""
    *lines, last = _lines(data)
    messages = [line["message"] for line in lines]
    return (
        "".join(message["content"] for message in messages),
        "".join(message.get("thinking", "") for message in messages),
        [call for message in messages for call in message.get("tool_calls", ())],
        last["done_reason"],
        last["prompt_eval_count"],
        last["eval_count"],
    )


def _translated(*pieces):
    road = Translation(Reader(), Writer(_asked()))
    out = b"".join([road.feed(piece) for piece in pieces])
    return _read(out + road.finish(prompt_tokens=11))


@pytest.mark.parametrize("name", ["deepseek", "openai_tools"])
def test_a_cut_at_any_byte_changes_nothing(name):
    data = (_STREAMS / f"{name}.sse").read_bytes()
    expected = _translated(data)

    for cut in range(1, len(data)):
        assert _translated(data[:cut], data[cut:]) == expected
    assert any(expected[:3])
