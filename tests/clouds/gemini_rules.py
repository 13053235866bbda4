"""What Gemini refuses in a message that could be read."""

from __future__ import annotations

import re
from typing import Any

from tests.clouds.server import Refusal
from tests.clouds.signatures import Signatures, decoded

BYPASSES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
STATUSES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    405: ("NOT_FOUND", "Method not allowed."),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    500: ("INTERNAL", "An internal error has occurred. Please retry."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The request timed out. Please try again."),
}
_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
    "codeExecutionResult", "toolCall", "toolResponse",
)  # fmt: skip
_NAME = r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}"
_WHERE = "GenerateContentRequest"


def refusal(message: str, status: int = 400, details: Any = None) -> Refusal:
    name = STATUSES.get(status, STATUSES[500])[0]
    error = {"code": status, "message": message, "status": name}
    return Refusal(status, {"error": error if details is None else {**error, "details": details}})


def generation(model: str) -> float:
    match = re.search(r"gemini-(\d+(?:\.\d+)?)", model)
    return float(match[1]) if match else 3.0


def check(request: dict[str, Any], model: str, signatures: Signatures) -> None:
    _contents(request.get("contents") or [])
    _tools(request.get("tools") or [])
    _calling(request)
    _config(request.get("generationConfig") or {}, model, bool(request.get("tools")))
    _turns(_joined(request["contents"]))
    _signed(request["contents"], model, signatures)


