"""Requests for Gemini: a conversation in its words, or a Gemini client's own body passed on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation, Format, Tool, ToolChoice
from larouter.core.errors import CannotCarry
from larouter.wire.gemini import thinking
from larouter.wire.gemini.contents import system_parts, write_contents
from larouter.wire.gemini.fields import get, listed, without
from larouter.wire.gemini.request import ALT
from larouter.wire.gemini.schema import for_gemini
from larouter.wire.gemini.signature import only_native, signed
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode
from larouter.wire.tools import description, parameters

_MOST_STOPS = 5
_SEEDS = 2**31
"""A seed is an int32; others are folded into it, the same one always to the same."""
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}


def path(call: Call) -> str:
    # A stream is always asked for as events; without `alt=sse` Google sends one growing array.
    method = "streamGenerateContent?alt=sse" if call.stream else "generateContent"
    return f"v1beta/models/{quote(call.name)}:{method}"


def write(conversation: Conversation, call: Call) -> Sending:
    """Raises `CannotCarry` for what Gemini has no words for."""
    return Sending(path(call), encode(write_body(conversation, call)))


def write_body(conversation: Conversation, call: Call) -> dict[str, Any]:
    contents = write_contents(conversation, call.name)
    if "prefill" in call.refuses and contents and contents[-1]["role"] == "model":
        raise CannotCarry(
            "The model that answers does not continue an answer: end with a message of the user.",
            param="messages",
        )
    body: dict[str, Any] = {"contents": contents}
    system = system_parts(conversation)
    if system:
        body["systemInstruction"] = {"parts": system}
    if conversation.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in conversation.tools]}]
        if conversation.tool_choice is not None:
            calling = _calling(conversation.tool_choice, call)
            body["toolConfig"] = {"functionCallingConfig": calling}
    config = _config(conversation, call)
    if config:
        body["generationConfig"] = config
    return body


def _tool(tool: Tool) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": tool.name}
    told = description(tool)
    if told:
        declared["description"] = told
    if tool.parameters or tool.custom is not None:
        declared["parametersJsonSchema"] = for_gemini(parameters(tool))
    return declared


def _calling(choice: ToolChoice, call: Call) -> dict[str, Any]:
    if "forced_tools" in call.refuses and choice.mode in ("required", "named"):
        return {"mode": "AUTO"}
    names = (choice.name,) if choice.name is not None else choice.among
    if names is None or choice.mode == "none":
        return {"mode": _MODES[choice.mode]}
    # Google takes names with ANY and VALIDATED; the latter leaves the model free to say something.
    mode = "VALIDATED" if choice.mode == "auto" else _MODES[choice.mode]
    return {"mode": mode, "allowedFunctionNames": list(names)}


def _config(conversation: Conversation, call: Call) -> dict[str, Any]:
    if len(conversation.stop) > _MOST_STOPS:
        raise CannotCarry(f"Gemini takes at most {_MOST_STOPS} stop texts.", param="stop")
    refuses = call.refuses
    given = {
        "maxOutputTokens": conversation.max_output,
        "temperature": None if "temperature" in refuses else conversation.temperature,
        "topP": None if "top_p" in refuses else conversation.top_p,
        "topK": None if "top_p" in refuses else conversation.top_k,
        "stopSequences": conversation.stop or None,
        "seed": None if conversation.seed is None else conversation.seed % _SEEDS,
        "thinkingConfig": thinking.write(conversation, call) or None,
    }
    config = {name: value for name, value in given.items() if value is not None}
    if conversation.format is not None:
        config.update(_format(conversation.format))
    return config


def _format(wanted: Format) -> dict[str, Any]:
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if wanted.schema is not None:
        schema = for_gemini(wanted.schema)
        if wanted.description:
            schema.setdefault("description", wanted.description)
        config["responseJsonSchema"] = schema
    return config


def pass_on(request: ChatRequest, call: Call) -> Sending:
    """The client's body; changed are the limit of the answer, and signatures that Gemini would
    refuse: what other models thought, and calls that they made."""
    return Sending(path(call), encode(passed_body(request, call)))


def passed_body(request: ChatRequest, call: Call) -> dict[str, Any]:
    body = without(request.body, ALT)
    contents = listed("contents", body["contents"])
    body["contents"] = signed(only_native(contents), call.name)
    config = get(body, "generationConfig") or {}
    if request.max_output != get(config, "maxOutputTokens"):
        body = without(body, "generationConfig")
        limited = {**without(config, "maxOutputTokens"), "maxOutputTokens": request.max_output}
        body["generationConfig"] = limited
    return body
