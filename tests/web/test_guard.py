import pytest

from larouter.core.errors import LARouterError
from larouter.web.guard import Guard, preflight
from larouter.web.http11 import Head

APP = "app://obsidian.md"
GUARD = Guard(
    ["127.0.0.1", "localhost", "::1", "Router.home"],
    ports=[8080],
    origins=[APP, "vscode-webview://abc", "null"],
    launch_paths=["/signin"],
)


def head(method="GET", path="/v1/models", **fields):
    variables = {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    return Head(method, path, "", "HTTP/1.1", variables, 0, False, True, False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "localhost:8080",
        "LOCALHOST:8080",
        "[::1]:8080",
        "router.home",
        "Router.Home:443",
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/models", "/mcp", "/static/app.css", "/nowhere"])
def test_admits_its_own_names(host, path):
    assert GUARD.admit(head(path=path, host=host)) == ()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1",
        "127.0.0.1:8081",
        "127.0.0.1:08080",
        "127.0.0.2:8080",
        "localhost:8080.evil.example",
        "localhost.:8080",
        "localhost:8080,evil.example",
        "router.home.evil.example",
        "router.home:x",
        "router.home:123456",
        "user@router.home",
        "::1:8080",
        "0.0.0.0:8080",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/models", "/mcp"])
def test_misdirects_any_other_name(host, path):
    with pytest.raises(LARouterError) as refusal:
        GUARD.admit(head(path=path, host=host))

    assert refusal.value.status == 421


def test_needs_a_host():
    with pytest.raises(LARouterError) as refusal:
        GUARD.admit(head())

    assert refusal.value.status == 400


def test_the_default_port_may_be_left_out():
    assert Guard(["localhost"], ports=[80]).admit(head(host="localhost")) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/models"])
def test_admits_its_own_pages_without_cors(fields, path):
    assert GUARD.admit(head(path=path, host="127.0.0.1:8080", **fields)) == ()


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://127.0.0.1:8081"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost:8080"},
    {"origin": "http://127.0.0.1:8080.evil.example"},
    {"origin": "http://127.0.0.1:8080, app://obsidian.md"},
    {"sec_fetch_site": "cross-site"},
    {"origin": "http://127.0.0.1:8080", "sec_fetch_site": "cross-site"},
]


@pytest.mark.parametrize("fields", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/v1/models", "/mcp", "/static/app.css"])
def test_refuses_foreign_pages(fields, method, path):
    with pytest.raises(LARouterError) as refusal:
        GUARD.admit(head(method, path, host="127.0.0.1:8080", **fields))

    assert refusal.value.status == 403


@pytest.mark.parametrize("path", ["/v1", "/v1/chat/completions", "/v1beta/models"])
@pytest.mark.parametrize("site", [{}, {"sec_fetch_site": "cross-site"}])
def test_a_listed_origin_gets_cors_on_the_api(path, site):
    cors = dict(GUARD.admit(head(path=path, host="localhost:8080", origin=APP, **site)))

    assert cors["Access-Control-Allow-Origin"] == APP
    assert cors["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in cors


@pytest.mark.parametrize("path", ["/", "/v1evil", "/mcp", "/admin/v1/", "/v10/x"])
def test_a_listed_origin_gets_nothing_elsewhere(path):
    with pytest.raises(LARouterError) as refusal:
        GUARD.admit(head(path=path, host="localhost:8080", origin=APP))

    assert refusal.value.status == 403


def test_the_launcher_may_post_from_a_local_file():
    asked = head(
        "POST", "/signin", host="127.0.0.1:8080", origin="null", sec_fetch_site="cross-site"
    )

    assert GUARD.admit(asked) == ()


@pytest.mark.parametrize(
    ("method", "origin"), [("GET", "null"), ("POST", "https://evil.example"), ("POST", "")]
)
def test_nobody_else_may_use_the_launcher_s_path(method, origin):
    asked = head(method, "/signin", host="127.0.0.1:8080", origin=origin)

    with pytest.raises(LARouterError) as refusal:
        GUARD.admit(asked)

    assert refusal.value.status == 403


def ask_first(**fields):
    asked = head(
        "OPTIONS",
        host="localhost:8080",
        origin=APP,
        access_control_request_method="POST",
        **fields,
    )
    return preflight(asked, GUARD.admit(asked))


def test_answers_a_preflight():
    granted = dict(ask_first(access_control_request_headers="authorization,content-type"))

    assert "POST" in granted["Access-Control-Allow-Methods"]
    assert granted["Access-Control-Allow-Headers"] == "authorization,content-type"
    assert granted["Access-Control-Allow-Origin"] == APP


def test_a_preflight_never_echoes_what_is_no_field_name():
    granted = dict(ask_first(access_control_request_headers="a<b>: c"))

    assert "Access-Control-Allow-Headers" not in granted


def test_answers_for_a_private_network():
    granted = dict(ask_first(access_control_request_private_network="true"))

    assert granted["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(
    "asked",
    [
        head("OPTIONS", host="localhost:8080", origin=APP),
        head("POST", host="localhost:8080", origin=APP, access_control_request_method="POST"),
        head("OPTIONS", host="localhost:8080", access_control_request_method="POST"),
    ],
)
def test_other_requests_are_no_preflight(asked):
    assert preflight(asked, GUARD.admit(asked)) is None
