"""The theme is kept in a cookie, and a page arrives in it."""

import pytest

from tests.web.pages.fakes import ADMIN_KEY, FakeServices, an_app


@pytest.fixture
def client():
    client = an_app(FakeServices()).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client


def token(client):
    with client.session_transaction() as session:
        return session["csrf"]


def test_a_page_follows_the_system_at_first(client):
    assert 'data-theme="system"' in client.get("/").text


def test_a_chosen_theme_stays(client):
    answer = client.post("/theme", data={"theme": "dark", "csrf": token(client)})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert 'data-theme="dark"' in client.get("/").text


def test_htmx_gets_the_switch_and_an_event(client):
    answer = client.post(
        "/theme",
        data={"theme": "light", "csrf": token(client)},
        headers={"HX-Request": "true"},
    )

    assert answer.headers["HX-Trigger"] == '{"larouter:theme": "light"}'
    assert answer.text.lstrip().startswith("<form")
    assert 'id="theme-light"' in answer.text


@pytest.mark.parametrize(
    ("theme", "has_token", "status"), [("pink", True, 400), ("dark", False, 403)]
)
def test_a_strange_choice_changes_nothing(client, theme, has_token, status):
    form = {"theme": theme, "csrf": token(client) if has_token else "wrong"}

    assert client.post("/theme", data=form).status_code == status
    assert 'data-theme="system"' in client.get("/").text


def test_a_strange_cookie_is_ignored(client):
    client.set_cookie("larouter_theme", '"><script>')

    assert 'data-theme="system"' in client.get("/").text


def test_another_site_chooses_nothing():
    client = an_app(FakeServices()).test_client()
    stranger = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}

    assert client.post("/theme", data={"theme": "dark"}, headers=stranger).status_code == 403


def test_nobody_chooses_without_being_signed_in():
    client = an_app(FakeServices()).test_client()

    answer = client.post("/theme", data={"theme": "dark"})
    assert answer.headers["Location"] == "/"
    assert "Set-Cookie" not in answer.headers
