"""A client's own request on its way to Anthropic: changed only where it must be."""

import json

import pytest
from msgspec.structs import replace

from larouter.wire.anthropic.passing import pass_on
from larouter.wire.road import Call
from tests.wire.anthropic.examples import CURRENT, HI, NEWER, request

ANY = Call(name="claude-next")
TOOLS = [{"name": "f", "input_schema": {"type": "object"}}]
BUDGET = {"type": "enabled", "budget_tokens": 900}


def _passed(call=ANY, **fields):
    return json.loads(pass_on(request(**fields), call).body)


def _content(*blocks, role="assistant"):
    return {"role": role, "content": list(blocks)}


def test_everything_passes_as_the_client_wrote_it():
    fields = {
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cch=1;"},
            {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "tools": [*TOOLS, {"type": "web_search_20250305", "name": "web_search"}],
        "mcp_servers": [{"type": "url", "url": "https://x"}],
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "max"},
        "temperature": 0.5,
        "tool_choice": {"type": "any"},
        "context_management": {"edits": []},
        "stream": True,
        "strange": {"x": 1.50},
    }
    asked = request(**fields)

    sending = pass_on(asked, ANY)

    assert sending.path == "v1/messages"
    assert json.loads(sending.body) == {**asked.body, "model": "claude-next"}


@pytest.mark.parametrize(
    ("headers", "fields", "expected"),
    [
        ({}, {}, {"anthropic-version": "2023-06-01"}),
        (
            {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b"},
            {},
            {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b"},
        ),
        (
            {"anthropic-beta": "a"},
            {"betas": ["b", "a"], "anthropic_beta": ["c"]},
            {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b,c"},
        ),
    ],
)
def test_betas_are_a_header(headers, fields, expected):
    sending = pass_on(replace(request(**fields), headers=headers), ANY)

    assert dict(sending.headers) == expected
    assert not {"betas", "anthropic_beta"} & json.loads(sending.body).keys()


@pytest.mark.parametrize(
    ("asked", "most", "expected"), [(1000, None, 1000), (1000, 64_000, 1000), (9000, 4096, 4096)]
)
def test_a_limit_is_one_that_the_model_can_reach(asked, most, expected):
    call = Call(name="claude-x", max_output=most)

    assert _passed(call, max_tokens=asked)["max_tokens"] == expected


def test_a_limit_that_was_lowered_passes():
    lowered = replace(request(max_tokens=9000), max_output=300)

    assert json.loads(pass_on(lowered, ANY).body)["max_tokens"] == 300


@pytest.mark.parametrize(
    ("budget", "limit", "expected"),
    [
        (4000, 5000, {"type": "enabled", "budget_tokens": 4000}),
        (4000, 3000, {"type": "enabled", "budget_tokens": 2999}),
        (4000, 1024, None),
    ],
)
def test_a_budget_stays_below_a_limit_that_was_lowered(budget, limit, expected):
    thinking = {"type": "enabled", "budget_tokens": budget}
    lowered = replace(request(max_tokens=9000, thinking=thinking), max_output=limit)

    assert json.loads(pass_on(lowered, ANY).body).get("thinking") == expected


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"temperature": 1, "top_p": 0.5, "top_k": 5}, {}),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
        (
            {"thinking": {**BUDGET, "display": "summarized"}},
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "low"},
            },
        ),
        ({"thinking": {"type": "disabled"}}, {"output_config": {"effort": "low"}}),
        (
            {"thinking": BUDGET, "output_config": {"effort": "max"}},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        ),
        (
            {"tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True}},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": {"type": "none"}}),
    ],
)
def test_what_the_model_refuses_is_put_in_its_words(fields, changed):
    body = _passed(NEWER, **fields)

    plain = {"model": NEWER.name, "max_tokens": 1000, "messages": HI}
    assert body == {**plain, **changed}


def test_thoughts_of_other_makers_stay_here():
    own = {"type": "thinking", "thinking": "Hm", "signature": "EqQ+/=="}
    foreign = {"type": "thinking", "thinking": "Hm", "signature": "lar1.gemini.x"}
    hidden = {"type": "redacted_thinking", "data": "lar1.responses~rs_1.x"}
    text = {"type": "text", "text": "So."}

    body = _passed(
        messages=[*HI, _content(own, foreign, text), *HI, _content(hidden), *HI],
    )

    assert body["messages"] == [*HI, _content(own, text), *HI, *HI]


def test_ids_of_other_providers_are_made_safe():
    use = {"type": "tool_use", "id": "functions.f:0", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "functions.f:0", "content": "42"}

    _, said, given = _passed(messages=[*HI, _content(use), _content(result, role="user")])[
        "messages"
    ]

    assert said["content"][0]["id"] == "functions_f_0"
    assert given["content"] == [{**result, "tool_use_id": "functions_f_0"}]


def _tools_turn(thought):
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t"}
    return [*HI, _content(thought, use), _content(result, role="user")]


@pytest.mark.parametrize(
    ("signature", "refuses", "thinks"),
    [
        ("EqQ", frozenset(), True),
        ("lar1.gemini.x", frozenset(), False),
        ("lar1.gemini.x", CURRENT, True),
    ],
)
def test_a_turn_that_began_without_a_thought_of_claudes_goes_on_without(signature, refuses, thinks):
    thought = {"type": "thinking", "thinking": "Hm", "signature": signature}

    body = _passed(Call(name="c", refuses=refuses), thinking=BUDGET, messages=_tools_turn(thought))

    assert ("thinking" in body) is thinks


def test_a_gap_of_long_ago_does_not_matter():
    foreign = {"type": "thinking", "thinking": "Hm", "signature": "lar1.none."}
    messages = [*_tools_turn(foreign), _content({"type": "text", "text": "So."}), *HI]

    assert "thinking" in _passed(thinking=BUDGET, messages=messages)
