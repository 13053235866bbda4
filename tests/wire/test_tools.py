"""Tools where a format has functions alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.conversation import Conversation, Tool, ToolCall, ToolChoice
from larouter.wire import tools

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: A"}


@pytest.mark.parametrize(
    ("tool", "schema"),
    [
        (Tool(name="f", parameters=SCHEMA), SCHEMA),
        (Tool(name="f"), {"type": "object", "properties": {}}),
        (Tool(name="f", parameters={}), {"type": "object", "properties": {}}),
        (
            Tool(name="f", custom={}),
            {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_what_a_tool_takes(tool, schema):
    assert tools.parameters(tool) == schema


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        (Tool(name="f"), None),
        (Tool(name="f", description="d"), "d"),
        (Tool(name="f", description="d", custom={"type": "text"}), "d"),
        (Tool(name="f", custom=GRAMMAR), "The input follows this grammar:\nstart: A"),
        (
            Tool(name="f", description="d", custom=GRAMMAR),
            "d\n\nThe input follows this grammar:\nstart: A",
        ),
    ],
)
def test_a_grammar_is_told_in_words(tool, text):
    assert tools.description(tool) == text


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (ToolCall(id="t", name="f", arguments='{"a": 1}'), '{"a": 1}'),
        (ToolCall(id="t", name="f", arguments=""), "{}"),
        (ToolCall(id="t", name="f", arguments='say "hi"', custom=True), '{"input":"say \\"hi\\""}'),
    ],
)
def test_arguments_are_the_model_s_own_text(call, text):
    assert tools.arguments(call) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_plain_text_comes_back_from_a_function(text):
    call = ToolCall(id="t", name="f", arguments=text, custom=True)

    assert tools.plain_input(tools.arguments(call)) == text


@pytest.mark.parametrize(
    "text", ["ls", "", '{"input": 1}', '{"cmd": "ls"}', "[1]", pytest.param("[" * 9999, id="deep")]
)
def test_a_model_that_writes_something_else_is_taken_at_its_word(text):
    assert tools.plain_input(text) == text


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (None, ["f", "g"]),
        (ToolChoice(mode="required"), ["f", "g"]),
        (ToolChoice(mode="auto", among=("g", "z")), ["g"]),
        (ToolChoice(mode="auto", among=()), []),
    ],
)
def test_the_tools_that_may_be_called(choice, names):
    asked = Conversation(turns=(), tools=(Tool(name="f"), Tool(name="g")), tool_choice=choice)

    assert [tool.name for tool in tools.offered(asked)] == names


def test_ids_are_distinct():
    assert tools.new_call_id() != tools.new_call_id()
    assert json.dumps(tools.new_call_id()).startswith('"call_')
