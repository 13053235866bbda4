import json

import pytest
from msgspec.structs import replace

from larouter.wire.responses.outbound import pass_on
from larouter.wire.road import Call
from tests.wire.responses.answers import asked

CALL = Call(name="gpt-6.1-terra")
OLD = Call(name="gpt-4.1")
ENCRYPTED = ["reasoning.encrypted_content"]


def passed(given="Hi", call=CALL, **fields):
    request = asked(given, **fields)
    return json.loads(pass_on(request, call).body)


def test_a_request_passes_as_it_came():
    fields = {"metadata": {"a": "b"}, "new_field": [1], "store": False, "stream": True}

    assert passed("Hi é", **fields) == {
        "model": "gpt-6.1-terra",
        "input": "Hi é",
        **fields,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("include", "sent"),
    [
        ({}, ENCRYPTED),
        ({"include": ["file_search_call.results"]}, ["file_search_call.results", *ENCRYPTED]),
        ({"include": ENCRYPTED}, ENCRYPTED),
    ],
)
def test_what_is_kept_here_brings_its_thoughts(include, sent):
    given = passed(**include)

    assert (given["store"], given["include"]) == (False, sent)
    assert "include" not in passed(call=OLD)


def test_limits_are_ours_and_refusals_the_models():
    call = Call(name="gpt-5", refuses=frozenset({"temperature"}))
    request = replace(asked(max_output_tokens=999, temperature=0.5), max_output=300)
    given = json.loads(pass_on(request, call).body)

    assert given["max_output_tokens"] == 300
    assert "temperature" not in given


def test_other_makers_thoughts_do_not_pass():
    message = {"type": "message", "role": "assistant", "content": "Yes", "id": "msg_1"}
    own = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAAA"}
    given = passed(
        [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "reasoning", "summary": [], "encrypted_content": "lar1.anthropic.c2ln"},
            own,
            message,
        ]
    )

    assert given["input"] == [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": "Yes"},
    ]
    assert passed([own, message])["input"] == [own, message]


def test_history_passes_without_ids():
    request = asked([{"role": "user", "content": "Hi", "id": "msg_1"}])
    request = replace(request, body={**request.body, "previous_response_id": "resp_1"})
    given = json.loads(pass_on(request, CALL).body)

    assert given["input"] == [{"role": "user", "content": "Hi"}]
    assert "previous_response_id" not in given


def test_only_openais_headers_pass():
    headers = {"openai-beta": "x", "anthropic-beta": "y"}

    assert pass_on(replace(asked(), headers=headers), CALL).headers == (("openai-beta", "x"),)
