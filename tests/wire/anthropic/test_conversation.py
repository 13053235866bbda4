"""A client's whole request as a conversation that other wires can be told."""

from typing import Any

import pytest
from msgspec.structs import replace

from larouter.core.conversation import Format, Text, Tool, ToolCall, ToolChoice, ToolResult, Turn
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.anthropic.conversation import LOSSES, conversation, shows_thinking
from tests.wire.anthropic.examples import HI, WEATHER, request

SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
TOOL = {"name": "f", "description": "Does it", "input_schema": WEATHER}
SCHEMA = {"type": "json_schema", "schema": WEATHER}


def _conversation(**fields):
    return conversation(request(**fields))


def test_the_shortest_request():
    found = _conversation()

    assert found.turns == (Turn("user", (Text(text="Hi"),)),)
    assert found.max_output == 1000
    assert found.extra == {}
    assert found.effort is None
    assert not found.shows_thinking


def test_turns_keep_their_order_and_neighbours_are_one():
    found = _conversation(
        system=[{"type": "text", "text": "Be brief."}, {"type": "text", "text": ""}],
        messages=[
            *HI,
            {"role": "user", "content": "there"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
            {"role": "system", "content": "Hurry."},
        ],
    )

    assert found.turns == (
        Turn("system", (Text(text="Be brief."),)),
        Turn("user", (Text(text="Hi"), Text(text="there"))),
        Turn("assistant", (ToolCall(id="t", name="f", arguments="{}"),)),
        Turn("user", (ToolResult(call_id="t", parts=()),)),
        Turn("system", (Text(text="Hurry."),)),
    )


def test_claude_codes_changing_line_is_not_told_to_other_models():
    changing = "x-anthropic-billing-header: cc_version=2.1.117; cch=71fea;"
    system = [{"type": "text", "text": changing}, {"type": "text", "text": "You are …"}]

    asked = request(system=system)

    assert conversation(asked).turns[0] == Turn("system", (Text(text="You are …"),))
    assert changing in asked.messages[0].text
    assert asked.body["system"] == system


def test_a_system_of_one_string():
    assert _conversation(system="Be brief.").turns[0] == Turn("system", (Text(text="Be brief."),))


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"temperature": 0.5}, "temperature", 0.5),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"top_k": 5}, "top_k", 5),
        ({"stop_sequences": ["a", "b"]}, "stop", ("a", "b")),
        ({"metadata": {"user_id": "me"}}, "user", "me"),
        ({"metadata": {"user_id": None}}, "user", None),
        ({"output_config": {"format": SCHEMA}}, "format", Format(schema=WEATHER, strict=True)),
        ({"output_format": SCHEMA}, "format", Format(schema=WEATHER, strict=True)),
        ({"output_config": {"effort": "xhigh"}}, "effort", "xhigh"),
        (
            {"tools": [{**TOOL, "strict": True, "cache_control": {}}]},
            "tools",
            (Tool(name="f", description="Does it", parameters=WEATHER, strict=True),),
        ),
        (
            {"tools": [{"type": "custom", **TOOL, "defer_loading": True}]},
            "tools",
            (Tool(name="f", description="Does it", parameters=WEATHER),),
        ),
        ({"tool_choice": {"type": "auto"}}, "tool_choice", ToolChoice(mode="auto")),
        ({"tool_choice": {"type": "any"}}, "tool_choice", ToolChoice(mode="required")),
        ({"tool_choice": {"type": "none"}}, "tool_choice", ToolChoice(mode="none")),
        (
            {"tool_choice": {"type": "tool", "name": "f"}},
            "tool_choice",
            ToolChoice(mode="named", name="f"),
        ),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            "parallel_tools",
            False,
        ),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
            "parallel_tools",
            True,
        ),
        ({"tool_choice": {"type": "auto"}}, "parallel_tools", None),
        ({"speed": "fast", "strange": 1}, "extra", {"speed": "fast", "strange": 1}),
        ({"tools": [SEARCH]}, "extra", {"server_tools": ["web_search"]}),
        ({"tools": [{"type": "mcp_toolset"}]}, "extra", {"server_tools": ["mcp_toolset"]}),
    ],
)
def test_a_field_is_read(fields, name, value):
    assert getattr(_conversation(**fields), name) == value


@pytest.mark.parametrize(
    ("fields", "effort", "tokens", "shown"),
    [
        ({"thinking": {"type": "disabled"}}, "none", None, "nothing"),
        ({"thinking": {"type": "between_tools"}}, "none", None, "nothing"),
        ({"thinking": {"type": "adaptive"}}, None, None, "text"),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, None, None, "seals"),
        ({"thinking": {"type": "enabled", "budget_tokens": 8000}}, "medium", 8000, "text"),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 8000},
                "output_config": {"effort": "max"},
            },
            "max",
            8000,
            "text",
        ),
        ({"output_config": {"effort": "low"}}, "low", None, "nothing"),
    ],
)
def test_how_much_to_think_is_read(fields, effort, tokens, shown):
    found = _conversation(**fields)

    assert (found.effort, found.thinking_tokens) == (effort, tokens)
    assert found.shows_thinking is (shown == "text")
    assert shows_thinking(fields) == shown


def test_a_limit_that_was_lowered_counts():
    assert conversation(replace(request(), max_output=300)).max_output == 300
    assert conversation(replace(request(), max_output=None)).max_output is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0]"),
        ({"tools": [{"type": "computer_toolset_20260801"}]}, "tools[0]"),
        (
            {"tools": [SEARCH], "tool_choice": {"type": "tool", "name": "web_search"}},
            "tool_choice",
        ),
    ],
)
def test_what_only_claude_can_do_is_refused(fields, param):
    with pytest.raises(CannotCarry) as caught:
        _conversation(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize("choice", [{"type": "strange"}, {"type": "tool"}])
def test_a_wrong_choice_of_tool_is_named(choice):
    with pytest.raises(BadRequest, match="tool_choice"):
        _conversation(tool_choice=choice)


def test_what_is_lost_reaches_nobody():
    lost: dict[str, Any] = {loss.field: {"x": 1} for loss in LOSSES if loss.becomes == "left out"}
    lost |= {"betas": ["x"], "anthropic_beta": ["x"]}

    found = _conversation(**lost)

    assert replace(found, extra={}) == replace(_conversation(), extra={})
    assert found.extra == lost
