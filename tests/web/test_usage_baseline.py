"""Which model savings are measured against, over our own API."""

import pytest

PATH = "/api/usage/baseline"


def test_the_baseline_is_named_with_the_savings(house):
    house.admin("POST", "/api/projects", {"name": "site"})
    shipped = house.admin("GET", PATH).json
    assert (shipped["chosenFor"], shipped["projects"]) == (None, [])

    told = house.admin("PUT", PATH, {"model": "claude-haiku-5-5"}).json
    site = house.admin("PUT", PATH, {"model": shipped["baselineModel"], "project": "site"}).json

    assert (told["baselineModel"], told["chosenFor"]) == ("anthropic/claude-haiku-5-5", "machine")
    assert "from now on" in told["note"]
    assert (site["baselineModel"], site["chosenFor"]) == (shipped["baselineModel"], "project")

    def usage(query=""):
        return house.admin("GET", f"/api/usage{query}").json

    assert usage()["baselineModel"] == "anthropic/claude-haiku-5-5"
    assert usage("?projectId=site")["baselineModel"] == shipped["baselineModel"]
    assert (usage()["classificationCost"], usage()["classificationCostNusd"]) == (0, 0)
    assert house.admin("GET", PATH).json["projects"] == [
        {
            "project": "site",
            "projectId": site["projectId"],
            "baselineModel": shipped["baselineModel"],
            "chosenFor": "project",
        }
    ]


def test_a_project_sees_its_own_and_changes_nothing(house):
    other = house.admin("POST", "/api/projects", {"name": "other"}).json
    house.admin("PUT", PATH, {"model": "claude-haiku-5-5", "project": "other"})

    mine = house.ask("GET", PATH).json
    theirs = house.ask("GET", PATH, bearer=other["bearer"]).json

    assert (mine["chosenFor"], "projects" in mine) == (None, False)
    assert (theirs["chosenFor"], theirs["projectId"]) == ("project", other["id"])
    assert house.ask("PUT", PATH, {"model": None}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "model"),
        ({"model": "claude-haiku-5-5", "since": 1}, 400, "model"),
        ({"model": 1}, 400, "model"),
        ({"model": "nobody"}, 400, "model"),
        ({"model": None, "project": []}, 400, "project"),
        ({"model": None, "project": "nobody"}, 404, None),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(house, body, status, param):
    refused = house.admin("PUT", PATH, body)

    assert (refused.status_code, refused.json["error"]["param"]) == (status, param)
