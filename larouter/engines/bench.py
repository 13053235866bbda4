"""Times an engine on prompts of a few lengths, one after the other, past everything else.

By the engine's own completion of tokens (llama.cpp's server): a prompt then has exactly as many as
it should, whatever the model's vocabulary.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from larouter.core.errors import EngineDown
from larouter.core.ports import Address

PROMPTS = (32, 256, 1_024)
OUTPUT = 32
_TIMEOUT_S = 600.0
_FIRST_TOKEN, _TOKENS = 300, 500
"""Ordinary words in every vocabulary that is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One prompt and its answer."""

    prompt_tokens: int
    output_tokens: int
    first_s: float
    total_s: float
    prompt_tokens_per_s: float
    tokens_per_s: float


def bench(address: Address, context: int | None) -> Iterator[Measure]:
    """The shortest prompt first; those for which the engine has no room are left out. Raises
    `EngineDown`."""
    for length in PROMPTS:
        if context is None or length + OUTPUT <= context:
            yield _measure(address, length)


def _measure(address: Address, length: int) -> Measure:
    # Another beginning for each length, so that nothing of one before is used again.
    prompt = [_FIRST_TOKEN + (length + 7 * number) % _TOKENS for number in range(length)]
    body = {
        "prompt": prompt,
        "n_predict": OUTPUT,
        "ignore_eos": True,
        "cache_prompt": False,
        "stream": True,
    }
    began = time.monotonic()
    try:
        times = [time.monotonic() - began for _ in _frames(address, body)]
    except (OSError, http.client.HTTPException) as error:
        raise EngineDown("The engine stopped while it was timed.") from error
    if len(times) < 3:
        raise EngineDown("The engine does not complete texts; perhaps it makes vectors of them.")
    # The last frame only says that it was the last.
    first_s, last_s, count = times[0], times[-2], len(times) - 1
    return Measure(
        prompt_tokens=length,
        output_tokens=count,
        first_s=first_s,
        total_s=times[-1],
        prompt_tokens_per_s=length / first_s if first_s > 0 else 0.0,
        tokens_per_s=(count - 1) / (last_s - first_s) if last_s > first_s else 0.0,
    )


def _frames(address: Address, body: dict[str, Any]) -> Iterator[bytes]:
    parts = urlsplit(address.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {address.key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/completion", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status == http.client.OK:
            for line in response:
                if line.startswith(b"data: {"):
                    yield line
    finally:
        connection.close()
