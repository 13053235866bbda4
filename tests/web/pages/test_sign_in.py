"""Signing in and out, as a person and as the launcher does it (TRUST S5)."""

import pytest

from larouter.web import session
from tests.web.pages.fakes import ADMIN_KEY, Clock, FakeServices, an_app

OWN = "http://127.0.0.1:18790"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(clock):
    return an_app(FakeServices(), clock)


@pytest.fixture
def client(app):
    return app.test_client()


def code_of(app):
    with app.app_context():
        return session.issue_code()


def is_signed_in(client):
    return "Sign out" in client.get("/").text


def test_the_first_page_asks_who_is_there(client):
    answer = client.get("/")

    assert answer.status_code == 200
    assert "larouter open" in answer.text
    assert 'name="admin_key"' in answer.text
    assert "127.0.0.1:18790/v1" not in answer.text


def test_the_admin_key_opens_the_overview(client):
    answer = client.post("/sign-in", data={"admin_key": f" {ADMIN_KEY}\n"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert is_signed_in(client)


def test_the_launchers_file_signs_in_with_a_code(app, client):
    answer = client.post(
        "/sign-in",
        data={"code": code_of(app)},
        headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    )

    # Not a redirect: the browser would not send the new Strict cookie along with it.
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert is_signed_in(client)


def test_a_printed_link_asks_for_a_click_first(app, client):
    code = code_of(app)
    for _ in range(2):
        page = client.get(f"/sign-in/{code}")
        assert page.status_code == 200
        assert f'name="code" value="{code}"' in page.text
    assert not is_signed_in(client)

    client.post("/sign-in", data={"code": code}, headers={"Origin": OWN}, base_url=OWN)
    assert "Sign out" in client.get("/", base_url=OWN).text


def test_a_code_signs_in_once(app, client):
    code = code_of(app)
    client.post("/sign-in", data={"code": code})

    answer = app.test_client().post("/sign-in", data={"code": code})
    assert answer.status_code == 401
    assert "used before or is older than ten minutes" in answer.text


def test_an_old_code_signs_nobody_in(app, client, clock):
    code = code_of(app)
    clock.now_s += 601

    assert client.post("/sign-in", data={"code": code}).status_code == 401


@pytest.mark.parametrize("form", [{"admin_key": "wrong"}, {"admin_key": ""}, {}, {"code": ""}])
def test_a_wrong_secret_gets_kind_words(client, form):
    answer = client.post("/sign-in", data=form)

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert not is_signed_in(client)


def test_what_was_typed_is_not_shown_again(client):
    assert "hunter2" not in client.post("/sign-in", data={"admin_key": "hunter2"}).text


def test_the_sixth_attempt_of_a_minute_is_not_heard(client, clock):
    for _ in range(5):
        assert client.post("/sign-in", data={"admin_key": "wrong"}).status_code == 401

    answer = client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    clock.now_s += 61
    assert client.post("/sign-in", data={"admin_key": ADMIN_KEY}).status_code == 303


def test_wrong_codes_keep_nobody_from_a_right_one(app, client):
    for _ in range(7):
        client.post("/sign-in", data={"code": "wrong"})

    assert client.post("/sign-in", data={"code": "wrong"}).status_code == 429
    assert client.post("/sign-in", data={"code": code_of(app)}).status_code == 200


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"admin_key": ADMIN_KEY}, {"Origin": "https://evil.example"}),
        ({"admin_key": ADMIN_KEY}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
        ({"code": "x"}, {"Origin": "https://evil.example"}),
        ({"code": "x"}, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_another_site_cannot_sign_in_for_someone(client, form, headers):
    assert client.post("/sign-in", data=form, headers=headers).status_code == 403
    assert not is_signed_in(client)


def test_signing_out_needs_the_token(client):
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})

    assert client.post("/sign-out").status_code == 403
    assert is_signed_in(client)


def test_signing_out(client):
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    with client.session_transaction() as inside:
        token = inside["csrf"]

    assert client.post("/sign-out", data={"csrf": token}).headers["Location"] == "/"
    assert not is_signed_in(client)


def test_htmx_signs_out_too(client):
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    with client.session_transaction() as inside:
        token = inside["csrf"]

    answer = client.post("/sign-out", data={"csrf": token}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/"
    assert not is_signed_in(client)


def test_another_site_signs_nobody_out(client):
    headers = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}

    assert client.post("/sign-out", headers=headers).status_code == 403


def test_signing_out_twice_is_no_fault(client):
    assert client.post("/sign-out").status_code == 303


def test_the_form_is_for_those_outside(client):
    assert client.get("/sign-in").status_code == 200
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})

    assert client.get("/sign-in").headers["Location"] == "/"


def test_someone_outside_learns_no_version(client):
    from_outside = client.get("/").text + client.get("/sign-in/some-code").text

    assert "0.1.0" not in from_outside


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-in/some-code"])
def test_every_page_carries_the_headers(client, path):
    headers = client.get(path).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
