"""The guard of the tests themselves."""

import socket

import pytest

from tests.network import NetworkOff, is_loopback


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.3.2.1", "::1", "localhost", b"localhost", "0.0.0.0", "", None, "/x.sock"],
)
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "example.org", b"a.b"])
def test_anything_else_is_not(host):
    assert not is_loopback(host)


def test_a_connection_outside_is_refused():
    with socket.socket() as client, pytest.raises(NetworkOff):
        client.connect(("192.0.2.1", 80))


def test_a_look_up_outside_is_refused():
    with pytest.raises(NetworkOff):
        socket.create_connection(("example.org", 80))


def test_a_datagram_outside_is_refused():
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(NetworkOff):
        client.sendto(b"?", ("192.0.2.1", 53))


def test_loopback_is_open():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
