"""What the fake refuses on generateContent, and with which words."""

import base64

import pytest

from tests.clouds.gemini_rules import BYPASSES
from tests.clouds.posting import request

MODEL = "gemini-4-argon"
USER = {"role": "user", "parts": [{"text": "Hi"}]}
CALL = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": BYPASSES[0]}
UNSIGNED = {"functionCall": {"name": "f"}}
RESULT = {"functionResponse": {"name": "f", "response": {"output": "ok"}}}


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def model(*parts):
    return {"role": "model", "parts": list(parts)}


def contents(*given):
    return {"contents": list(given)}


def schema(**properties):
    parameters = {"type": "OBJECT", "properties": properties}
    return declared(parameters=parameters)


def declared(name="f", **fields):
    return {"tools": [{"functionDeclarations": [{"name": name, **fields}]}]}


def config(**fields):
    return {"generationConfig": fields}


@pytest.fixture
def post(gemini_cloud):
    def send(model=MODEL, **fields):
        body = {"contents": [USER], **fields}
        path = f"/v1beta/models/{model}:generateContent"
        status, _, answer = request(
            gemini_cloud, "POST", path, body, x_goog_api_key=gemini_cloud.key
        )
        return status, answer

    return send


UNKNOWN = "Invalid JSON payload received. Unknown name"
AT = "'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field."
REFUSED = [
    ({"messages": []}, f'{UNKNOWN} "messages": Cannot find field.'),
    (contents(), "contents is not specified"),
    (contents(user()), "contents.parts must not be empty"),
    (contents({"role": "assistant", "parts": [{"text": "x"}]}), "valid role: user, model"),
    (
        contents(user({"text": "x", "type": "text"})),
        f"{UNKNOWN} \"type\" at 'contents[0].parts[0]'",
    ),
    (contents(user({"text": 1})), "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 1"),
    (contents(user({})), "required oneof field 'data' must have one initialized field"),
    (contents(user({"text": "x", **RESULT})), "oneof"),
    (contents(user({"inlineData": {"data": "AA=="}})), "mime_type must be set"),
    (contents(user({"inlineData": {"mimeType": "image/png", "data": "é"}})), "Base64 decoding"),
    (contents(USER, model(CALL)), "number of function response parts is equal"),
    (contents(USER, model(CALL), USER), "number of function response parts is equal"),
    (contents(USER, model(CALL, CALL), user(RESULT)), "number of function response parts"),
    (contents(user(RESULT)), "function response turn comes immediately after a function"),
    (contents(model(CALL), user(RESULT)), "function call turn comes immediately after a user"),
    (
        contents(USER, model(UNSIGNED), user(RESULT)),
        "Function call is missing a thought_signature in functionCall parts.",
    ),
    (
        contents(USER, model({**CALL, "thoughtSignature": "RXFRQg=="}), user(RESULT)),
        "Corrupted thought signature.",
    ),
    (
        contents(USER, model(CALL), user({"functionResponse": {"name": "f", "response": "ok"}})),
        "google.protobuf.Struct",
    ),
    (
        contents(USER, model(CALL), user({"functionResponse": {"response": {}}})),
        "function_response.name: [REQUIRED_FIELD_MISSING] Name cannot be empty.",
    ),
    (contents(USER, model({"functionCall": {"name": "f", "args": "{}"}})), "protobuf.Struct"),
    (declared("1f"), "Invalid function name."),
    (declared("f" * 129), "Invalid function name."),
    (declared(strict=True), f"{UNKNOWN} \"strict\" at 'tools[0].function_declarations[0]'"),
    (schema(a={"const": 1}), f'{UNKNOWN} "const" at {AT}'),
    (schema(a={"$ref": "#/$defs/a"}), f'{UNKNOWN} "$ref" at {AT}'),
    (schema(a={"oneOf": []}), f'{UNKNOWN} "oneOf" at {AT}'),
    (schema(a={"allOf": []}), f'{UNKNOWN} "allOf" at {AT}'),
    (schema(a={"exclusiveMinimum": 0}), f'{UNKNOWN} "exclusiveMinimum" at {AT}'),
    (schema(a={"additionalProperties": False}), f'{UNKNOWN} "additionalProperties" at {AT}'),
    (declared(parameters={"type": "object", "$defs": {}}), f'{UNKNOWN} "$defs" at'),
    (declared(parameters={"type": "object", "$schema": "x"}), f'{UNKNOWN} "$schema" at'),
    (schema(a={"type": ["string", "null"]}), "Proto field is not repeating, cannot start list."),
    (schema(a={"type": "text"}), "v1beta.Type"),
    (schema(a={"type": "array"}), "items: missing field."),
    (schema(a={"type": "integer", "enum": ["1"]}), "enum: only allowed for STRING type"),
    (schema(a={"type": "string", "enum": [1]}), "(TYPE_STRING), 1"),
    (declared(parameters={"type": "object", "required": ["a"]}), "property is not defined"),
    (declared(parameters={"type": "object"}, parametersJsonSchema={}), "mutually exclusive"),
    (
        {"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "f"}]}]},
        "Duplicate function declaration found: f",
    ),
    (
        {"toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["f"]}}},
        "allowed_function_names should be set only when",
    ),
    ({"toolConfig": {"functionCallingConfig": {"mode": "required"}}}, "Invalid value at"),
    (config(max_tokens=5), f"{UNKNOWN} \"max_tokens\" at 'generation_config'"),
    (config(temperature=2.5), "temperature must be in the range"),
    (config(stopSequences=list("abcdef")), "must not exceed 5"),
    (config(maxOutputTokens=0), "max_output_tokens must be positive"),
    (
        config(thinkingConfig={"thinkingBudget": 1, "thinkingLevel": "LOW"}),
        "only one of thinking budget and thinking level",
    ),
    (
        {"model": "gemini-2.5-pro", **config(thinkingConfig={"thinkingLevel": "LOW"})},
        "Thinking level is not supported for this model.",
    ),
    (
        {"model": "gemini-2.5-pro", **declared(), **config(responseMimeType="application/json")},
        "Function calling with a response mime type",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_is_refused(post, fields, message):
    status, answer = post(**fields)

    assert (status, answer["error"]["code"]) == (400, 400)
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"system_instruction": {"parts": [{"text": "x"}]}, **config(max_output_tokens=50)},
        contents(USER, model(CALL, {"functionCall": {"name": "g"}}), user(RESULT, RESULT)),
        contents(USER, model({**CALL, "thoughtSignature": BYPASSES[1]}), user(RESULT)),
        contents(USER, model(UNSIGNED), user(RESULT), model({"text": "ok"}), USER),
        {"model": "gemini-2.5-pro", **contents(USER, model(UNSIGNED), user(RESULT))},
        declared(parametersJsonSchema={"type": ["object"], "$defs": {}, "oneOf": []}),
        schema(a={"type": "string", "nullable": True, "anyOf": [{"type": "integer"}]}),
    ],
)
def test_is_taken(post, fields):
    assert post(**fields)[0] == 200


def test_a_violation_names_its_field(post):
    _, answer = post(**config(foo=1, bar=2))
    violations = answer["error"]["details"][0]["fieldViolations"]

    assert [each["field"] for each in violations] == ["generation_config"] * 2


def test_a_signature_is_known_by_its_bytes(post):
    tools = declared("weather")
    _, answer = post(contents=[user({"text": "call weather {}"})], **tools)
    part = answer["candidates"][0]["content"]["parts"][0]
    raw = base64.b64decode(part["thoughtSignature"])
    result = {"functionResponse": {"name": "weather", "response": {}}}
    for signature, status in (
        (base64.urlsafe_b64encode(raw).decode(), 200),
        (base64.b64encode(raw[:-1] + b"\0").decode(), 400),
    ):
        signed = {**part, "thoughtSignature": signature}
        assert post(contents=[USER, model(signed), user(result)], **tools)[0] == status


def test_an_unknown_model_is_not_found(post):
    status, answer = post(model="gpt-5")

    assert (status, answer["error"]["status"]) == (404, "NOT_FOUND")
