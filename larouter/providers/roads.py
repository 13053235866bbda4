"""Which road a call takes: the client's own format where the provider speaks it, else another."""

from __future__ import annotations

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.turns import Turns
from larouter.wire import anthropic, embeddings, gemini
from larouter.wire.anthropic import count as anthropic_count
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.gemini import count as gemini_count
from larouter.wire.road import Call, Quirks, Road, Sending, open_road

KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
"""Where a provider wants its key, by its format; the others take a bearer."""


_NO_QUIRKS = Quirks()


def wire_for(
    request: ChatRequest, model: Model, wires: tuple[str, ...], quirks: Quirks = _NO_QUIRKS
) -> str:
    """The client's own format if the provider speaks it, else the provider's first.

    Some models take tools through the Responses API only (`tools_in_chat` in what they refuse)."""
    dialect = request.dialect
    if dialect == "completions" and quirks.fill_path and not request.body.get("suffix"):
        return wires[0]
    if "tools_in_chat" in model.refuses and "tools" in request.needs and "responses" in wires:
        return "responses"
    return dialect if dialect in wires else wires[0]


def road_to(
    call: Call, request: ChatRequest, wires: tuple[str, ...], wire: str, turns: Turns
) -> tuple[Sending, Road]:
    """The request as the provider wants it, and the road of its answer. Raises `CannotCarry`."""
    if request.dialect in embeddings.DIALECTS:
        return embeddings.road(request, call, embeddings.wire_among(request, wires))
    return open_road(request, call, DIALECTS[request.dialect], WIRES[wire], turns)


def call_of(
    model: Model, request: ChatRequest, quirks: Quirks, turns: Turns, *, name: str | None = None
) -> Call:
    """`name`: what the provider calls the model, if not by the catalogue's name."""
    return Call(
        name=name or model.name,
        stream=request.stream,
        quirks=quirks,
        max_output=model.max_output,
        refuses=model.refuses,
        recall=lambda call_id: turns.thinking(request.project, call_id),
    )


def count_at(model: Model, request: ChatRequest, wire: str, turns: Turns) -> Sending | None:
    """The question how many tokens a request has; None where nobody can be asked."""
    call = call_of(model, request, Quirks(), turns)
    if wire == request.dialect == anthropic.WIRE.name:
        return anthropic_count.pass_count_on(request, call)
    if wire == request.dialect == gemini.WIRE.name:
        return gemini_count.pass_count_on(request, call)
    if wire == gemini.WIRE.name:
        asked = DIALECTS[request.dialect].conversation(request)
        return gemini_count.write_count(turns.restore(request.project, asked), call)
    return None


def read_counted(wire: str, body: bytes) -> int:
    """The answer to it."""
    read = anthropic_count.read_count if wire == anthropic.WIRE.name else gemini_count.read_counted
    return read(body)
