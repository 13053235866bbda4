"""Asks a local engine for one word and how likely each is: the `Asker` of the judge.

It uses the engine's own fields beside OpenAI's (llama.cpp's server). A grammar leaves only the
words. `post_sampling_probs` gives their probabilities as they were drawn from, and the only sampler
is a temperature of 1, which changes none of them (at 0 they would be 1 and nought). The grammar
alone would not do: the engine first draws without it, and where that draw fits, the words stand
among all other tokens; so all words are lifted above those by the same. Thinking is switched off,
as its first token would not be the answer. Which word is drawn does not matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from math import log

import msgspec
from msgspec import Struct

from larouter.core.catalog import Catalog, Model
from larouter.core.errors import UpstreamError
from larouter.core.ports import Address, Runner
from larouter.providers.line import Later, Line
from larouter.providers.pool import Pool
from larouter.wire.road import Sending

logger = logging.getLogger(__name__)

_WARMING_S = 60.0
"""For reading the prefix the first time: no request waits for that."""
_LIFT = 100.0
"""Log-odds: e^100 to 1 against everything else."""
_LEAST = 1e-4
"""A word that rounds to nought."""


class _Token(Struct):
    token: str
    prob: float


class _Place(Struct):
    top_probs: list[_Token]


class _Logprobs(Struct):
    content: list[_Place]


class _Choice(Struct):
    logprobs: _Logprobs


class _Answer(Struct):
    choices: list[_Choice]


class LocalAsker:
    """An `Asker` over a `Runner`, of the models with these names, in their order.

    A model is asked only when it has nothing else to do: no request (`under_way`), no other
    question, and not the prefix, which it reads first after each start.
    """

    def __init__(
        self,
        runner: Runner,
        pool: Pool,
        later: Later,
        *,
        catalog: Callable[[], Catalog],
        names: Sequence[str],
        under_way: Callable[[Model], int],
    ) -> None:
        self._runner = runner
        self._pool = pool
        self._later = later
        self._catalog = catalog
        self._names = names
        self._under_way = under_way
        self._lines: dict[str, tuple[Address, Line]] = {}
        self._busy: set[str] = set()

    def loaded(self) -> Sequence[Model]:
        models = self._catalog().models
        listed = (models[name] for name in self._names if name in models)
        return [
            model for model in listed if model.is_local and self._runner.running(model) is not None
        ]

    def ask(
        self, model: Model, prefix: str, question: str, words: Sequence[str], deadline_s: float
    ) -> Mapping[str, float] | None:
        address = self._runner.running(model)
        if address is None or model.id in self._busy or self._under_way(model):
            return None
        known = self._lines.get(model.id)
        if known is None or known[0] != address:
            # A process that is new has not read the prefix, which takes longer than the deadline.
            self._warm(model, address, _sending(model, prefix, "", words))
            return None
        return self._ask(
            model, known[1], _sending(model, prefix, question, words), words, deadline_s
        )

    def _ask(
        self, model: Model, line: Line, sending: Sending, words: Sequence[str], deadline_s: float
    ) -> Mapping[str, float]:
        self._busy.add(model.id)
        try:
            return _log_probabilities(line.ask(sending, deadline_s), words)
        finally:
            self._busy.discard(model.id)

    def _warm(self, model: Model, address: Address, sending: Sending) -> None:
        """Let the engine read the prefix, beside whoever asked."""
        line = Line(address.url, address.key, None, self._pool, self._later)
        self._busy.add(model.id)

        def read() -> None:
            try:
                line.ask(sending, _WARMING_S)
            except UpstreamError as error:
                # The next question finds out whether it is any better, under the judge's breaker.
                logger.debug("%s did not read the judge's prefix: %s", model.id, error.code)
            finally:
                self._lines[model.id] = (address, line)
                self._busy.discard(model.id)

        self._later(0.0, read)


def _sending(model: Model, prefix: str, question: str, words: Sequence[str]) -> Sending:
    body = {
        "model": model.name,
        "messages": [
            {"role": "system", "content": prefix},
            {"role": "user", "content": question},
        ],
        "max_tokens": 1,
        "temperature": 1,
        "samplers": ["temperature"],
        "grammar": "root ::= " + " | ".join(f'"{word}"' for word in words),
        "logit_bias": [(word, _LIFT) for word in words],
        "logprobs": True,
        "top_logprobs": len(words),
        "post_sampling_probs": True,
        "cache_prompt": True,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    return Sending("chat/completions", msgspec.json.encode(body))


def _log_probabilities(answer: bytes, words: Sequence[str]) -> Mapping[str, float]:
    """Of each word among these words alone."""
    try:
        places = msgspec.json.decode(answer, type=_Answer).choices[0].logprobs.content
        seen = [(row.token.strip(), row.prob) for row in places[0].top_probs]
    except (msgspec.DecodeError, IndexError) as error:
        raise UpstreamError("The engine does not say how likely its words are.") from error
    chances = {word: sum(prob for token, prob in seen if token == word) for word in words}
    total = sum(chances.values())
    if total <= 0:
        raise UpstreamError("The engine's answer is none of the words.")
    return {word: log(max(chance / total, _LEAST)) for word, chance in chances.items()}
