"""Asks a provider, by its official SDK, whether a key is good and which models it opens.

Each question is a process of its own (`python -m larouter.providers.discovery`, the question on
its standard input): the three SDKs take seconds and some 80 MB to import, which the server would
otherwise never give back, and its environment has none of the variables with which they add
headers, organisations or other people's keys. What an SDK or a provider says is never passed on:
it may quote the key (TRUST S6).
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from larouter.config import import_path
from larouter.providers.connection import Origin
from larouter.providers.pool import proxy_for, refuse_metadata, why_unreachable

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

_CONNECT_S = 5.0
_ANSWER_S = 15.0
_LIMIT_S = 25.0
_MOST = 5_000
_LONGEST = 300
_PAGE = 1_000
# The SDKs insist on a key; a server that wants none does not look at it.
_NO_KEY = "none"
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)

_WRONG_KEY = "The key was refused. Copy it again, or make a new one on the provider's page."
_NO_CREDIT = "The key is right, but its account has no credit left. Top it up with the provider."
_PUBLIC = "The provider shows this list to anybody, so it says nothing about the key."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a check."""

    ok: bool
    reason: str = ""
    """Why not, in a sentence; or what a good answer leaves open."""
    models: tuple[str, ...] = ()
    """What the provider lists, by its own names and in its own order."""


