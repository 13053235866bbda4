"""The provider of this machine: the ordinary HTTP road to a process that a `Runner` keeps."""

from __future__ import annotations

from larouter.core.budget import Beyond
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.errors import EngineDown, UpstreamError, UpstreamRefused, UpstreamTimeout
from larouter.core.ports import Address, Leaving, Runner
from larouter.core.turns import Turns
from larouter.providers import ENGINE_QUIRKS
from larouter.providers.beyond import restored
from larouter.providers.line import Exchange, HttpReply, Later, Line, estimated_tokens
from larouter.providers.pool import Pool
from larouter.providers.roads import call_of, road_to, wire_for
from larouter.wire.road import Sending

_WIRES = ("chat", "completions")


class LocalProvider:
    """A `Provider` over a `Runner`: free, and cancelled at once when the client leaves."""

    def __init__(self, runner: Runner, pool: Pool, later: Later, turns: Turns) -> None:
        self._runner = runner
        self._pool = pool
        self._later = later
        self._turns = turns
        self._lines: dict[str, tuple[Address, Line]] = {}

    def missing(self, model: Model) -> str | None:
        if not self._runner.has(model):
            return "not-downloaded"
        return "engine-down" if self._runner.state(model) == "quarantined" else None

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> HttpReply:
        wire = wire_for(request, model, _WIRES)
        call = call_of(model, request, ENGINE_QUIRKS, self._turns, name=model.id)
        sending, road = road_to(call, request, _WIRES, wire, self._turns)
        exchange = Exchange(model, request, road, self._turns, wire)
        try:
            return self._send(model, sending, exchange, leaving)
        except UpstreamRefused:
            raise
        except UpstreamTimeout:
            # It lives but does not move: only a new one will.
            self._runner.report_failure(model)
            raise
        except UpstreamError as error:
            # Whatever breaks on this machine is ours: the engine is restarted for the next one.
            raise EngineDown(
                f"The local model stopped before it could answer ({error.message}) "
                "It is being restarted: try again.",
                retry_after_s=1,
            ) from error

    def beyond(self, model: Model, request: ChatRequest) -> Beyond:
        return Beyond(restored(request, self._turns))

    def count_tokens(self, model: Model, request: ChatRequest) -> int:
        return estimated_tokens(request)

    def _send(
        self, model: Model, sending: Sending, exchange: Exchange, leaving: Leaving
    ) -> HttpReply:
        try:
            return self._line(model, leaving).send(sending, exchange, leaving, grace_s=0)
        except UpstreamRefused:
            raise
        except UpstreamError as error:
            if error.code != "upstream_unreachable" or leaving.fired:
                raise
        # Nobody was there: the process has just died and its address is an old one.
        self._runner.report_failure(model)
        return self._line(model, leaving).send(sending, exchange, leaving, grace_s=0)

    def _line(self, model: Model, leaving: Leaving) -> Line:
        address = self._runner.ensure_ready(model, leaving)
        known = self._lines.get(model.id)
        if known is None or known[0] != address:
            line = Line(
                address.url, address.key, None, self._pool, self._later, reuse_after_stream=False
            )
            known = self._lines[model.id] = (address, line)
        return known[1]
