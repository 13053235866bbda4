"""What our Flask leaves out for API calls, and that pages keep it."""

import pytest
from flask import session, url_for

from larouter.web.app import App, Finished


@pytest.fixture
def client():
    app = App("larouter", static_folder=None)
    app.secret_key = "k"

    def sign_in():
        session["who"] = "me"
        return ""

    app.add_url_rule("/page", view_func=sign_in)
    app.add_url_rule("/v1/cookie", endpoint="api", view_func=sign_in)
    app.add_url_rule("/who", endpoint="who", view_func=lambda: session.get("who", "nobody"))
    app.add_url_rule(
        "/where/<name>", endpoint="where", view_func=lambda name: url_for("where", name=name)
    )
    app.add_url_rule(
        "/done",
        endpoint="done",
        view_func=lambda: Finished([b"ab", b"c"], [("X-One", "1")], status="201 Created"),
    )
    return app.test_client()


def test_a_page_has_its_session(client):
    client.get("/page")

    assert client.get("/who").text == "me"


def test_an_api_call_has_no_session(client):
    # Flask refuses to write to the session that is none; for an API route that is a fault.
    answer = client.get("/v1/cookie")

    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers


def test_an_api_call_ignores_cookies(client):
    client.get("/page")

    assert "Set-Cookie" not in client.get("/v1/cookie").headers


@pytest.mark.parametrize("name", ["plain", "two words", "ünï"])
def test_a_path_is_read_and_built(client, name):
    answer = client.get(f"/where/{name}")

    assert answer.status_code == 200
    assert answer.text.startswith("/where/")


def test_a_finished_response_goes_out_as_it_is(client):
    answer = client.get("/done")

    assert answer.status == "201 Created"
    assert answer.data == b"abc"
    assert answer.headers["X-One"] == "1"
    assert "Content-Type" not in answer.headers
