"""Reading a chat request: what is checked, what is kept, what is dropped."""

import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest, LARouterError, TooManyRequests, UpstreamError
from larouter.wire.chat.request import read_request
from larouter.wire.chat.writer import write_error

HELLO = {"role": "user", "content": "hello"}


def _read(**fields):
    return read_request(json.dumps({"model": "auto", "messages": [HELLO], **fields}).encode())


def _refused(**fields):
    with pytest.raises(BadRequest) as caught:
        _read(**fields)
    assert caught.value.status == 400
    return caught.value


FIELDS: dict[str, list] = {
    "model": [1, "", "a" * 257, "a\x00b", "a\nb", [], {}],
    "messages": [[], {}, "hello", 1],
    "stream": ["true", 1, 0, []],
    "stream_options": [[], "x", 1],
    "n": [0, -1, 129, 1.0, 1.5, "1", True, []],
    "max_tokens": [0, -1, 2**53 + 1, 1.0, "1", True, {}],
    "max_completion_tokens": [0, -1, 2**53 + 1, 16.5, "1", False, {}],
    "temperature": [-0.1, 2.1, "1", True, []],
    "top_p": [-0.1, 1.1, "1", True, []],
    "presence_penalty": [-2.1, 2.1, "0", False],
    "frequency_penalty": [-2.1, 2.1, "0", False],
    "seed": [1.5, "1", 2**53 + 1, -(2**53) - 1, True],
    "stop": [1, {}, [1], [None], True],
    "logprobs": ["yes", 1],
    "top_logprobs": [-1, 21, 1.0, True],
    "tools": [{}, "x", 1],
    "tool_choice": ["always", 1, [], True],
    "parallel_tool_calls": [1, "true"],
    "response_format": ["json", [], 1],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in FIELDS.items() for value in values]
)
def test_a_wrong_value_is_refused_and_its_field_named(name, value):
    error = _refused(**{name: value})

    assert error.param == name
    assert f"'{name}'" in error.message


_FUNCTION = {"type": "function"}


@pytest.mark.parametrize(
    ("param", "fields"),
    [
        ("messages[1]", {"messages": [HELLO, "hi"]}),
        ("messages[0]", {"messages": [[]]}),
        ("messages[0].role", {"messages": [{"content": "x"}]}),
        ("messages[0].role", {"messages": [{"role": "boss", "content": "x"}]}),
        ("messages[0].role", {"messages": [{"role": [], "content": "x"}]}),
        ("messages[0].role", {"messages": [{"role": {}, "content": "x"}]}),
        ("messages[0].content", {"messages": [{"role": "user"}]}),
        ("messages[0].content", {"messages": [{"role": "tool", "content": None}]}),
        ("messages[0].content", {"messages": [{"role": "user", "content": 1}]}),
        ("messages[0].content", {"messages": [{"role": "assistant", "content": {}}]}),
        ("messages[0].content[0]", {"messages": [{"role": "user", "content": ["x"]}]}),
        ("messages[0].content[0]", {"messages": [{"role": "user", "content": [{}]}]}),
        ("messages[0].content[0]", {"messages": [{"role": "user", "content": [{"type": 1}]}]}),
        (
            "messages[0].content[1].text",
            {"messages": [{"role": "user", "content": [
                {"type": "text", "text": "x"}, {"type": "text", "text": 1}
            ]}]},
        ),
        (
            "messages[0].content[0].image_url",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        ),
        (
            "messages[0].content[0].input_audio",
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        ),
        ("tools[0]", {"tools": ["x"]}),
        ("tools[0]", {"tools": [{}]}),
        ("tools[0]", {"tools": [{"type": ["function"]}]}),
        ("tools[0].function", {"tools": [_FUNCTION]}),
        ("tools[0].function", {"tools": [{**_FUNCTION, "function": {}}]}),
        ("tools[0].function", {"tools": [{**_FUNCTION, "function": {"name": 1}}]}),
        ("tools[0].function.name", {"tools": [{**_FUNCTION, "function": {"name": ""}}]}),
        ("tools[0].function.name", {"tools": [{**_FUNCTION, "function": {"name": "a\x00"}}]}),
        ("response_format.type", {"response_format": {}}),
        ("response_format.type", {"response_format": {"type": "xml"}}),
        ("response_format.type", {"response_format": {"type": ["text"]}}),
        ("response_format.json_schema", {"response_format": {"type": "json_schema"}}),
        (
            "response_format.json_schema",
            {"response_format": {"type": "json_schema", "json_schema": {}}},
        ),
        ("stream_options.include_usage", {"stream_options": {"include_usage": "yes"}}),
        ("chat_template", {"chat_template": "{{ x }}"}),
        ("chat_template", {"chat_template": {}}),
        ("chat_template_kwargs", {"chat_template_kwargs": "x"}),
        ("model", {"model": None}),
        ("messages", {"messages": None}),
    ],
)  # fmt: skip
def test_a_fault_further_in_names_its_place(param, fields):
    assert _refused(**fields).param == param


@pytest.mark.parametrize("name", ["model", "messages"])
def test_a_missing_field_is_named(name):
    body = {"model": "auto", "messages": [HELLO]}
    del body[name]

    with pytest.raises(BadRequest) as caught:
        read_request(json.dumps(body).encode())

    assert (caught.value.param, caught.value.code) == (name, "missing_field")


