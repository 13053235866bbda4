"""Connections to providers: opened with care for names, TLS and proxies, reused while fresh."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from larouter.core.errors import UpstreamError
from larouter.providers.connection import Connection, Origin, Timeouts

# Shorter than the keep-alive of the servers that matter (uvicorn closes after 5 s), so that a
# request hardly ever meets a connection that is being closed.
_REUSE_WITHIN_S = 4.0
_KEPT_PER_ORIGIN = 64
_QUIET_ROUNDS = 10
# Amazon's on IPv6 and Alibaba's: the two well-known ones that are not link-local.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))
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
        self._watchdog = Watchdog(self.timeouts)

    def take(self, origin: Origin) -> Connection:
        """Return an open connection. Raises `UpstreamError` with `sent=False`."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            fresh = time.monotonic() - connection.idle_since < _REUSE_WITHIN_S
            if fresh and connection.is_alive():
                break
            connection.close()
        else:
            connection = Connection(self._connect(origin), self.timeouts)
        self._watchdog.add(connection)
        return connection

    def give_back(self, connection: Connection, origin: Origin) -> None:
        """Keep a connection whose answer has been read to its end; close any other."""
        self._watchdog.remove(connection)
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
            refuse_metadata(origin.host)
            if proxy is None:
                opened = self._open(origin.host, origin.port)
            else:
                opened = self._open_through(proxy, origin)
            if origin.scheme == "https":
                opened.settimeout(self.timeouts.tls)
                opened = self._tls_context().wrap_socket(opened, server_hostname=origin.host)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one
            if opened is not None:
                opened.close()
            raise UpstreamError(
                f"{origin.host} cannot be reached ({why_unreachable(error)}).",
                code="upstream_unreachable",
                sent=False,
                retryable=True,
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
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        target = f"{host}:{origin.port}"
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
            if answer.split(b" ", 2)[1:2] != [b"200"] or not answer.endswith(b"\r\n\r\n"):
                raise OSError("the proxy refused")
        except OSError:
            opened.close()
            raise
        return opened

    def _proxy(self, origin: Origin) -> str | None:
        return proxy_for(origin, self._proxies)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            import truststore  # noqa: PLC0415 - only who talks to a cloud needs it

            # The system's certificate store; verification is never turned off (TRUST A11).
            self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._tls


class Watchdog:
    """Ends the waits that are past their time. One look a second serves all connections.

    Its thread (a greenlet when serving) lives only while there is something to watch.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._busy: set[Connection] = set()
        self._runs = False
        self._every_s = min(1.0, timeouts.idle / 4, timeouts.first_byte / 4, timeouts.total / 4)

    def add(self, connection: Connection) -> None:
        self._busy.add(connection)
        if not self._runs:
            self._runs = True
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def remove(self, connection: Connection) -> None:
        self._busy.discard(connection)

    def _watch(self) -> None:
        quiet = 0
        while quiet < _QUIET_ROUNDS:
            time.sleep(self._every_s)
            now = time.monotonic()
            quiet = 0 if self._busy else quiet + 1
            for connection in list(self._busy):
                if connection.broken:
                    self._busy.discard(connection)
                elif now > connection.due_at:
                    connection.expire()
        self._runs = False


def _addresses(host: str, port: int) -> Iterator[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Where to connect. Link-local addresses, the clouds' metadata services, never (TRUST S7)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, _, _, _, address in found:
        refuse_metadata(str(address[0]))
        yield family, address  # type: ignore[misc]


def refuse_metadata(host: str) -> None:
    """Raise `OSError` for an address that no provider has (TRUST S7)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return  # a name: its addresses come by here too, or a proxy looks them up
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_link_local or address in _METADATA:
        raise OSError("link-local and metadata addresses are not allowed")


def proxy_for(origin: Origin, proxies: Mapping[str, str]) -> str | None:
    """Through which proxy an origin is reached; None: directly, as this machine always is."""
    if _is_loopback(origin.host) or _is_excepted(origin.host, proxies.get("no", "")):
        return None
    return proxies.get(origin.scheme)


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


def why_unreachable(error: Exception) -> str:
    """What kept a connection from being made, in words for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers at that address"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return str(error) or type(error).__name__
