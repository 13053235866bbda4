"""How a command reaches LARouter: the running server, else the same app inside this process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import requests
from filelock import FileLock, Timeout

from larouter.bootstrap import bootstrap
from larouter.config import Settings, make_private_folder, read_settings
from larouter.core.errors import LARouterError, Unavailable
from larouter.secrets import admin_key
from larouter.web import create_app

_TIMEOUT_S = 30.0
_BUSY_S = 10.0


class Runtime(msgspec.Struct, frozen=True):
    """What `serve` writes down about itself."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def running(settings: Settings) -> Runtime | None:
    """The server of this data folder, if one runs: it holds the lock for as long as it lives."""
    if not settings.runtime_file.exists():
        return None
    lock = FileLock(settings.home / "serve.lock")
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(settings.runtime_file.read_bytes(), type=Runtime)
        return None


def call(method: str, path: str, body: Any = None, *, bearer: str | None = None) -> Any:
    """Call the API as the admin (or with `bearer`); return the JSON. Raises `LARouterError`."""
    return json.loads(call_text(method, path, body, bearer=bearer))


def call_text(method: str, path: str, body: Any = None, *, bearer: str | None = None) -> str:
    """The same, for answers that are not one JSON value."""
    settings = read_settings()
    server = running(settings)
    if server is None:
        status, text = _inside(settings, method, path, body, bearer)
    else:
        key = bearer or admin_key(settings.home, settings.admin_key)
        session = requests.Session()
        # Loopback is never reached through a proxy, whatever the environment says.
        session.trust_env = False
        try:
            answer = session.request(
                method,
                server.url + path,
                json=body,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise Unavailable(
                f"LARouter at {server.url} does not answer. If this stays so, start it again."
            ) from error
        # Not `.text`: without a charset in the header it guesses one.
        status, text = answer.status_code, answer.content.decode()
    if status >= 400:
        raise _error(text)
    return text


def bearer_for_calls() -> str:
    """`LAROUTER_BEARER`, else one of ten minutes for the project `default`."""
    given = read_settings().bearer
    return given or str(call("POST", "/api/projects/default/grant")["bearer"])


def _inside(
    settings: Settings, method: str, path: str, body: Any, bearer: str | None
) -> tuple[int, str]:
    make_private_folder(settings.home)
    with folder_to_ourselves(settings):
        services = bootstrap(settings)
        try:
            app = create_app(services)
            answer = app.test_client().open(
                path,
                method=method,
                json=body,
                headers={"Authorization": f"Bearer {bearer or services.admin_key}"},
            )
            return answer.status_code, answer.get_data(as_text=True)
        finally:
            services.close()


@contextlib.contextmanager
def folder_to_ourselves(settings: Settings) -> Iterator[None]:
    """No server starts meanwhile. Raises `Unavailable`."""
    lock = FileLock(settings.home / "serve.lock", mode=0o600)
    try:
        with lock.acquire(timeout=_BUSY_S):
            yield
    except Timeout:
        raise Unavailable("LARouter is starting or stopping; try again in a moment.") from None


def _error(text: str) -> LARouterError:
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = "LARouter gave an answer that is not its own. Is another program on its port?"
    return LARouterError(message)
