"""Which model is asked next after a failure, and after what pause (TRUST A2, A3, A4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from math import ceil

from msgspec.structs import replace

from larouter.core.breaker import Breaker
from larouter.core.catalog import Model
from larouter.core.errors import (
    BadRequest,
    CannotCarry,
    ContextExceeded,
    LARouterError,
    Unavailable,
    UpstreamError,
    UpstreamRefused,
)
from larouter.core.route import Choice

_RETRIES = 2
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 8.0
_LONGEST_RETRY_AFTER_S = 30
# A provider's refusals after which another model may still answer: it has no such model any more,
# or it is busy.
_ANOTHER_MAY = frozenset({404, 429})


class Fallback:
    """Walks through a decision's choices. `choice` is whose turn it is; None: nobody's."""

    def __init__(
        self, choices: Iterable[Choice], breaker: Breaker, random: Callable[[], float]
    ) -> None:
        self._left = deque(choices)
        self._breaker = breaker
        self._random = random
        self._retries = 0
        self._degraded: str | None = None
        self._too_small = 0
        """The largest context that the prompt was too long for."""
        self.pause_s = 0.0
        self.rests_s = 0.0
        """How long the models that were passed over still rest, at least."""
        self.choice = self._next()

    def failed(self, error: LARouterError, *, left: bool = False) -> bool:
        """The call of `choice` failed before its first event. True: there is another `choice`, to
        be asked after `pause_s`; it may be the same model. Not for a client that has left, whose
        leave says nothing of the model."""
        assert self.choice is not None, "only a call can fail"
        if left:
            self.abandoned()
            return False
        model = self.choice.model
        if _is_providers_fault(error) and not model.is_local:
            self._breaker.failed(model.key)
        else:
            self._breaker.undecided(model.key)
        if self._may_retry(error) and not self._breaker.is_open(model.key):
            self.pause_s = error.retry_after_s or self._backoff()
            self._retries += 1
            return True
        if not _another_may(error):
            return False
        if _is_too_long(error):
            self._too_small = max(self._too_small, model.context or 0)
        self._degraded = _why_not(model, error)
        self._retries, self.pause_s = 0, 0.0
        self.choice = self._next()
        return self.choice is not None

    def abandoned(self) -> None:
        """The call of `choice` came to no end that says something about its model."""
        if self.choice is not None:
            self._breaker.undecided(self.choice.model.key)

    def resting(self, first: Model) -> Unavailable:
        """The refusal when every model that may answer has failed again and again (TRUST A3)."""
        seconds = max(1, ceil(self.rests_s))
        return Unavailable(
            f"{first.key} has failed several times in a row and is left alone for {seconds} s. "
            "Try again then, or ask for another model.",
            code="provider_resting",
            retry_after_s=seconds,
        )

    def _may_retry(self, error: LARouterError) -> bool:
        return (
            isinstance(error, UpstreamError)
            and error.retryable
            and self._retries < _RETRIES
            and (error.retry_after_s or 0) <= _LONGEST_RETRY_AFTER_S
        )

    def _backoff(self) -> float:
        longest: float = min(_FIRST_BACKOFF_S * 2**self._retries, _LONGEST_BACKOFF_S)
        return self._random() * longest

    def _is_meant(self, choice: Choice) -> bool:
        """A prompt that was too long goes to a model that holds more; a dearer one gets no
        other."""
        if self._too_small:
            return (choice.model.context or 0) > self._too_small
        return not choice.if_too_long

    def _next(self) -> Choice | None:
        while self._left:
            choice = self._left.popleft()
            if not self._is_meant(choice):
                continue
            rests_s = 0.0 if choice.model.is_local else self._breaker.wait_s(choice.model.key)
            if rests_s:
                self.rests_s = min(self.rests_s or rests_s, rests_s)
                self._degraded = "provider-down"
                continue
            return replace(choice, degraded=self._degraded) if self._degraded else choice
        return None


def _is_providers_fault(error: LARouterError) -> bool:
    """Does it say something about the provider, and not about the request or the key?"""
    return (
        isinstance(error, UpstreamError)
        and not (isinstance(error, UpstreamRefused) and not error.retryable)
        and error.status not in (401, 403)
    )


def _why_not(model: Model, error: LARouterError) -> str:
    """What the answer of the next model says about this one (`Choice.degraded`)."""
    if isinstance(error, CannotCarry):
        return "policy"
    if _is_too_long(error):
        return "context"
    return "engine-down" if model.is_local else "provider-down"


def _is_too_long(error: LARouterError) -> bool:
    return error.code == ContextExceeded.code


def _another_may(error: LARouterError) -> bool:
    if isinstance(error, CannotCarry) or _is_too_long(error):
        return True
    if isinstance(error, UpstreamRefused):
        return error.status in _ANOTHER_MAY
    return not isinstance(error, BadRequest)
