"""Google's messages, read as its gateway reads JSON: unknown names and wrong kinds are refused.

A field's kind is None for anything, a name of a message, `[name]` for several, `{name}` for a map.
Both spellings are read, camelCase and snake_case; errors use snake_case, like the service.
"""

from __future__ import annotations

import re
from typing import Any

from tests.clouds.signatures import decoded

_TEXT, _FLAG, _WHOLE, _REAL, _BYTES, _STRUCT = "text", "flag", "whole", "real", "bytes", "struct"
Kind = Any
_REQUEST: dict[str, Kind] = {
    "model": _TEXT, "contents": ["Content"], "systemInstruction": "Content", "tools": ["Tool"],
    "toolConfig": "ToolConfig", "safetySettings": [None], "cachedContent": _TEXT,
    "generationConfig": "GenerationConfig", "labels": None, "serviceTier": _TEXT, "store": _FLAG,
}  # fmt: skip
MESSAGES: dict[str, dict[str, Kind]] = {
    "GenerateContent": _REQUEST,
    "CountTokens": {
        "model": _TEXT, "contents": ["Content"], "generateContentRequest": "GenerateContent",
    },
    "EmbedContent": {
        "model": _TEXT, "content": "Content", "taskType": _TEXT, "title": _TEXT,
        "outputDimensionality": _WHOLE, "embedContentConfig": None,
    },
    "BatchEmbed": {"model": _TEXT, "requests": ["EmbedContent"]},
    "Content": {"role": _TEXT, "parts": ["Part"]},
    "Part": {
        "text": _TEXT, "thought": _FLAG, "thoughtSignature": _BYTES, "inlineData": "Blob",
        "fileData": "FileData", "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse", "executableCode": None,
        "codeExecutionResult": None, "toolCall": None, "toolResponse": None,
        "videoMetadata": None, "mediaResolution": None, "partMetadata": _STRUCT,
    },
    "Blob": {"mimeType": _TEXT, "data": _BYTES, "displayName": _TEXT},
    "FileData": {"mimeType": _TEXT, "fileUri": _TEXT, "displayName": _TEXT},
    "FunctionCall": {"id": _TEXT, "name": _TEXT, "args": _STRUCT},
    "FunctionResponse": {
        "id": _TEXT, "name": _TEXT, "response": _STRUCT, "parts": [None], "willContinue": _FLAG,
        "scheduling": _TEXT,
    },
    "Tool": {
        "functionDeclarations": ["FunctionDeclaration"], "googleSearch": None,
        "googleSearchRetrieval": None, "codeExecution": None, "urlContext": None,
        "computerUse": None, "fileSearch": None, "googleMaps": None, "mcpServers": [None],
    },
    "FunctionDeclaration": {
        "name": _TEXT, "description": _TEXT, "behavior": _TEXT, "parameters": "Schema",
        "parametersJsonSchema": None, "response": "Schema", "responseJsonSchema": None,
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig", "retrievalConfig": None,
        "includeServerSideToolInvocations": _FLAG,
    },
    "FunctionCallingConfig": {"mode": _TEXT, "allowedFunctionNames": [_TEXT]},
    "GenerationConfig": {
        "stopSequences": [_TEXT], "responseMimeType": _TEXT, "responseSchema": "Schema",
        "responseJsonSchema": None, "responseModalities": [_TEXT], "candidateCount": _WHOLE,
        "maxOutputTokens": _WHOLE, "temperature": _REAL, "topP": _REAL, "topK": _REAL,
        "seed": _WHOLE, "presencePenalty": _REAL, "frequencyPenalty": _REAL,
        "responseLogprobs": _FLAG, "logprobs": _WHOLE, "thinkingConfig": "ThinkingConfig",
        "mediaResolution": _TEXT, "speechConfig": None, "imageConfig": None,
        "enableEnhancedCivicAnswers": _FLAG, "responseFormat": None,
    },
    "ThinkingConfig": {
        "includeThoughts": _FLAG, "thinkingBudget": _WHOLE, "thinkingLevel": _TEXT,
    },
    "Schema": {
        "type": _TEXT, "format": _TEXT, "title": _TEXT, "description": _TEXT, "nullable": _FLAG,
        "enum": [_TEXT], "maxItems": _WHOLE, "minItems": _WHOLE, "properties": {"Schema"},
        "required": [_TEXT], "minProperties": _WHOLE, "maxProperties": _WHOLE,
        "minLength": _WHOLE, "maxLength": _WHOLE, "pattern": _TEXT, "example": None,
        "anyOf": ["Schema"], "propertyOrdering": [_TEXT], "default": None, "items": "Schema",
        "minimum": _REAL, "maximum": _REAL,
    },
}  # fmt: skip
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    _TEXT: ((str,), "TYPE_STRING"),
    _FLAG: ((bool,), "TYPE_BOOL"),
    _WHOLE: ((int, str), "TYPE_INT32"),
    _REAL: ((int, float, str), "TYPE_DOUBLE"),
    _BYTES: ((str,), "TYPE_BYTES"),
    _STRUCT: ((dict,), "type.googleapis.com/google.protobuf.Struct"),
}


class Reader:
    """Reads one message; `problems` are (where, what is wrong there)."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def read(self, value: Any, kind: Kind, at: str = "") -> Any:
        """The value in camelCase, without its nulls."""
        if isinstance(kind, list):
            if not isinstance(value, list):
                value = [value]
            return [self.read(each, kind[0], f"{at}[{n}]") for n, each in enumerate(value)]
        if isinstance(kind, set):
            return self._map(value, next(iter(kind)), at)
        if kind in MESSAGES:
            return self._message(value, MESSAGES[kind], at)
        if kind is not None:
            self._scalar(value, kind, at)
        return value

    def _map(self, value: Any, kind: Kind, at: str) -> Any:
        if not isinstance(value, dict):
            self._wrong(at, f"Invalid value at '{at}' (Map), {value!r}")
            return {}
        return {
            name: self.read(each, kind, f"{at}[{n}].value")
            for n, (name, each) in enumerate(value.items())
        }

    def _message(self, value: Any, fields: dict[str, Kind], at: str) -> Any:
        if not isinstance(value, dict):
            self._wrong(at, f"Invalid value at '{at}' (oneof), {value!r}")
            return {}
        read = {}
        for name, each in value.items():
            camel = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
            where = f"at '{at}': " if at else ""
            if camel not in fields:
                self._unknown(name, at, where, "Cannot find field.")
            elif isinstance(each, list) and not isinstance(fields[camel], list | None):
                self._unknown(name, at, where, "Proto field is not repeating, cannot start list.")
            elif each is not None:
                inner = f"{at}.{snake(camel)}" if at else snake(camel)
                read[camel] = self.read(each, fields[camel], inner)
        return read

    def _scalar(self, value: Any, kind: str, at: str) -> None:
        types, words = _KINDS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and kind != _FLAG):
            shown = f'"{value}"' if isinstance(value, str) else value
            self._wrong(at, f"Invalid value at '{at}' ({words}), {shown}")
        elif kind == _BYTES and decoded(value) is None:
            self._wrong(
                at, f"Invalid value at '{at}' (TYPE_BYTES), Base64 decoding failed for \"{value}\""
            )

    def _unknown(self, name: str, at: str, where: str, why: str) -> None:
        message = f'Invalid JSON payload received. Unknown name "{name}" {where}{why}'
        self._wrong(at, message if where else message.replace('" C', '": C').replace('" P', '": P'))

    def _wrong(self, at: str, message: str) -> None:
        self.problems.append((at, message))


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
