"""OpenAI's responses, by its official client: text, tools, thoughts, and the order of events."""

import openai
import pytest

from tests.clouds.faults import error_event
from tests.clouds.posting import request

MODEL = "gpt-6.1-terra"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
CUSTOM = {"type": "custom", "name": "shout"}
CALL = 'call weather {"city": "Malmö 🙂"} and call weather {"city": "Rome"}'
ENCRYPTED = ["reasoning.encrypted_content"]


@pytest.fixture
def create(openai_sdk):
    def ask(given="Hi é🙂", model=MODEL, **fields):
        return openai_sdk.responses.create(model=model, input=given, **fields)

    return ask


@pytest.fixture
def post(openai_cloud):
    def send(**fields):
        body = {"model": MODEL, "input": "Hi", **fields}
        bearer = f"Bearer {openai_cloud.key}"
        status, _, answer = request(
            openai_cloud, "POST", "/v1/responses", body, Authorization=bearer
        )
        return status, answer

    return send


def outputs(response):
    calls = [item for item in response.output if item.type == "function_call"]
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"{index} degrees"}
        for index, call in enumerate(calls)
    ]


def test_text(create):
    answer = create()

    assert answer.output_text == "You said: Hi é🙂"
    assert answer.status == "completed"
    assert answer.usage.output_tokens_details.reasoning_tokens > 0


def test_the_events_of_a_text_come_in_their_order(create):
    events = list(create(stream=True, reasoning={"summary": "auto"}))
    kinds = [event.type.removeprefix("response.") for event in events]

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert list(dict.fromkeys(kinds)) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
    ]
    assert events[-1].response.output_text == "You said: Hi é🙂"
    assert events[0].response.usage is None


@pytest.mark.parametrize("stream", [False, True])
def test_tools_and_thoughts_there_and_back(create, openai_sdk, stream):
    fields = {"tools": [TOOL], "store": False, "include": ENCRYPTED}
    if stream:
        with openai_sdk.responses.stream(model=MODEL, input=CALL, **fields) as events:
            first = events.get_final_response()
    else:
        first = create(CALL, **fields)
    sent = [item.to_dict() for item in first.output]
    for item in sent:
        item.pop("parsed_arguments", None)
    given = [{"role": "user", "content": CALL}, *sent, *outputs(first)]
    after = create(given, **fields)

    assert [item.type for item in first.output] == ["reasoning", "function_call", "function_call"]
    assert first.output[1].arguments == '{"city": "Malmö 🙂"}'
    assert after.output_text == "Results: 0 degrees; 1 degrees"


def test_a_conversation_continues_from_its_id(create):
    first = create(CALL, tools=[TOOL])
    after = create(outputs(first), tools=[TOOL], previous_response_id=first.id)

    assert after.output_text == "Results: 0 degrees; 1 degrees"
    assert after.previous_response_id == first.id


def test_a_custom_tool_takes_text(create):
    call = create('call shout {"a": 1}', tools=[CUSTOM]).output[-1]

    assert (call.type, call.name, call.input) == ("custom_tool_call", "shout", '{"a": 1}')


def test_too_few_tokens_make_it_incomplete(create):
    events = list(create(stream=True, max_output_tokens=16))

    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"


def test_a_refusal_is_a_part(create):
    kinds = {event.type for event in create("please refuse", stream=True)}

    assert {"response.refusal.delta", "response.refusal.done"} <= kinds


def test_a_stream_can_fail(create, openai_cloud):
    openai_cloud.will(error_event)

    events = list(create(stream=True))

    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"


def test_an_unknown_previous_response_has_its_own_code(create):
    with pytest.raises(openai.BadRequestError) as caught:
        create(previous_response_id="resp_unknown")

    assert caught.value.code == "previous_response_not_found"


