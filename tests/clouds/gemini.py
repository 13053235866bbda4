"""Gemini: generateContent whole and streamed, tokens counted, embeddings and models."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from tests.clouds import gemini_rules as rules
from tests.clouds import vectors
from tests.clouds.gemini_messages import Reader
from tests.clouds.mind import ANY, Ask, Call, Count, Said, Tool, pieces, say, strings, tokens
from tests.clouds.server import Cloud, Refusal, Reply, Seen, Stream, Whole, event
from tests.clouds.signatures import Signatures

MODELS = (
    "gemini-4-carbon", "gemini-4-argon", "gemini-4-hydrogen", "gemini-3.8-flash",
    "gemini-3.5-flash-lite", "gemini-2.5-pro", "gemini-embedding-001",
)  # fmt: skip
_REASONS = {"length": "MAX_TOKENS", "refusal": "SAFETY"}
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use "
    "API Key or other form of API consumer identity to call this API."
)


class GeminiCloud(Cloud):
    key = "AIzaSyFakeGeminiKey"

    def __init__(self) -> None:
        self.signatures = Signatures()
        super().__init__()

    @property
    def headers(self):
        return {"Vary": "Origin, X-Origin, Referer", "X-Frame-Options": "SAMEORIGIN"}

    def authorise(self, seen: Seen) -> None:
        key = seen.headers.get("x-goog-api-key") or seen.query.get("key")
        if key is None:
            raise rules.refusal(_NO_KEY, 403)
        if key != self.key:
            info = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
            message = "API key not valid. Please pass a valid API key."
            raise rules.refusal(message, details=[info])

    def refusal(self, status: int, message: str = "") -> Refusal:
        usual = rules.STATUSES.get(status, rules.STATUSES[500])[1]
        return rules.refusal(message or usual, status)

    def refused(self, seen: Seen, whole: Whole) -> Whole:
        """A stream of JSON is a list, and so is its error."""
        is_list = seen.path.endswith(":streamGenerateContent") and seen.query.get("alt") != "sse"
        return Whole([whole.body], whole.status, whole.headers) if is_list else whole

    def error_event(self, seen: Seen) -> bytes:
        body = self.refusal(503).whole.body
        if seen.query.get("alt") != "sse":
            return f",\r\n{json.dumps(body)}".encode()
        return event(body, end=b"\r\n\r\n")

    def generate(self, seen: Seen, match: re.Match[str]) -> Reply:
        parts = self._answer(seen, match[1])
        shape = parts[-1]
        together = [part for each in parts for part in _parts(each)]
        if "candidates" not in shape:
            return Whole(shape)
        candidate = dict(shape["candidates"][0])
        if together:
            candidate["content"] = {"role": "model", "parts": _joined(together)}
        return Whole({**shape, "candidates": [candidate]})

    def stream(self, seen: Seen, match: re.Match[str]) -> Reply:
        parts = self._answer(seen, match[1])
        if seen.query.get("alt") == "sse":
            return Stream(tuple(event(part, end=b"\r\n\r\n") for part in parts), _SSE)
        texts = [json.dumps(part, ensure_ascii=False, indent=2) for part in parts]
        begun = [f"{',' if index else '['}{text}\r\n" for index, text in enumerate(texts)]
        return Stream(tuple(each.encode() for each in [*begun, "]"]), "application/json")

    def count(self, seen: Seen, match: re.Match[str]) -> Reply:
        self._model(match[1])
        request = _read(seen, "CountTokens")
        inner = request.get("generateContentRequest", request)
        count = tokens("".join(strings(inner.get("contents"))))
        details = [{"modality": "TEXT", "tokenCount": count}]
        return Whole({"totalTokens": count, "promptTokensDetails": details})

    def embed(self, seen: Seen, match: re.Match[str]) -> Reply:
        self._model(match[1])
        return Whole({"embedding": _embedding(_read(seen, "EmbedContent"))})

    def embed_batch(self, seen: Seen, match: re.Match[str]) -> Reply:
        self._model(match[1])
        requests = _read(seen, "BatchEmbed").get("requests") or []
        return Whole({"embeddings": [_embedding(each) for each in requests]})

    def models(self, _: Seen, __: re.Match[str]) -> Reply:
        return Whole({"models": [_described(model) for model in MODELS]})

    def model(self, _: Seen, match: re.Match[str]) -> Reply:
        self._model(match[1])
        return Whole(_described(match[1]))

    def _model(self, model: str) -> None:
        if not model.startswith("gemini-"):
            message = f"models/{model} is not found for API version v1beta, or is not supported for"
            raise rules.refusal(f"{message} generateContent.", 404)

    def _answer(self, seen: Seen, model: str) -> list[dict[str, Any]]:
        """The chunks of an answer; each has the usage, the last one the reason for its end."""
        self._model(model)
        request = _read(seen, "GenerateContent")
        rules.check(request, model, self.signatures)
        said = say(_ask(request, model))
        shape = {"modelVersion": model, "responseId": secrets.token_urlsafe(16)}
        if said.reason == "refusal" and "prompt" in _ask(request, model).text:
            feedback = {"blockReason": "PROHIBITED_CONTENT"}
            return [{"promptFeedback": feedback, "usageMetadata": _usage(said.count, 0), **shape}]
        parts = self._said(said, request)
        reason = _REASONS.get(said.reason, "STOP")
        return [
            {
                "candidates": [_candidate(part, reason if index == len(parts) - 1 else None)],
                "usageMetadata": _usage(said.count, index, index == len(parts) - 1),
                **shape,
            }
            for index, part in enumerate(parts)
        ]

    def _said(self, said: Said, request: dict[str, Any]) -> list[dict[str, Any]]:
        config = (request.get("generationConfig") or {}).get("thinkingConfig") or {}
        parts: list[dict[str, Any]] = []
        if config.get("includeThoughts"):
            parts += [{"text": each, "thought": True} for each in pieces(said.thinking)]
        signature = self.signatures.issue(said.thinking or said.text, b"\x12\x34\x0a")
        if said.calls:
            called = [_call(call) for call in said.calls]
            return [*parts, {**called[0], "thoughtSignature": signature}, *called[1:]]
        if said.reason == "refusal":
            return [*parts, {}]
        parts += [{"text": each} for each in pieces(said.text)]
        return [*parts, {"text": "", "thoughtSignature": signature}]

    routes = (
        ("POST", "/v1(?:beta)?/models/([^/:]+):generateContent", generate),
        ("POST", "/v1(?:beta)?/models/([^/:]+):streamGenerateContent", stream),
        ("POST", "/v1(?:beta)?/models/([^/:]+):countTokens", count),
        ("POST", "/v1(?:beta)?/models/([^/:]+):embedContent", embed),
        ("POST", "/v1(?:beta)?/models/([^/:]+):batchEmbedContents", embed_batch),
        ("GET", "/v1(?:beta)?/models", models),
        ("GET", "/v1(?:beta)?/models/([^/:]+)", model),
    )


_SSE = "text/event-stream"


def _read(seen: Seen, kind: str) -> dict[str, Any]:
    if not isinstance(seen.json, dict):
        raise rules.refusal("Invalid JSON payload received. Unexpected token.")
    reader = Reader()
    read = reader.read(seen.json, kind)
    if reader.problems:
        violations = [{"field": at, "description": what} for at, what in reader.problems]
        details = {"@type": "type.googleapis.com/google.rpc.BadRequest"}
        message = "\n".join(what for _, what in reader.problems)
        raise rules.refusal(message, details=[{**details, "fieldViolations": violations}])
    return dict(read)


def _ask(request: dict[str, Any], model: str) -> Ask:
    contents = request["contents"]
    config = request.get("generationConfig") or {}
    calling = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode = calling.get("mode", "AUTO").upper()
    allowed = calling.get("allowedFunctionNames") or []
    prompt = [contents, request.get("systemInstruction"), request.get("tools")]
    is_json = config.get("responseMimeType") == "application/json"
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    return Ask(
        text=_last_words(contents),
        everything="".join(strings(prompt)),
        results=_results(contents[-1]),
        tools=() if mode == "NONE" else _tools(request, allowed),
        forced=ANY if mode == "ANY" else "",
        schema=schema,
        json_mode=is_json and not schema,
        stop=tuple(config.get("stopSequences") or ()),
        limit=config.get("maxOutputTokens"),
        thinks=_thinks(config.get("thinkingConfig") or {}, model),
    )


def _thinks(config: dict[str, Any], model: str) -> bool:
    return rules.generation(model) >= 2.5 and config.get("thinkingBudget") != 0


def _last_words(contents: list[Any]) -> str:
    spoken = [_text(each) for each in contents if each.get("role", "user") == "user"]
    return next((text for text in reversed(spoken) if text), "")


def _text(content: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content["parts"])


def _results(content: dict[str, Any]) -> tuple[str, ...]:
    if _text(content):
        return ()
    responses = [each.get("response", {}) for each in rules.calls(content, "functionResponse")]
    return tuple("".join(strings(each)) or json.dumps(each) for each in responses)


def _tools(request: dict[str, Any], allowed: list[str]) -> tuple[Tool, ...]:
    declared = [
        each
        for tool in request.get("tools") or ()
        for each in tool.get("functionDeclarations") or ()
    ]
    return tuple(
        Tool(name=each["name"], schema=each.get("parameters") or each.get("parametersJsonSchema"))
        for each in declared
        if not allowed or each["name"] in allowed
    )


def _call(call: Call) -> dict[str, Any]:
    called = {"id": secrets.token_hex(4), "name": call.name, "args": call.args}
    return {"functionCall": called}


def _candidate(part: dict[str, Any], reason: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0}
    if part:
        candidate["content"] = {"parts": [part], "role": "model"}
    return {**candidate, "finishReason": reason} if reason else candidate


def _parts(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    candidates = chunk.get("candidates") or [{}]
    return list(candidates[0].get("content", {}).get("parts", ()))


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring texts of one sort as one part, as the whole answer has them."""
    joined: list[dict[str, Any]] = []
    for part in parts:
        last = joined[-1] if joined else {}
        if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
            joined[-1] = {**last, **part, "text": last["text"] + part["text"]}
        else:
            joined.append(part)
    return joined


def _usage(count: Count, index: int, is_last: bool = True) -> dict[str, Any]:
    """Grows with each chunk; thoughts are not part of the candidates' tokens."""
    spoken = count.output - count.reasoning
    spoken = spoken if is_last else min(spoken, index + 1)
    usage = {
        "promptTokenCount": count.input,
        "candidatesTokenCount": spoken,
        "totalTokenCount": count.input + spoken + count.reasoning,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count.input}],
    }
    if count.reasoning:
        usage["thoughtsTokenCount"] = count.reasoning
    if count.cached:
        usage["cachedContentTokenCount"] = count.cached
    return usage


def _embedding(request: dict[str, Any]) -> dict[str, Any]:
    if not (request.get("content") or {}).get("parts"):
        raise rules.refusal("* EmbedContentRequest.content: contents is not specified\n")
    size = request.get("outputDimensionality") or 8
    return {"values": vectors.vector(_text(request["content"]), size)}


def _described(model: str) -> dict[str, Any]:
    embeds = "embedding" in model
    methods = ["embedContent"] if embeds else ["generateContent", "countTokens"]
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": model.replace("-", " ").title(),
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": methods,
        "thinking": not embeds,
    }
