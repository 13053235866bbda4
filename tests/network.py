"""The network is off: a connection or a look-up beyond loopback fails the test that made it.

An audit hook sees what every thread, greenlet and library asks of the socket module, so nothing
has to be replaced. It cannot be removed again, hence the switch.
"""

import ipaddress
import sys

import pytest

_ADDRESSED = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0}
_is_off = False


class NetworkOff(RuntimeError):
    """Not an OSError: code under test must not take it for a failing upstream."""


@pytest.fixture(autouse=True)
def network_off(request):
    """Switch the network off, except for a test that is marked `live`."""
    global _is_off
    _is_off = request.node.get_closest_marker("live") is None
    yield
    _is_off = False


def is_loopback(host: object) -> bool:
    """Say whether a socket address or a host to look up stays on this machine."""
    if isinstance(host, tuple):
        host = host[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    # None and "" are our own side; a path is a Unix socket.
    if not isinstance(host, str) or host in {"", "localhost"} or host.startswith(("/", "\0")):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _is_off and event in _ADDRESSED:
        address = arguments[_ADDRESSED[event]]
        if not is_loopback(address):
            raise NetworkOff(f"{event} to {address!r}: tests stay on this machine")


sys.addaudithook(_watch)
