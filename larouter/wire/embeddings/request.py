"""What a client wants embedded, in each of the three shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from larouter.core.chat import ChatRequest
from larouter.core.errors import BadRequest
from larouter.wire import fields
from larouter.wire.losses import Loss
from larouter.wire.ollama.request import model_name
from larouter.wire.strict_json import MAX_INTEGER, decode_object, encode

OPENAI = "embeddings"
GEMINI = "gemini-embeddings"
OLLAMA = "ollama-embeddings"
DIALECTS = frozenset({OPENAI, GEMINI, OLLAMA})

_MOST_INPUTS = 2048
_MOST_DIMENSIONS = 65_536

_NOT_LOADED_SO = "LARouter decides how a model is loaded"
LOSSES: Mapping[str, tuple[Loss, ...]] = {
    OPENAI: (Loss("user", "left out", "Gemini does not ask who a client's user is"),),
    GEMINI: (
        Loss("taskType", "left out", "OpenAI's models have one embedding for every task"),
        Loss("title", "left out", "OpenAI's models embed the text alone"),
        Loss("content", "refused", "OpenAI's models embed text only, no pictures or files"),
    ),
    OLLAMA: (
        Loss("truncate", "left out", "a text that is too long is refused, never cut"),
        Loss("options", "left out", _NOT_LOADED_SO),
        Loss("keep_alive", "left out", _NOT_LOADED_SO),
    ),
}
"""What of a dialect the other shape has no words for."""


class Asked(Struct, frozen=True, kw_only=True):
    """The same, whatever the shape."""

    inputs: tuple[str, ...] = ()
    tokens: tuple[tuple[int, ...], ...] = ()
    """Instead of `inputs`: texts as the numbers of their tokens."""
    one: bool = False
    """Gemini: a single vector is wanted back. Ollama: in the older shape."""
    dimensions: int | None = None
    task: str | None = None
    as_base64: bool = False
    beyond_text: bool = False
    """Does it hold pictures or files, which Gemini's own models may embed?"""

    @property
    def count(self) -> int:
        return len(self.inputs) or len(self.tokens)


def read_openai(body: bytes) -> ChatRequest:
    """`POST /v1/embeddings`."""
    given = fields.kept(decode_object(body))
    model = fields.identifier(given, "model")
    if given.get("input") is None:
        raise fields.missing("input")
    request = _request(model, given, body, OPENAI)
    if not asked(request).count:
        raise fields.wrong("input", "at least one text")
    return request


def read_gemini(body: bytes, model: str, *, batch: bool) -> ChatRequest:
    """`POST /v1beta/models/MODEL:embedContent` or `:batchEmbedContents`."""
    given = fields.kept(decode_object(body))
    wanted, other = ("requests", "content") if batch else ("content", "requests")
    if given.get(wanted) is None:
        raise fields.missing(wanted)
    given.pop(other, None)
    request = _request(model, given, body, GEMINI)
    if not asked(request).count:
        raise fields.wrong("requests", "a list with at least one request")
    return request


def read_ollama(body: bytes, *, older: bool) -> ChatRequest:
    """`POST /api/embed`, or the older `/api/embeddings` with its one `prompt`."""
    given = fields.kept(decode_object(body))
    if older:
        given = {**given, "prompt": fields.text(given, "prompt")}
    else:
        given.pop("prompt", None)
    request = _request(model_name(fields.identifier(given, "model")), given, body, OLLAMA)
    asked(request)
    return request


def no_inputs(request: ChatRequest) -> bytes | None:
    """Ollama's answer to a request without a text, which only asks to load a model."""
    if request.dialect != OLLAMA or asked(request).count:
        return None
    if "prompt" in request.body:
        return encode({"embedding": []})
    return encode({"model": request.model, "embeddings": []})


def asked(request: ChatRequest) -> Asked:
    """Read the whole request. Raises `BadRequest` with the field's name."""
    found = _READERS[request.dialect](request.body)
    if found.count > _MOST_INPUTS:
        raise BadRequest(
            f"At most {_MOST_INPUTS} texts are embedded in one request; send several.",
            param="input",
            code="invalid_value",
        )
    return found


def _request(model: str, given: dict[str, Any], body: bytes, dialect: str) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=(),
        body=given,
        size=len(body),
        max_output=0,
        needs=frozenset({"embeddings"}),
        dialect=dialect,
    )


def _openai(body: Mapping[str, Any]) -> Asked:
    form = fields.text(body, "encoding_format", "float")
    if form not in ("float", "base64"):
        raise fields.wrong("encoding_format", "'float' or 'base64'")
    given = body["input"]
    tokens = _tokens(given)
    if not tokens and type(given) is list and any(type(one) is not str for one in given):
        raise fields.wrong("input", "a string, a list of strings, or the numbers of tokens")
    inputs = () if tokens else fields.texts(body, "input")
    return Asked(
        inputs=inputs,
        tokens=tokens,
        dimensions=fields.whole(body, "dimensions", 1, _MOST_DIMENSIONS),
        as_base64=form == "base64",
    )


def _tokens(given: Any) -> tuple[tuple[int, ...], ...]:
    """A list of numbers is one text; a list of such lists is several."""
    if type(given) is not list or not given:
        return ()
    lists = given if type(given[0]) is list else [given]
    for one in lists:
        if type(one) is not list or not one or not all(_is_token(number) for number in one):
            return ()
    return tuple(tuple(one) for one in lists)


def _is_token(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


def _gemini(body: Mapping[str, Any]) -> Asked:
    one = "requests" not in body
    requests = [body] if one else fields.objects(body, "requests")
    first = requests[0] if requests else {}
    task = first.get("taskType", first.get("task_type"))
    size = "outputDimensionality" if "outputDimensionality" in first else "output_dimensionality"
    contents = [_gemini_texts(request.get("content")) for request in requests]
    return Asked(
        inputs=tuple("".join(text for text in texts if text is not None) for texts in contents),
        beyond_text=any(None in texts for texts in contents),
        one=one,
        dimensions=fields.whole(first, size, 1, _MOST_DIMENSIONS),
        task=task if type(task) is str else None,
    )


def _gemini_texts(content: Any) -> list[str | None]:
    """Part by part; None for one that holds no text."""
    parts = content.get("parts") if type(content) is dict else None
    if type(parts) is dict:
        parts = [parts]
    if type(parts) is not list or not all(type(part) is dict for part in parts):
        raise fields.wrong("content", "an object with parts")
    texts = [part.get("text") for part in parts]
    return [text if type(text) is str else None for text in texts]


def _ollama(body: Mapping[str, Any]) -> Asked:
    older = "prompt" in body
    inputs = fields.texts(body, "prompt" if older else "input")
    if inputs == ("",):
        inputs = ()
    return Asked(
        inputs=inputs, one=older, dimensions=fields.whole(body, "dimensions", 1, _MOST_DIMENSIONS)
    )


_READERS = {OPENAI: _openai, GEMINI: _gemini, OLLAMA: _ollama}
