"""What a change of models costs: providers keep the beginning of a prompt, and read it cheaper."""

from __future__ import annotations

from typing import NamedTuple

from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversations import Seen
from larouter.routing.situation import Case


class Cache(NamedTuple):
    """How long a provider keeps a prompt after its last use, and which ones are too short."""

    seconds: int
    least_tokens: int
    marked: bool = False
    """Only what the client has marked is kept."""


CACHES = {
    # 5 minutes unless an hour is asked for; from 512 to 4,096 tokens, by model:
    # platform.claude.com/docs/en/build-with-claude/prompt-caching, as read 2026-11-23.
    "anthropic": Cache(300, 1_024, marked=True),
    # At least 30 minutes since GPT-5.6; from 1,024 tokens:
    # developers.openai.com/api/docs/guides/prompt-caching, as read 2026-11-23.
    "openai": Cache(1_800, 1_024),
    # "A short amount of time", taken to be as short as the shortest; from 4,096 tokens:
    # ai.google.dev/gemini-api/docs/caching, the copy of 2026-10-13.
    "google": Cache(300, 4_096),
    # Kept on disks; how long is not promised, hours by experience. An hour is relied on:
    # api-docs.deepseek.com/guides/kv_cache, as read 2026-11-23.
    "deepseek": Cache(3_600, 64),
}
"""By provider. Others have not said that they keep anything."""


class Switch(NamedTuple):
    """What one answer costs either way, in nano-dollars."""

    staying: Nanodollars
    switching: Nanodollars
    lost: Nanodollars
    """What the way back costs: the history is read anew and kept anew."""

    @property
    def saved(self) -> Nanodollars:
        return self.staying - self.switching

    @property
    def pays(self) -> bool:
        return self.saved > self.lost


def kept_tokens(seen: Seen, model: Model, case: Case) -> int:
    """How many tokens of the prompt `model`, who answered last, most likely has in its cache."""
    cache = CACHES.get(model.provider)
    if cache is None or seen.prompt_tokens < cache.least_tokens:
        return 0
    memory = case.situation.memory
    assert memory is not None, "somebody remembers what was seen"
    if memory.age_s(seen) >= cache.seconds:
        return 0
    return 0 if cache.marked and not _is_marked(case.request) else seen.prompt_tokens


def switch(old: Model, new: Model, *, kept: int, prompt: int, output: int) -> Switch | None:
    """Compare an answer of `old`, which has `kept` tokens in its cache, with one of `new`.

    All sizes are tokens. None where a price is unknown: then nobody can say that it pays.
    """
    read = min(kept, prompt)
    staying = old.price.cost(Usage(input=prompt - read, cache_read=read, output=output))
    switching = new.price.cost(Usage(input=prompt, output=output))
    again = old.price.cost(Usage(cache_write_5m=read))
    cached = old.price.cost(Usage(cache_read=read))
    if staying is None or switching is None or again is None or cached is None:
        return None
    return Switch(staying, switching, again - cached)


def _is_marked(request: ChatRequest) -> bool:
    """Did a client of Anthropic's format ask for its prompt to be kept? Those that do mark its
    instructions, its tools or the whole request."""
    body = request.body
    if request.dialect != "anthropic":
        return False
    lists = (body.get("system"), body.get("tools"))
    places = [body, *(item for given in lists if type(given) is list for item in given)]
    return any("cache_control" in place for place in places)
