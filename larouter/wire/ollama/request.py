"""Ollama's requests: a chat, or one prompt. Read only as far as routing needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest, Message
from larouter.wire import fields
from larouter.wire.ollama.calls import read_calls
from larouter.wire.strict_json import decode_object

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_LATEST = ":latest"
_THINK_WORDS = frozenset({"low", "medium", "high", "max"})


def read_chat(body: bytes) -> ChatRequest:
    """`POST /api/chat`. Without messages it only asks to load the model (`asks_to_load`)."""
    given = fields.kept(decode_object(body))
    messages = given["messages"] = fields.objects(given, "messages")
    needs: set[str] = set()
    texts = tuple(_message(index, message, needs) for index, message in enumerate(messages))
    if fields.objects(given, "tools"):
        needs.add("tools")
    pictures = [image for message in messages for image in message.get("images") or ()]
    return _request(given, texts, needs, len(body) - _beyond(pictures), _answers(messages))


def read_generate(body: bytes) -> ChatRequest:
    """`POST /api/generate`: a prompt, perhaps with a system's text."""
    given = fields.kept(decode_object(body))
    # What tells the two kinds of request apart later.
    given.pop("messages", None)
    prompt = given["prompt"] = fields.text(given, "prompt")
    system = fields.text(given, "system")
    pictures = _images("images", given)
    texts = [Message("system", system)] if system else []
    texts += [Message("user", prompt)] if prompt else []
    needs = {"images"} if pictures else set()
    return _request(given, tuple(texts), needs, len(body) - _beyond(pictures), ())


def is_chat(request: ChatRequest) -> bool:
    return "messages" in request.body


def asks_to_load(request: ChatRequest) -> bool:
    """Ollama loads a model when it gets nothing to answer."""
    return not (request.body["messages"] if is_chat(request) else request.body["prompt"])


def asks_to_unload(request: ChatRequest) -> bool:
    """… and unloads it when it is to be kept for no time as well."""
    kept = request.body.get("keep_alive")
    return asks_to_load(request) and kept is not None and str(kept).rstrip("smh") in ("0", "0.0")


def model_name(name: str) -> str:
    """Ollama writes a tag behind every name; `latest` says nothing."""
    return name[: -len(_LATEST)] if name.endswith(_LATEST) and name != _LATEST else name


def options(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given = body.get("options")
    if given is None:
        return {}
    if type(given) is not dict:
        raise fields.wrong("options", "an object")
    return given


def _request(
    given: dict[str, Any],
    messages: tuple[Message, ...],
    needs: set[str],
    size: int,
    answers: tuple[str, ...],
) -> ChatRequest:
    form = given.get("format")
    if type(form) is dict and form:
        needs.add("json_schema")
    elif form not in (None, "", "json", {}):
        raise fields.wrong("format", "'json' or a JSON Schema")
    if fields.boolean(given, "logprobs"):
        needs.add("logprobs")
    _check_think(given.get("think"))
    most = fields.whole(options(given), "num_predict")
    return ChatRequest(
        model=model_name(fields.identifier(given, "model")),
        messages=messages,
        body=given,
        size=size,
        # -1 is endless, -2 as long as the context lasts: no limit of the client's.
        max_output=most if most is not None and most > 0 else None,
        stream=fields.boolean(given, "stream", default=True),
        wants_usage=True,
        needs=frozenset(needs),
        dialect="ollama",
        answers=answers,
    )


def _check_think(think: Any) -> None:
    if think is None or type(think) is bool or (type(think) is str and think in _THINK_WORDS):
        return
    raise fields.wrong("think", "true, false, 'low', 'medium', 'high' or 'max'")


def _message(index: int, message: Mapping[str, Any], needs: set[str]) -> Message:
    name = f"messages[{index}]"
    role, content = message.get("role"), message.get("content")
    if type(role) is not str or role not in _ROLES:
        raise fields.wrong(f"{name}.role", "system, user, assistant or tool")
    if content is not None and type(content) is not str:
        raise fields.wrong(f"{name}.content", "a string")
    if _images(f"{name}.images", message):
        needs.add("images")
    return Message(role, content or "")


def _images(name: str, holder: Mapping[str, Any]) -> list[str]:
    given = holder.get("images")
    if given is None:
        return []
    if type(given) is not list or any(type(picture) is not str for picture in given):
        raise fields.wrong(name, "a list of pictures as base64")
    return given


def _beyond(pictures: Any) -> int:
    """Bytes of pictures beyond what they may cost: their base64 is no text."""
    return sum(max(0, len(picture) - fields.MEDIUM_COUNTS) for picture in pictures)


def _answers(messages: list[dict[str, Any]]) -> tuple[str, ...]:
    """The calls of tools whose results end the conversation."""
    if not messages or messages[-1]["role"] != "tool":
        return ()
    found: list[str] = []
    for said in reversed(read_calls(messages)):
        if said.answers is None:
            break
        found.append(said.answers)
    return tuple(found)
