"""Writing a chat request for a provider: as the client wrote it, but for the provider's quirks."""

import json

import pytest

from larouter.core.errors import BadRequest
from larouter.providers import ENDPOINTS, ENGINE_QUIRKS
from larouter.wire.openai_chat import Quirks, read_request, write_request
from tests.fakes import a_request

QUIRKS = {endpoint.name: endpoint.quirks for endpoint in ENDPOINTS} | {"local": ENGINE_QUIRKS}


def _written(provider, request):
    return json.loads(write_request("m", request, QUIRKS[provider]))


def _developer(text="Be brief."):
    messages = [{"role": "developer", "content": text, "name": "dev"},
                {"role": "user", "content": "hi"}]  # fmt: skip
    return a_request(messages=messages)


def test_the_models_name_is_the_providers():
    assert json.loads(write_request("their-name", a_request(model="auto")))["model"] == "their-name"


def test_everything_else_is_as_the_client_wrote_it():
    body = (
        b'{"zeta":{"b":1,"a":[2,null]},"model":"auto","messages":[{"role":"user","content":"\xc3'
        b'\xbc","x":1}],"tools":[{"type":"function","function":{"name":"f","parameters":'
        b'{"maximum":18446744073709551615}}}],"temperature":0.1,"alpha":null}'
    )

    assert write_request("auto", read_request(body)) == body


def test_the_clients_object_is_not_changed():
    request = a_request(max_tokens=5, stream=True)
    before = json.dumps(request.body)

    write_request("m", request, Quirks(max_output="max_completion_tokens"))

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
        "seed": 1, "n": 2, "metadata": {}, "store": True, "logit_bias": {}, "user": "me",
        "service_tier": "flex", "prompt_cache_key": "k", "reasoning_effort": "low",
    }  # fmt: skip

    assert set(_written("deepseek", a_request(**fields, top_p=1))) == {"model", "messages", "top_p"}
    assert set(fields) <= set(_written("openai", a_request(**fields)))


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
