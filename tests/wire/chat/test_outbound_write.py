"""A conversation of another dialect as a chat completion."""

import json

import pytest

from larouter.core.conversation import Conversation, Format, Text, Tool, ToolChoice, Turn
from larouter.core.errors import BadRequest
from larouter.providers import ENDPOINTS, ENGINE_QUIRKS
from larouter.wire.chat.outbound import write
from larouter.wire.road import Call

QUIRKS = {endpoint.name: endpoint.quirks for endpoint in ENDPOINTS} | {"local": ENGINE_QUIRKS}
TURNS = (Turn("user", (Text(text="Hi"),)),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
NOTHING = {"type": "object", "properties": {}}
F, G = Tool(name="f", description="d", parameters=SCHEMA, strict=True), Tool(name="g")
SH = Tool(name="sh", description="A shell.", custom={})
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: A"}


def _sent(provider="custom", *, stream=False, refuses=(), **fields):
    call = Call(name="m", quirks=QUIRKS[provider], stream=stream, refuses=frozenset(refuses))
    sending = write(Conversation(**{"turns": TURNS, **fields}), call)
    assert sending.path == "chat/completions"
    assert sending.headers == ()
    return json.loads(sending.body)


def _function(name, **fields):
    return {"type": "function", "function": {"name": name, "parameters": NOTHING, **fields}}


def test_a_short_conversation():
    assert _sent() == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


EVERYTHING = {
    "max_output": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop": ("x",), "seed": 7,
    "presence_penalty": 0.1, "frequency_penalty": 0.2, "effort": "high", "user": "me",
    "parallel_tools": False, "tools": (G,), "thinking_tokens": 99, "shows_thinking": True,
    "extra": {"n": 2},
}  # fmt: skip
WRITTEN = {
    "temperature": 0.5, "top_p": 0.9, "stop": ["x"], "presence_penalty": 0.1,
    "frequency_penalty": 0.2, "reasoning_effort": "high", "tools": [_function("g")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "written"),
    [
        ("custom", {**WRITTEN, "max_tokens": 5, "top_k": 4, "seed": 7, "user": "me",
                    "parallel_tool_calls": False}),
        ("openai", {**WRITTEN, "max_completion_tokens": 5, "seed": 7, "user": "me",
                    "parallel_tool_calls": False}),
        ("deepseek", {**WRITTEN, "max_tokens": 5}),
        ("local", {**WRITTEN, "max_tokens": 5, "top_k": 4, "seed": 7,
                   "parallel_tool_calls": False}),
    ],
)  # fmt: skip
def test_every_field_that_a_provider_knows(provider, written):
    sent = _sent(provider, **EVERYTHING)

    assert {name: sent[name] for name in sent if name not in ("model", "messages")} == written


def test_a_stream_is_asked_for_its_usage():
    sent = _sent(stream=True)

    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


def test_a_model_does_not_get_what_it_refuses():
    sent = _sent(temperature=1, top_p=1, refuses={"temperature", "top_p", "prefill"})

    assert set(sent) == {"model", "messages"}


@pytest.mark.parametrize(
    ("provider", "tool", "written"),
    [
        ("openai", F, _function("f", description="d", parameters=SCHEMA, strict=True)),
        ("openai", G, _function("g")),
        ("openai", SH, {"type": "custom", "custom": {"name": "sh", "description": "A shell."}}),
        ("openai", Tool(name="sh", custom=GRAMMAR),
         {"type": "custom",
          "custom": {"name": "sh",
                     "format": {"type": "grammar",
                                "grammar": {"syntax": "lark", "definition": "start: A"}}}}),
        ("openai", Tool(name="sh", custom={"type": "text"}),
         {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}}),
    ],
)  # fmt: skip
def test_tools(provider, tool, written):
    assert _sent(provider, tools=(tool,))["tools"] == [written]


