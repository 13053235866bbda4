"""The lossless internal form: what one dialect says, so that another can say it.

Only a request that has to be translated is read this far; one whose provider speaks the client's
own dialect passes as it came. A dialect that lacks a word for something leaves the field at its
default; what none of the fields holds is in `extra`, and `wire/losses.py` says what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct


class Opaque(Struct, frozen=True):
    """Something that only its maker can read, kept byte-exact: a signature, an encrypted text."""

    maker: str
    """The wire that it came by: anthropic, gemini, responses or chat."""
    data: str


class Text(Struct, frozen=True, kw_only=True):
    text: str
    opaque: Opaque | None = None


class Thinking(Struct, frozen=True, kw_only=True):
    """What a model thought. Empty text with an `opaque`: it was hidden (redacted, encrypted)."""

    text: str
    opaque: Opaque | None = None
    id: str | None = None
    """The item's own id where the wire has one (Responses)."""


class ToolCall(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    arguments: str
    """JSON text of an object, as the model wrote it; of a `custom` tool its plain input."""
    opaque: Opaque | None = None
    custom: bool = False
    """A tool that takes plain text (Responses and chat completions: type `custom`)."""


class Media(Struct, frozen=True, kw_only=True):
    """A picture, a sound or a file: its bytes, its address, or the id that a provider gave it."""

    kind: Literal["images", "audio", "files"]
    mime: str
    data: str | None = None
    """Base64."""
    url: str | None = None
    """Never fetched by us (TRUST S7)."""
    file_id: str | None = None
    """Known to the provider that issued it alone: `maker`."""
    maker: str | None = None
    name: str | None = None
    detail: str | None = None


class ToolResult(Struct, frozen=True, kw_only=True):
    call_id: str
    parts: tuple[Text | Media, ...]
    is_error: bool = False


Part = Text | Thinking | ToolCall | ToolResult | Media


class Turn(Struct, frozen=True):
    """Who said what. Results of tools are said by the user; neighbours of one role are merged."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


class Tool(Struct, frozen=True, kw_only=True):
    """A function that the model may call."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    """Its JSON Schema; None: it takes nothing."""
    strict: bool | None = None
    custom: Mapping[str, Any] | None = None
    """For a tool that takes plain text: its format (`{}` for any text), as Responses says it."""


class ToolChoice(Struct, frozen=True, kw_only=True):
    mode: Literal["auto", "none", "required", "named"]
    name: str | None = None
    """For `named`."""
    among: tuple[str, ...] | None = None
    """Only these may be called (OpenAI's allowed_tools, Gemini's allowedFunctionNames)."""


class Format(Struct, frozen=True, kw_only=True):
    """The shape that the answer must have: any JSON object (`schema` None), or a schema."""

    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = None
    description: str | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """One request, whatever its dialect."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    format: Format | None = None
    max_output: int | None = None
    temperature: float | None = None
    """0–2, as OpenAI and Gemini count it; Anthropic's 0–1 is the lower half."""
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    effort: str | None = None
    """How hard to think: none, minimal, low, medium, high, xhigh, max; None: as the model likes."""
    thinking_tokens: int | None = None
    """A budget for thinking, where the client named one."""
    shows_thinking: bool = False
    """Did the client ask to see what the model thinks?"""
    user: str | None = None
    """The client's name for its own user."""
    extra: Mapping[str, Any] = {}
    """Every other field of the client's body, as it came."""
