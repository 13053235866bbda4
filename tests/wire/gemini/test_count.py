"""Counting tokens, for a client and at Google."""

import json

import pytest

from larouter.core.conversation import Conversation, Text, Turn
from larouter.core.errors import BadRequest, UpstreamError
from larouter.wire.gemini.count import (
    pass_count_on,
    read_count,
    read_counted,
    write_count,
    write_counted,
)
from larouter.wire.road import Call

HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_contents_alone_are_counted():
    assert read_count(json.dumps(HI).encode(), model="auto").messages[0].text == "Hi"


@pytest.mark.parametrize("name", ["generateContentRequest", "generate_content_request"])
def test_a_whole_request_is_counted(name):
    whole = {**HI, "model": "models/x", "systemInstruction": {"parts": [{"text": "Be brief."}]}}

    request = read_count(json.dumps({name: whole}).encode(), model="gemini-4-argon")

    assert request.model == "gemini-4-argon"
    assert [message.text for message in request.messages] == ["Be brief.", "Hi"]


def test_no_request_is_refused():
    with pytest.raises(BadRequest):
        read_count(b'{"generateContentRequest": []}', model="auto")


def test_a_count_is_written_in_googles_shape():
    assert json.loads(write_counted(7))["totalTokens"] == 7
    assert read_counted(write_counted(7)) == 7


def test_google_is_asked_with_the_whole_request():
    conversation = Conversation(turns=(Turn("user", (Text(text="Hi"),)),))

    sending = write_count(conversation, Call(name="gemini-4-argon"))

    assert sending.path == "v1beta/models/gemini-4-argon:countTokens"
    assert json.loads(sending.body) == {
        "generateContentRequest": {"model": "models/gemini-4-argon", **HI}
    }


def test_google_is_asked_with_a_clients_own_body():
    body = {**HI, "tools": [{"googleSearch": {}}]}

    sending = pass_count_on(
        read_count(json.dumps(body).encode(), model="auto"), Call(name="gemini-4-argon")
    )

    assert json.loads(sending.body) == {
        "generateContentRequest": {"model": "models/gemini-4-argon", **body}
    }


def test_a_count_of_zero_is_left_out_by_google():
    assert read_counted(b"{}") == 0


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"totalTokens": "x"}', b'{"totalTokens": -1}']
)
def test_what_is_no_count_is_refused(body):
    with pytest.raises(UpstreamError):
        read_counted(body)
