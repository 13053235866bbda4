"""Anthropic's messages, by its official client."""

from typing import Any

import anthropic
import pytest

from tests.clouds.faults import error_event, status
from tests.clouds.posting import request

MODEL = "claude-opus-5-5"
TOOL: dict[str, Any] = {
    "name": "weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
WORDS = "Grüß dich é🙂"
CALL = 'call weather {"city": "Malmö 🙂"} and call weather {"city": "Rome"}'
SHOWN = {"type": "adaptive", "display": "summarized"}
OFF = {"type": "disabled"}


def user(content):
    return {"role": "user", "content": content}


@pytest.fixture
def create(anthropic_sdk):
    def ask(text=WORDS, model=MODEL, **fields):
        fields = {"max_tokens": 4096, "messages": [user(text)], **fields}
        return anthropic_sdk.messages.create(model=model, **fields)

    return ask


def results(message):
    uses = [block for block in message.content if block.type == "tool_use"]
    return [
        {"type": "tool_result", "tool_use_id": use.id, "content": f"{index} degrees"}
        for index, use in enumerate(uses)
    ]


def test_text(create, anthropic_cloud):
    answer = create(thinking=OFF)

    assert [block.text for block in answer.content] == [f"You said: {WORDS}"]
    assert answer.stop_reason == "end_turn"
    assert anthropic_cloud.last.headers["anthropic-version"] == "2026-10-21"


def test_a_new_model_thinks_unasked_and_does_not_tell(create):
    thought = create().content[0]

    assert (thought.type, thought.thinking) == ("thinking", "")
    assert len(thought.signature) > 100


def test_the_events_of_a_stream_come_in_their_order(create):
    events = list(create(thinking=SHOWN, stream=True))
    kinds = [
        event.delta.type if event.type == "content_block_delta" else event.type for event in events
    ]

    assert list(dict.fromkeys(kinds)) == [
        "message_start",
        "content_block_start",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "text_delta",
        "message_delta",
        "message_stop",
    ]
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens > events[0].message.usage.output_tokens


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (MODEL, SHOWN),
        (MODEL, {"type": "adaptive"}),
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 1024}),
    ],
)
def test_tools_and_thoughts_there_and_back(create, anthropic_sdk, model, thinking, stream):
    fields = {"model": model, "tools": [TOOL], "thinking": thinking, "max_tokens": 4096}
    if stream:
        with anthropic_sdk.messages.stream(messages=[user(CALL)], **fields) as events:
            first = events.get_final_message()
    else:
        first = create(CALL, **fields)
    own = {"role": "assistant", "content": first.content}
    after = create(messages=[user(CALL), own, user(results(first))], **fields)

    assert [block.type for block in first.content] == ["thinking", "tool_use", "tool_use"]
    assert first.content[1].input == {"city": "Malmö 🙂"}
    assert first.stop_reason == "tool_use"
    assert after.content[-1].text == "Results: 0 degrees; 1 degrees"


def test_a_result_may_lead_to_another_call(create):
    first = create('call weather {"city": "Oslo"}', tools=[TOOL], thinking=OFF)
    answer = {**results(first)[0], "content": 'call weather {"city": "Bergen"}'}
    own = {"role": "assistant", "content": first.content}
    second = create(messages=[user("x"), own, user([answer])], tools=[TOOL], thinking=OFF)

    assert second.content[0].input == {"city": "Bergen"}


def test_a_thought_may_be_redacted(create):
    first = create('redacted: call weather {"city": "Oslo"}', tools=[TOOL])
    own = {"role": "assistant", "content": first.content}
    after = create(messages=[user("x"), own, user(results(first))], tools=[TOOL])

    assert first.content[0].type == "redacted_thinking"
    assert after.content[-1].text == "Results: 0 degrees"


def test_a_forced_tool_is_called(create):
    choice = {"type": "tool", "name": "weather"}

    assert create(tools=[TOOL], tool_choice=choice).content[-1].input == {"city": ""}


def test_a_schema_is_fitted(create):
    schema = {**TOOL["input_schema"], "additionalProperties": False}
    config = {"format": {"type": "json_schema", "schema": schema}}

    assert create(output_config=config).content[-1].text == '{"city": ""}'


@pytest.mark.parametrize(
    ("fields", "text", "reason", "stop"),
    [
        ({"max_tokens": 3}, "You sa", "max_tokens", None),
        ({"stop_sequences": ["END"], "text": "a END b"}, "You said: a ", "stop_sequence", "END"),
    ],
)
def test_an_answer_ends_early(create, fields, text, reason, stop):
    answer = create(thinking=OFF, **fields)

    assert answer.content[-1].text == text
    assert (answer.stop_reason, answer.stop_sequence) == (reason, stop)


def test_a_refusal_is_a_reason_to_stop(create):
    answer = create("please refuse")

    assert (answer.stop_reason, answer.content) == ("refusal", [])
    assert answer.stop_details.type == "refusal"


def test_cached_tokens_are_counted_apart(create):
    usage = create("this is cached and read again").usage

    assert usage.cache_read_input_tokens > 0
    assert usage.cache_creation_input_tokens > 0


def test_an_older_model_continues_what_was_begun(create):
    begun = [user("Hi"), {"role": "assistant", "content": "Well"}]

    assert create(model="claude-haiku-4-5", messages=begun).stop_reason == "end_turn"


def test_tokens_are_counted(anthropic_sdk):
    counted = anthropic_sdk.messages.count_tokens(model=MODEL, messages=[user("Hello there")])

    assert counted.input_tokens > 0


def test_models(anthropic_sdk):
    assert MODEL in [model.id for model in anthropic_sdk.models.list()]


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 401, "x-api-key header is required"),
        ({"x_api_key": "other"}, 401, "invalid x-api-key"),
        ({"Authorization": "Bearer other"}, 401, "Invalid bearer token"),
        ({"x_api_key": "KEY"}, 400, "anthropic-version: header is required"),
        ({"x_api_key": "KEY", "anthropic_version": "2024-01-01"}, 400, "not a valid version"),
        ({"Authorization": "Bearer KEY", "anthropic_version": "2023-06-01"}, 200, ""),
        ({"x_api_key": "KEY", "anthropic_version": "2026-10-21"}, 200, ""),
    ],
)
def test_headers(anthropic_cloud, headers, status, message):
    sent = {name: value.replace("KEY", anthropic_cloud.key) for name, value in headers.items()}
    got, _, answer = request(anthropic_cloud, "GET", "/v1/models", **sent)

    assert got == status
    assert message in answer.get("error", {}).get("message", "")


def test_overload_has_its_own_status(create, anthropic_cloud):
    anthropic_cloud.will(status(529))

    with pytest.raises(anthropic.APIStatusError) as caught:
        create()

    assert caught.value.status_code == 529
    body = caught.value.response.json()
    assert body["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert body["request_id"].startswith("req_")


def test_a_stream_can_fail(create, anthropic_cloud):
    anthropic_cloud.will(error_event)

    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(create(stream=True))
