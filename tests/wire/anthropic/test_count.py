"""Counting a prompt's tokens: Anthropic's own count, or an estimate."""

import json

import pytest
from msgspec.structs import replace

from larouter.core.errors import BadRequest, UpstreamError
from larouter.wire.anthropic.count import (
    pass_count_on,
    read_count,
    read_count_request,
    write_count,
)
from tests.wire.anthropic.examples import HI, NEWER

BODY = json.dumps({"model": "auto", "messages": HI}).encode()


def test_a_limit_may_be_missing():
    assert read_count_request(BODY).max_output is None


def test_a_question_without_messages_is_refused():
    with pytest.raises(BadRequest, match="messages: Field required"):
        read_count_request(b'{"model": "auto"}')


def test_the_question_is_passed_on_without_what_an_answer_needs():
    body = {
        **json.loads(BODY),
        "system": "Hi",
        "max_tokens": 5,
        "stream": True,
        "temperature": 1,
        "metadata": {},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }
    asked = replace(read_count_request(json.dumps(body).encode()), headers={"anthropic-beta": "a"})

    sending = pass_count_on(asked, NEWER)

    assert sending.path == "v1/messages/count_tokens"
    assert dict(sending.headers)["anthropic-beta"] == "a"
    assert json.loads(sending.body) == {
        "model": "claude-opus-5-5",
        "messages": HI,
        "system": "Hi",
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "low"},
    }


def test_a_count_is_read_and_written():
    assert read_count(write_count(12)) == 12


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"\xff",
        b"{}",
        b'{"input_tokens": -1}',
        b'{"input_tokens": "1"}',
        b'{"type": "error", "error": {"type": "api_error", "message": "no"}}',
    ],
)
def test_an_answer_without_a_count_is_an_error(body):
    with pytest.raises(UpstreamError):
        read_count(body)
