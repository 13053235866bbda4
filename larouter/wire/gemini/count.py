"""`countTokens`, both ways: a client asks us, or we ask Google."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation
from larouter.core.errors import UpstreamError
from larouter.wire.gemini.fields import get, object_of
from larouter.wire.gemini.outbound import passed_body, write_body
from larouter.wire.gemini.request import read_given, read_request
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import decode_object, encode

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read_count(body: bytes, *, model: str) -> ChatRequest:
    """What is to be counted: contents alone, or a whole `generateContentRequest`."""
    given = decode_object(body)
    whole = get(given, "generateContentRequest")
    if whole is None:
        return read_request(body, model=model)
    return read_given(object_of("generateContentRequest", whole), len(body), model=model)


def write_counted(tokens: int) -> bytes:
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return encode({"totalTokens": tokens, "promptTokensDetails": details})


def write_count(conversation: Conversation, call: Call) -> Sending:
    """Google counts tools and instructions only inside a whole request, which names its model."""
    return _counting(write_body(conversation, call), call)


def pass_count_on(request: ChatRequest, call: Call) -> Sending:
    """The same for a client of this dialect: its own body."""
    return _counting(passed_body(request, call), call)


def _counting(body: dict[str, Any], call: Call) -> Sending:
    whole = {"model": f"models/{call.name}", **body}
    path = f"v1beta/models/{quote(call.name)}:countTokens"
    return Sending(path, encode({"generateContentRequest": whole}))


def read_counted(body: bytes) -> int:
    """Raises `UpstreamError` for what is no count. Zero is left out (protobuf's JSON)."""
    try:
        tokens = _decode(body).get("totalTokens", 0)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider's count of tokens is not JSON.") from error
    if type(tokens) is not int or tokens < 0:
        raise UpstreamError("The provider's count of tokens is no number.")
    return tokens
