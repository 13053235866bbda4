"""A request for embeddings as the provider is sent it, and its answer as the client gets it."""

from __future__ import annotations

import base64
import binascii
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part
from larouter.core.errors import BadRequest, CannotCarry, LARouterError, UpstreamError
from larouter.wire.chat.usage import read_usage
from larouter.wire.chat.writer import write_error
from larouter.wire.embeddings.request import GEMINI, OPENAI, Asked, asked
from larouter.wire.gemini.chunk import read_usage as read_gemini_usage
from larouter.wire.road import Call, Road, Sending
from larouter.wire.strict_json import encode

WIRES = frozenset({OPENAI, GEMINI})
"""What a provider that embeds may speak: OpenAI's shape or Gemini's."""

_MOST_AT_GEMINI = 100
_FLOAT_BYTES = 4

# A vector as it came: a list of numbers, or the base64 of their little-endian 32-bit form. Only
# who wants the other form has it read: a full request brings millions of numbers.
Vector = msgspec.Raw


class _Item(msgspec.Struct):
    embedding: Vector
    index: int | None = None


class _OpenAIAnswer(msgspec.Struct):
    data: list[_Item] | None = None
    model: Any = None
    usage: Any = None
    error: Any = None


class _Values(msgspec.Struct):
    values: Vector


class _GeminiAnswer(msgspec.Struct, rename="camel"):
    embedding: _Values | None = None
    embeddings: list[_Values] | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw(b"")
    error: Any = None


_decode_openai = msgspec.json.Decoder(_OpenAIAnswer).decode
_decode_gemini = msgspec.json.Decoder(_GeminiAnswer).decode
_decode_numbers = msgspec.json.Decoder(list[float]).decode
_decode_text = msgspec.json.Decoder(str).decode


def wire_among(request: ChatRequest, wires: Iterable[str]) -> str | None:
    """Of a provider's formats the one that embeds: the client's own if it has both."""
    spoken = WIRES & frozenset(wires)
    return request.dialect if request.dialect in spoken else next(iter(sorted(spoken)), None)


def road(request: ChatRequest, call: Call, wire: str | None) -> tuple[Sending, Road]:
    """What the provider is sent, and the way of its answer. `wire` is how the provider embeds.

    Raises `BadRequest` for a provider that does not, `CannotCarry` for what it cannot be given.
    """
    if wire is None or wire not in WIRES:
        raise BadRequest(
            f"The provider of {call.name} makes no embeddings. Ask one that does, for example "
            "openai/text-embedding-3-small or google/gemini-embedding-001.",
            param="model",
            code="unsupported_by_model",
        )
    wanted = asked(request)
    write = _for_openai if wire == OPENAI else _for_gemini
    return write(request, wanted, call), Embedding(request, wanted, call, wire)


def _for_openai(request: ChatRequest, wanted: Asked, call: Call) -> Sending:
    if request.dialect == OPENAI:
        return Sending("embeddings", encode({**request.body, "model": call.name}))
    if wanted.beyond_text:
        raise CannotCarry("This model embeds text only, no pictures or files.", param="content")
    body: dict[str, Any] = {"model": call.name, "input": wanted.inputs}
    if wanted.dimensions is not None:
        body["dimensions"] = wanted.dimensions
    return Sending("embeddings", encode({**body, "encoding_format": "float"}))


def _for_gemini(request: ChatRequest, wanted: Asked, call: Call) -> Sending:
    model = f"models/{call.name}"
    path = f"v1beta/{quote(model)}:"
    if wanted.tokens:
        raise CannotCarry(
            "Gemini embeds texts, not the numbers of tokens. Send the texts.", param="input"
        )
    if wanted.count > _MOST_AT_GEMINI:
        raise BadRequest(
            f"Gemini embeds at most {_MOST_AT_GEMINI} texts in one request; send several.",
            param="input",
            code="invalid_value",
        )
    if request.dialect != GEMINI:
        requests = [_gemini_request(text, wanted, model) for text in wanted.inputs]
        return Sending(f"{path}batchEmbedContents", encode({"requests": requests}))
    if wanted.one:
        return Sending(f"{path}embedContent", encode({**request.body, "model": model}))
    requests = [{**one, "model": model} for one in request.body["requests"]]
    return Sending(f"{path}batchEmbedContents", encode({**request.body, "requests": requests}))


def _gemini_request(text: str, wanted: Asked, model: str) -> dict[str, Any]:
    one: dict[str, Any] = {"model": model, "content": {"parts": [{"text": text}]}}
    if wanted.dimensions is not None:
        one["outputDimensionality"] = wanted.dimensions
    return one


