"""OpenAI's errors, and the checks that both of its APIs share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tests.clouds.schemas import strict_problem
from tests.clouds.server import Refusal

NAME = "^[a-zA-Z0-9_-]+$"


def refusal(
    message: str,
    param: str | None = None,
    code: str | None = None,
    status: int = 400,
    kind: str = "invalid_request_error",
) -> Refusal:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Refusal(status, {"error": error})


def known(value: dict[str, Any], fields: Iterable[str], at: str = "") -> None:
    for name in value:
        if name not in fields:
            param = f"{at}.{name}" if at else name
            raise refusal(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def required(value: dict[str, Any], names: Iterable[str], at: str = "") -> None:
    for name in names:
        if name not in value:
            param = f"{at}.{name}" if at else name
            message = f"Missing required parameter: '{param}'."
            raise refusal(message, param, "missing_required_parameter")


def typed(value: Any, kind: type | tuple[type, ...], at: str, words: str) -> None:
    is_bool_for_number = isinstance(value, bool) and kind is not bool
    if not isinstance(value, kind) or is_bool_for_number:
        got = _words(value)
        message = f"Invalid type for '{at}': expected {words}, but got {got} instead."
        raise refusal(message, at, "invalid_type")


def one_of(value: Any, allowed: Iterable[str], at: str) -> None:
    names = list(allowed)
    if value not in names:
        listed = ", ".join(f"'{name}'" for name in names[:-1])
        listed = f"{listed}, and '{names[-1]}'" if listed else f"'{names[-1]}'"
        message = f"Invalid value: '{value}'. Supported values are: {listed}."
        raise refusal(message, at, "invalid_value")


def within(value: Any, least: float, most: float, at: str) -> None:
    if value is None:
        return
    typed(value, (int, float), at, "a decimal")
    if value > most:
        side, sign, bound, code = "above maximum", "<=", most, "decimal_above_max_value"
    elif value < least:
        side, sign, bound, code = "below minimum", ">=", least, "decimal_below_min_value"
    else:
        return
    message = f"Invalid '{at}': decimal {side} value. Expected a value {sign} {bound:g}, "
    raise refusal(f"{message}but got {value} instead.", at, code)


def at_least(value: Any, least: int, at: str) -> None:
    if value is None:
        return
    typed(value, int, at, "an integer")
    if value < least:
        message = f"Invalid '{at}': integer below minimum value. Expected a value >= {least}, "
        raise refusal(f"{message}but got {value} instead.", at, "integer_below_min_value")


def short(value: Any, most: int, at: str) -> None:
    typed(value, str, at, "a string")
    if len(value) > most:
        message = (
            f"Invalid '{at}': string too long. Expected a string with maximum length {most}, "
            f"but got a string with length {len(value)} instead."
        )
        raise refusal(message, at, "string_above_max_length")


def filled(value: Any, at: str) -> None:
    typed(value, list, at, "an array of objects")
    if not value:
        message = f"Invalid '{at}': empty array. Expected an array with minimum length 1, "
        raise refusal(f"{message}but got an empty array instead.", at, "empty_array")


def name(value: Any, at: str) -> None:
    short(value, 64, at)
    if not re.fullmatch(NAME[1:-1], value):
        message = f"Invalid '{at}': string does not match pattern. Expected a string that "
        raise refusal(f"{message}matches the pattern '{NAME}'.", at, "invalid_value")


def function(value: dict[str, Any], fields: Iterable[str], at: str) -> None:
    """A function's definition, in the form that Responses has flat and chat has nested."""
    required(value, ["name"], at)
    known(value, fields, at)
    name(value["name"], f"{at}.name")
    parameters = value.get("parameters")
    if parameters is None:
        return
    param = f"{at}.parameters"
    typed(parameters, dict, param, "an object")
    schema_of(parameters, f"function '{value['name']}'", param, bool(value.get("strict")))


def schema_of(schema: dict[str, Any], whose: str, param: str, is_strict: bool) -> None:
    code = "invalid_function_parameters" if whose.startswith("function") else "invalid_json_schema"
    if schema and schema.get("type") != "object" and (is_strict or "properties" not in schema):
        kind = schema.get("type", "None")
        problem = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        raise refusal(f"Invalid schema for {whose}: {problem}", param, code)
    if is_strict and (problem := strict_problem(schema) or ""):
        raise refusal(f"Invalid schema for {whose}: {problem}", param, code)


def generation(model: str) -> float:
    """gpt-6.1-terra → 6.1; an o-model counts as 5; 0 for what cannot reason."""
    if re.match(r"o\d", model):
        return 5.0
    match = re.match(r"gpt-(\d+(?:\.\d+)?)", model)
    is_chat = "-chat" in model
    return float(match[1]) if match and float(match[1]) >= 5 and not is_chat else 0.0


def sampling(body: dict[str, Any], fields: dict[str, Any]) -> None:
    """A reasoning model takes no other value than the default of these."""
    for field, default in fields.items():
        value = body.get(field)
        if value is None or value == default:
            continue
        if field == "temperature":
            message = (
                f"Unsupported value: 'temperature' does not support {value} with this model. "
                "Only the default (1) value is supported."
            )
            raise refusal(message, field, "unsupported_value")
        message = f"Unsupported parameter: '{field}' is not supported with this model."
        raise refusal(message, field, "unsupported_parameter")


def _words(value: Any) -> str:
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    return "null"


_WORDS = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a decimal"),
    (list, "an array"),
    (dict, "an object"),
)