def test_the_door_may_have_a_default_model():
    body = json.dumps({"messages": [HELLO]}).encode()

    assert read_request(body, model="auto").model == "auto"
    assert read_request(b'{"model":"x",' + body[1:], model="auto").model == "x"


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in {"model", "messages"}])
def test_null_means_not_given(name):
    request = _read(**{name: None})

    assert (request.n, request.max_output, request.stream) == (1, None, False)
    assert name in request.body


def test_a_request_is_read():
    request = read_request(
        json.dumps({
            "model": "deepseek/deepseek-chat",
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                    {"type": "text", "text": "here"},
                    {"type": "something_new", "thing": 1},
                ]},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "42", "tool_call_id": "a"},
            ],
            "max_tokens": 5, "n": 2, "stream": True, "stream_options": {"include_usage": True},
        }).encode(),
        tier="simple",
        rid="r-1",
    )  # fmt: skip

    assert request.model == "deepseek/deepseek-chat"
    assert request.messages == (
        Message("developer", "Be brief."),
        Message("user", "Look\nhere"),
        Message("assistant", ""),
        Message("tool", "42"),
    )
    assert (request.max_output, request.n, request.stream) == (5, 2, True)
    assert request.wants_usage
    assert request.needs == {"images"}
    assert (request.tier, request.rid) == ("simple", "r-1")


def test_the_newer_limit_of_the_answer_wins():
    assert _read(max_tokens=5, max_completion_tokens=7).max_output == 7
    assert _read(max_tokens=2**53).max_output == 2**53


@pytest.mark.parametrize(
    ("need", "fields"),
    [
        ("tools", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ("tools", {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}),
        ("tools", {"functions": [{"name": "f"}]}),
        ("logprobs", {"logprobs": True, "top_logprobs": 2}),
        (
            "json_schema",
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
        ),
        ("audio", {"messages": [{"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]}),
        ("files", {"messages": [{"role": "user", "content": [
            {"type": "file", "file": {"file_id": "f"}}]}]}),
    ],
)  # fmt: skip
def test_what_a_model_must_be_able_to_do(need, fields):
    assert _read(**fields).needs == {need}


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "logprobs": False},
        {"response_format": {"type": "json_object"}, "tool_choice": "none", "stop": ["a", "b"]},
        {"stop": "a", "temperature": 2, "top_p": 0, "seed": -1, "stream_options": {}},
        {"parallel_tool_calls": False, "chat_template": None, "presence_penalty": -2.0},
    ],
)
def test_what_every_model_can_do_needs_nothing(fields):
    assert _read(**fields).needs == frozenset()


def test_unknown_fields_are_kept_as_they_came():
    body = {
        "zeta": {"deep": [1, {"x": None}]},
        "messages": [{**HELLO, "name": "me", "custom": 1.5}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {
            "type": "object", "properties": {"id": {"maximum": 2**64 - 1, "minimum": -(2**63)}},
        }}}],
        "model": "auto",
        "alpha": "ü",
    }  # fmt: skip

    kept = read_request(json.dumps(body).encode()).body

    assert json.dumps(kept) == json.dumps(body)


@pytest.mark.parametrize(
    "name",
    [
        "api_base", "api_key", "api_version", "api_type", "base_url", "custom_llm_provider",
        "mock_response", "mock_timeout", "input_cost_per_token", "output_cost_per_token",
    ],
)  # fmt: skip
def test_a_field_that_would_steer_us_is_dropped(name):
    request = _read(**{name: "http://127.0.0.1:1/"}, user="me")

    assert set(request.body) == {"model", "messages", "user"}


def test_of_a_templates_variables_two_may_pass():
    given = {"enable_thinking": False, "reasoning_effort": "low", "evil": "{% x %}"}

    kept = _read(chat_template_kwargs=given).body["chat_template_kwargs"]

    assert kept == {"enable_thinking": False, "reasoning_effort": "low"}


def test_the_size_is_that_of_the_bytes():
    body = json.dumps({"model": "auto", "messages": [HELLO]}, indent=3).encode()

    assert read_request(body).size == len(body)


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (
            BadRequest("No.", param="n"),
            {"message": "No.", "type": "invalid_request_error", "param": "n",
             "code": "invalid_request"},
        ),
        (
            TooManyRequests("Wait.", code="slow"),
            {"message": "Wait.", "type": "rate_limit_error", "param": None, "code": "slow"},
        ),
        (
            UpstreamError("Broke.", type="server_error"),
            {"message": "Broke.", "type": "server_error", "param": None, "code": "upstream_error"},
        ),
        (
            LARouterError(),
            {"message": "Something went wrong inside LARouter.", "type": "api_error",
             "param": None, "code": "internal_error"},
        ),
    ],
)  # fmt: skip
def test_an_error_is_openais_object(error, fields):
    assert json.loads(write_error(error)) == {"error": fields}


def test_a_picture_counts_flat_and_not_by_its_base64():
    picture = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64," + "A" * 5_000_000},
    }
    body = {"model": "m", "messages": [{"role": "user", "content": [picture]}]}

    size = read_request(json.dumps(body).encode()).size

    assert 16_384 <= size < 17_000
