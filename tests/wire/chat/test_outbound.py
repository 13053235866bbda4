"""Writing a chat request for a provider: as the client wrote it, but for the provider's quirks."""

import json

import pytest

from larouter.core.errors import BadRequest, CannotCarry
from larouter.providers import ENDPOINTS, ENGINE_QUIRKS
from larouter.wire.chat.outbound import pass_on
from larouter.wire.chat.request import read_request
from larouter.wire.road import Call, Quirks
from tests.fakes import a_request

QUIRKS = {endpoint.name: endpoint.quirks for endpoint in ENDPOINTS} | {"local": ENGINE_QUIRKS}


def _written(provider, request):
    return json.loads(pass_on(request, Call(name="m", quirks=QUIRKS[provider])).body)


def _developer(text="Be brief."):
    messages = [{"role": "developer", "content": text, "name": "dev"},
                {"role": "user", "content": "hi"}]  # fmt: skip
    return a_request(messages=messages)


def test_the_models_name_is_the_providers():
    assert json.loads(pass_on(a_request(model="auto"), Call(name="their-name")).body)["model"] == (
        "their-name"
    )


def test_everything_else_is_as_the_client_wrote_it():
    body = (
        b'{"zeta":{"b":1,"a":[2,null]},"model":"auto","messages":[{"role":"user","content":"\xc3'
        b'\xbc","x":1}],"tools":[{"type":"function","function":{"name":"f","parameters":'
        b'{"maximum":18446744073709551615}}}],"temperature":0.1,"alpha":null}'
    )

    assert pass_on(read_request(body), Call(name="auto")).body == body


def test_the_clients_object_is_not_changed():
    request = a_request(max_tokens=5, stream=True)
    before = json.dumps(request.body)

    pass_on(request, Call(name="m", quirks=Quirks(max_output="max_completion_tokens")))

    assert json.dumps(request.body) == before


@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "max_completion_tokens"),
        ("deepseek", "max_tokens"),
        ("ollama", "max_tokens"),
        ("llamacpp", "max_tokens"),
        ("custom", "max_tokens"),
        ("local", "max_tokens"),
    ],
)
def test_the_limit_of_the_answer_has_the_providers_name(provider, name, given):
    written = _written(provider, a_request(**{given: 7}))

    assert {key: value for key, value in written.items() if "max" in key} == {name: 7}


def test_no_limit_is_added():
    assert not [name for name in _written("openai", a_request(max_tokens=None)) if "max" in name]


@pytest.mark.parametrize(
    ("provider", "role"), [("openai", "developer"), ("deepseek", "system"), ("local", "system")]
)
def test_the_role_developer_goes_where_it_is_known(provider, role):
    first, second = _written(provider, _developer())["messages"]

    assert first == {"role": role, "content": "Be brief.", "name": "dev"}
    assert second == {"role": "user", "content": "hi"}


def test_deepseek_does_not_get_what_it_refuses():
    fields = {
        "seed": 1, "n": 1, "metadata": {}, "store": True, "logit_bias": {}, "user": "me",
        "service_tier": "flex", "prompt_cache_key": "k",
    }  # fmt: skip

    assert set(_written("deepseek", a_request(**fields, top_p=1, reasoning_effort="low"))) == {
        "model", "messages", "top_p", "reasoning_effort",
    }  # fmt: skip
    assert set(fields) <= set(_written("openai", a_request(**fields)))


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("deepseek", {"n": 2}),
        ("deepseek", {"modalities": ["text", "audio"], "audio": {"voice": "a"}}),
        ("deepseek", {"web_search_options": {}}),
        ("local", {"functions": [{"name": "f"}]}),
    ],
)
def test_what_changes_the_answer_is_refused_and_not_left_out(provider, fields):
    with pytest.raises(CannotCarry) as refused:
        _written(provider, a_request(**fields))

    assert refused.value.param == next(iter(fields))


def test_a_model_does_not_get_the_sampling_that_it_refuses():
    call = Call(name="m", quirks=QUIRKS["openai"], refuses=frozenset({"temperature", "tools"}))

    sent = json.loads(pass_on(a_request(temperature=0.5, top_p=0.5, seed=1), call).body)

    assert "temperature" not in sent
    assert sent["top_p"] == 0.5


def _among(*names, mode="auto"):
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize("provider", ["deepseek", "custom", "local"])
@pytest.mark.parametrize("mode", ["auto", "required"])
def test_a_choice_among_tools_is_the_offer_of_these(provider, mode):
    tools = [{"type": "function", "function": {"name": name}} for name in "abc"]

    sent = _written(provider, a_request(tools=tools, tool_choice=_among("a", "c", mode=mode)))

    assert [tool["function"]["name"] for tool in sent["tools"]] == ["a", "c"]
    assert sent["tool_choice"] == mode


def test_openai_knows_a_choice_among_tools():
    tools = [{"type": "function", "function": {"name": name}} for name in "ab"]

    sent = _written("openai", a_request(tools=tools, tool_choice=_among("a")))

    assert sent["tools"] == tools
    assert sent["tool_choice"] == _among("a")


@pytest.mark.parametrize(
    "choice",
    [_among("x"), {"type": "allowed_tools"}, {"type": "allowed_tools", "allowed_tools": 1}],
)
def test_a_choice_among_tools_that_there_are_not_is_refused(choice):
    tools = [{"type": "function", "function": {"name": "a"}}]

    with pytest.raises(BadRequest, match="tool_choice"):
        _written("deepseek", a_request(tools=tools, tool_choice=choice))


