"""How a command reaches LARouter: the running server, else the same app inside this process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
import requests
from filelock import FileLock, Timeout

from larouter.config import Settings, read_settings
from larouter.core.errors import LARouterError, Unavailable
from larouter.secrets import admin_key

_TIMEOUT_S = 30.0
_LONG_S = 300.0
"""Between two pieces of something long: rows of one project among many."""
_PIECE = 65_536
_BUSY_S = 10.0


Ask = Callable[..., Any]
"""Method, path and perhaps a body in, JSON out."""


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


def listed(path: str, nothing: str, *, as_json: bool, **asked: str | int | None) -> list[Any]:
    """The rows of a list, to print one by one: those `asked` for, by what is not None. `as_json`
    prints them all, and leaves none; where there are none, `nothing` is said."""
    known = {name: value for name, value in asked.items() if value is not None}
    rows: list[Any] = call("GET", f"{path}?{urlencode(known)}")["data"]
    if as_json:
        click.echo(json.dumps(rows))
        return []
    if not rows:
        click.echo(nothing)
    return rows


def call_text(method: str, path: str, body: Any = None, *, bearer: str | None = None) -> str:
    """The same, for answers that are not one JSON value."""
    settings = read_settings()
    server = running(settings)
    if server is None:
        status, text = _inside(settings, method, path, body, bearer)
    else:
        key = bearer or admin_key(settings.home, settings.admin_key)
        answer = _send(server, method, path, key, json=body, timeout=_TIMEOUT_S)
        # Not `.text`: without a charset in the header it guesses one.
        status, text = answer.status_code, answer.content.decode()
    if status >= 400:
        raise _error(text)
    return text


@contextlib.contextmanager
def talking() -> Iterator[tuple[Ask, bool]]:
    """Several calls in a row, as the admin, and whether a server answers them: where none runs,
    they are of one app that lives as long as this."""
    settings = read_settings()
    if running(settings) is not None:
        yield call, True
        return
    with _opened(settings) as (client, key):

        def ask(method: str, path: str, body: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {key}"}
            answer = client.open(path, method=method, json=body, headers=headers)
            text = answer.get_data(as_text=True)
            if answer.status_code >= 400:
                raise _error(text)
            return json.loads(text)

        yield ask, False


def download(path: str, write: Callable[[bytes], object]) -> None:
    """Read something long as the admin, and hand it on piece by piece. Raises `LARouterError`."""
    settings = read_settings()
    server = running(settings)
    if server is None:
        with _opened(settings) as (client, key):
            inside = client.get(path, headers={"Authorization": f"Bearer {key}"})
            if inside.status_code >= 400:
                raise _error(inside.get_data(as_text=True))
            for piece in inside.iter_encoded():
                write(piece)
        return
    key = admin_key(settings.home, settings.admin_key)
    answer = _send(server, "GET", path, key, stream=True, timeout=_LONG_S)
    try:
        if answer.status_code >= 400:
            raise _error(answer.content.decode())
        for piece in answer.iter_content(_PIECE):
            write(piece)
    except requests.RequestException as error:
        raise Unavailable(f"LARouter at {server.url} broke off. Please try again.") from error


def follow(method: str, path: str, body: Any) -> Iterator[dict[str, Any]]:
    """Something long, as the admin: each of its lines as it comes. Raises `LARouterError`, also
    for a last line that is one."""
    settings = read_settings()
    server = running(settings)
    if server is None:
        with _opened(settings) as (client, key):
            headers = {"Authorization": f"Bearer {key}"}
            inside = client.open(path, method=method, json=body, headers=headers)
            if inside.status_code >= 400:
                raise _error(inside.get_data(as_text=True))
            yield from _objects(inside.iter_encoded())
        return
    key = admin_key(settings.home, settings.admin_key)
    answer = _send(server, method, path, key, json=body, stream=True, timeout=_LONG_S)
    try:
        if answer.status_code >= 400:
            raise _error(answer.content.decode())
        yield from _objects(answer.iter_lines())
    except requests.RequestException as error:
        raise Unavailable(f"LARouter at {server.url} broke off. Please try again.") from error
    finally:
        answer.close()


def _objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise LARouterError(said["error"]["message"])
        yield said


def bearer_for_calls() -> str:
    """`LAROUTER_BEARER`, else one of ten minutes for the project `default`."""
    given = read_settings().bearer
    return given or str(call("POST", "/api/projects/default/grant")["bearer"])


def _send(server: Runtime, method: str, path: str, key: str, **options: Any) -> requests.Response:
    session = requests.Session()
    # Loopback is never reached through a proxy, whatever the environment says.
    session.trust_env = False
    headers = {"Authorization": f"Bearer {key}"}
    try:
        return session.request(method, server.url + path, headers=headers, **options)
    except requests.RequestException as error:
        raise Unavailable(
            f"LARouter at {server.url} does not answer. If this stays so, start it again."
        ) from error


def _inside(
    settings: Settings, method: str, path: str, body: Any, bearer: str | None
) -> tuple[int, str]:
    with _opened(settings) as (client, key):
        headers = {"Authorization": f"Bearer {bearer or key}"}
        answer = client.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.get_data(as_text=True)


def _opened(settings: Settings) -> AbstractContextManager[tuple[Any, str]]:
    # Only where no server runs: the whole app takes a second to import.
    from larouter.cli.inside import opened  # noqa: PLC0415

    return opened(settings)


@contextlib.contextmanager
def folder_to_ourselves(settings: Settings) -> Iterator[None]:
    """No server starts meanwhile. Raises `Unavailable`."""
    lock = FileLock(settings.home / "serve.lock", mode=0o600)
    try:
        with lock.acquire(timeout=_BUSY_S):
            # Of a server that was killed: another program may have its port by now.
            settings.runtime_file.unlink(missing_ok=True)
            yield
    except Timeout:
        raise Unavailable(
            "LARouter is starting or stopping, or another of its commands, perhaps a download, has "
            "the data folder; try again in a moment."
        ) from None


def _error(text: str) -> LARouterError:
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = "LARouter gave an answer that is not its own. Is another program on its port?"
    return LARouterError(message)
