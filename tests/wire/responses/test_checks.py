import json

import pytest

from larouter.core.errors import BadRequest
from larouter.wire.responses.request import read_request

FORMAT = {"type": "json_schema", "name": "a", "schema": {}}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def message(*parts, role="user"):
    return [{"type": "message", "role": role, "content": list(parts)}]


GOOD = [
    {"tool_choice": "none"},
    {"tool_choice": {"type": "function", "name": "f"}},
    {"tool_choice": {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}]}},
    {"tool_choice": {"type": "web_search"}},
    {"tools": [{"type": "local_shell"}, {"type": "mcp", "server_label": "x"}]},
    {"tools": [{"type": "namespace", "name": "n"}]},
    {"text": {}},
    {"text": {"format": None}},
    {"text": {"format": {"type": "text"}}},
    {"text": {"format": FORMAT}},
    {"temperature": 0.5, "top_p": 1},
    {"temperature": None},
    {"input": [{"type": "brand_new_item", "anything": 1}]},
    {"input": message({"type": "brand_new_part"})},
    {"input": [{"type": "tool_search_output", "tools": None}]},
    {"input": [CALL]},
]
BAD = [
    ({"model": ""}, "model"),
    ({"model": "a\nb"}, "model"),
    ({"model": 7}, "model"),
    ({"input": []}, "input"),
    ({"input": 7}, "input"),
    ({"input": ["Hi"]}, "input[0]"),
    ({"input": [{"type": 7}]}, "input[0].type"),
    ({"input": [{"role": "user", "content": None}]}, "input[0].content"),
    ({"input": message("Hi")}, "input[0].content[0]"),
    ({"input": message({"text": "Hi"})}, "input[0].content[0]"),
    ({"input": message({"type": "input_text"})}, "input[0].content[0].text"),
    ({"input": message({"type": "refusal", "refusal": 7})}, "input[0].content[0].refusal"),
    ({"input": message({"type": "input_audio"})}, "input[0].content[0].input_audio"),
    ({"input": [{**CALL, "call_id": None}]}, "input[0].call_id"),
    ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
    ({"input": [{**CALL, "type": "custom_tool_call"}]}, "input[0].input"),
    ({"input": [{"type": "function_call_output", "output": ""}]}, "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
    ({"input": [{"type": "additional_tools", "tools": 7}]}, "input[0].tools"),
    ({"instructions": 7}, "instructions"),
    ({"stream": "yes"}, "stream"),
    ({"include": "x"}, "include"),
    ({"include": [7]}, "include"),
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"max_output_tokens": 2.5}, "max_output_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"top_p": "1"}, "top_p"),
    ({"tools": {}}, "tools"),
    ({"tools": [7]}, "tools[0]"),
    ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ({"tools": [{"type": "function", "name": "f", "parameters": 7}]}, "tools[0].parameters"),
    ({"tools": [{"type": "namespace", "name": "n", "tools": [7]}]}, "tools[0].tools[0]"),
    ({"tool_choice": "maybe"}, "tool_choice"),
    ({"tool_choice": 7}, "tool_choice"),
    ({"tool_choice": {}}, "tool_choice.type"),
    ({"tool_choice": {"type": "custom"}}, "tool_choice.name"),
    ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.tools"),
    ({"text": 7}, "text"),
    ({"text": {"format": 7}}, "text.format"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
    ({"text": {"format": {**FORMAT, "schema": None}}}, "text.format.schema"),
    ({"text": {"format": {**FORMAT, "name": None}}}, "text.format.name"),
    ({"reasoning": "high"}, "reasoning"),
]


def read(fields):
    return read_request(json.dumps({"model": "auto", "input": "Hi", **fields}).encode())


@pytest.mark.parametrize("fields", GOOD, ids=json.dumps)
def test_good_fields_pass(fields):
    assert read(fields).model == "auto"


@pytest.mark.parametrize(("fields", "param"), BAD, ids=str)
def test_a_bad_field_is_named(fields, param):
    with pytest.raises(BadRequest) as caught:
        read(fields)

    assert caught.value.param == param
    assert caught.value.code == "invalid_value"
