import pytest
from msgspec import json
from msgspec.structs import replace

from larouter.core.conversation import Opaque, Thinking, ToolCall
from larouter.core.turns import Turns
from larouter.providers.beyond import billed_tool, restored
from larouter.wire.anthropic.request import read_request as read_anthropic
from larouter.wire.chat.request import read_request as read_chat
from larouter.wire.gemini.request import read_request as read_gemini
from larouter.wire.ollama.calls import call_id
from larouter.wire.ollama.request import read_chat as read_ollama
from larouter.wire.responses.request import read_request as read_responses
from tests.fakes import a_request

FUNCTION = {"type": "function", "function": {"name": "f"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SAID = [
    {"role": "user", "content": "Go"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "done"},
]


def chat(**fields):
    return read_chat(json.encode({"model": "m", "messages": SAID[:1], **fields}))


def responses(*tools, **fields):
    return read_responses(json.encode({"model": "m", "input": "Go", "tools": tools, **fields}))


def anthropic(*tools, **fields):
    body = {"model": "m", "max_tokens": 9, "messages": SAID[:1], "tools": tools, **fields}
    return read_anthropic(json.encode(body))


def gemini(*tools):
    body = {"contents": [{"parts": [{"text": "Go"}]}], "tools": tools}
    return read_gemini(json.encode(body), model="m")


@pytest.mark.parametrize(
    ("request_", "tool"),
    [
        (chat(tools=[FUNCTION]), None),
        (chat(web_search_options={}), "web_search_options"),
        (chat(tools=[{"type": "web_search"}]), "web_search"),
        (responses({"type": "function", "name": "f"}, {"type": "local_shell"}), None),
        (responses({"type": "shell", "environment": {"type": "local"}}), None),
        (responses({"type": "shell", "environment": {"type": "container_auto"}}), "shell"),
        (responses({"type": "web_search"}), "web_search"),
        (
            responses({"type": "code_interpreter", "container": {"type": "auto"}}),
            "code_interpreter",
        ),
        (
            anthropic({"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "b"}),
            None,
        ),
        (anthropic({"type": "web_search_20250305", "name": "web_search"}), "web_search"),
        (anthropic(mcp_servers=[{"url": "https://x"}]), "mcp_servers"),
        (gemini({"functionDeclarations": [{"name": "f"}]}), None),
        (gemini({"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}), "googleSearch"),
    ],
)
def test_a_tool_that_the_provider_runs_is_found(request_, tool):
    assert billed_tool(request_, request_.dialect) == tool


def test_a_provider_of_another_format_is_not_given_it():
    assert billed_tool(responses({"type": "web_search"}), "chat") is None
    assert (
        billed_tool(read_ollama(json.encode({"model": "m", "messages": SAID[:1]})), "ollama")
        is None
    )


@pytest.fixture
def turns():
    turns = Turns()
    parts = (
        Thinking(text="x" * 900, opaque=Opaque("anthropic", "s" * 1_000)),
        ToolCall(id="call_1", name="f", arguments="{}"),
        ToolCall(id="call_2", name="f", arguments="{}"),
    )
    turns.remember("p", "cloud/m", ["call_1", "call_2"], parts)
    return turns


BACK = {
    "chat": chat(messages=SAID, tools=[FUNCTION]),
    "responses": responses(
        {"type": "function", "name": "f"},
        input=[
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
        ],
    ),
    "anthropic": anthropic(
        {"name": "f", "input_schema": {}},
        messages=[
            *SAID[:1],
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "call_1", "name": "f", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1"}]},
        ],
    ),
    "gemini": read_gemini(
        json.encode(
            {
                "contents": [
                    {"parts": [{"text": "Go"}]},
                    {
                        "role": "model",
                        "parts": [{"functionCall": {"id": "call_1", "name": "f", "args": {}}}],
                    },
                ],
                "tools": [{"functionDeclarations": [{"name": "f"}]}],
            }
        ),
        model="m",
    ),
}


@pytest.mark.parametrize("request_", BACK.values(), ids=list(BACK))
def test_what_is_put_back_is_counted_once(turns, request_):
    assert restored(replace(request_, project="p"), turns) > 1_900
    assert restored(replace(request_, project="p"), turns) < 2_500
    assert restored(replace(request_, project="q"), turns) == 0


def test_ollamas_calls_are_known_by_what_they_say(turns):
    turns.remember("p", "cloud/m", [call_id("g", "{}")], (Thinking(text="y" * 500),))
    said = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "g", "arguments": {}}}]},
        {"role": "tool", "content": "done"},
    ]
    body = {"model": "m", "messages": said, "tools": [FUNCTION]}
    asked = replace(read_ollama(json.encode(body)), project="p")
    odd = replace(asked, body={**asked.body, "messages": said[2:]})

    assert restored(asked, turns) > 500
    assert restored(odd, turns) == 0


def test_without_tools_nothing_is_put_back(turns):
    assert restored(replace(a_request(), project="p"), turns) == 0
