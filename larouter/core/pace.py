"""How fast each model answers, as measured here: to predict "in 2 s" or "in 45 s".

Everything is learnt from answers that ended well. Recent ones count more (exponentially weighted
averages), so a machine that gets busy, or a provider that slows down, is noticed within a few
answers. Nothing is guessed: a model of which nothing was measured has no forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from msgspec import DecodeError, Struct, ValidationError, json, structs

from larouter.core.catalog import Model

_WEIGHT = 0.2
"""Of the newest measurement: the last ten answers make up nine tenths of an average."""
_BLUR_TOKENS2 = 200.0**2
"""Added to the variance of the prompts' lengths: prompts of about one length say nothing of what
a longer one costs, and then no cost is made up."""
_SLOTS = 8
"""Requests that a local engine works on at once; those beyond wait for a round to end."""
_PROMPTS = (100, 1_000, 8_000)
"""Lengths of prompts for which the time to the first token is told."""
_MOST_MODELS = 1_000
"""Clients may name any model of a provider; what was measured first is forgotten first."""


class Forecast(Struct, frozen=True):
    """What an answer is expected to take, in seconds from now."""

    first_s: float
    """To its first token, loading and waiting included; as `total_s` where no stream was seen."""
    total_s: float
    """To its last."""
    hot: bool
    """The model need not be loaded."""


class Timing(Struct, frozen=True):
    """What was measured of a model, for people. None: that was not seen yet."""

    answers: int
    """Streams that began; older ones count less and less."""
    tokens_per_s: float | None
    """Of an answer that is being written."""
    first_s: dict[int, float]
    """To the first token, by the length of the prompt; empty: no stream was seen."""
    load_s: float | None
    """Until a model that is not in memory is there."""


class _Measured(Struct):
    """The averages of one model. The time to the first token is a straight line over the length of
    the prompt, fitted to weighted averages: a start that is always paid, and so much a token."""

    count: int = 0
    prompt: float = 0.0
    prompt2: float = 0.0
    first: float = 0.0
    prompt_first: float = 0.0
    output: float | None = None
    """Seconds for each token of the answer."""
    load: float | None = None
    """Seconds until a cold model is there."""
    whole: float | None = None
    """Seconds that a whole answer takes of a model that is there: a queue's step."""

    @property
    def is_sound(self) -> bool:
        numbers = [value for value in structs.astuple(self) if value is not None]
        return all(isfinite(number) and number >= 0 for number in numbers)

    def see_first(self, prompt: float, first_s: float) -> None:
        self.count += 1
        weight = max(_WEIGHT, 1 / self.count)
        self.prompt += weight * (prompt - self.prompt)
        self.prompt2 += weight * (prompt * prompt - self.prompt2)
        self.first += weight * (first_s - self.first)
        self.prompt_first += weight * (prompt * first_s - self.prompt_first)

    def first_s(self, prompt: float) -> float:
        """Of a model that is there; 0.0 when that was never seen."""
        spread = self.prompt2 - self.prompt * self.prompt + _BLUR_TOKENS2
        slope = max(0.0, (self.prompt_first - self.prompt * self.first) / spread)
        return max(0.0, self.first + slope * (prompt - self.prompt))


class Pace:
    """Fed by the gateway with each answer, asked by routing. In memory: whoever keeps it for a
    restart takes the `changes` and gives them back to `remember`."""

    def __init__(self, is_hot: Callable[[Model], bool] = lambda model: True) -> None:
        self._is_hot = is_hot
        self._measured: dict[str, _Measured] = {}
        self._under_way: dict[str, int] = {}
        self._changed: set[str] = set()

    def begin(self, model: Model) -> bool:
        """A call is sent. Return whether the model was cold; `end` must follow."""
        key = model.key
        self._under_way[key] = self._under_way.get(key, 0) + 1
        return model.is_local and not self._is_hot(model)

    def end(self, model: Model) -> None:
        """The call of `begin` is over, however it went."""
        key = model.key
        left = self._under_way[key] - 1
        if left:
            self._under_way[key] = left
        else:
            del self._under_way[key]

    def under_way(self, model: Model) -> int:
        """How many calls of the model are being answered."""
        return self._under_way.get(model.key, 0)

    def learn(
        self,
        model: Model,
        *,
        prompt_tokens: int,
        output_tokens: int,
        first_s: float,
        total_s: float,
        was_cold: bool = False,
        streamed: bool = True,
    ) -> None:
        """An answer ended well: what it took from its sending, to the first byte and to the last.

        One that was not streamed comes all at once, so its first byte says nothing.
        """
        seen = self._of(model.key)
        self._changed.add(model.key)
        expected_s = seen.first_s(prompt_tokens)
        if streamed:
            spoken_s = total_s - first_s
            if was_cold:
                seen.load = _average(seen.load, max(0.0, first_s - expected_s))
            else:
                seen.see_first(prompt_tokens, first_s)
        elif was_cold:
            return  # its loading cannot be told from its answering
        else:
            spoken_s = total_s - expected_s
        if not was_cold:
            seen.whole = _average(seen.whole, total_s)
        if output_tokens:
            seen.output = _average(seen.output, max(0.0, spoken_s) / output_tokens)

    def forecast(self, model: Model, prompt_tokens: int, output_tokens: int) -> Forecast | None:
        """What a call sent now would take, by the state of the model and its queue."""
        if model.key not in self._measured:
            return None
        queued = self.under_way(model) if model.is_local else 0
        hot = not model.is_local or self._is_hot(model)
        return self.predict(model, prompt_tokens, output_tokens, hot=hot, queued=queued)

    def predict(
        self, model: Model, prompt_tokens: int, output_tokens: int, *, hot: bool, queued: int = 0
    ) -> Forecast | None:
        """What a call would take in such a state; None: that was not measured yet."""
        seen = self._measured.get(model.key)
        if seen is None or seen.output is None:
            return None
        load_s = 0.0 if hot else seen.load
        if load_s is None:
            return None
        waits_s = queued // _SLOTS * (seen.whole or 0.0)
        first_s = load_s + waits_s + seen.first_s(prompt_tokens)
        total_s = first_s + seen.output * output_tokens
        return Forecast(first_s if seen.count else total_s, total_s, hot)

    def timing(self, key: str) -> Timing | None:
        """Of a model, by its `provider/model`; None: nothing was measured."""
        seen = self._measured.get(key)
        if seen is None:
            return None
        return Timing(
            answers=seen.count,
            tokens_per_s=1 / seen.output if seen.output else None,
            first_s={length: seen.first_s(length) for length in _PROMPTS} if seen.count else {},
            load_s=seen.load,
        )

    def changes(self) -> dict[str, str]:
        """What was learnt since this was asked last: JSON, by model."""
        changed, self._changed = self._changed, set()
        known = {key: self._measured.get(key) for key in changed}
        return {key: json.encode(seen).decode() for key, seen in known.items() if seen is not None}

    def remember(self, key: str, numbers: str) -> None:
        """What `changes` said before a restart. Anything else is passed over."""
        try:
            seen = json.decode(numbers, type=_Measured)
        except (DecodeError, ValidationError):
            return
        if seen.is_sound and key not in self._measured and len(self._measured) < _MOST_MODELS:
            self._measured[key] = seen

    def _of(self, key: str) -> _Measured:
        seen = self._measured.get(key)
        if seen is None:
            if len(self._measured) >= _MOST_MODELS:
                del self._measured[next(iter(self._measured))]
            seen = self._measured[key] = _Measured()
        return seen


def _average(so_far: float | None, newest: float) -> float:
    return newest if so_far is None else so_far + _WEIGHT * (newest - so_far)