USER = {"role": "user", "content": "Hi"}
FC = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
OWN = {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
REFUSED = [
    ({"messages": []}, "this parameter has moved to 'input'"),
    ({"max_tokens": 20}, "this parameter has moved to 'max_output_tokens'"),
    ({"stop": ["x"]}, "Unknown parameter: 'stop'."),
    ({"max_output_tokens": 15}, "Expected a value >= 16, but got 15"),
    ({"temperature": 0.5}, "Only the default (1) value is supported."),
    ({"reasoning": {"effort": "huge"}}, "Invalid value: 'huge'."),
    ({"reasoning": {"tokens": 1}}, "Unknown parameter: 'reasoning.tokens'."),
    ({"model": "gpt-4.1", "reasoning": {"effort": "low"}}, "'reasoning.effort' is not supported"),
    ({"model": "gpt-4.1", "include": ENCRYPTED}, "Encrypted content is not supported"),
    (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "Missing required parameter: 'tools[0].name'.",
    ),
    ({"tools": [{**TOOL, "strict": True}]}, "'additionalProperties' is required"),
    ({"tools": [{"type": "magic"}]}, "Invalid value: 'magic'."),
    ({"tool_choice": {"type": "function", "function": {}}}, "'tool_choice.name'"),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "'text.format.name'"),
    ({"text": {"format": {"type": "json_object"}}}, "must contain the word 'json'"),
    ({"input": [{"type": "magic"}]}, "Invalid value: 'magic'."),
    ({"input": [{"role": "tool", "content": "x"}]}, "Invalid value: 'tool'."),
    ({"input": [{**USER, "name": "x"}]}, "Unknown parameter: 'input[0].name'."),
    (
        {"input": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        "Invalid value: 'text'.",
    ),
    (
        {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}, USER]},
        "Supported values are: 'output_text', and 'refusal'.",
    ),
    ({"input": [{**FC, "id": "call_1"}, OUT]}, "Expected an ID that begins with 'fc'."),
    ({"input": [{**FC, "arguments": {}}, OUT]}, "'input[0].arguments': expected a string"),
    ({"input": [{**FC, "call_id": "c" * 65}, OUT]}, "maximum length 64"),
    ({"input": [USER, FC]}, "No tool output found for function call call_1."),
    ({"input": [USER, OUT]}, "No tool call found for function call output with call_id call_1."),
    ({"input": [USER, {**THOUGHT, "encrypted_content": "gAAAAbm90b3Vycw=="}, OWN]}, "verified"),
    ({"input": [USER, {"type": "reasoning", "id": "rs_1"}]}, "'input[1].summary'"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_is_refused(post, fields, message):
    status, answer = post(**fields)

    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert message in answer["error"]["message"]


def test_a_thought_that_was_not_stored_is_not_found(post):
    status, answer = post(input=[USER, THOUGHT, OWN])

    assert status == 404
    assert "Items are not persisted when `store` is set to false" in answer["error"]["message"]


def test_a_thought_needs_what_it_led_to(create, post):
    thought = create(include=ENCRYPTED).output[0].to_dict()
    status, answer = post(input=[USER, thought, USER])

    assert status == 400
    assert "without its required following item" in answer["error"]["message"]


def test_a_call_needs_the_thought_that_led_to_it(create, post):
    call = create('call weather {"city": "Rome"}', tools=[TOOL]).output[1].to_dict()
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}
    nameless = {name: value for name, value in call.items() if name != "id"}
    status, answer = post(input=[USER, call, output])

    assert status == 400
    assert "without its required 'reasoning' item: 'rs_" in answer["error"]["message"]
    assert post(input=[USER, nameless, output])[0] == 200


def test_a_tool_of_a_namespace_is_called_by_both_names(create):
    crm = {"type": "namespace", "name": "crm", "description": "Clients.", "tools": [TOOL]}

    first = create(CALL, tools=[crm]).output[1]

    assert (first.namespace, first.name) == ("crm", "weather")


def test_a_tool_that_the_input_adds_gets_its_text(post):
    added = {"type": "additional_tools", "role": "developer", "tools": [CUSTOM]}
    user = {"role": "user", "content": 'call shout {"input": "Hey"}'}

    status, answer = post(input=[added, user])

    assert status == 200
    assert answer["output"][1]["input"] == "Hey"
