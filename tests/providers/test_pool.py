"""Which connection a call gets, and where none may go."""

from __future__ import annotations

import base64
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from larouter.core.errors import UpstreamError
from larouter.providers.connection import Origin, Timeouts
from larouter.providers.pool import Pool, _addresses
from tests.upstream import ANSWER, DONE, FIRST, WORD, Upstream, raw, stream, whole

OPENED = raw(b"HTTP/1.1 200 Connection established\r\n\r\n", keep=True)


def _connections(upstream):
    return [request.connection for request in upstream.requests]


def _unreachable(pool, url):
    with pytest.raises(UpstreamError) as caught:
        pool.take(Origin.of(url))
    assert not caught.value.sent
    assert (caught.value.status, caught.value.code) == (502, "upstream_unreachable")
    return caught.value.message


# Reuse.


def test_two_calls_share_a_connection(cloud, upstream):
    cloud.ask()
    list(cloud.ask(stream=True))
    cloud.ask()

    assert _connections(upstream) == [1, 1, 1]


def test_the_end_of_a_stream_may_come_after_its_done(cloud, upstream):
    upstream.will(stream(FIRST, WORD, DONE, pause_s=0.05))

    list(cloud.ask(stream=True))
    cloud.ask()

    assert _connections(upstream) == [1, 2]


@pytest.mark.parametrize("status", [400, 500])
def test_after_an_error_the_connection_is_not_used_again(cloud, upstream, status):
    upstream.will(whole(b"{}", status))

    with pytest.raises(UpstreamError):
        cloud.ask()
    cloud.ask()

    assert _connections(upstream) == [1, 2]


def test_after_half_a_stream_the_connection_is_not_used_again(cloud, upstream):
    reply = cloud.ask(stream=True)
    next(iter(reply))
    reply.close()
    reply.close()

    cloud.ask()

    assert _connections(upstream) == [1, 2]


def test_two_calls_at_once_have_two_connections(cloud, upstream):
    upstream.will(stream(FIRST, hanging=True))

    reply = cloud.ask(stream=True)
    cloud.ask()

    assert _connections(upstream) == [1, 2]
    reply.close()


def test_a_connection_that_the_provider_closed_is_not_used_again(cloud, upstream):
    cloud.ask()
    upstream.talks[0].socket.shutdown(socket.SHUT_RDWR)

    assert cloud.ask().end == ANSWER
    assert _connections(upstream) == [1, 2]


def test_a_provider_may_end_the_connection_with_its_answer(cloud, upstream):
    upstream.will(whole(close=True))

    cloud.ask()
    cloud.ask()

    assert _connections(upstream) == [1, 2]


def test_an_old_connection_is_not_used_again(make_cloud, upstream):
    cloud = make_cloud()
    cloud.ask()
    (connection,) = cloud.pool._idle[Origin.of(upstream.url)]
    connection.idle_since -= 5

    cloud.ask()

    assert _connections(upstream) == [1, 2]


def test_another_origin_has_other_connections(make_cloud, upstream):
    make_cloud().ask()
    make_cloud(url=f"http://localhost:{upstream.port}/v1").ask()
    make_cloud().ask()

    assert _connections(upstream) == [1, 2, 1]


def test_a_pool_that_is_closed_keeps_nothing(cloud, upstream):
    cloud.ask()

    cloud.pool.close()
    cloud.ask()

    assert _connections(upstream) == [1, 2]


def test_the_bearer_of_the_client_is_not_sent(cloud, upstream):
    cloud.ask(api_key="lr_client", user="me")

    assert b"lr_client" not in upstream.last.body
    assert "lr_client" not in str(upstream.last.headers)


# Where none may go.


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "169.254.0.1", "[fe80::1]", "[::ffff:169.254.169.254]",
     "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200"],
)  # fmt: skip
def test_metadata_is_out_of_reach(make_pool, host):
    assert "not allowed" in _unreachable(make_pool(), f"http://{host}/v1")


def test_every_address_of_a_name_is_looked_at():
    (address, *_) = _addresses("localhost", 80)

    assert address[1][:2] in {("127.0.0.1", 80), ("::1", 80)}


def test_a_proxy_is_not_asked_for_metadata_either(make_pool, upstream):
    pool = make_pool(proxies={"http": f"http://127.0.0.1:{upstream.port}"})

    for host in ("169.254.169.254", "[::ffff:169.254.169.254]"):
        assert "not allowed" in _unreachable(pool, f"http://{host}/")
    assert upstream.requests == []


def test_nobody_at_the_address(make_pool, upstream):
    upstream.close()

    assert "nobody answers" in _unreachable(make_pool(), upstream.url)


def test_a_name_that_cannot_be_one(make_pool):
    _unreachable(make_pool(), "http://a..b/v1")


def test_nobody_takes_the_connection(make_pool):
    # A queue of one that is full: the next one to come waits.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        try:
            pool = make_pool(timeouts=Timeouts(connect=0.2))
            assert "no answer in time" in _unreachable(pool, f"http://127.0.0.1:{address[1]}")
        finally:
            for one in waiting:
                one.close()


