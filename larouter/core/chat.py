"""What a client asks and what a model spends: the nouns that every wire format maps to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from larouter.core.policy import DEFAULT_POLICY, Policy


class Message(NamedTuple):
    """One turn: its role and its text (text parts joined). A NamedTuple: one a turn, so cheap."""

    role: str
    text: str


class ChatRequest(Struct, frozen=True, kw_only=True):
    """A validated request in any dialect. `body` is the client's JSON object, never changed in
    place. Only what routing and accounting need is read here; a request that must be translated
    is read whole into a `Conversation` (core/conversation.py)."""

    model: str
    """`auto`, a tier, a catalogue id, or `provider/model`."""
    messages: tuple[Message, ...]
    body: Mapping[str, Any]
    size: int
    """Bytes of the JSON as it came, media counted flat: an upper bound for the text's tokens."""
    max_output: int | None = None
    n: int = 1
    stream: bool = False
    wants_usage: bool = False
    """`stream_options.include_usage`: a stream ends with a usage chunk."""
    needs: frozenset[str] = frozenset()
    """Abilities that a model must have: tools, json_schema, images, audio, files, logprobs."""
    tier: str | None = None
    """`x-larouter-tier`: the tier that the client insists on."""
    rid: str | None = None
    """The client's own `X-Request-Id`."""
    dialect: str = "chat"
    """What the client speaks: a row of `wire.DIALECTS`."""
    project: str = ""
    """The id of the project that asks."""
    answers: tuple[str, ...] = ()
    """The ids of the tool calls whose results end the conversation."""
    headers: Mapping[str, str] = {}
    """The client's headers that may go to a provider of its own dialect (`anthropic-beta` …),
    names in lower case."""
    unknown_model: str | None = None
    """What the project wants done with a name that nobody knows: auto, reject, or None: as the
    setting says."""
    policy: Policy = DEFAULT_POLICY
    """What the project wants of the router."""
    bias: float = 0.0
    """What the project's feedback has taught: added to the log-odds of `need_strong`."""
    over_budget: bool = False
    """No budget of the project pays for it any more: it may only be answered for nothing."""
    session: str | None = None
    """The conversation as the client names it (`x-session-id` …); None: it does not say."""
    keep: Callable[[dict[str, Any]], None] | None = None
    """Called with a stream's whole answer before its last byte leaves (Responses that are stored);
    a door that has the whole answer in its hands saves it itself."""


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens in disjoint buckets (TRUST B6): their sum is all that was processed."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    """Reasoning included."""
    reasoning: int = 0
    """How many of `output` were thought and not said; counted once, in `output`."""
    audio: int = 0
    image: int = 0
    service: str | None = None
    """The tier of service in which the provider says that it answered; None: it does not say."""

    @property
    def prompt(self) -> int:
        """Every token of the prompt, as OpenAI counts `prompt_tokens`."""
        return (
            self.input
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.audio
            + self.image
        )