def test_a_tool_of_plain_text_is_a_function_elsewhere():
    (tool,) = _sent("deepseek", tools=(Tool(name="sh", description="A.", custom=GRAMMAR),))["tools"]

    assert tool["type"] == "function"
    assert tool["function"]["parameters"]["required"] == ["input"]
    assert "start: A" in tool["function"]["description"]


def _names(sent):
    return [next(iter(tool.values()))["name"] for tool in map(_without_type, sent["tools"])]


def _without_type(tool):
    return {name: tool[name] for name in tool if name != "type"}


def _named(name):
    return ToolChoice(mode="named", name=name)


@pytest.mark.parametrize(
    ("provider", "choice", "names", "written"),
    [
        ("openai", None, ["f", "g", "sh"], None),
        ("openai", ToolChoice(mode="none"), ["f", "g", "sh"], "none"),
        ("openai", ToolChoice(mode="required"), ["f", "g", "sh"], "required"),
        ("openai", ToolChoice(mode="auto", among=("g", "sh")), ["g", "sh"], "auto"),
        ("openai", _named("g"), ["f", "g", "sh"], {"type": "function", "function": {"name": "g"}}),
        ("openai", _named("sh"), ["f", "g", "sh"], {"type": "custom", "custom": {"name": "sh"}}),
        ("custom", _named("sh"), ["f", "g", "sh"],
         {"type": "function", "function": {"name": "sh"}}),
        ("local", _named("g"), ["g"], "required"),
    ],
)  # fmt: skip
def test_the_choice_of_a_tool(provider, choice, names, written):
    sent = _sent(provider, tools=(F, G, SH), tool_choice=choice)

    assert _names(sent) == names
    assert sent.get("tool_choice") == written


@pytest.mark.parametrize("provider", ["openai", "local"])
def test_a_tool_that_is_not_there_cannot_be_demanded(provider):
    with pytest.raises(BadRequest) as caught:
        _sent(provider, tools=(F,), tool_choice=_named("z"))

    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_choice": ToolChoice(mode="required"), "parallel_tools": True},
        {"tools": (F,), "tool_choice": ToolChoice(mode="auto", among=("z",))},
    ],
)
def test_without_tools_nothing_is_said_of_them(fields):
    assert set(_sent(**fields)) == {"model", "messages"}


@pytest.mark.parametrize(
    ("choice", "thinking"),
    [
        (ToolChoice(mode="required"), {"type": "disabled"}),
        (_named("f"), {"type": "disabled"}),
        (ToolChoice(mode="auto"), None),
        (None, None),
    ],
)
def test_deepseek_does_not_think_when_a_tool_is_demanded(choice, thinking):
    assert _sent("deepseek", tools=(F,), tool_choice=choice).get("thinking") == thinking


def test_a_schema_where_it_is_known():
    form = Format(schema=SCHEMA, name="x", strict=True, description="d")

    assert _sent(format=form)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": SCHEMA, "description": "d", "strict": True},
    }
    assert _sent(format=Format(schema=SCHEMA))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA},
    }


@pytest.mark.parametrize(
    ("provider", "form", "says"),
    [
        ("openai", Format(), "Answer with a JSON object."),
        ("deepseek", Format(), "Answer with a JSON object."),
        ("deepseek", Format(schema=SCHEMA), json.dumps(SCHEMA, separators=(",", ":"))),
    ],
)
def test_json_is_asked_for_in_words_too(provider, form, says):
    """OpenAI and DeepSeek refuse `json_object` unless the messages speak of JSON."""
    alone = _sent(provider, format=form)
    after = _sent(provider, format=form, turns=(Turn("system", (Text(text="Be brief."),)), *TURNS))

    assert alone["response_format"] == after["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in alone["messages"]] == ["system", "user"]
    assert [message["role"] for message in after["messages"]] == ["system", "user"]
    assert says in alone["messages"][0]["content"]
    assert after["messages"][0]["content"].startswith("Be brief.\n\n")
    assert says in after["messages"][0]["content"]
