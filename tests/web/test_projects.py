"""Our own API: what can be changed of a project."""

import pytest


@pytest.fixture
def site(house):
    return house.admin("POST", "/api/projects", {"name": "site"}).json


def change(house, body, id="site"):
    return house.admin("PATCH", f"/api/projects/{id}", body)


def test_a_new_project_has_no_aliases(house, site):
    shown = house.admin("GET", "/api/projects/site").json

    assert (shown["id"], shown["aliases"], shown["unknown_model"]) == (site["id"], {}, "default")


def test_aliases_are_shown_wherever_the_project_is(house, site):
    changed = change(house, {"aliases": {"gpt-4o": "auto"}, "unknown_model": "auto"}).json

    assert (changed["aliases"], changed["unknown_model"]) == ({"gpt-4o": "auto"}, "auto")
    assert house.admin("GET", "/api/projects/site").json == changed
    assert changed in house.admin("GET", "/api/projects").json["data"]


def test_a_project_s_aliases_are_there_for_its_requests(house, site):
    change(house, {"aliases": {"gpt-4o": "auto"}})

    project = house.services.projects.of_bearer(site["bearer"])

    assert project.aliases == {"gpt-4o": "auto"}


def test_the_policy_goes_back_to_the_setting_s(house, site):
    change(house, {"unknown_model": "auto"})

    assert change(house, {"unknown_model": "default"}).json["unknown_model"] == "default"
    assert house.services.projects.get("site").unknown_model is None


def test_the_default_project_can_be_changed_and_not_renamed(house):
    changed = change(house, {"aliases": {"gpt-4o": "auto"}}, id="default")
    refused = change(house, {"name": "other", "aliases": {}}, id="default")

    assert changed.json["aliases"] == {"gpt-4o": "auto"}
    assert refused.status_code == 403
    assert house.services.projects.get("default").aliases == {"gpt-4o": "auto"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, None),
        ({"name": 7}, "name"),
        ({"aliases": []}, "aliases"),
        ({"aliases": None}, "aliases"),
        ({"aliases": {"a": 7}}, "aliases"),
        ({"aliases": {"a": ""}}, "aliases"),
        ({"aliases": {"a": "b", "b": "auto"}}, "aliases"),
        ({"aliases": {str(number): "auto" for number in range(201)}}, "aliases"),
        ({"unknown_model": "maybe"}, "unknown_model"),
        ({"unknown_model": None}, "unknown_model"),
        ({"bearer": "lr_mine"}, "bearer"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(house, site, body, param):
    answer = change(house, body)

    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_a_project_that_is_not_there(house):
    assert house.admin("GET", "/api/projects/nobody").status_code == 404
    assert change(house, {"aliases": {}}, id="nobody").status_code == 404
