"""Sessions, one-time codes, CSRF tokens and the limit on attempts (TRUST S5)."""

import pytest
from flask import Flask, request
from flask import session as cookie

from larouter.web import session
from larouter.web.session import Codes, Limiter, Sessions
from tests.web.pages.fakes import Clock

OWN = "http://127.0.0.1:18790"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(clock):
    return app_with("the admin key", clock)


def app_with(admin_key, clock):
    app = Flask(__name__)
    session.install(app, admin_key, "127.0.0.1:18790", Sessions(admin_key, clock))

    def sign_in():
        session.sessions().sign_in()
        return cookie["id"]

    def sign_out():
        session.sessions().sign_out()
        return ""

    def touch():
        session.sessions().touch()
        return ""

    views = {
        "in": sign_in,
        "out": sign_out,
        "live": lambda: str(session.sessions().is_live()),
        "touch": touch,
        "csrf": session.csrf_token,
        "safe": lambda: str(session.is_csrf_safe(request)),
    }
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    return app


def test_a_code_works_once(clock):
    codes = Codes(clock)
    code = codes.issue()

    assert codes.redeem(code)
    assert not codes.redeem(code)


def test_a_code_dies_after_ten_minutes(clock):
    codes = Codes(clock)
    code = codes.issue()
    clock.now_s += 600

    assert not codes.redeem(code)


def test_a_code_lives_for_ten_minutes(clock):
    codes = Codes(clock)
    code = codes.issue()
    clock.now_s += 599

    assert codes.redeem(code)


def test_a_code_has_256_bits_and_is_never_the_same(clock):
    codes = Codes(clock)
    made = {codes.issue() for _ in range(50)}

    assert len(made) == 50
    assert all(len(code) == 43 for code in made)


def test_only_the_newest_codes_are_kept(clock):
    codes = Codes(clock)
    made = [codes.issue() for _ in range(17)]

    assert not codes.redeem(made[0])
    assert codes.redeem(made[1])


@pytest.mark.parametrize("code", ["", "x", "\ud800", "é" * 10_000])
def test_an_odd_code_is_only_wrong(clock, code):
    codes = Codes(clock)
    codes.issue()

    assert not codes.redeem(code)


def test_the_sixth_attempt_of_a_minute_waits(clock):
    limiter = Limiter(clock)
    for _ in range(5):
        assert limiter.wait_s("key") == 0
        limiter.failed("key")
        clock.now_s += 1

    assert limiter.wait_s("key") == 56
    assert limiter.wait_s("code") == 0
    clock.now_s += 56
    assert limiter.wait_s("key") == 0


def test_a_clock_that_jumps_back_locks_nobody_out(clock):
    limiter = Limiter(clock)
    for _ in range(5):
        limiter.failed("key")
    clock.now_s -= 3600

    assert limiter.wait_s("key") == 0


def test_the_cookie_is_strict_and_not_for_scripts(app):
    response = app.test_client().get("/in")

    name, _, rest = response.headers["Set-Cookie"].partition("=")
    assert name == "larouter_session_18790"
    assert "HttpOnly" in rest
    assert "SameSite=Strict" in rest


def test_signing_in_gives_a_new_id(app):
    client = app.test_client()

    assert client.get("/in").text != client.get("/in").text


def test_signing_out_ends_the_session_also_for_a_copied_cookie(app):
    client, thief = app.test_client(), app.test_client()
    client.get("/in")
    stolen = client.get_cookie("larouter_session_18790")
    assert stolen is not None
    client.get("/out")

    thief.set_cookie("larouter_session_18790", stolen.value)
    assert thief.get("/live").text == "False"
    assert client.get("/live").text == "False"


def test_a_session_ends_after_twelve_idle_hours(app, clock):
    client = app.test_client()
    client.get("/in")
    clock.now_s += 12 * 3600 - 1
    assert client.get("/live").text == "True"

    clock.now_s += 1
    assert client.get("/live").text == "False"


def test_activity_keeps_a_session_alive(app, clock):
    client = app.test_client()
    client.get("/in")
    clock.now_s += 11 * 3600
    client.get("/touch")
    clock.now_s += 11 * 3600

    assert client.get("/live").text == "True"


def test_the_cookie_is_not_written_at_every_click(app, clock):
    client = app.test_client()
    client.get("/in")
    clock.now_s += 59

    assert "Set-Cookie" not in client.get("/touch").headers


def test_another_admin_key_ends_every_session(app, clock):
    client = app.test_client()
    client.get("/in")
    old = client.get_cookie("larouter_session_18790")
    assert old is not None

    later = app_with("another admin key", clock).test_client()
    later.set_cookie("larouter_session_18790", old.value)
    assert later.get("/live").text == "False"


@pytest.mark.parametrize(
    ("headers", "is_safe"),
    [
        ({}, "True"),
        ({"Origin": OWN}, "True"),
        ({"Origin": OWN.replace("http:", "https:")}, "True"),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, "True"),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, "False"),
        ({"Sec-Fetch-Site": "same-site"}, "False"),
        ({"Origin": "https://evil.example"}, "False"),
        ({"Origin": "http://127.0.0.1:9999"}, "False"),
    ],
)
def test_a_form_is_heard_from_our_own_origin_only(app, headers, is_safe):
    client = app.test_client()
    client.get("/in", base_url=OWN)
    token = client.get("/csrf", base_url=OWN).text

    answer = client.post("/safe", data={"csrf": token}, headers=headers, base_url=OWN)
    assert answer.text == is_safe


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
def test_a_form_without_the_token_is_not_heard(app, token):
    client = app.test_client()
    client.get("/in")

    assert client.post("/safe", data={"csrf": token} if token else {}).text == "False"


def test_without_a_session_no_token_is_right(app):
    assert app.test_client().post("/safe", data={"csrf": ""}).text == "False"


def test_a_token_may_come_as_a_header(app):
    client = app.test_client()
    client.get("/in")

    headers = {"X-CSRF-Token": client.get("/csrf").text}
    assert client.post("/safe", headers=headers).text == "True"
