"""The official Anthropic client over every cloud."""

import anthropic
import pytest

from tests.clients.talkers import NAME, TOOL

pytestmark = pytest.mark.slow

TOOLS = [{"name": NAME, "input_schema": TOOL}]


@pytest.fixture
def ask(anthropic_client):
    def create(model, text, **fields):
        fields = {"max_tokens": 2048, **fields}
        messages = [{"role": "user", "content": text}]
        return anthropic_client.messages.create(model=model, messages=messages, **fields)

    return create


def _text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def test_text(ask, model):
    message = ask(model, "Hello")

    assert _text(message) == "You said: Hello"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0


def test_a_stream_has_its_blocks_in_order(anthropic_client, model):
    with anthropic_client.messages.stream(
        model=model, max_tokens=2048, messages=[{"role": "user", "content": "Hello 🙂"}]
    ) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()

    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert _text(message) == "You said: Hello 🙂"
    assert message.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_and_their_results(anthropic_client, model, stream):
    messages: list = [
        {"role": "user",
         "content": 'call weather {"city": "Rome"} call weather {"city": "Oslo"}'}
    ]  # fmt: skip

    def ask():
        fields = {"model": model, "max_tokens": 2048, "messages": messages, "tools": TOOLS}
        if not stream:
            return anthropic_client.messages.create(**fields)
        with anthropic_client.messages.stream(**fields) as events:
            return events.get_final_message()

    first = ask()
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"sunny in {call.input['city']}"}
        for call in calls
    ]
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [*results, {"type": "text", "text": "Go on."}]},
    ]

    second = ask()

    assert first.stop_reason == "tool_use"
    assert len({call.id for call in calls}) == 2
    assert _text(second)


def test_a_limit(ask, model):
    assert ask(model, "A long story", max_tokens=3).stop_reason == "max_tokens"


def test_a_system_prompt_and_cache_marks(ask, clouds, model):
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]

    assert _text(ask(model, "Hello", system=system)) == "You said: Hello"
    assert b"Be brief." in getattr(clouds, model.partition("/")[0]).last.raw


def test_thinking(ask, model):
    message = ask(model, "Hello", thinking={"type": "adaptive"})

    assert _text(message) == "You said: Hello"
    assert all(block.signature for block in message.content if block.type == "thinking")


def test_cached_tokens_are_not_counted_twice(ask, model):
    usage = ask(model, "cached " * 100).usage

    assert usage.cache_read_input_tokens > 0


def test_an_error_is_answered_in_the_tool_result(anthropic_client, model):
    call = {"type": "tool_use", "id": "toolu_1", "name": NAME, "input": {"city": "Rome"}}
    result = {
        "type": "tool_result", "tool_use_id": "toolu_1", "content": "no network", "is_error": True,
    }  # fmt: skip

    message = anthropic_client.messages.create(
        model=model,
        max_tokens=2048,
        tools=TOOLS,
        messages=[
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
    )

    assert "no network" in _text(message)


def test_tokens_are_counted(anthropic_client, model):
    messages = [{"role": "user", "content": "Hello"}]

    count = anthropic_client.messages.count_tokens(model=model, messages=messages)

    assert count.input_tokens > 0


def test_models_are_listed_in_anthropics_shape(anthropic_client):
    assert "auto" in [entry.id for entry in anthropic_client.models.list()]
    assert anthropic_client.models.retrieve("auto").type == "model"


def test_errors_have_anthropics_shape(ask):
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask("nobody", "Hello")

    assert '"type":"not_found_error"' in caught.value.response.text