# Through a proxy. The upstream plays both, as a tunnel does.


def _proxied(make_cloud, make_pool, upstream, *, url="http://api.example/v1", login="", **more):
    proxy = f"http://{login}127.0.0.1:{upstream.port}"
    return make_cloud(url=url, pool=make_pool(proxies={"http": proxy, "https": proxy, **more}))


def test_a_proxy_opens_a_tunnel(make_cloud, make_pool, upstream):
    upstream.will(OPENED)
    cloud = _proxied(make_cloud, make_pool, upstream)

    assert cloud.ask().end == ANSWER
    assert cloud.ask().end == ANSWER

    tunnel, *calls = upstream.requests
    assert tunnel.line == "CONNECT api.example:80 HTTP/1.1"
    assert tunnel.headers == {"host": "api.example:80"}
    assert [call.headers["host"] for call in calls] == ["api.example", "api.example"]
    assert _connections(upstream) == [1, 1, 1]


def test_a_proxy_may_want_a_login(make_cloud, make_pool, upstream):
    upstream.will(OPENED)

    _proxied(make_cloud, make_pool, upstream, login="me:p%40ss@").ask()

    login = upstream.requests[0].headers["proxy-authorization"]
    assert base64.b64decode(login.removeprefix("Basic ")) == b"me:p@ss"
    assert "proxy-authorization" not in upstream.last.headers


def test_an_address_of_ipv6_is_written_in_brackets(make_cloud, make_pool, upstream):
    upstream.will(OPENED)

    _proxied(make_cloud, make_pool, upstream, url="http://[2001:db8::1]:8080/v1").ask()

    assert upstream.requests[0].line == "CONNECT [2001:db8::1]:8080 HTTP/1.1"


@pytest.mark.parametrize(
    "step",
    [
        raw(b"HTTP/1.1 407 Login\r\n\r\n"),
        raw(b"HTTP/1.1 502 Bad\r\n\r\n"),
        raw(b"HTTP/1.1 200"),
        raw(b"oops\r\n\r\n"),
        raw(),
        raw(b"x" * 9000, keep=True),
    ],
    ids=["login", "bad", "cut", "no-http", "closed", "endless"],
)
def test_a_proxy_that_refuses(make_pool, upstream, step):
    upstream.will(step)
    pool = make_pool(proxies={"http": f"http://127.0.0.1:{upstream.port}"})

    assert "the proxy refused" in _unreachable(pool, "http://api.example/v1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.9.1"])
def test_loopback_is_never_asked_of_a_proxy(make_cloud, make_pool, upstream, host):
    pool = make_pool(proxies={"http": "http://127.0.0.1:1"})
    if host == "127.8.9.1":
        said = _unreachable(pool, f"http://{host}:{upstream.port}")
        assert "nobody answers" in said
    else:
        make_cloud(url=f"http://{host}:{upstream.port}/v1", pool=pool).ask()
        assert upstream.last.line.startswith("POST")


@pytest.mark.parametrize(
    ("names", "excepted"),
    [
        ("", False),
        ("api.example", True),
        ("example", True),
        (".example", True),
        ("other, .example", True),
        ("*", True),
        ("pi.example", False),
        ("api.example.org", False),
    ],
)
def test_the_exceptions_of_a_proxy(names, excepted):
    pool = Pool(proxies={"http": "http://proxy", "no": names})

    assert (pool._proxy(Origin.of("http://api.example/v1")) is None) is excepted


def test_a_proxy_is_for_its_scheme():
    pool = Pool(proxies={"https": "http://proxy"})

    assert pool._proxy(Origin.of("http://api.example")) is None
    assert pool._proxy(Origin.of("https://api.example")) == "http://proxy"


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    upstream = Upstream(tls=context)
    yield upstream
    upstream.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(make_pool, secure):
    said = _unreachable(make_pool(), f"https://localhost:{secure.port}/v1")

    assert "certificate is not trusted" in said
    assert secure.requests == []


def test_who_does_not_speak_tls_is_refused(make_pool, upstream):
    _unreachable(make_pool(timeouts=Timeouts(tls=0.3)), f"https://127.0.0.1:{upstream.port}/v1")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system says who is trusted")
def test_calls_over_tls(make_cloud, secure, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    cloud = make_cloud(url=f"https://localhost:{secure.port}/v1")
    large = b'{"choices": [{}], "x": "%b"}' % (b"y" * 300_000)
    secure.will(stream(FIRST, WORD, DONE, pause_s=0.02), whole(large))

    assert b"".join(cloud.ask(stream=True)) == FIRST + WORD
    assert cloud.ask("x" * 300_000).end == large
    assert cloud.ask().end == ANSWER

    assert _connections(secure)[-2:] == [2, 2]
    assert secure.requests[1].body.count(b"x") == 300_000
