"""What a model costs: exact figures as the provider prints them, and which of them apply.

A request is priced as a whole: the length of its prompt picks the step, the time of the call picks
peak or off-peak hours, and the service multiplies. Money is rounded up once, at the end (TRUST B1).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from larouter.core.chat import Usage
from larouter.core.money import Nanodollars

FIGURES = (
    "input", "output", "cache_read", "cache_write", "cache_write_1h", "audio", "image",
)  # fmt: skip
STANDARD = frozenset({"", "auto", "default", "standard", "standard_only", "unspecified"})
"""What providers call the service that costs what the list says."""
_AUTO = "auto"
_BY_AUTO = frozenset({"flex", "priority", "scale"})
"""What an account may be set to, so that `auto` ends there."""
_PREFIX = "service_tier_"
_LONGEST_NAME = 40

_NUSD_PER_TOKEN = 1_000
"""One dollar per million tokens is 1,000 nano-dollars per token."""

_Exact = tuple[int, int, int, int, int, int, int, int]
"""Nano-dollars per token of each figure, as integers over a common denominator, and that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars per million tokens, as the provider prints them; `None` means unknown."""

    input: Decimal | None = None
    output: Decimal | None = None
    """Reasoning is output."""
    cache_read: Decimal | None = None
    """Where there is no figure, cached tokens cost what fresh ones do."""
    cache_write: Decimal | None = None
    """Kept briefly: 5 minutes at Anthropic, 30 at OpenAI."""
    cache_write_1h: Decimal | None = None
    """Kept for long: an hour at Anthropic, 12 at OpenAI."""
    audio: Decimal | None = None
    image: Decimal | None = None
    _exact: _Exact | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        # Worked out once: a price is asked at each request.
        object.__setattr__(self, "_exact", self._integers())

    @property
    def is_known(self) -> bool:
        return self._exact is not None

    def _integers(self) -> _Exact | None:
        if self.input is None or self.output is None:
            return None
        fresh = self.input
        write = fresh if self.cache_write is None else self.cache_write
        whole = (
            fresh,
            self.output,
            fresh if self.cache_read is None else self.cache_read,
            write,
            write if self.cache_write_1h is None else self.cache_write_1h,
            fresh if self.audio is None else self.audio,
            fresh if self.image is None else self.image,
        )
        rates = [Fraction(figure) * _NUSD_PER_TOKEN for figure in whole]
        unit = lcm(*(rate.denominator for rate in rates))
        a, b, c, d, e, f, g = (int(rate * unit) for rate in rates)
        return a, b, c, d, e, f, g, unit

    def _sum(self, usage: Usage, times: Fraction | None) -> Nanodollars | None:
        """What `usage` costs at these rates."""
        exact = self._exact
        if exact is None:
            return None
        fresh, output, read, write, write_1h, audio, image, unit = exact
        total = (
            fresh * usage.input
            + output * usage.output
            + read * usage.cache_read
            + write * usage.cache_write_5m
            + write_1h * usage.cache_write_1h
            + audio * usage.audio
            + image * usage.image
        )
        return _round_up(total, unit, times)

    def _most(self, prompt: int, output: int, times: Fraction | None) -> Nanodollars | None:
        """The most that so many tokens can cost at these rates, however they are made up."""
        exact = self._exact
        if exact is None:
            return None
        dearest = max(exact[0], *exact[2:7])
        return _round_up(dearest * prompt + exact[1] * output, exact[7], times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Rates):
    """The rates of a request whose prompt has more than `above` tokens, cached ones included.

    Without figures it says that such a request costs something else, and that nobody read what.
    """

    above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPeak(Rates):
    """The rates outside the peak hours. Holidays are not modelled: they count as working days."""

    peak: tuple[tuple[int, int], ...] = ()
    """Minutes of the UTC day, from the first to before the last."""
    days: frozenset[int] = frozenset(range(1, 6))
    """The weekdays that have peak hours, Monday is 1."""

    def covers(self, at: datetime.datetime) -> bool:
        now = at.astimezone(datetime.UTC)
        minute = now.hour * 60 + now.minute
        return now.isoweekday() not in self.days or not any(
            first <= minute < last for first, last in self.peak
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Rates):
    """What a model costs from one day to another; its own figures are those of the peak hours."""

    steps: tuple[Step, ...] = ()
    """By the length of the prompt, shortest first."""
    off_peak: OffPeak | None = None
    services: tuple[tuple[str, Decimal], ...] = ()
    """By how much every figure is multiplied: batch, flex, priority, fast …"""
    starts: datetime.date | None = None
    """The first day, in UTC, on which this price holds; None: it always did."""
    ends: datetime.date | None = None
    """The last day; None: no end was announced."""
    source: str = "unknown"
    date: str | None = None
    note: str = ""
    """What the figures leave out."""
    _free: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        Rates.__post_init__(self)  # super() does not know a class with slots in Python 3.11
        free = all(
            rates._exact is not None and not any(rates._exact[:-1])
            for rates in (self, *self._others())
        )
        object.__setattr__(self, "_free", free)

    @property
    def is_free(self) -> bool:
        return self._free

    def holds(self, day: datetime.date) -> bool:
        """Is this the price, or one of the prices, of that day?"""
        return (self.starts is None or self.starts <= day) and (
            self.ends is None or day <= self.ends
        )

    def cost(
        self, usage: Usage, *, at: datetime.datetime | None = None, service: str | None = None
    ) -> Nanodollars | None:
        """Return what `usage` costs, rounded up once (TRUST B1), or None for an unknown price.

        `at` is when the call began; without it the call is charged at peak hours. A service that
        has no multiplier here has an unknown price.
        """
        times = None
        if service is not None and service.lower() not in STANDARD:
            times = self._multiplier(service)
            if times is None:
                return None
        rates: Rates = self
        if self.steps:
            rates = self._step(usage.prompt)
        elif self.off_peak is not None and at is not None and self.off_peak.covers(at):
            rates = self.off_peak
        return rates._sum(usage, times)

    def serves(self, service: str) -> bool:
        """Is it known what this service costs?"""
        return service in STANDARD or self._multiplier(service) is not None

    def bound(
        self, input_tokens: int, output_tokens: int, *, service: str | None = None
    ) -> Nanodollars | None:
        """The most that a call of at most this size can cost (TRUST B5).

        That is whatever is cached, kept, spoken or shown, at any hour, and at the dearest step
        that the prompt can reach; `auto` at the dearest service in which it can end.
        """
        times: Fraction | None = None
        if service is not None and service.lower() == _AUTO:
            dearer = [Fraction(x) for name, x in self.services if name in _BY_AUTO]
            times = max([Fraction(1), *dearer])
        elif service is not None and service.lower() not in STANDARD:
            times = self._multiplier(service)
            if times is None:
                return None
        most = self._most(input_tokens, output_tokens, times)
        for rates in self._others():
            if isinstance(rates, Step) and rates.above >= input_tokens:
                continue
            other = rates._most(input_tokens, output_tokens, times)
            if most is None or other is None:
                return None
            most = max(most, other)
        return most

    def _step(self, prompt: int) -> Rates:
        found: Rates = self
        for step in self.steps:
            if prompt > step.above:
                found = step
        return found

    def _multiplier(self, service: str) -> Fraction | None:
        wanted = service.lower()
        return next((Fraction(times) for name, times in self.services if name == wanted), None)

    def _others(self) -> tuple[Rates, ...]:
        return self.steps if self.off_peak is None else (*self.steps, self.off_peak)


def service_name(said: Any) -> str | None:
    """A tier of service as a provider or a client names it; None: that is no name."""
    if not isinstance(said, str) or len(said) > _LONGEST_NAME:
        return None
    return said.lower().removeprefix(_PREFIX)


def _round_up(total: int, unit: int, times: Fraction | None) -> Nanodollars:
    if times is not None:
        total, unit = total * times.numerator, unit * times.denominator
    return -(-total // unit)


FREE = Price(input=Decimal(0), output=Decimal(0), source="runs on this machine")
UNKNOWN = Price()