def _contents(contents: list[Any]) -> None:
    if not contents:
        raise refusal(f"* {_WHERE}.contents: contents is not specified\n")
    for index, content in enumerate(contents):
        at = f"{_WHERE}.contents[{index}].parts"
        if content.get("role", "user") not in {"user", "model"}:
            raise refusal("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise refusal(f"* {at}: contents.parts must not be empty.\n")
        for number, part in enumerate(content["parts"]):
            _part(part, f"{at}[{number}]")


def _part(part: dict[str, Any], at: str) -> None:
    data = [name for name in _DATA if name in part]
    if not data and "thoughtSignature" not in part:
        message = "required oneof field 'data' must have one initialized field"
        raise refusal(f"* {at}.data: {message}\n")
    if len(data) > 1:
        raise refusal(f"Invalid value at '{at}' (oneof), oneof field 'data' is already set.")
    for name in ("functionCall", "functionResponse"):
        if name in part and not part[name].get("name"):
            snake = name.replace("C", "_c").replace("R", "_r")
            raise refusal(f"* {at}.{snake}.name: [REQUIRED_FIELD_MISSING] Name cannot be empty.\n")
    if "inlineData" in part and not part["inlineData"].get("mimeType"):
        raise refusal(f"* {at}.inline_data.mime_type: mime_type must be set.\n")


def _tools(tools: list[Any]) -> None:
    names: list[str] = []
    for index, tool in enumerate(tools):
        for number, declared in enumerate(tool.get("functionDeclarations") or []):
            at = f"{_WHERE}.tools[{index}].function_declarations[{number}]"
            _declared(declared, at)
            if declared["name"] in names:
                raise refusal(f"Duplicate function declaration found: {declared['name']}")
            names.append(declared["name"])


def _declared(declared: dict[str, Any], at: str) -> None:
    if not re.fullmatch(_NAME, declared.get("name", "")):
        message = (
            "Invalid function name. Must start with a letter or an underscore. Must be "
            "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
            "with a maximum length of 128."
        )
        raise refusal(f"* {at}.name: [FIELD_INVALID] {message}\n")
    if "parameters" in declared and "parametersJsonSchema" in declared:
        message = "parameters and parameters_json_schema are mutually exclusive."
        raise refusal(f"* {at}: {message}\n")
    if "parameters" in declared:
        _schema(declared["parameters"], f"{at}.parameters")


def _schema(schema: dict[str, Any], at: str) -> None:
    kind = str(schema.get("type", "")).upper()
    if kind and kind not in _TYPES:
        where = "type.googleapis.com/google.ai.generativelanguage.v1beta.Type"
        raise refusal(f"Invalid value at '{at}.type' ({where}), \"{schema['type']}\"")
    if kind == "ARRAY" and "items" not in schema:
        raise refusal(f"* {at}.items: missing field.\n")
    if "enum" in schema and kind not in {"STRING", ""}:
        raise refusal(f"* {at}.enum: only allowed for STRING type\n")
    properties = schema.get("properties") or {}
    for number, name in enumerate(schema.get("required") or ()):
        if name not in properties:
            raise refusal(f"* {at}.required[{number}]: property is not defined\n")
    for name, each in _inside(schema):
        _schema(each, f"{at}.{name}")


def _inside(schema: dict[str, Any]) -> list[tuple[str, Any]]:
    properties = (schema.get("properties") or {}).items()
    inside = [(f"properties[{name}]", each) for name, each in properties]
    inside += [(f"any_of[{n}]", each) for n, each in enumerate(schema.get("anyOf") or ())]
    return inside + ([("items", schema["items"])] if "items" in schema else [])


def _calling(request: dict[str, Any]) -> None:
    config = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode = config.get("mode", "AUTO").upper()
    if mode not in {"MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"}:
        at = "tool_config.function_calling_config.mode"
        raise refusal(f"Invalid value at '{at}' (Mode), \"{config['mode']}\"")
    if config.get("allowedFunctionNames") and mode not in {"ANY", "VALIDATED"}:
        message = "Function calling config allowed_function_names should be set only when function"
        raise refusal(f"{message} calling mode is ANY.")


def _config(config: dict[str, Any], model: str, has_tools: bool) -> None:
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        raise refusal("You can only set only one of thinking budget and thinking level.")
    if "thinkingLevel" in thinking and generation(model) < 3:
        raise refusal("Thinking level is not supported for this model.")
    if not 0 <= config.get("temperature", 0) <= 2:
        message = "temperature must be in the range [0.0, 2.0]."
        raise refusal(f"* {_WHERE}.generation_config.temperature: {message}\n")
    if len(config.get("stopSequences") or ()) > 5:
        message = "the number of stop sequences must not exceed 5."
        raise refusal(f"* {_WHERE}.generation_config.stop_sequences: {message}\n")
    if config.get("maxOutputTokens", 1) < 1:
        raise refusal("max_output_tokens must be positive.")
    is_json = config.get("responseMimeType") == "application/json"
    if is_json and has_tools and generation(model) < 3:
        message = "Function calling with a response mime type: 'application/json' is unsupported"
        raise refusal(message)


def _joined(contents: list[Any]) -> list[Any]:
    """Neighbours of one role are one turn: Google's own client keeps each chunk of a stream as a
    content of its own."""
    turns: list[dict[str, Any]] = []
    for content in contents:
        role = content.get("role", "user")
        if turns and turns[-1]["role"] == role == "model":
            turns[-1] = {"role": role, "parts": [*turns[-1]["parts"], *content["parts"]]}
        else:
            turns.append({"role": role, "parts": content["parts"]})
    return turns


def _turns(contents: list[Any]) -> None:
    """A turn of calls follows a user's, and is followed by as many results."""
    for index, content in enumerate(contents):
        before: dict[str, Any] = contents[index - 1] if index else {"parts": []}
        asked = calls(before, "functionCall")
        answered = calls(content, "functionResponse")
        if calls(content, "functionCall") and before.get("role", "model") == "model":
            message = "Please ensure that function call turn comes immediately after a user turn or"
            raise refusal(f"{message} after a function response turn.")
        if answered and not asked:
            message = "Please ensure that function response turn comes immediately after a function"
            raise refusal(f"{message} call turn.")
        if len(answered) != len(asked):
            raise _uneven()
    if calls(contents[-1], "functionCall"):
        raise _uneven()


def _uneven() -> Refusal:
    message = "Please ensure that the number of function response parts is equal to the number of"
    return refusal(f"{message} function call parts of the function call turn.")


def calls(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [part[name] for part in content["parts"] if name in part]


def _signed(contents: list[Any], model: str, signatures: Signatures) -> None:
    """In the current turn, the first call of each step carries the signature it came with."""
    starts = [
        index
        for index, content in enumerate(contents)
        if content.get("role", "user") == "user" and not calls(content, "functionResponse")
    ]
    for index in range(starts[-1] if starts else 0, len(contents)):
        parts = contents[index]["parts"]
        for part in parts:
            _issued(part, signatures)
        first = next((part for part in parts if "functionCall" in part), None)
        if first and "thoughtSignature" not in first and generation(model) >= 3:
            message = (
                "Function call is missing a thought_signature in functionCall parts. This is "
                "required for tools to work correctly, and missing thought_signature may lead to "
                "degraded model performance. Additional data, function call "
                f"`default_api:{first['functionCall']['name']}` , position {index + 1}. Please "
                "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more "
                "details."
            )
            raise refusal(message)


def _issued(part: dict[str, Any], signatures: Signatures) -> None:
    signature = part.get("thoughtSignature")
    if signature is None or decoded(signature) in [decoded(bypass) for bypass in BYPASSES]:
        return
    if signatures.text(signature) is None:
        raise refusal("Corrupted thought signature.")