class Discovery:
    """Asks on behalf of the server, which waits without being held up."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        proxies: Mapping[str, str],
        python: Sequence[str] = (sys.executable,),
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._environment = {**environment, "PYTHONPATH": import_path(environment)}
        self._proxies = proxies
        self._command = [*python, "-m", "larouter.providers.discovery"]
        self._limit_s = limit_s

    def check(self, wire: str, url: str, key: str | None) -> Found:
        """Never raises for what a provider or a network does."""
        question = {
            "wire": wire,
            "url": url,
            "key": key,
            "proxy": proxy_for(Origin.of(url), self._proxies),
        }
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                self._command,
                input=json.dumps(question).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a traceback there may quote the key
                env=self._environment,
                timeout=self._limit_s,
                creationflags=_NO_WINDOW,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Found(ok=False, reason=_too_late(url))
        try:
            return msgspec.json.decode(done.stdout, type=Found)
        except msgspec.MsgspecError:
            logger.error("a check of a key ended with status %s and no answer", done.returncode)
            return Found(ok=False, reason="LARouter could not check it; try again.")


def check(wire: str, url: str, key: str | None, *, proxy: str | None = None) -> Found:
    """Ask at `url`, an address as the SDK of `wire` takes it. Imports that SDK."""
    import httpx2  # noqa: PLC0415 - with the SDKs, in this process only

    try:
        _refuse_metadata(url, looks_up=proxy is None)
        with _client(proxy) as client:
            models = _clean(_SDKS[wire](client, url, key or _NO_KEY))
            note = _PUBLIC if key and _is_public(client, wire, url) else ""
    except _Refused as refused:
        return Found(ok=False, reason=_why_refused(refused))
    except (httpx2.HTTPError, OSError) as error:
        return Found(ok=False, reason=_why_no_answer(error, url))
    except (AttributeError, LookupError, TypeError, ValueError):
        # Each SDK stumbles in its own way over an answer that is not its provider's.
        return Found(ok=False, reason=_another_api(None))
    return Found(ok=True, reason=note, models=models)


class _Refused(Exception):
    """An answer that is an error: its status, and the body as an SDK parsed it."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _client(proxy: str | None) -> httpx2.Client:
    """As our own calls go out: the given proxy, the system's certificates, no redirects (S7)."""
    import httpx2  # noqa: PLC0415
    import truststore  # noqa: PLC0415

    return httpx2.Client(
        timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
        follow_redirects=False,
        trust_env=False,
        proxy=proxy,
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


def _openai(client: httpx2.Client, url: str, key: str) -> list[object]:
    import openai  # noqa: PLC0415

    with _plainly(openai):
        page = openai.OpenAI(
            api_key=key, base_url=url, max_retries=0, http_client=client
        ).models.list()
    return [model.id for model in _items(page)]


def _anthropic(client: httpx2.Client, url: str, key: str) -> list[object]:
    import anthropic  # noqa: PLC0415

    with _plainly(anthropic):
        page = anthropic.Anthropic(
            api_key=key, base_url=url, max_retries=0, http_client=client, open_telemetry=False
        ).models.list(limit=_PAGE)
        return [model.id for model in _items(page)]


def _gemini(client: httpx2.Client, url: str, key: str) -> list[object]:
    from google import genai  # noqa: PLC0415
    from google.genai import errors, types  # noqa: PLC0415

    options = types.HttpOptions(
        base_url=url,
        timeout=int(_ANSWER_S * 1000),
        httpx_client=client,
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    try:
        pages = genai.Client(api_key=key, enterprise=False, http_options=options).models.list(
            config={"page_size": _PAGE}
        )
        names = [model.name for model in islice(pages, _MOST)]
    except errors.APIError as error:
        raise _Refused(error.code, error.details) from None
    if not names:
        # It takes any JSON object for a list without models; Google's is never one.
        raise ValueError("no list of models")
    return [name.removeprefix("models/") if name else name for name in names]


_SDKS: dict[str, Callable[[httpx2.Client, str, str], list[object]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
_LISTS = {"openai": "/models", "anthropic": "/v1/models", "gemini": "/v1/models"}


@contextlib.contextmanager
def _plainly(sdk: Any) -> Iterator[None]:
    """Errors of the two SDKs that are built alike, without their words."""
    cause: BaseException | None = None
    try:
        yield
    except sdk.APIStatusError as error:
        raise _Refused(error.status_code, error.body) from None
    except sdk.APIConnectionError as error:
        cause = error.__cause__ or ConnectionError()
    # Not in the handler: there a cause would get what it caused for its context, a circle.
    if cause is not None:
        raise cause


def _items(page: Any) -> list[Any]:
    if not isinstance(page.data, list):
        raise TypeError("no list of models")
    return list(islice(page, _MOST))


def _clean(names: Iterable[object]) -> tuple[str, ...]:
    """Names that can be shown and written: what comes from outside may hold anything."""
    texts = (name for name in names if isinstance(name, str))
    return tuple(
        dict.fromkeys(name for name in texts if 0 < len(name) <= _LONGEST and name.isprintable())
    )


def _is_public(client: httpx2.Client, wire: str, url: str) -> bool:
    """Does the list come without a key too?"""
    return client.get(url + _LISTS[wire]).status_code == 200


def _refuse_metadata(url: str, *, looks_up: bool) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    refuse_metadata(host)
    if looks_up:
        for *_, address in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM):
            refuse_metadata(str(address[0]))


def _why_refused(refused: _Refused) -> str:
    status = refused.status
    words = _words(refused.body)
    if status == 401 or "API_KEY_INVALID" in words:
        return _WRONG_KEY
    if status == 402 or "insufficient_quota" in words:
        return _NO_CREDIT
    if status == 403:
        return "The key is known, but it may not list models. Look at its rights on that page."
    if status == 429:
        return "The provider is asked too often at the moment. Try again in a minute."
    if status >= 500:
        return f"The provider has a fault of its own (HTTP {status}). Try again later."
    return _another_api(status)


def _words(body: object) -> set[str]:
    """The machine-readable words of an error: its code, type, status and Google's reasons."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    fields = [error] if isinstance(error, dict) else []
    for field in list(fields):
        details = field.get("details")
        fields += [detail for detail in details or () if isinstance(detail, dict)]
    found = (field.get(name) for field in fields for name in ("code", "type", "status", "reason"))
    return {word for word in found if isinstance(word, str)}


def _why_no_answer(error: BaseException, url: str) -> str:
    import httpx2  # noqa: PLC0415

    if isinstance(error, httpx2.TimeoutException):
        return _too_late(url)
    host = urlsplit(url).hostname
    cause: BaseException | None = error
    while cause is not None:
        # Only what the system says: an HTTP library's own words may quote a header.
        if isinstance(cause, OSError):
            return f"{host} cannot be reached ({why_unreachable(cause)})."
        cause = cause.__cause__ or cause.__context__
    return f"The connection to {host} broke. Check the address and the proxy."


def _too_late(url: str) -> str:
    return f"{urlsplit(url).hostname} did not answer in time. Check the address, or try later."


def _another_api(status: int | None) -> str:
    how = f" (HTTP {status})" if status else ""
    return (
        f"Something answers there, but not with this format's list of models{how}. "
        "Check the address and the format."
    )


def main() -> None:
    """Answer one question, in the child."""
    logging.disable()
    question = json.loads(sys.stdin.buffer.read())
    # A library that prints must not get between us and who asks.
    with contextlib.redirect_stdout(sys.stderr):
        found = check(question["wire"], question["url"], question["key"], proxy=question["proxy"])
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
