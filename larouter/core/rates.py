"""How much a project asks at once and asked in the last minute, and whether it may ask more.

A rolling minute, kept in memory: what a project may do at once is no promise about money, and a
restart forgives it. Tokens are estimated when a request comes and corrected when it has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import accumulate
from math import ceil
from typing import NamedTuple

from larouter.core.errors import TooManyRequests
from larouter.core.policy import Policy

MINUTE_S = 60.0
PER_PROJECT = 128
"""Requests that one project may have in flight (TRUST A5); the listener limits them all."""
BYTES_PER_TOKEN = 4
"""Of a request, to guess its tokens by."""


class Standing(NamedTuple):
    """One limit as it stands now."""

    limit: int
    left: int
    reset_s: float
    """Until nothing of the limit is used any more, if nothing more is asked."""


class Asked:
    """One request of the last minute."""

    __slots__ = ("_minute", "at", "tokens")

    def __init__(self, minute: Minute, at: float, tokens: int) -> None:
        self._minute = minute
        self.at = at
        self.tokens = tokens

    def took(self, tokens: int) -> None:
        """What it took in truth, prompt and answer."""
        self._minute.correct(self, tokens)

    def standing(self, policy: Policy) -> tuple[Standing | None, Standing | None]:
        """Of requests and of tokens; None: there is no such limit."""
        return self._minute.standing(policy)


class Minute:
    """The last minute of one project."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: deque[Asked] = deque()
        self._tokens = 0

    def ask(self, policy: Policy, tokens: int) -> Asked:
        """Raises `TooManyRequests`: then nothing is counted."""
        refusal = self.refusal(policy, tokens)
        if refusal is not None:
            raise refusal
        asked = Asked(self, self._clock(), tokens)
        self._asked.append(asked)
        self._tokens += tokens
        return asked

    def refusal(self, policy: Policy, tokens: int) -> TooManyRequests | None:
        """Why so many tokens may not be asked now; None: they may."""
        now = self._forget()
        most = policy.requests_per_minute
        if most is not None and len(self._asked) >= most:
            return _too_many(f"{most} requests", self._asked[len(self._asked) - most].at, now)
        most = policy.tokens_per_minute
        if most is None or self._tokens + tokens <= most:
            return None
        if tokens > most:
            return TooManyRequests(
                f"This request has about {tokens} tokens, and the project may ask {most} a "
                "minute. Shorten it, or raise the limit: larouter projects policy NAME "
                "--tokens-per-minute N.",
            )
        return _too_many(f"{most} tokens", self._room_at(self._tokens + tokens - most), now)

    def correct(self, asked: Asked, tokens: int) -> None:
        self._forget()
        if self._asked and asked.at >= self._asked[0].at:
            self._tokens += tokens - asked.tokens
            asked.tokens = tokens

    def standing(self, policy: Policy) -> tuple[Standing | None, Standing | None]:
        now = self._forget()
        reset_s = self._asked[-1].at + MINUTE_S - now if self._asked else 0.0
        return (
            _standing(policy.requests_per_minute, len(self._asked), reset_s),
            _standing(policy.tokens_per_minute, self._tokens, reset_s),
        )

    def _forget(self) -> float:
        now = self._clock()
        while self._asked and self._asked[0].at <= now - MINUTE_S:
            self._tokens -= self._asked.popleft().tokens
        return now

    def _room_at(self, tokens: int) -> float:
        """When the request was asked with whose end so many tokens are free again."""
        freed = accumulate(asked.tokens for asked in self._asked)
        return next(
            asked.at for asked, total in zip(self._asked, freed, strict=True) if total >= tokens
        )


class Rates:
    """The minutes of those projects that have a limit."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds and never goes back."""
        self._clock = clock
        self._minutes: dict[str, Minute] = {}

    def ask(self, project_id: str, policy: Policy, tokens: int) -> Asked | None:
        """Count a request of about so many tokens; None: the project has no limit.

        Raises `TooManyRequests`.
        """
        minute = self._minute(project_id, policy)
        return None if minute is None else minute.ask(policy, tokens)

    def refusal(self, project_id: str, policy: Policy, tokens: int) -> TooManyRequests | None:
        """What `ask` would raise now; nothing is counted."""
        minute = self._minute(project_id, policy)
        return None if minute is None else minute.refusal(policy, tokens)

    def _minute(self, project_id: str, policy: Policy) -> Minute | None:
        if policy.requests_per_minute is None and policy.tokens_per_minute is None:
            return None
        minute = self._minutes.get(project_id)
        if minute is None:
            minute = self._minutes[project_id] = Minute(self._clock)
        return minute


def crowd(in_flight: int, policy: Policy) -> TooManyRequests | None:
    """Why a project with so many requests in flight gets no further one; None: it does."""
    most = min(policy.parallel or PER_PROJECT, PER_PROJECT)
    if in_flight < most:
        return None
    return TooManyRequests(
        f"This project has {most} requests in flight; wait for one to end.",
        code="too_many_in_flight",
        retry_after_s=1,
    )


def _standing(limit: int | None, used: int, reset_s: float) -> Standing | None:
    return None if limit is None else Standing(limit, max(0, limit - used), max(0.0, reset_s))


def _too_many(what: str, blocking: float, now: float) -> TooManyRequests:
    seconds = max(1, ceil(blocking + MINUTE_S - now))
    return TooManyRequests(
        f"This project may ask {what} a minute, and has. Ask again in {seconds} s.",
        retry_after_s=seconds,
    )
