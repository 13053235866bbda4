"""Connections to providers: opened with care for names, TLS and proxies, reused while fresh."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from larouter.core.errors import UpstreamError
from larouter.providers.connection import Connection, Origin, Timeouts

# Shorter than the keep-alive of the servers that matter (uvicorn closes after 5 s), so that a
# request hardly ever meets a connection that is being closed.
_REUSE_WITHIN_S = 4.0
_KEPT_PER_ORIGIN = 64
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Pool:
    """Hands out connections, newest first. One for the whole process."""

    def __init__(
        self, *, timeouts: Timeouts | None = None, proxies: Mapping[str, str] | None = None
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self._proxies = proxies or {}
        self._idle: dict[Origin, list[Connection]] = {}
        self._tls: ssl.SSLContext | None = None

    def take(self, origin: Origin) -> Connection:
        """Return an open connection. Raises `UpstreamError` with `sent=False`."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            fresh = time.monotonic() - connection.idle_since < _REUSE_WITHIN_S
            if fresh and connection.is_alive():
                return connection
            connection.close()
        return Connection(self._connect(origin), self.timeouts)

    def give_back(self, connection: Connection, origin: Origin) -> None:
        """Keep a connection whose answer has been read to its end; close any other."""
        idle = self._idle.setdefault(origin, [])
        if connection.is_reusable and len(idle) < _KEPT_PER_ORIGIN:
            connection.idle_since = time.monotonic()
            idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _connect(self, origin: Origin) -> socket.socket:
        proxy = self._proxy(origin)
        opened: socket.socket | None = None
        try:
            if proxy is None:
                opened = self._open(origin.host, origin.port)
            else:
                opened = self._open_through(proxy, origin)
            if origin.scheme == "https":
                opened.settimeout(self.timeouts.tls)
                opened = self._tls_context().wrap_socket(opened, server_hostname=origin.host)
        except (OSError, UpstreamError) as error:
            if opened is not None:
                opened.close()
            raise UpstreamError(
                f"{origin.host} cannot be reached ({_reason(error)}).",
                code="upstream_unreachable",
                sent=False,
            ) from error
        return opened

    def _open(self, host: str, port: int) -> socket.socket:
        last: OSError = OSError("the name has no address")
        deadline = time.monotonic() + self.timeouts.connect
        for address in _addresses(host, port):
            opened = socket.socket(address[0], socket.SOCK_STREAM)
            try:
                opened.settimeout(max(0.05, deadline - time.monotonic()))
                opened.connect(address[1])
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                opened.close()
                last = error
            else:
                return opened
        raise last

    def _open_through(self, proxy: str, origin: Origin) -> socket.socket:
        """A tunnel (RFC 9110, CONNECT), for plain HTTP too: one way for everything."""
        parts = urlsplit(proxy)
        opened = self._open(parts.hostname or "", parts.port or 8080)
        target = f"{origin.host}:{origin.port}"
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            head += f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}\r\n"
        try:
            opened.sendall(f"{head}\r\n".encode("latin-1"))
            answer = b""
            # A byte at a time: what follows the empty line belongs to the tunnel.
            while not answer.endswith(b"\r\n\r\n") and len(answer) < 8192:
                byte = opened.recv(1)
                if not byte:
                    break
                answer += byte
            if answer.split(b" ", 2)[1:2] != [b"200"]:
                raise OSError("the proxy refused")
        except OSError:
            opened.close()
            raise
        return opened

    def _proxy(self, origin: Origin) -> str | None:
        if _is_loopback(origin.host) or _is_excepted(origin.host, self._proxies.get("no", "")):
            return None
        return self._proxies.get(origin.scheme)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            import truststore  # noqa: PLC0415 - only who talks to a cloud needs it

            # The system's certificate store; verification is never turned off (TRUST A11).
            self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._tls


def _addresses(host: str, port: int) -> Iterator[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Where to connect. Link-local addresses, the clouds' metadata services, never (TRUST S7)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, _, _, _, address in found:
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_link_local:
            raise OSError("link-local addresses are not allowed")
        yield family, address  # type: ignore[misc]


def _is_loopback(host: str) -> bool:
    if host in _LOOPBACK_NAMES:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _is_excepted(host: str, names: str) -> bool:
    for name in filter(None, (part.strip().lstrip(".") for part in names.split(","))):
        if name == "*" or host == name or host.endswith("." + name):
            return True
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers at that address"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return str(error) or type(error).__name__
