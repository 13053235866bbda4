"""Page or fragment: by the headers that htmx sends."""

import pytest
from flask import Flask
from jinja2 import DictLoader

from larouter.web import htmx


@pytest.fixture
def app():
    app = Flask(__name__)
    app.jinja_loader = DictLoader(
        {"notes/page.html": "page {{ n }}", "notes/_rows.html": "rows {{ n }}"}
    )
    return app


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "page 7"),
        ({"HX-Request": "true"}, "rows 7"),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, "page 7"),
    ],
)
def test_htmx_gets_the_fragment_and_everyone_else_the_page(app, headers, expected):
    with app.test_request_context(headers=headers):
        response = htmx.render("notes", "rows", n=7)

    assert response.get_data(as_text=True) == expected
    assert response.headers["Vary"] == "HX-Request"


def test_without_a_fragment_htmx_gets_the_page(app):
    with app.test_request_context(headers={"HX-Request": "true"}):
        assert htmx.render("notes", n=7).get_data(as_text=True) == "page 7"


def test_a_browser_is_redirected(app):
    with app.test_request_context():
        response = htmx.go_to("/there")

    assert (response.status_code, response.headers["Location"]) == (303, "/there")


def test_htmx_is_told_to_go_itself(app):
    with app.test_request_context(headers={"HX-Request": "true"}):
        response = htmx.go_to("/there")

    assert (response.status_code, response.headers["HX-Redirect"]) == (200, "/there")
