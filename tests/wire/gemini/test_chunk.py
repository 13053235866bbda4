"""What an answer of Gemini says beside its text: usage, errors, why it ended."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire.gemini.chunk import (
    Candidate,
    decode_chunk,
    decode_whole,
    error_text,
    read_usage,
    reason_of,
)


def usage(**fields):
    return read_usage(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ({"promptTokenCount": 10, "candidatesTokenCount": 4}, Usage(input=10, output=4)),
        ({"promptTokenCount": 10}, Usage(input=10)),
        ({"promptTokenCount": 0}, Usage()),
        (
            {"promptTokenCount": 10, "cachedContentTokenCount": 8, "candidatesTokenCount": 4},
            Usage(input=2, cache_read=8, output=4),
        ),
        (
            {"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 6},
            Usage(input=10, output=10, reasoning=6),
        ),
        ({"promptTokenCount": 10, "toolUsePromptTokenCount": 5}, Usage(input=15)),
        (
            {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 40,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 20},
                    {"modality": "AUDIO", "tokenCount": 50},
                    {"modality": "IMAGE", "tokenCount": 30},
                ],
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}],
            },
            Usage(input=20, cache_read=40, audio=10, image=30),
        ),
        (
            {
                "promptTokenCount": 10,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 11}],
            },
            Usage(input=10),
        ),
        (
            {"promptTokenCount": 10, "promptTokensDetails": [3, {"modality": "AUDIO"}]},
            Usage(input=10),
        ),
        ({"promptTokenCount": 10, "promptTokensDetails": 3}, Usage(input=10)),
    ],
)
def test_usage_is_cut_into_buckets(fields, read):
    assert usage(**fields) == read


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"candidatesTokenCount": 4},
        {"promptTokenCount": -1},
        {"promptTokenCount": 1.5},
        {"promptTokenCount": "10"},
        {"promptTokenCount": True},
        {"promptTokenCount": 10**10},
        {"promptTokenCount": 10, "candidatesTokenCount": -4},
        {"promptTokenCount": 10, "cachedContentTokenCount": 11},
    ],
)
def test_usage_that_cannot_be_true_is_none(fields):
    assert usage(**fields) is None


def test_no_usage_is_none():
    assert read_usage(b"") is None
    assert read_usage(b"[]") is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "stop"), ("STOP", "stop"), ("OTHER", "stop"), ("SOMETHING_NEW", "stop"),
        ("MAX_TOKENS", "length"), ("CONTINUATION", "length"),
        ("SAFETY", "refusal"), ("RECITATION", "refusal"), ("PROHIBITED_CONTENT", "refusal"),
        ("BLOCKLIST", "refusal"), ("SPII", "refusal"),
    ],
)  # fmt: skip
def test_every_end_has_its_reason(given, reason):
    assert reason_of(Candidate(finish_reason=given), called=False) == reason


def test_an_end_with_calls_wants_them_called():
    assert reason_of(Candidate(finish_reason="STOP"), called=True) == "tool_calls"
    assert reason_of(Candidate(finish_reason="MAX_TOKENS"), called=True) == "length"


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (Candidate(finish_reason="MALFORMED_FUNCTION_CALL"), "malformed function call"),
        (Candidate(finish_reason="UNEXPECTED_TOOL_CALL", finish_message="print(1)"), "print"),
    ],
)
def test_a_model_that_failed_gave_no_answer(candidate, words):
    with pytest.raises(UpstreamError, match=words):
        reason_of(candidate, called=False)


@pytest.mark.parametrize(
    "data", [b"<html>", b"[]", b'"x"', b'{"candidates": 3}', b'{"responseId": "\xff"}']
)
def test_what_is_no_chunk_is_refused(data):
    with pytest.raises(UpstreamError):
        decode_chunk(data)
    with pytest.raises(UpstreamError):
        decode_whole(data)


@pytest.mark.parametrize("data", [b"{}", b'{"candidates": []}', b'{"promptFeedback": {}}'])
def test_an_answer_without_candidates_is_none(data):
    with pytest.raises(UpstreamError, match="no candidates"):
        decode_whole(data)


def test_an_error_is_told_in_its_words():
    data = b'{"error": {"code": 503, "message": "The model is overloaded."}}'

    with pytest.raises(UpstreamError, match="broke off: The model is overloaded"):
        decode_chunk(data)
    with pytest.raises(UpstreamError, match="with an error: The model is overloaded"):
        decode_whole(data)


def test_an_error_that_is_null_is_none():
    assert decode_chunk(b'{"error": null, "candidates": null}').candidates is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"message": "m"}, "m"), ({"status": "INTERNAL"}, "INTERNAL"), ({"code": 500}, "500"),
        ({}, "no message"), ("plain", "plain"), ("x" * 900, "x" * 500),
    ],
)  # fmt: skip
def test_the_human_part_of_an_error(error, text):
    assert error_text(error) == text


def test_the_service_is_in_the_usage():
    assert usage(promptTokenCount=1, serviceTier="priority") == Usage(input=1, service="priority")
