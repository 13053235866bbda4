"""Where models answer: a provider is a row here, and `http.py` is driven by it."""

from __future__ import annotations

from dataclasses import dataclass

from larouter.wire.road import Quirks

FOR_ALL = ("completions", "embeddings")
"""What OpenAI-compatible servers speak besides chat completions."""

COMPATIBLE = Quirks()
"""Any server that speaks OpenAI's dialect: unknown fields are its own to judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One provider: how it is called and what it speaks."""

    name: str
    title: str
    wire: str
    """openai or anthropic or gemini: which JSON format."""
    url: str | None = None
    """Its own address; None: there is none unless the user names one."""
    key_variable: str | None = None
    """Where its key comes from, for the message when there is none; None: it needs none."""
    quirks: Quirks = COMPATIBLE
    also: tuple[str, ...] = ()
    """Further formats that it speaks (`wire.dialects.WIRES`), for clients that speak them too."""

    @property
    def wires(self) -> tuple[str, ...]:
        """Every format that it speaks; what is translated is translated into the first."""
        return _WIRES_OF[self.wire] + self.also


_WIRES_OF = {"openai": ("chat",), "anthropic": ("anthropic",), "gemini": ("gemini",)}

_OPENAI_ONLY = frozenset(
    {"audio", "logit_bias", "metadata", "modalities", "n", "parallel_tool_calls", "prediction"}
    | {"prompt_cache_key", "prompt_cache_retention", "safety_identifier"}
    | {"seed", "service_tier", "store", "user", "verbosity", "web_search_options"}
)
_ENGINE_FIELDS = frozenset(
    {"chat_template_kwargs", "frequency_penalty", "logit_bias", "logprobs", "messages", "min_p"}
    | {"model", "n", "parallel_tool_calls", "presence_penalty", "reasoning_effort"}
    | {"repeat_penalty", "response_format", "seed", "stop", "stream", "stream_options"}
    | {"temperature", "tool_choice", "tools", "top_k", "top_logprobs", "top_p"}
)

ENGINE_QUIRKS = Quirks(only=_ENGINE_FIELDS, named_tool=False, fills=False)
"""Our own engine gets what it knows: others of its fields choose slots, caches and files."""

ENDPOINTS = (
    Endpoint(
        name="openai",
        title="OpenAI",
        wire="openai",
        url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        quirks=Quirks(
            max_output="max_completion_tokens",
            developer=True,
            strict=True,
            custom_tools=True,
            top_k=False,
        ),
        also=("responses", "completions", "embeddings"),
    ),
    Endpoint(
        name="anthropic",
        title="Anthropic",
        wire="anthropic",
        url="https://api.anthropic.com",
        key_variable="ANTHROPIC_API_KEY",
    ),
    Endpoint(
        name="google",
        title="Google Gemini",
        wire="gemini",
        url="https://generativelanguage.googleapis.com",
        key_variable="GOOGLE_API_KEY",
        also=("gemini-embeddings",),
    ),
    # Refuses the role developer and has no such fields: api-docs.deepseek.com, chat completion.
    Endpoint(
        name="deepseek",
        title="DeepSeek",
        wire="openai",
        url="https://api.deepseek.com",
        key_variable="DEEPSEEK_API_KEY",
        quirks=Quirks(
            never=_OPENAI_ONLY,
            thinking=True,
            json_schema=False,
            top_k=False,
            fill_path="beta/completions",
        ),
        also=("completions",),
    ),
    Endpoint(name="ollama", title="Ollama", wire="openai", also=FOR_ALL),
    Endpoint(
        name="llamacpp",
        title="llama.cpp",
        wire="openai",
        quirks=Quirks(fills=False),
        also=FOR_ALL,
    ),
    Endpoint(name="custom", title="Own server", wire="openai", also=FOR_ALL),
)
