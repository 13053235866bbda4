"""The one HTTP provider: sends a request over its line, and the answer along its road.

A provider's own 4xx reaches the client with its status and words; everything else that goes wrong
is ours to explain (TRUST A7). Provider keys go into the request's head and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from larouter.core.budget import Beyond
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.errors import UpstreamError, UpstreamRefused
from larouter.core.ports import Leaving
from larouter.core.turns import Turns
from larouter.providers.beyond import billed_tool, restored
from larouter.providers.line import Exchange, HttpReply, Later, Line, estimated_tokens
from larouter.providers.pool import Pool
from larouter.providers.refusals import KEY_REFUSED
from larouter.providers.roads import (
    KEY_HEADERS,
    call_of,
    count_at,
    read_counted,
    road_to,
    wire_for,
)
from larouter.wire.road import Quirks

_GRACE_S = 30
"""How long an answer may still come whose client left (TRUST B8)."""

logger = logging.getLogger(__name__)

_NOT_EVERYWHERE = frozenset({"responses", "completions"})
"""Formats that a server may lack although it stands in for one that has them."""


class HttpProvider:
    """A `Provider` over HTTP, in whatever format its row says."""

    def __init__(
        self,
        *,
        name: str,
        url: str | None,
        key: str | None,
        needs_key: bool,
        wires: tuple[str, ...],
        quirks: Quirks,
        pool: Pool,
        later: Later,
        turns: Turns,
    ) -> None:
        self._name = name
        self._key = key
        self._needs_key = needs_key
        self._line = Line(url, key, KEY_HEADERS.get(wires[0]), pool, later) if url else None
        self._wires = wires
        self._lacks: set[tuple[str, str]] = set()
        """Formats that the provider turned out not to speak for a model."""
        self._quirks = quirks
        self._turns = turns
        self.key_refused = False
        """Has the provider refused the key, and not taken it since (TRUST A7)?"""

    def missing(self, model: Model) -> str | None:
        if self._line is None:
            return "no-address"
        return "no-key" if self._needs_key and not self._key else None

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> HttpReply:
        assert self._line is not None, "a decision names only providers that are not missing"
        spoken = tuple(wire for wire in self._wires if (wire, model.name) not in self._lacks)
        wire = wire_for(request, model, spoken, self._quirks)
        with self._watched_key():
            try:
                return self._call(model, request, wire, leaving)
            except UpstreamRefused as error:
                if wire not in _NOT_EVERYWHERE or not _is_about_the_path(error):
                    raise
            reply = self._call(model, request, spoken[0], leaving)
            # Not every server that stands in for OpenAI has its Responses API, and most models have
            # no plain completions: it has said so, for the model is there.
            self._lacks.add((wire, model.name))
            return reply

    def _call(self, model: Model, request: ChatRequest, wire: str, leaving: Leaving) -> HttpReply:
        assert self._line is not None, "a decision names only providers that are not missing"
        call = call_of(model, request, self._quirks, self._turns)
        sending, road = road_to(call, request, self._wires, wire, self._turns)
        exchange = Exchange(model, request, road, self._turns, wire)
        return self._line.send(sending, exchange, leaving, grace_s=_GRACE_S)

    def beyond(self, model: Model, request: ChatRequest) -> Beyond:
        wire = wire_for(request, model, self._wires, self._quirks)
        return Beyond(
            restored(request, self._turns), billed_tool(request, wire), wire != request.dialect
        )

    def count_tokens(self, model: Model, request: ChatRequest) -> int:
        """As the provider counts them, which costs nothing; where it does not, an estimate."""
        assert self._line is not None, "a decision names only providers that are not missing"
        sending = count_at(model, request, self._wires[0], self._turns)
        if sending is None:
            return estimated_tokens(request)
        with self._watched_key():
            return read_counted(self._wires[0], self._line.ask(sending))

    @contextmanager
    def _watched_key(self) -> Iterator[None]:
        """Learn from a call whether the key is any good."""
        try:
            yield
        except UpstreamError as error:
            if error.code == KEY_REFUSED and not self.key_refused:
                self.key_refused = True
                logger.warning("%s refused its key; check it: larouter keys check", self._name)
            raise
        self.key_refused = False


def _is_about_the_path(error: UpstreamRefused) -> bool:
    """Is it the path that is not there, and not a model or something that the request names? OpenAI
    blames the `model` when it is one of chats alone, but then without the code of a missing one."""
    blamed = error.param in (None, "model")
    return error.status == 404 and blamed and error.code != "model_not_found"
