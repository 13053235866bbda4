"""OpenAI Responses: what a client asks. What we interpret is checked; the rest stays as it came.

History is ours: a `previous_response_id`, references to stored items and our own compactions are
replaced by the items that they stand for, so that any provider can answer.
Source: OpenAI API reference, "Create a model response"; the fields as openai-python types them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import BadRequest
from larouter.wire.fields import MEDIUM_COUNTS, kept
from larouter.wire.responses import compaction
from larouter.wire.responses.checks import CHECKS, RESULTS, check_item
from larouter.wire.responses.names import CALLABLE, every_tool
from larouter.wire.strict_json import decode_object, encode

Item = dict[str, Any]

_PART_NEEDS = {"input_image": "images", "input_audio": "audio", "input_file": "files"}
_TEXTS = {"input_text": "text", "output_text": "text", "refusal": "refusal"}
_LOGPROBS = "message.output_text.logprobs"
_REFUSED = {
    "background": "Answers in the background are not kept here: leave 'background' out and stream.",
    "conversation": "Conversations are not kept here: use 'previous_response_id', or send the "
    "whole conversation as 'input'.",
}


class Past(NamedTuple):
    """What the project has stored; asked only when a request refers to it."""

    chain: Callable[[str], list[Item]]
    """Everything said up to the end of this response, oldest first. Raises for an unknown id."""
    items: Callable[[list[str]], Mapping[str, Item]]
    """The stored items among these ids."""


def _unknown(response_id: str) -> list[Item]:
    raise previous_not_found(response_id)


NOTHING_STORED = Past(_unknown, lambda _: {})


def previous_not_found(response_id: str) -> BadRequest:
    return BadRequest(
        f"There is no stored response '{response_id[:100]}'. Responses are kept for 30 days unless "
        "'store' is false; send the whole conversation as 'input' instead.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


def read_request(
    body: bytes, *, model: str | None = None, past: Past = NOTHING_STORED
) -> ChatRequest:
    """Read a request's JSON; raises `BadRequest` naming the field. `model` is the default."""
    given = decode_object(body)
    if model is not None:
        given.setdefault("model", model)
    for name, value in given.items():
        check = CHECKS.get(name)
        if check is not None and value is not None:
            check(name, value)
    _refuse(given)
    asked = _with_history(kept(given), past)
    size = len(body) if asked.get("input") is given.get("input") else len(encode(asked))
    seen = _Seen()
    if asked.get("instructions"):
        seen.messages.append(Message("system", asked["instructions"]))
    for item in listed(asked.get("input")):
        seen.item(item)
    return ChatRequest(
        model=given["model"],
        messages=tuple(seen.messages),
        body=asked,
        size=size - seen.media,
        max_output=asked.get("max_output_tokens"),
        stream=bool(asked.get("stream")),
        wants_usage=True,
        needs=frozenset(seen.needs | _needs(asked)),
        dialect="responses",
        answers=_answers(listed(asked.get("input"))),
    )


def listed(given: Any) -> list[Item]:
    """`input` as items: bare text is what the user says."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return given or []


def kind(item: Mapping[str, Any]) -> str:
    """An item's type: a message may leave it out, and so may a reference."""
    return str(item.get("type") or ("message" if "role" in item else "item_reference"))


def _refuse(given: Mapping[str, Any]) -> None:
    if given.get("model") is None:
        raise BadRequest("The field 'model' is missing.", param="model", code="missing_field")
    for name, why in _REFUSED.items():
        if given.get(name):
            raise BadRequest(why, param=name, code="unsupported_parameter")
    if all(given.get(name) is None for name in ("input", "previous_response_id", "prompt")):
        raise BadRequest("The field 'input' is missing.", param="input", code="missing_field")


def _with_history(body: dict[str, Any], past: Past) -> dict[str, Any]:
    """The body with all that its `input` refers to."""
    given = listed(body.get("input"))
    for index, item in enumerate(given):
        check_item(f"input[{index}]", kind(item), item)
    said = _resolved(given, past)
    previous = body.get("previous_response_id")
    if previous is not None:
        said = [*past.chain(previous), *said]
    if said == given and previous is None:
        return body
    return {**body, "input": said}


def _resolved(items: list[Item], past: Past) -> list[Item]:
    wanted = [str(item.get("id")) for item in items if kind(item) == "item_reference"]
    found = past.items(wanted) if wanted else {}
    resolved = []
    for index, item in enumerate(items):
        sort = kind(item)
        if sort == "item_reference":
            if item.get("id") not in found:
                raise BadRequest(
                    f"There is no stored item {str(item.get('id'))[:100]!r}.",
                    param=f"input[{index}].id",
                    code="item_not_found",
                )
            item = found[item["id"]]
        elif sort in compaction.KINDS:
            item = compaction.opened(item) or item
        resolved.append(item)
    return resolved


class _Seen:
    """What routing needs to know of the items."""

    __slots__ = ("media", "messages", "needs")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.needs: set[str] = set()
        self.media = 0
        """Bytes of pictures, sound and files beyond what they may cost: base64 is no text."""

    def item(self, item: Item) -> None:
        sort = kind(item)
        if sort == "message":
            self.messages.append(Message(item["role"], self._text(item.get("content"))))
        elif sort in RESULTS:
            self.messages.append(Message("tool", self._text(item.get("output"))))

    def _text(self, content: Any) -> str:
        if not isinstance(content, list):
            return content if isinstance(content, str) else ""
        texts = []
        for part in content:
            if part["type"] in _TEXTS:
                texts.append(part[_TEXTS[part["type"]]])
            elif part["type"] in _PART_NEEDS:
                self.needs.add(_PART_NEEDS[part["type"]])
                self.media += max(0, _bytes(part) - MEDIUM_COUNTS)
        return "\n".join(texts)


def _bytes(part: Mapping[str, Any]) -> int:
    values = [*part.values(), *(part.get("input_audio") or {}).values()]
    return sum(len(value) for value in values if type(value) is str)


def _needs(body: Mapping[str, Any]) -> set[str]:
    needs = set()
    if any(tool.get("type") in CALLABLE for _, tool in every_tool(body)):
        needs.add("tools")
    if ((body.get("text") or {}).get("format") or {}).get("type") == "json_schema":
        needs.add("json_schema")
    if body.get("top_logprobs") or _LOGPROBS in (body.get("include") or ()):
        needs.add("logprobs")
    return needs


def _answers(items: list[Item]) -> tuple[str, ...]:
    """The calls of tools whose results end the conversation."""
    ids = []
    for item in reversed(items):
        if kind(item) not in RESULTS:
            break
        ids.append(str(item.get("call_id")))
    return tuple(ids)
