"""Flask, without what an API call does not use.

Flask spends a good part of a small request on things that only pages or other deployments need:
it opens and signs a cookie session, works out server names and subdomains, asks whether each
function is a coroutine, and edits finished headers. Each override below leaves one of them out
for the paths where it can change nothing; `benchmarks/overhead.py` shows what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.datastructures import Headers
from werkzeug.routing import MapAdapter

_CALLS = ("/v1/", "/v1beta/")
_WITHOUT_COOKIES = (*_CALLS, "/api/", "/health")


class _Sessions(SecureCookieSessionInterface):
    # No session (None) is what SessionInterface allows, and its cookie child forgot to say.
    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # type: ignore[override]
        if request.environ["PATH_INFO"].startswith(_WITHOUT_COOKIES):
            return NullSession()
        return super().open_session(app, request)


class App(Flask):
    """Synchronous, on one host, at the root of its port."""

    session_interface = _Sessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        # The listener has refused every Host that is not ours (TRUST S1).
        return MapAdapter(
            self.url_map,
            environ["HTTP_HOST"],
            environ.get("SCRIPT_NAME", ""),
            "",
            environ["wsgi.url_scheme"],
            _text(environ["PATH_INFO"]),
            environ["REQUEST_METHOD"],
            environ.get("QUERY_STRING", ""),
        )

    def full_dispatch_request(self) -> Response:
        """A call of a model, without what is only there for pages: nothing of ours runs before or
        after it, nobody listens to signals, and its response is finished."""
        if not request.environ["PATH_INFO"].startswith(_CALLS):
            return super().full_dispatch_request()
        self._got_first_request = True
        try:
            answer = self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - Flask's own boundary: every error has a handler
            answer = self.handle_user_exception(error)
        return answer if isinstance(answer, Finished) else self.finalize_request(answer)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def _text(path: str) -> str:
    """A path as people write it; WSGI hands over its bytes as Latin-1 (PEP 3333)."""
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


class Finished(Response):
    """A response whose status and headers are final: they go out as they are."""

    def __init__(
        self, body: Iterable[bytes], headers: list[tuple[str, str]], *, status: str = "200 OK"
    ) -> None:
        # Not super().__init__: what it works out is given.
        self.headers = Headers()
        self.headers._list = headers
        self._status = status
        self._status_code = int(status[:3])
        self._body = body
        self.response = body
        self._on_close = []

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(self._status, self.headers.to_wsgi_list())
        return self._body