class Embedding:
    """The `Road` of an answer to a request for embeddings: it comes whole or not at all."""

    def __init__(
        self,
        request: ChatRequest,
        wanted: Asked,
        call: Call,
        wire: str,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._request = request
        self._wanted = wanted
        self._model = call.name
        self._wire = wire
        self._clock = clock
        self._started_ns = clock()
        self.started = False
        self.done = False
        self.usage: Usage | None = None
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    def feed(self, piece: bytes) -> bytes:
        raise UpstreamError("The provider streams an answer that comes whole.")

    def finish(self, *, prompt_tokens: int) -> bytes:
        raise UpstreamError("The provider streams an answer that comes whole.")

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        vectors = self._openai(body) if self._wire == OPENAI else self._gemini(body)
        if len(vectors) != self._wanted.count:
            raise UpstreamError(
                f"The provider sent {len(vectors)} embeddings for {self._wanted.count} texts."
            )
        if any(one[:1] not in (b"[", b'"') for one in map(bytes, vectors)):
            raise UpstreamError("The provider sent an embedding that is no list of numbers.")
        self.started = self.done = True
        if self._request.dialect == self._wire and self._is_as_asked(vectors):
            return body
        prompt = prompt_tokens if self.usage is None else self.usage.prompt
        return encode(self._written(vectors, prompt))

    def broken(self, error: LARouterError) -> bytes:
        return write_error(error)

    def delivered(self) -> int:
        """Embeddings cost by what goes in."""
        return 0

    def parts(self) -> tuple[Part, ...]:
        return ()

    def _openai(self, body: bytes) -> list[Vector]:
        answer = _decoded(_decode_openai, body)
        if answer.data is None or answer.error is not None:
            raise UpstreamError("The provider's answer has no embeddings.")
        if isinstance(answer.model, str):
            self._model = answer.model
        # The same fields as a completion's usage, but for an output that there is none of.
        if isinstance(answer.usage, dict):
            self.usage = read_usage({**answer.usage, "completion_tokens": 0})
        found = sorted(enumerate(answer.data), key=_place)
        return [item.embedding for _, item in found]

    def _gemini(self, body: bytes) -> list[Vector]:
        answer = _decoded(_decode_gemini, body)
        found = answer.embeddings or ([answer.embedding] if answer.embedding else None)
        if found is None or answer.error is not None:
            raise UpstreamError("The provider's answer has no embeddings.")
        # Sound and pictures have prices of their own.
        self.usage = read_gemini_usage(answer.usage_metadata)
        return [one.values for one in found]

    def _is_as_asked(self, vectors: list[Vector]) -> bool:
        """Some servers send numbers whatever `encoding_format` says."""
        return all(_is_packed(one) == self._wanted.as_base64 for one in vectors)

    def _written(self, vectors: list[Vector], prompt: int) -> dict[str, Any]:
        if self._request.dialect == OPENAI:
            form = _as_base64 if self._wanted.as_base64 else _as_numbers
            data = [
                {"object": "embedding", "index": index, "embedding": form(one)}
                for index, one in enumerate(vectors)
            ]
            usage = {"prompt_tokens": prompt, "total_tokens": prompt}
            return {"object": "list", "data": data, "model": self._model, "usage": usage}
        numbers = [_as_numbers(one) for one in vectors]
        if self._request.dialect == GEMINI:
            values = [{"values": one} for one in numbers]
            said = {"embedding": values[0]} if self._wanted.one else {"embeddings": values}
            return {**said, "usageMetadata": {"promptTokenCount": prompt}}
        if self._wanted.one:
            return {"embedding": numbers[0]}
        return {
            "model": self._model,
            "embeddings": numbers,
            "total_duration": self._clock() - self._started_ns,
            "load_duration": 0,
            "prompt_eval_count": prompt,
        }


def _place(item: tuple[int, _Item]) -> int:
    return item[0] if item[1].index is None else item[1].index


def _decoded(decode: Callable[[bytes], Any], body: bytes | Vector) -> Any:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider's answer is not JSON with embeddings.") from error


def _is_packed(vector: Vector) -> bool:
    return bytes(vector).startswith(b'"')


def _as_base64(vector: Vector) -> Vector | str:
    if _is_packed(vector):
        return vector
    numbers = _decoded(_decode_numbers, vector)
    try:
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (OverflowError, struct.error) as error:
        raise UpstreamError("The provider sent an embedding with impossible numbers.") from error


def _as_numbers(vector: Vector) -> Vector | list[float]:
    if not _is_packed(vector):
        return vector
    try:
        packed = base64.b64decode(_decoded(_decode_text, vector), validate=True)
        return list(struct.unpack(f"<{len(packed) // _FLOAT_BYTES}f", packed))
    except (binascii.Error, ValueError, struct.error) as error:
        raise UpstreamError("The provider sent an embedding that is no base64.") from error
