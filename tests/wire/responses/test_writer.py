import json
from typing import Any

import pytest
from openai.types.responses import Response

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque
from larouter.core.errors import TooManyRequests, UpstreamError
from larouter.core.events import (
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
from larouter.wire.responses.request import read_request
from larouter.wire.responses.writer import Writer
from tests.wire.responses.answers import asked, events, kinds, response

USAGE = Usage(input=3, cache_read=2, cache_write_5m=1, output=9, reasoning=4)
STARTED = Started("upstream-1", "glm-9")
PATCH = {"type": "custom", "name": "apply_patch", "format": {"type": "text"}}
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
DEPLOY = {
    "type": "namespace",
    "name": "mcp__ops",
    "description": "Operations.",
    "tools": [{"type": "function", "name": "deploy", "parameters": None}],
}
TOOLS = [WEATHER, PATCH, DEPLOY, {"type": "web_search"}]


def streamed(said, reason="stop", **fields):
    """All bytes of a streamed answer."""
    writer = Writer(asked(**fields))
    return writer.write([STARTED, *said]) + writer.finish(Finished(reason, USAGE))


def final(said, reason="stop", **fields):
    return events(streamed(said, reason, **fields))[-1]["response"]


def whole(said, reason="stop", **fields):
    writer = Writer(asked(**fields))
    return response(writer.whole(Folded([STARTED, *said]), Finished(reason, USAGE)))


def without_ids(items):
    return [{key: value for key, value in item.items() if key != "id"} for item in items]


def test_words_come_in_the_full_sequence():
    stream = streamed([TextDelta("He"), TextDelta("llo é🙂")])

    assert kinds(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert events(stream)[6]["text"] == "Hello é🙂"


def test_thoughts_come_before_the_words():
    stream = streamed([ThinkingDelta("Hm"), ThinkingDelta("m."), TextDelta("Yes")])

    assert kinds(stream)[2:10] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
    ]
    assert [item["type"] for item in final([ThinkingDelta("a"), TextDelta("b")])["output"]] == [
        "reasoning",
        "message",
    ]


def test_calls_of_tools_come_with_their_arguments():
    said = [
        ToolStart(0, "call_1", "weather"),
        ToolDelta(0, '{"city":'),
        ToolStart(1, "call_2", "weather"),
        ToolDelta(1, "{}"),
        ToolDelta(0, '"Rome"}'),
    ]
    stream = streamed(said, "tool_calls", tools=TOOLS)

    assert kinds(stream)[2:] == [
        "output_item.added",
        "function_call_arguments.delta",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert without_ids(events(stream)[-1]["response"]["output"]) == [
        {
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": "weather",
            "arguments": arguments,
        }
        for call_id, arguments in (("call_1", '{"city":"Rome"}'), ("call_2", "{}"))
    ]


def test_a_call_without_arguments_has_an_empty_object():
    assert final([ToolStart(0, "c", "weather")])["output"][0]["arguments"] == "{}"


def test_a_tool_in_a_namespace_is_called_by_both_names():
    item = final([ToolStart(0, "c", "mcp__ops__deploy")], tools=TOOLS)["output"][0]

    assert (item["namespace"], item["name"]) == ("mcp__ops", "deploy")


def test_a_function_that_stands_for_a_plain_text_tool_is_turned_back():
    said = [ToolStart(0, "c", "apply_patch"), ToolDelta(0, '{"input": "*** é'), ToolDelta(0, '"}')]
    stream = streamed(said, tools=TOOLS)

    assert kinds(stream)[2:-1] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert events(stream)[3]["delta"] == "*** é"
    assert events(stream)[-1]["response"]["output"][0]["input"] == "*** é"


@pytest.mark.parametrize("arguments", ["no JSON", "[1]", '{"input": 1}', "{}"])
def test_what_is_no_wrapped_input_is_the_input(arguments):
    said = [ToolStart(0, "c", "apply_patch"), ToolDelta(0, arguments)]

    assert final(said, tools=TOOLS)["output"][0]["input"] == arguments


def test_a_plain_text_tool_streams_where_the_provider_has_them():
    said = [ToolStart(0, "c", "apply_patch", custom=True), ToolDelta(0, "***"), ToolDelta(0, "!")]
    stream = streamed(said, tools=TOOLS)

    assert [event["delta"] for event in events(stream) if "delta" in event] == ["***", "!"]
    assert events(stream)[-1]["response"]["output"][0]["input"] == "***!"


def test_an_empty_plain_text_input_stays_empty():
    said = [ToolStart(0, "c", "apply_patch", custom=True)]

    assert final(said, tools=TOOLS)["output"][0]["input"] == ""


def test_a_refusal_is_a_part_of_the_message():
    stream = streamed([TextDelta("Well. "), RefusalDelta("No"), RefusalDelta(".")], "refusal")

    assert kinds(stream)[6:11] == [
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.delta",
        "refusal.done",
    ]
    last = events(stream)[-1]["response"]
    assert last["status"] == "completed"
    assert [part["type"] for part in last["output"][0]["content"]] == ["output_text", "refusal"]


def test_a_filter_that_stops_the_model_makes_it_incomplete():
    last = events(streamed([TextDelta("I")], "refusal"))[-1]

    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        ([TextDelta("I")], ["incomplete"]),
        ([TextDelta("I"), ToolStart(0, "c", "weather")], ["completed", "incomplete"]),
        ([], []),
    ],
)
def test_an_answer_that_is_cut_is_incomplete(said, statuses):
    last = events(streamed(said, "length"))[-1]

    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["completed_at"] is None
    assert [item["status"] for item in last["response"]["output"]] == statuses


