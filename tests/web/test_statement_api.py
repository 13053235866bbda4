"""A project's bill of a month over our own API."""

import pytest

PATH = "/api/usage/statement"


def test_a_project_reads_its_own_statement(house):
    house.chat("nobody/knows")

    told = house.ask("GET", PATH).json

    assert (told["project"], told["total"]["calls"], told["total"]["cost"]) == ("default", 1, 0)
    assert told["month"] == f"{house.services.reports.date_in():%Y-%m}"
    assert told["baselines"][0]["model"] == "anthropic/claude-opus-5-5"
    assert told["isWhole"]
    assert house.ask("GET", f"{PATH}?projectId=default&month=2020-01").json["total"]["calls"] == 0


def test_it_reads_no_other_project_s(house):
    house.admin("POST", "/api/projects", {"name": "other"})

    assert house.ask("GET", f"{PATH}?projectId=other").status_code == 404
    assert house.ask("GET", PATH, bearer=False).status_code == 401


def test_the_admin_reads_that_of_the_project_it_names(house):
    house.admin("POST", "/api/projects", {"name": "a/b"})

    assert house.admin("GET", f"{PATH}?projectId=a/b").json["project"] == "a/b"


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [("", 400, "projectId"), ("?projectId=nobody", 404, None),
     ("?projectId=default&month=11", 400, "month"),
     ("?projectId=default&format=pdf", 400, "format")],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(house, query, status, param):
    refused = house.admin("GET", f"{PATH}{query}")

    assert (refused.status_code, refused.json["error"]["param"]) == (status, param)


def test_a_page_to_keep_needs_nothing_beside_it(house):
    house.admin("POST", "/api/projects", {"name": "<script>alert(1)</script>"})

    answer = house.admin("GET", f"{PATH}?projectId=<script>alert(1)</script>&format=html")

    assert answer.mimetype == "text/html"
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "@media print" in answer.text
    assert 'href="' not in answer.text
    assert 'src="' not in answer.text
