"""Model files that are on this machine already: found, and taken over. For the admin."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Model
from larouter.core.errors import BadRequest, Conflict
from larouter.core.own_models import is_free, name_of, same_file
from larouter.engines.found import Found, find_files
from larouter.engines.imports import Import
from larouter.store.local_models import LocalModel
from larouter.web import progress
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_NOT_FACTS = frozenset({"template", "parts", "name", "context"})


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """The routes about files that the user has."""
    routes = Blueprint("local_models", __name__)
    view = LocalModelRoutes(services, auth)
    routes.get("/api/models/found")(view.found)
    routes.post("/api/models/import")(view.take)
    return routes


class LocalModelRoutes:
    """One method a route."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def found(self) -> Response:
        """What other programs left on this machine. Nothing is opened."""
        self._auth.require_admin(request.environ)
        folders = self._services.settings.models.folders
        rows = progress.in_thread(lambda: find_files(folders))
        return json_response({"data": [self._found(row) for row in rows]})

    def take(self) -> Response:
        """Hash a file, link it, and let it be called."""
        self._auth.require_admin(request.environ)
        given = decode_object(request.environ["wsgi.input"].read())
        path = given.get("path")
        if not isinstance(path, str):
            raise BadRequest("Give the file's whole path.", param="path")
        coming = Import(path, self._services.heads)
        name = self._name(given.get("name"), coming)

        def leave() -> None:
            coming.is_cancelled = True

        return progress.answer(
            streamed=given.get("stream") is True,
            work=lambda: self._take(coming, name),
            told=lambda: {"status": "hashing", "done": coming.done, "total": coming.total},
            leave=leave,
            status=201,
        )

    def _take(self, coming: Import, name: str | None) -> dict[str, Any]:
        services = self._services
        sha256 = progress.in_thread(coming.digest)
        known = same_file(services.catalogs.listed, coming.total, sha256)
        own = services.own_models.of_file(sha256)
        if known is not None and known.file is not None:
            if not services.files.find(services.catalog.models[known.id]):
                self._keep(coming, known.id, known.file.name, known, sha256)
            return self._taken(known.id, coming, sha256)
        if own is not None and services.files.find(own.as_model()):
            raise Conflict(
                f"This very file is here already, as local/{own.id}.", code="model_exists"
            )
        if own is not None:
            # It was moved: only its place is new.
            services.own_models.remove(own.id)
            name = name or own.id
        name = name or self._free_name(coming)
        self._keep(coming, name, f"{name}.gguf", None, sha256)
        return self._taken(name, coming, sha256)

    def _keep(self, coming: Import, id: str, file: str, known: Model | None, sha256: str) -> None:
        services = self._services
        linked = coming.link(services.files, file, sha256)
        row = LocalModel(
            id=id,
            title=known.title if known else coming.head.name or id,
            file=linked.name,
            path=linked.path,
            bytes=coming.total,
            sha256=sha256,
            context=coming.head.context,
            abilities=known.abilities if known else coming.abilities,
            facts=_facts(coming),
            pinned=known is not None,
        )
        if known is not None:
            if linked.name == file and linked.path is None:
                return  # it is where the catalogue's own download would be
            if services.own_models.get(id) is not None:
                services.own_models.remove(id)
            row = replace(row, path=linked.path or str(coming.path))
        services.own_models.add(row)
        services.catalogs.use_own(services.own_models.as_models)

    def _name(self, given: Any, coming: Import) -> str | None:
        """Raises `BadRequest` for a name that no model can have, `Conflict` for one that is."""
        if given is None:
            return None
        if not isinstance(given, str) or not given or name_of(given) != given:
            raise BadRequest(
                "A model's name has small letters, digits, '.', '-' and '_'.", param="name"
            )
        if not is_free(given, self._services.catalog):
            raise Conflict(
                f"The name {given!r} is taken; choose another one.",
                code="model_exists",
                param="name",
            )
        return given

    def _free_name(self, coming: Import) -> str:
        """By what the file calls itself, else by its name; with a number, where that is taken."""
        start = name_of(coming.head.name) or name_of(coming.path.stem) or "model"
        start = start[:80].rstrip("-._")
        names = (start, *(f"{start}-{number}" for number in range(2, 1_000)))
        return next(name for name in names if is_free(name, self._services.catalog))

    def _taken(self, id: str, coming: Import, sha256: str) -> dict[str, Any]:
        model = self._services.catalog.models[id]
        return {
            "id": model.id,
            "model": model.key,
            "title": model.title,
            "bytes": coming.total,
            "sha256": sha256,
            "context": model.context,
            "abilities": sorted(model.abilities),
            "path": model.file.path if model.file else None,
            "facts": _facts(coming),
        }

    def _found(self, row: Found) -> dict[str, Any]:
        services = self._services
        known = same_file(services.catalogs.listed, row.bytes, row.sha256)
        own = next((own for own in services.own_models.all() if self._is(own, row)), None)
        model = services.catalog.models[known.id] if known else own.as_model() if own else None
        return {
            **asdict(row),
            "model": model.key if model else None,
            "is_here": model is not None and services.files.find(model) is not None,
        }

    def _is(self, own: LocalModel, row: Found) -> bool:
        """The same content by its digest, or the same file by a link of ours."""
        if row.sha256 is not None or own.bytes != row.bytes:
            return own.sha256 == row.sha256
        path = self._services.files.find(own.as_model())
        return path is not None and path.samefile(row.path)


def _facts(coming: Import) -> dict[str, Any]:
    """What the head says, where it says something."""
    said = asdict(coming.head)
    return {name: said[name] for name in said if name not in _NOT_FACTS and said[name]}
