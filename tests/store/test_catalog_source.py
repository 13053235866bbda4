"""A catalogue from the web: by https, bounded, and never from a metadata service."""

import http.server
import threading

import pytest

from larouter.core.errors import BadRequest, LARouterError, TooLarge, UpstreamError
from larouter.store.catalog_source import fetch_catalog

PAGES = {
    "/catalog.toml": (200, {}, "date = 2026-11-23 # ü".encode()),
    "/gone": (404, {}, b""),
    "/large": (200, {}, b"#" * (5 * 1024 * 1024 + 1)),
    "/binary": (200, {}, b"\xff\xfe"),
    "/elsewhere": (302, {"Location": "/catalog.toml"}, b""),
    "/around": (302, {"Location": "/around"}, b""),
    "/away": (302, {"Location": "http://192.0.2.1/catalog.toml"}, b""),
    "/up": (302, {"Location": "https://192.0.2.1/catalog.toml"}, b""),
    "/odd": (302, {"Location": "ftp://127.0.0.1/catalog.toml"}, b""),
    "/torn": (302, {"Location": "https://[::1/"}, b""),
    "/nowhere": (302, {}, b"date = 2026-11-23"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = PAGES[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_this_machine_may_be_asked_without_https(site):
    assert fetch_catalog(f"{site}/catalog.toml", {}) == "date = 2026-11-23 # ü"


def test_this_machine_is_never_reached_through_a_proxy(site):
    assert fetch_catalog(f"{site}/catalog.toml", {"http": "http://192.0.2.1:1"})


def test_a_redirect_is_followed(site):
    assert fetch_catalog(f"{site}/elsewhere", {}).startswith("date")


@pytest.mark.parametrize(
    ("path", "error", "fault"),
    [
        ("/gone", UpstreamError, "answered 404"),
        ("/nowhere", UpstreamError, "answered 302"),
        ("/around", UpstreamError, "redirects too often"),
        ("/large", TooLarge, "at most 5 MiB"),
        ("/binary", BadRequest, "UTF-8"),
        ("/away", BadRequest, "begins with https"),
        ("/odd", BadRequest, "is like https"),
        ("/torn", UpstreamError, "does not answer"),
        ("/up", BadRequest, "redirects from https to something else"),
    ],
)
def test_an_answer_that_is_no_catalogue_is_refused(site, path, error, fault):
    with pytest.raises(error, match=fault):
        fetch_catalog(site + path, {})


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://example.com/catalog.toml", "begins with https"),
        ("http://192.168.0.1/catalog.toml", "begins with https"),
        ("ftp://127.0.0.1/catalog.toml", "is like https"),
        ("file:///etc/passwd", "is like https"),
        ("https://", "is like https"),
        ("catalog.toml", "is like https"),
        ("https://me:secret@example.com/", "is like https"),
        ("https://[::1/", "is like https"),
    ],
)
def test_an_address_that_is_not_asked(url, fault):
    with pytest.raises(BadRequest, match=fault):
        fetch_catalog(url, {})


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
             "100.100.100.200"],
)  # fmt: skip
def test_metadata_and_link_local_addresses_are_never_asked(host):
    with pytest.raises(BadRequest, match="is like https"):
        fetch_catalog(f"https://{host}/", {"https": "http://127.0.0.1:1"})


def test_a_server_that_does_not_answer_is_told():
    with pytest.raises(UpstreamError, match="localhost does not answer") as caught:
        fetch_catalog("https://localhost:1/", {})

    assert caught.value.sent is False


def test_a_proxy_that_does_not_answer_is_told():
    with pytest.raises(LARouterError, match="does not answer"):
        fetch_catalog("https://example.com/", {"https": "http://127.0.0.1:1"})
