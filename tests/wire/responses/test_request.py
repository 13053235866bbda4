import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest
from larouter.wire.responses.compaction import item as compacted
from larouter.wire.responses.request import Past, previous_not_found, read_request
from tests.wire.responses.answers import asked

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 50_000}


def user(content, **more):
    return {"type": "message", "role": "user", "content": content, **more}


def result(call_id, output="ok", kind="function_call_output"):
    return {"type": kind, "call_id": call_id, "output": output}


def test_text_is_what_the_user_says():
    request = asked("Hi é", instructions="Be brief.", stream=True, max_output_tokens=9)

    assert request.messages == (Message("system", "Be brief."), Message("user", "Hi é"))
    assert (request.dialect, request.stream, request.max_output) == ("responses", True, 9)
    assert request.body["input"] == "Hi é"


def test_items_are_flattened_for_the_classifier():
    request = asked(
        [
            {"role": "developer", "content": "Rules"},
            user([{"type": "input_text", "text": "One"}, {"type": "input_text", "text": "Two"}]),
            {
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "Hm"},
                    {"type": "refusal", "refusal": "No"},
                ],
            },
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            result("c", [{"type": "input_text", "text": "42"}]),
            {"type": "web_search_call", "id": "ws_1"},
        ]
    )

    assert request.messages == (
        Message("developer", "Rules"),
        Message("user", "One\nTwo"),
        Message("assistant", "Hm\nNo"),
        Message("tool", "42"),
    )


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, set()),
        ({"tools": [TOOL]}, {"tools"}),
        ({"tools": [{"type": "web_search"}]}, set()),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [TOOL]}]}, {"tools"}),
        ({"tools": [{"type": "custom", "name": "c"}]}, {"tools"}),
        ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}, {"json_schema"}),
        ({"text": {"format": {"type": "json_object"}}}, set()),
        ({"text": {"verbosity": "low"}}, set()),
        ({"top_logprobs": 2}, {"logprobs"}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs"}),
        ({"given": [user([PICTURE])]}, {"images"}),
        ({"given": [user([{"type": "input_file", "file_data": "x"}])]}, {"files"}),
        ({"given": [user([{"type": "input_audio", "input_audio": {"data": "x"}}])]}, {"audio"}),
        ({"given": [result("c", [PICTURE])]}, {"images"}),
        (
            {"given": [{"type": "additional_tools", "role": "developer", "tools": [TOOL]}]},
            {"tools"},
        ),
    ],
)
def test_what_a_model_must_be_able_to_do(fields, needs):
    given = fields.get("given", "Hi")
    rest = {name: value for name, value in fields.items() if name != "given"}

    assert asked(given, **rest).needs == needs


def test_media_are_counted_flat():
    request = asked([user([PICTURE, {"type": "input_text", "text": "What is it?"}])])

    assert 16_384 < request.size < 17_000


def test_the_results_at_the_end_name_their_calls():
    ends = [result("b"), result("c", kind="custom_tool_call_output")]

    assert asked([result("a"), user("Go on"), *ends]).answers == ("c", "b")
    assert asked("Hi").answers == ()


@pytest.mark.parametrize(
    "name", ["api_base", "api_key", "base_url", "mock_response", "input_cost_per_token"]
)
def test_nothing_steers_us(name):
    assert name not in asked(**{name: "x"}).body


def test_unknown_fields_are_kept():
    assert asked(client_metadata={"a": "b"}).body["client_metadata"] == {"a": "b"}


def test_the_model_may_have_a_default():
    assert read_request(b'{"input": "Hi"}', model="auto").model == "auto"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "Hi"}, "model"),
        ({"model": "auto"}, "input"),
        ({"model": "auto", "input": "Hi", "background": True}, "background"),
        ({"model": "auto", "input": "Hi", "conversation": "conv_1"}, "conversation"),
        ({"model": "auto", "input": "Hi", "previous_response_id": "r"}, "previous_response_id"),
        ({"model": "auto", "input": [{"id": "msg_1"}]}, "input[0].id"),
        ({"model": "auto", "input": [{"role": "root", "content": ""}]}, "input[0].role"),
    ],
)
def test_a_bad_request_names_its_field(body, param):
    with pytest.raises(BadRequest) as caught:
        read_request(json.dumps(body).encode())

    assert caught.value.param == param


def test_a_stored_prompt_needs_no_input():
    assert read_request(b'{"model": "auto", "prompt": {"id": "p"}}').messages == ()


def test_an_unknown_response_is_told_as_openai_does():
    error = previous_not_found("resp_1")

    assert (error.status, error.code) == (400, "previous_response_not_found")


STORED = {
    "resp_1": [user("One", id="msg_1"), {"type": "message", "role": "assistant", "content": "A"}]
}


def _chain(id):
    return STORED[id]


def past():
    items = {item["id"]: item for item in STORED["resp_1"] if "id" in item}
    return Past(_chain, lambda ids: {id: items[id] for id in ids if id in items})


def read(**fields):
    return read_request(json.dumps({"model": "auto", **fields}).encode(), past=past())


def test_history_comes_before_the_input():
    request = read(input="Two", previous_response_id="resp_1")

    assert [message.text for message in request.messages] == ["One", "A", "Two"]
    assert request.body["input"][:2] == STORED["resp_1"]
    assert request.body["previous_response_id"] == "resp_1"
    assert request.size > len(json.dumps(STORED["resp_1"]))


def test_history_alone_is_enough():
    assert read(previous_response_id="resp_1").body["input"] == STORED["resp_1"]


def test_a_reference_becomes_its_item():
    request = read(input=[{"type": "item_reference", "id": "msg_1"}, user("Two")])

    assert request.body["input"] == [STORED["resp_1"][0], user("Two")]


def test_our_own_compaction_becomes_a_message():
    request = asked([compacted("All is well."), user("Go on")])

    assert "All is well." in request.messages[0].text
    assert request.body["input"][0]["role"] == "user"


def test_a_compaction_of_openai_stays():
    given = [{"type": "compaction", "encrypted_content": "gAAA"}, user("Go on")]

    assert asked(given).body["input"] == given


def test_a_limit_that_is_given_twice_is_refused():
    with pytest.raises(BadRequest) as caught:
        read_request(b'{"model":"m","input":"Hi","max_output_tokens":9,"max_output_tokens":99}')

    assert caught.value.code == "duplicate_field"
