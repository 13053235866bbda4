"""What each provider says instead of an answer, and what becomes of it."""

from __future__ import annotations

import json

import pytest

from larouter.core.errors import UpstreamError, UpstreamRefused, UpstreamTimeout
from larouter.providers.connection import MAX_BODY, Connection
from larouter.providers.refusals import inflated, refusal, refuse_error
from tests.clouds import anthropic_errors, gemini_rules, openai_errors

BAD_KEY = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]


class FakeConnection(Connection):
    """An answer whose head has come."""

    def __init__(self, body=b"", **headers):
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._body = body

    def read_body(self, limit=MAX_BODY):
        if len(self._body) > limit:
            raise UpstreamError("too large")
        return self._body


def _refused(status, body=None, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return refusal(status, FakeConnection(data, **headers))


def _of(fake):
    """What one of the clouds says."""
    return _refused(fake.whole.status, fake.whole.body)


# In the words of each provider.


@pytest.mark.parametrize(
    ("fake", "status", "message", "kind"),
    [
        (openai_errors.refusal("n is wrong", param="n", code="bad"), 400, "n is wrong",
         "invalid_request_error"),
        (anthropic_errors.refusal("max_tokens: required"), 400, "max_tokens: required",
         "invalid_request_error"),
        (anthropic_errors.refusal("model: x", 404), 404, "model: x", "not_found_error"),
        (anthropic_errors.refusal("slow", 429), 429, "slow", "rate_limit_error"),
        (gemini_rules.refusal("contents is not specified"), 400, "contents is not specified",
         "invalid_request_error"),
        (gemini_rules.refusal("full", 429), 429, "full", "rate_limit_error"),
    ],
)  # fmt: skip
def test_a_providers_own_words_are_kept(fake, status, message, kind):
    error = _of(fake)

    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.message, error.type) == (status, message, kind)


def test_gemini_wraps_the_error_of_a_stream_in_a_list():
    fake = gemini_rules.refusal("full", 429)

    assert _refused(429, [fake.whole.body]).message == "full"


@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [
        (401, openai_errors.refusal("Incorrect API key").whole.body, 401),
        (403, anthropic_errors.refusal("not yours", 403).whole.body, 403),
        (400, gemini_rules.refusal("API key not valid.", details=BAD_KEY).whole.body, 401),
        (403, gemini_rules.refusal("unregistered callers", 403).whole.body, 403),
        (401, b"<html>", 401),
    ],
)
def test_a_refused_key_is_ours_whatever_the_providers_number_for_it(status, body, ours):
    error = _refused(status, body)

    assert not isinstance(error, UpstreamRefused)
    assert (error.status, error.code) == (ours, "provider_key_refused")
    assert (error.sent, error.retryable) == (False, False)
    assert error.type == ("permission_error" if ours == 403 else "authentication_error")
    assert "larouter keys check" in error.message


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too many", "code": "context_length_exceeded"},
        {"message": "too many", "type": "exceed_context_size_error", "code": 400},
        {"type": "invalid_request_error", "message": "prompt is too long: 300000 tokens > 200000"},
        {"message": "The input token count (2000000) exceeds the maximum number of tokens allowed.",
         "code": 400, "status": "INVALID_ARGUMENT"},
        {"message": "This model's maximum context length is 65536 tokens. However, you …",
         "type": "invalid_request_error"},
    ],
    ids=["openai", "llama.cpp", "anthropic", "gemini", "deepseek"],
)  # fmt: skip
def test_a_prompt_that_is_too_long_has_one_code(error):
    refused = _refused(400, {"error": error})

    assert isinstance(refused, UpstreamRefused)
    assert (refused.status, refused.code) == (400, "context_length_exceeded")
    assert (refused.type, refused.param) == ("invalid_request_error", "messages")
    assert refused.message == f"The prompt does not fit: {error['message']}."


def test_only_a_400_says_that_a_prompt_is_too_long():
    error = {"message": "no", "code": "context_length_exceeded"}

    assert _refused(422, {"error": error}).message == "no"


# What may pass by itself.


@pytest.mark.parametrize("status", range(400, 600))
def test_only_what_may_pass_by_itself_is_tried_again(status):
    expected = status in {408, 429, 500, 502, 503, 504, 529}

    assert _refused(status).retryable == expected


@pytest.mark.parametrize("status", [408, 504])
def test_a_provider_that_gave_up_is_a_timeout_that_may_be_asked_again(status):
    error = _refused(status)

    assert isinstance(error, UpstreamTimeout)
    assert (error.status, error.sent, error.retryable) == (504, False, True)


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21s"}


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("7", None, 7),
        (None, None, None),
        (None, [RETRY_INFO], 21),
        (None, [{"reason": "FULL"}, {**RETRY_INFO, "retryDelay": "21.4s"}], 22),
        (None, [{**RETRY_INFO, "retryDelay": "3.000s"}], 3),
        (None, [{**RETRY_INFO, "retryDelay": "soon"}], None),
        (None, [{**RETRY_INFO, "retryDelay": 7}], None),
        (None, ["7s"], None),
        (None, "7s", None),
        ("0", [RETRY_INFO], 0),
    ],
)
def test_the_wait_stands_in_the_head_or_in_googles_details(header, details, seconds):
    headers = {} if header is None else {"retry_after": header}

    error = _refused(429, {"error": {"message": "full", "details": details}}, **headers)

    assert error.retry_after_s == seconds


# A 200 that is none, and bodies.


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no money"}}', "no money"),
        (b'{"error": "no money"}', "no money"),
        (b'[{"error": {"code": "oh"}}]', "oh"),
    ],
)
def test_a_200_that_holds_an_error_is_none(body, said):
    with pytest.raises(UpstreamError, match=said):
        refuse_error(body)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"[1]", b"no", b'{"error": null}', b"\xff"])
def test_a_200_without_an_error_is_not_refused(body):
    refuse_error(body)


def test_a_body_that_was_not_compressed_is_as_it_came():
    assert inflated(FakeConnection(b"abc")) == b"abc"
    assert inflated(FakeConnection(b"abc", content_encoding="Identity")) == b"abc"


def test_a_body_has_a_limit():
    with pytest.raises(UpstreamError):
        inflated(FakeConnection(b"abcd"), 3)
