"""Errors in Anthropic's shape, in both directions."""

import json

import pytest

from larouter.core.errors import (
    BadRequest,
    Conflict,
    LARouterError,
    ModelNotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from larouter.wire.anthropic.errors import error_event, read_error, write_error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BadRequest("no"), "invalid_request_error"),
        (Conflict("no"), "invalid_request_error"),
        (Unauthorized("no"), "authentication_error"),
        (ModelNotFound("no"), "not_found_error"),
        (TooLarge("no"), "request_too_large"),
        (TooManyRequests("no"), "rate_limit_error"),
        (UpstreamError("no"), "api_error"),
        (UpstreamTimeout("no"), "timeout_error"),
        (Unavailable("no"), "overloaded_error"),
        (UpstreamError("no", status=529), "overloaded_error"),
        (UpstreamError("no", status=403), "permission_error"),
        (UpstreamError("no", status=402), "billing_error"),
    ],
)
def test_a_status_has_its_type(error, kind):
    body = json.loads(write_error(error))

    assert body == {"type": "error", "error": {"type": kind, "message": "no"}}


def test_an_error_without_words_has_some():
    assert json.loads(write_error(LARouterError()))["error"]["message"]


def test_a_stream_ends_with_an_event():
    event = error_event(UpstreamError("cut"))

    assert event.startswith(b'event: error\ndata: {"type":"error",')
    assert event.endswith(b"\n\n")


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, 529, "Overloaded"),
        ({"type": "rate_limit_error", "message": "Slow"}, 429, "Slow"),
        ({"type": "api_error"}, 502, "api_error"),
        ({}, 502, "no message"),
        ("strange", 502, "strange"),
        ({"type": ["strange"]}, 502, "['strange']"),
        ({"message": "x" * 9000}, 502, "x" * 500),
    ],
)
def test_the_providers_error_is_ours(given, status, text):
    error = read_error(given)

    assert error.status == status
    assert error.message == f"The provider broke off: {text}"
