"""OpenAI's Responses: answer, keep, read again, forget, compact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request
from msgspec.structs import replace

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.chat import ChatRequest
from larouter.core.errors import (
    BadRequest,
    LARouterError,
    MethodNotAllowed,
    NotFound,
    UpstreamError,
)
from larouter.routing import AUTO
from larouter.store.responses import Responses as Store
from larouter.web.auth import Auth
from larouter.web.calls import answered, completed, read_body, respond
from larouter.web.once import once
from larouter.web.replies import json_response
from larouter.wire.responses import compaction
from larouter.wire.responses.request import (
    Item,
    Past,
    listed,
    previous_not_found,
    read_request,
)
from larouter.wire.strict_json import encode

_MOST_ITEMS = 100
_USUAL_ITEMS = 20


class WebSocketUnsupported(LARouterError):
    status = 501
    code = "websocket_unsupported"
    type = "invalid_request_error"


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route below `/v1/responses`."""
    routes = Blueprint("responses", __name__)
    view = Responses(services, auth)
    routes.post("/v1/responses")(view.create)
    routes.get("/v1/responses")(view.upgrade)
    routes.post("/v1/responses/compact")(view.compact)
    routes.post("/v1/responses/input_tokens")(view.input_tokens)
    routes.get("/v1/responses/<id>")(view.retrieve)
    routes.delete("/v1/responses/<id>")(view.delete)
    routes.get("/v1/responses/<id>/input_items")(view.input_items)
    routes.post("/v1/responses/<id>/cancel")(view.cancel)
    return routes


class Responses:
    """Translates between HTTP, the store and the gateway."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def create(self) -> Response:
        project, past, asked = self._read()
        if asked.body.get("store") is False:
            return respond(self._services, project, asked)
        return once(self._services, project, lambda: self._create(project, past, asked))

    def _create(self, project: Project, past: _Kept, asked: ChatRequest) -> Response:
        """Answer, and keep the answer."""
        keep = past.saver(asked)
        known = completed(asked, project, request.environ)

        def save(final: dict[str, Any]) -> None:
            keep(final)
            self._services.conversations.answered(known, final["id"])

        if asked.stream:
            return answered(self._services, project, replace(asked, keep=save))
        # A whole answer is kept once it is settled: a full disk must not look like a failed call.
        whole: list[dict[str, Any]] = []
        response = answered(self._services, project, replace(asked, keep=whole.append))
        save(whole[-1])
        return response

    def compact(self) -> Response:
        """Let the model that is routed to write a summary that any other can go on from."""
        project, _, asked = self._read()
        return once(self._services, project, lambda: self._compact(project, asked))

    def _compact(self, project: Project, asked: ChatRequest) -> Response:
        kept: list[dict[str, Any]] = []
        items = listed(asked.body.get("input"))
        summing = replace(_summing(asked, items), keep=kept.append)
        response = answered(self._services, project, summing)
        summary = "".join(_said(item) for item in kept[-1]["output"])
        if not summary.strip():
            raise UpstreamError("The model wrote no summary. Try again, or name another model.")
        answer = json_response(compaction.response(kept[-1], items, summary))
        answer.headers.extend(
            [(name, value) for name, value in response.headers if name.startswith("x-")]
        )
        return answer

    def input_tokens(self) -> Response:
        project, _, asked = self._read(model=AUTO)
        count = self._services.count_tokens(completed(asked, project, request.environ))
        return json_response({"object": "response.input_tokens", "input_tokens": count})

    def retrieve(self, id: str) -> Response:
        project = self._auth.project(request.environ)
        if request.args.get("stream") == "true":
            raise BadRequest(
                "A stored response is not streamed again: leave 'stream' out.", param="stream"
            )
        found = self._services.responses.get(project.id, id)
        if found is None:
            raise _not_found(id)
        return json_response(found)

    def delete(self, id: str) -> Response:
        project = self._auth.project(request.environ)
        if not self._services.responses.delete(project.id, id):
            raise _not_found(id)
        return json_response({"id": id, "object": "response", "deleted": True})

    def input_items(self, id: str) -> Response:
        project = self._auth.project(request.environ)
        items = self._services.responses.input_items(project.id, id)
        if items is None:
            raise _not_found(id)
        return json_response(_page(items, request.args))

    def cancel(self, id: str) -> Response:
        self._auth.project(request.environ)
        raise BadRequest(
            "Only an answer in the background can be cancelled, and there are none here: close the "
            "connection of the one that you wait for.",
            code="unsupported_parameter",
        )

    def upgrade(self) -> Response:
        """Clients that try WebSocket first go on with plain HTTP when they are told so."""
        self._auth.project(request.environ)
        if request.environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            raise WebSocketUnsupported("Responses are streamed over HTTP here, not by WebSocket.")
        raise MethodNotAllowed("/v1/responses does not take GET.")

    def _read(self, model: str | None = None) -> tuple[Project, _Kept, ChatRequest]:
        environ = request.environ
        project = self._auth.project(environ)
        kept = _Kept(self._services.responses, project.id)
        past = Past(kept.chain, kept.items)
        return project, kept, read_request(read_body(environ), model=model, past=past)


class _Kept:
    """What the project's earlier responses bring into this one."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._brought = 0

    def chain(self, id: str) -> list[Item]:
        items = self._store.chain(self._project, id)
        if items is None:
            raise previous_not_found(id)
        self._brought = len(items)
        return items

    def items(self, ids: list[str]) -> Mapping[str, Item]:
        return self._store.items(self._project, ids)

    def saver(self, asked: ChatRequest) -> Callable[[dict[str, Any]], None]:
        """Keeps the whole response, before its last byte leaves."""
        own = listed(asked.body.get("input"))[self._brought :]
        previous = asked.body.get("previous_response_id")
        return lambda final: self._store.save(self._project, final, own, previous)


def _summing(asked: ChatRequest, items: list[Item]) -> ChatRequest:
    """The request for a summary: the conversation as text, so that any model can be asked."""
    fields = {
        name: asked.body[name] for name in ("model", "prompt_cache_key") if name in asked.body
    }
    said = compaction.transcript(items)
    text = f"{said}\n\n{compaction.INSTRUCTION}"
    return read_request(encode({**fields, "input": text, "store": False}))


def _said(item: Item) -> str:
    content = item.get("content")
    parts = content if isinstance(content, list) else ()
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _page(items: list[Item], args: Mapping[str, str]) -> dict[str, Any]:
    """A page of a list, newest first unless asked otherwise."""
    limit = args.get("limit", str(_USUAL_ITEMS))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= _MOST_ITEMS:
        raise BadRequest(f"'limit' must be from 1 to {_MOST_ITEMS}.", param="limit")
    ordered = items if args.get("order") == "asc" else items[::-1]
    after = args.get("after")
    if after is not None:
        places = [place for place, item in enumerate(ordered) if item.get("id") == after]
        ordered = ordered[places[0] + 1 :] if places else []
    shown = ordered[: int(limit)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(shown) < len(ordered),
    }


def _not_found(id: str) -> NotFound:
    return NotFound(
        f"There is no stored response '{id[:100]}'. Responses are kept for 30 days unless 'store' "
        "is false.",
        code="response_not_found",
    )