def test_every_field_of_a_response_is_there():
    body = whole([TextDelta("Hi")])

    assert set(Response.model_fields) - set(body) == set()


def test_usage_says_what_was_cached_and_thought():
    assert final([])["usage"] == {
        "input_tokens": 6,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 15,
    }


def test_what_was_asked_comes_back():
    fields = {
        "instructions": "Be brief.",
        "max_output_tokens": 99,
        "metadata": {"a": "b"},
        "previous_response_id": None,
        "reasoning": {"effort": "low"},
        "store": False,
        "temperature": 0.5,
        "text": {"verbosity": "low"},
        "tool_choice": "required",
        "tools": TOOLS,
    }
    body = whole([TextDelta("Hi")], **fields)

    assert body["reasoning"] == {"effort": "low", "summary": None}
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert body["tools"][0] == {**WEATHER, "description": None, "strict": None}
    assert body["tools"][1] == PATCH
    for name in set(fields) - {"reasoning", "text", "tools"}:
        assert body[name] == fields[name]


def test_the_model_is_the_one_that_answered():
    assert final([])["model"] == "glm-9"
    assert whole([])["model"] == "glm-9"


def test_a_stream_that_does_not_begin_is_begun_for_it():
    writer = Writer(asked())
    stream = writer.write([TextDelta("Hi")]) + writer.finish(Finished("stop", USAGE))

    assert kinds(stream)[:3] == ["created", "in_progress", "output_item.added"]
    assert events(stream)[0]["response"]["model"] == "auto"


SAID = [
    ThinkingDelta("Hm"),
    Sealed(Opaque("anthropic", "c2lnbmVk")),
    Sealed(Opaque("anthropic", "aGlkZGVu"), hidden=True),
    TextDelta("So "),
    TextDelta("be it"),
    Sealed(Opaque("gemini", "c2lnbg==")),
    ToolStart(0, "call_1", "weather", Opaque("gemini", "Y2FsbA==")),
    ToolDelta(0, '{"a":1}'),
]


def test_opaque_parts_are_sealed_with_their_makers():
    sealed = [item.get("encrypted_content") for item in final(SAID)["output"]]

    assert sealed == [
        "lar1.anthropic.c2lnbmVk",
        "lar1.anthropic.aGlkZGVu",
        None,
        "lar1.gemini@.c2lnbg==",
        "lar1.gemini@call_1.Y2FsbA==",
        None,
    ]


def test_opaque_parts_of_openai_stay_as_they_are():
    said = [Sealed(Opaque("responses", "enc"), hidden=True, id="rs_1")]

    assert final(said)["output"] == [
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "enc"}
    ]


def test_a_seal_without_words_before_it_is_hidden():
    assert final([Sealed(Opaque("anthropic", "x"))])["output"][0]["summary"] == []


@pytest.mark.parametrize(
    "said", [SAID, [RefusalDelta("No")], [TextDelta("Hi"), ThinkingDelta("?")]]
)
def test_whole_and_streamed_answers_are_the_same(said):
    assert without_ids(whole(said)["output"]) == without_ids(final(said)["output"])


@pytest.mark.parametrize("is_whole", [False, True])
def test_the_answer_is_kept_before_its_last_byte(is_whole):
    kept: list[Any] = []
    request = asked()
    request = type(request)(**{**_fields(request), "keep": kept.append})
    writer = Writer(request)
    if is_whole:
        body = json.loads(writer.whole(Folded([STARTED]), Finished("stop", USAGE)))
    else:
        writer.write([STARTED])
        assert kept == []
        body = events_end(writer.finish(Finished("stop", USAGE)))

    assert kept == [body]


def _fields(request):
    return {name: getattr(request, name) for name in request.__struct_fields__}


def events_end(frames):
    return json.loads(frames.split(b"data: ")[-1])["response"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamError("It broke off."), "server_error"),
        (TooManyRequests("Slower."), "rate_limit_exceeded"),
    ],
)
def test_a_broken_stream_ends_with_an_error_and_a_failed_response(error, code):
    writer = Writer(asked())
    stream = writer.write([STARTED, TextDelta("I")]) + writer.broken(error)
    told, failed = events(stream)[-2:]

    assert (told["type"], told["code"], told["message"]) == ("error", error.code, error.message)
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": code, "message": error.message}


def test_the_heartbeat_is_a_comment():
    assert Writer.heartbeat.startswith(b":")
    assert Writer.heartbeat.endswith(b"\n\n")


def test_a_second_start_and_an_end_write_nothing():
    request = read_request(b'{"model":"auto","input":"Hi"}')
    writer = Writer(request)
    begun = writer.write([STARTED])

    assert writer.write([STARTED, Finished("stop")]) == b""
    assert kinds(begun) == ["created", "in_progress"]
