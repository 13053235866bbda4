"""An Ollama client's request, read whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Part,
    Text,
    Thinking,
    Tool,
    ToolResult,
    Turn,
)
from larouter.wire import fields
from larouter.wire.losses import Loss
from larouter.wire.ollama.calls import Said, read_calls
from larouter.wire.ollama.request import is_chat, options
from larouter.wire.turns import merged

_LOADING = "LARouter decides how a model is loaded"
_SAMPLING = "only Ollama's own engine samples this way"

LOSSES = (
    Loss("template", "refused", "a prompt's template belongs to one model", ("",)),
    Loss("raw", "refused", "a chat model wants turns; use POST /v1/completions", (False,)),
    Loss("suffix", "refused", "filling a gap is asked for at POST /v1/completions", ("",)),
    Loss("context", "refused", "its numbers mean something to one model; send messages", ([],)),
    Loss("logprobs", "refused", "it is not told how likely a word was", (False,)),
    Loss("width", "refused", "only text can be answered", (0,)),
    Loss("height", "refused", "only text can be answered", (0,)),
    Loss("steps", "refused", "only text can be answered", (0,)),
    Loss("top_logprobs", "left out", "nothing is told of how likely a word was"),
    Loss("keep_alive", "left out", "LARouter decides how long a model stays loaded"),
    Loss("truncate", "left out", "nothing is ever cut off silently"),
    Loss("shift", "left out", "nothing is ever cut off silently"),
    Loss("options.num_ctx", "left out", "a prompt goes to a model that holds it"),
    *(
        Loss(f"options.{name}", "left out", _LOADING)
        for name in (
            "num_batch", "num_gpu", "main_gpu", "num_thread", "numa", "low_vram", "f16_kv",
            "logits_all", "vocab_only", "use_mmap", "use_mlock", "embedding_only", "num_keep",
        )
    ),
    *(
        Loss(f"options.{name}", "left out", _SAMPLING)
        for name in (
            "min_p", "tfs_z", "typical_p", "repeat_last_n", "repeat_penalty", "mirostat",
            "mirostat_tau", "mirostat_eta", "penalize_newline",
        )
    ),
)  # fmt: skip

_READ = frozenset(
    {"model", "messages", "prompt", "system", "images", "stream", "format", "options", "think"}
    | {"tools"}
)
_READ_OPTIONS = frozenset(
    {"num_predict", "temperature", "top_p", "top_k", "stop", "seed", "presence_penalty"}
    | {"frequency_penalty"}
)
# How the base64 of a picture begins, as Ollama's clients do not say what it is.
_PICTURES = (
    ("/9j/", "image/jpeg"),
    ("iVBORw0KGgo", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
)


def conversation(request: ChatRequest) -> Conversation:
    """Read the whole request. Raises `BadRequest` with the field's name."""
    body = request.body
    given = options(body)
    think = body.get("think")
    top_k = fields.whole(given, "top_k")
    unread = {name: value for name, value in body.items() if name not in _READ}
    unread |= {
        f"options.{name}": value for name, value in given.items() if name not in _READ_OPTIONS
    }
    return Conversation(
        turns=merged(_chat(body["messages"]) if is_chat(request) else _prompt(body)),
        tools=tuple(
            _tool(f"tools[{place}]", tool)
            for place, tool in enumerate(fields.objects(body, "tools"))
        ),
        format=_format(body.get("format")),
        max_output=request.max_output,
        temperature=fields.number(given, "temperature", 0, 2),
        top_p=fields.number(given, "top_p", 0, 1),
        # 0 and -1 switch it off.
        top_k=top_k if top_k is not None and top_k > 0 else None,
        stop=fields.texts(given, "stop"),
        seed=fields.whole(given, "seed"),
        presence_penalty=fields.number(given, "presence_penalty", -2, 2),
        frequency_penalty=fields.number(given, "frequency_penalty", -2, 2),
        effort=_effort(think),
        shows_thinking=bool(think),
        extra=unread,
    )


def _effort(think: bool | str | None) -> str | None:
    """`true` does not say how hard: the middle."""
    if think is None or type(think) is str:
        return think or None
    return "medium" if think else "none"


def _chat(messages: list[dict[str, Any]]) -> list[Turn]:
    said = read_calls(messages)
    return [
        _turn(f"messages[{index}]", message, said[index]) for index, message in enumerate(messages)
    ]


def _prompt(body: Mapping[str, Any]) -> list[Turn]:
    system = body.get("system")
    turns = [Turn("system", (Text(text=system),))] if system else []
    return [*turns, Turn("user", (*_pictures("images", body), Text(text=body["prompt"])))]


def _turn(name: str, message: Mapping[str, Any], said: Said) -> Turn:
    content = message.get("content")
    words = (Text(text=content),) if content else ()
    pictures = _pictures(f"{name}.images", message)
    if said.answers is not None:
        return Turn("user", (ToolResult(call_id=said.answers, parts=(*words, *pictures)),))
    if message["role"] == "assistant":
        thought = fields.text(message, "thinking")
        thoughts: tuple[Part, ...] = (Thinking(text=thought),) if thought else ()
        return Turn("assistant", (*thoughts, *words, *said.calls))
    return Turn("user" if message["role"] == "user" else "system", (*pictures, *words))


def _pictures(name: str, holder: Mapping[str, Any]) -> tuple[Media, ...]:
    return tuple(
        Media(kind="images", mime=_mime(f"{name}[{place}]", data), data=data)
        for place, data in enumerate(holder.get("images") or ())
    )


def _mime(name: str, data: str) -> str:
    found = next((mime for start, mime in _PICTURES if data.startswith(start)), None)
    if found is None:
        raise fields.wrong(name, "a JPEG, PNG, GIF or WebP picture as base64")
    return found


def _tool(name: str, tool: Mapping[str, Any]) -> Tool:
    function = tool.get("function")
    if type(function) is not dict:
        raise fields.wrong(f"{name}.function", "an object with a name")
    parameters = function.get("parameters")
    if parameters is not None and type(parameters) is not dict:
        raise fields.wrong(f"{name}.function.parameters", "a JSON Schema")
    return Tool(
        name=fields.identifier(function, "name"),
        description=fields.text(function, "description") or None,
        parameters=parameters,
    )


def _format(given: Any) -> Format | None:
    if not given:
        return None
    return Format() if given == "json" else Format(schema=given)
