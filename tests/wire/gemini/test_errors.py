"""Errors in Google's shape."""

import json

import pytest

from larouter.core.errors import (
    BadRequest,
    Forbidden,
    LARouterError,
    ModelNotFound,
    ProviderNotConfigured,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from larouter.wire.gemini.errors import write_error


def written(error):
    return json.loads(write_error(error))["error"]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BadRequest("no"), 400, "INVALID_ARGUMENT"),
        (Unauthorized("no"), 401, "UNAUTHENTICATED"),
        (Forbidden("no"), 403, "PERMISSION_DENIED"),
        (ModelNotFound("no"), 404, "NOT_FOUND"),
        (TooLarge("no"), 413, "INVALID_ARGUMENT"),
        (ProviderNotConfigured("no"), 424, "FAILED_PRECONDITION"),
        (TooManyRequests("no"), 429, "RESOURCE_EXHAUSTED"),
        (LARouterError("no"), 500, "INTERNAL"),
        (UpstreamError("no"), 502, "UNAVAILABLE"),
        (Unavailable("no"), 503, "UNAVAILABLE"),
        (UpstreamTimeout("no"), 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_every_status_has_googles_word(error, code, status):
    shown = written(error)

    assert (shown["code"], shown["message"], shown["status"]) == (code, "no", status)


def test_an_error_without_a_message_says_something():
    assert written(LARouterError())["message"] == "Something went wrong inside LARouter."


def test_details_are_for_programs():
    details = written(TooManyRequests("wait", param="contents", retry_after_s=5))["details"]

    assert [row["@type"].rpartition(".")[2] for row in details] == [
        "ErrorInfo", "BadRequest", "RetryInfo",
    ]  # fmt: skip
    assert details[0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert details[1]["fieldViolations"] == [{"field": "contents", "description": "wait"}]
    assert details[2]["retryDelay"] == "5s"