def test_our_engine_gets_only_what_it_knows():
    request = a_request(
        id_slot=3, cache_prompt=False, lora=[], grammar="x", slot_id=1, top_k=4, min_p=0.1,
        chat_template_kwargs={"enable_thinking": False}, user="me",
    )  # fmt: skip

    assert set(_written("local", request)) == {
        "model", "messages", "top_k", "min_p", "chat_template_kwargs",
    }  # fmt: skip


def _tools(*names):
    return [{"type": "function", "function": {"name": name}} for name in names]


def test_a_tool_demanded_by_name_is_the_only_one_that_our_engine_gets():
    choice = {"type": "function", "function": {"name": "b"}}
    request = a_request(tools=_tools("a", "b", "c"), tool_choice=choice)

    local, openai = _written("local", request), _written("openai", request)

    assert (local["tools"], local["tool_choice"]) == (_tools("b"), "required")
    assert (openai["tools"], openai["tool_choice"]) == (_tools("a", "b", "c"), choice)


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_any_other_choice_of_a_tool_is_passed_on(choice):
    written = _written("local", a_request(tools=_tools("a", "b"), tool_choice=choice))

    assert (written["tools"], written["tool_choice"]) == (_tools("a", "b"), choice)


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "z"}},
        {"type": "function", "function": {}},
        {"type": "function", "function": "a"},
        {"type": "function"},
        {"type": "web_search"},
    ],
)
@pytest.mark.parametrize("tools", [None, [*_tools("a"), {"type": "custom", "function": None}]])
def test_a_tool_that_is_not_there_cannot_be_demanded(choice, tools):
    with pytest.raises(BadRequest) as caught:
        _written("local", a_request(tools=tools, tool_choice=choice))

    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize("provider", ["openai", "deepseek", "custom", "local"])
def test_a_stream_is_always_asked_for_its_usage(provider):
    for options in ({}, {"stream_options": None}, {"stream_options": {"include_usage": False}}):
        written = _written(provider, a_request(stream=True, **options))

        assert written["stream_options"] == {"include_usage": True}


def test_other_options_of_a_stream_are_kept():
    options = {"include_obfuscation": False}

    written = _written("openai", a_request(stream=True, stream_options=options))

    assert written["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_what_does_not_stream_has_no_options_of_a_stream():
    request = a_request(stream=False, stream_options={"include_usage": True})

    assert "stream_options" not in _written("openai", request)


def _thought(**message):
    said = {"role": "assistant", "content": "Hi", **message}
    return a_request(messages=[{"role": "user", "content": "?"}, said])


def _sent(provider, request):
    return _written(provider, request)["messages"][-1]


CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FOREIGN = {"type": "reasoning.text", "text": "Hm", "signature": "lar1.anthropic.sig"}
OWN = {"type": "reasoning.encrypted", "data": "theirs"}


def test_openai_does_not_get_what_other_servers_add_to_a_message():
    request = _thought(
        reasoning_content="Hm",
        reasoning_details=[OWN],
        tool_calls=[{**CALL, "extra_content": {"google": {}}}, "odd"],
    )

    assert _sent("openai", request) == {
        "role": "assistant", "content": "Hi", "tool_calls": [CALL, "odd"],
    }  # fmt: skip
    assert _sent("openai", _thought()) == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    ("details", "sent"),
    [
        ([FOREIGN, OWN, "odd"], {"reasoning_details": [OWN, "odd"]}),
        ([FOREIGN], {}),
        ([OWN], {"reasoning_details": [OWN]}),
        ("odd", {"reasoning_details": "odd"}),
    ],
)
def test_a_thought_goes_back_to_its_maker_only(details, sent):
    message = _sent("custom", _thought(reasoning_details=details))

    assert message == {"role": "assistant", "content": "Hi", **sent}


@pytest.mark.parametrize(
    ("message", "thought"),
    [
        ({"tool_calls": [CALL]}, "I look."),
        ({"tool_calls": ["odd", {"id": 7}]}, ""),
        ({"tool_calls": [CALL], "reasoning_content": "Mine."}, "Mine."),
        ({"tool_calls": []}, None),
        ({}, None),
    ],
)
def test_deepseek_gets_back_what_it_thought_before_a_call(message, thought):
    call = Call(name="m", quirks=QUIRKS["deepseek"], recall={"t": "I look."}.get)

    sent = json.loads(pass_on(_thought(**message), call).body)["messages"][-1]

    assert sent.get("reasoning_content") == thought


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "a"}}])
def test_deepseek_does_not_think_when_a_tool_is_demanded(choice):
    request = a_request(tools=_tools("a"), tool_choice=choice)

    assert _written("deepseek", request)["thinking"] == {"type": "disabled"}
    assert "thinking" not in _written("openai", request)


def test_deepseek_is_asked_for_a_schema_in_words():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    written = _written("deepseek", a_request(response_format=form))

    assert written["response_format"] == {"type": "json_object"}
    assert written["messages"][0]["role"] == "system"
    assert json.dumps(schema, separators=(",", ":")) in written["messages"][0]["content"]
    assert _written("openai", a_request(response_format=form))["response_format"] == form
    assert _written("deepseek", a_request(response_format=None))["response_format"] is None
