"""What a provider says instead of an answer, in words that a client and its user can act on."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from larouter.core.errors import ContextExceeded, UpstreamError, UpstreamRefused, UpstreamTimeout
from larouter.providers.connection import MAX_BODY, Connection

_ERROR_LIMIT = 1024 * 1024
_WORD_LIMIT = 200
_TEXT_LIMIT = 500
_DIGITS = 6
_INFLATED_RATIO = 100
# What a provider may tell the client to do better.
_CLIENTS_FAULT = frozenset({400, 404, 409, 413, 415, 422, 429})
# These concern LARouter's own key or account; the next model may have a better one.
_KEY_REFUSED = frozenset({401, 403})
_KEY_INVALID = "API_KEY_INVALID"
_OVERLOADED = 529
"""Anthropic's own number for a service that is overloaded."""


def refusal(status: int, connection: Connection) -> UpstreamError:
    """A provider's HTTP error as ours (TRUST A7, CLIENTS: errors keep their status and words)."""
    fields = _error_fields(connection)
    seconds = _seconds(connection.headers.get("retry-after", ""))
    seconds = _delay(fields) if seconds is None else seconds
    text = _text(fields) if fields else f"HTTP {status} without an explanation"
    code, kind, param = (_word(fields, name) for name in ("code", "type", "param"))
    if status == 400 and _is_too_long(code, kind, text):
        return UpstreamRefused(
            f"The prompt does not fit: {text}.",
            code=ContextExceeded.code,
            type=ContextExceeded.type,
            param="messages",
            status=400,
        )
    if status in _KEY_REFUSED or _reason(fields) == _KEY_INVALID:
        return _key_refused(status, text)
    if status in _CLIENTS_FAULT:
        return UpstreamRefused(
            text,
            code=code,
            type=kind or ("rate_limit_error" if status == 429 else "invalid_request_error"),
            param=param,
            status=status,
            retry_after_s=seconds,
            retryable=status in RETRIED,
        )
    if status in {504, 408}:
        return UpstreamTimeout(f"The provider gave up: {text}", sent=False, retryable=True)
    return UpstreamError(
        f"The provider failed with HTTP {status}: {text}",
        code="overloaded" if status == _OVERLOADED else None,
        status={503: 503, _OVERLOADED: _OVERLOADED}.get(status, 502),
        retry_after_s=seconds,
        sent=False,
        retryable=status in RETRIED,
    )


RETRIED = frozenset({408, 429, 500, 502, 503, 504, _OVERLOADED})
"""What may go away by itself (TRUST A2)."""

KEY_REFUSED = "provider_key_refused"


def _key_refused(status: int, text: str) -> UpstreamError:
    return UpstreamError(
        f"The provider refused LARouter's key: {text.rstrip('.')}. "
        "Check it with: larouter keys check",
        code=KEY_REFUSED,
        type="permission_error" if status == 403 else "authentication_error",
        status=403 if status == 403 else 401,
        sent=False,
    )


_TOO_LONG = ("exceed_context", "context_length_exceeded")
_TOO_LONG_IN_WORDS = (
    "prompt is too long",  # Anthropic
    "The input token count",  # Gemini
    "This model's maximum context length",  # DeepSeek, vLLM
)


def _is_too_long(code: str | None, kind: str | None, text: str) -> bool:
    """Does the prompt not fit? OpenAI and engines have a code for it, the others have words."""
    if (code or "").startswith(_TOO_LONG) or (kind or "").startswith(_TOO_LONG):
        return True
    return text.startswith(_TOO_LONG_IN_WORDS)


def refuse_error(body: bytes) -> None:
    """Raises `UpstreamError` for a 200 whose JSON is an error (TRUST A7)."""
    fields = _fields(body)
    if fields:
        raise UpstreamError(f"The provider answered with an error: {_text(fields)}")


def _text(fields: dict[str, Any]) -> str:
    """The human part of a provider's error object."""
    text = fields.get("message") or fields.get("code") or fields.get("type") or "no message"
    return str(text)[:_TEXT_LIMIT]


def _error_fields(connection: Connection) -> dict[str, Any]:
    """The error object, `{}` where there is none: a refusal stays one whatever its body is."""
    try:
        return _fields(inflated(connection, _ERROR_LIMIT), whole=True)
    except UpstreamError:
        return {}


def _fields(body: bytes, *, whole: bool = False) -> dict[str, Any]:
    """The `error` in a body, or (`whole`) the body itself if that is all there is."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    if isinstance(answer, list) and answer:  # Gemini wraps the error of a stream in a list
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    error = error or (answer if whole else None)
    if error is None:
        return {}
    return error if isinstance(error, dict) else {"message": str(error)}


def _word(fields: dict[str, Any], name: str) -> str | None:
    word = fields.get(name)
    return word if isinstance(word, str) and 0 < len(word) <= _WORD_LIMIT else None


def _seconds(retry_after: str) -> int | None:
    """The wait that a provider asks for, or None; the form with a date is not used by any."""
    digits = retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= _DIGITS
    return int(retry_after) if digits else None


def _details(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """What Google adds to an error for programs (google.rpc)."""
    details = fields.get("details")
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _reason(fields: dict[str, Any]) -> str | None:
    """Google's word for what is wrong: a bad key is a 400 there like any other."""
    return next((_word(each, "reason") for each in _details(fields) if "reason" in each), None)


def _delay(fields: dict[str, Any]) -> int | None:
    """Google's Retry-After, which stands in the body: `"retryDelay": "21.4s"`."""
    for each in _details(fields):
        delay = _word(each, "retryDelay") or ""
        whole, _, rest = delay.removesuffix("s").partition(".")
        seconds = _seconds(whole)
        if seconds is not None:
            return seconds + bool(rest.strip("0"))
    return None


def inflated(connection: Connection, limit: int = MAX_BODY) -> bytes:
    """A whole body; a compression that was not asked for is undone, up to a ratio of 100 and
    64 MiB (TRUST A8)."""
    encoding = connection.headers.get("content-encoding", "identity").lower()
    body = connection.read_body(limit)
    if encoding == "identity":
        return body
    if encoding not in {"gzip", "deflate"}:
        raise UpstreamError(f"The provider used an encoding that was not asked for: {encoding}.")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = inflater.decompress(body, min(len(body) * _INFLATED_RATIO, limit))
    except zlib.error as error:
        raise UpstreamError("The provider's compressed answer is damaged.") from error
    if inflater.unconsumed_tail:
        raise UpstreamError("The provider's compressed answer is absurdly large.")
    return plain
