"""Our own API: a project's bearers, and a project that is put away."""

import time

import pytest

from larouter.core.results import Result


@pytest.fixture
def site(house):
    return house.admin("POST", "/api/projects", {"name": "site"}).json


@pytest.fixture
def bearers(house, site):
    """Ask for the bearers of `site`."""

    def ask(method="GET", bearer="", body=None):
        path = f"/api/projects/site/bearers{bearer and '/'}{bearer}"
        return house.admin(method, path, body)

    return ask


def by_name(listed):
    """Two that are made in one millisecond have no order."""
    return sorted(listed.json["data"], key=lambda row: row["name"])


def status(house, bearer):
    return house.ask("GET", "/v1/models", bearer=bearer).status_code


def test_a_bearer_is_shown_once(house, bearers, site):
    made = bearers("POST", body={"name": "ci", "expires": "30d"})

    assert made.status_code == 201
    assert status(house, made.json["bearer"]) == status(house, site["bearer"]) == 200
    listed = bearers()
    assert [row["name"] for row in by_name(listed)] == ["ci", "main"]
    assert made.json["bearer"] not in listed.text
    assert site["bearer"] not in listed.text
    known = dict(made.json)
    assert known.pop("bearer").startswith(known["begins"])
    assert by_name(listed)[0] | {"last_used_ms": None} == known


def test_a_list_says_when_each_was_used(house, bearers, site):
    made = bearers("POST", body={"name": "ci"}).json
    before = time.time() * 1000

    house.ask("GET", "/v1/models", bearer=made["bearer"])

    ci, main = by_name(bearers())
    assert main["last_used_ms"] is None
    assert ci["last_used_ms"] >= before - 1


def test_what_a_command_was_granted_is_not_listed(house, bearers):
    house.admin("POST", "/api/projects/site/grant")

    assert [row["name"] for row in bearers().json["data"]] == ["main"]


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_bearer_is_changed_and_revoked_by_its_id_or_its_name(house, bearers, by):
    made = bearers("POST", body={"name": "ci"}).json

    changed = bearers("PATCH", made[by], {"name": "deploy", "expires": "1h"}).json
    gone = bearers("DELETE", changed[by])

    assert (changed["name"], changed["expires_ms"] is None) == ("deploy", False)
    assert gone.json == {"id": made["id"], "name": "deploy", "deleted": True, "left": 1}
    assert status(house, made["bearer"]) == 401
    assert bearers("DELETE", made["id"]).status_code == 404


def test_of_the_last_bearer_it_is_said_what_follows(house, bearers, site):
    gone = bearers("DELETE", "main").json

    assert gone["left"] == 0
    assert "larouter bearers create site" in gone["message"]
    assert status(house, site["bearer"]) == 401


@pytest.mark.parametrize(
    ("method", "bearer", "body", "param"),
    [
        ("POST", "", {}, "name"),
        ("POST", "", {"name": 7}, "name"),
        ("POST", "", {"name": " "}, "name"),
        ("POST", "", {"name": "ci", "expires": 30}, "expires"),
        ("POST", "", {"name": "ci", "expires": "soon"}, "expires"),
        ("POST", "", {"name": "ci", "days": 30}, "days"),
        ("PATCH", "main", {}, None),
        ("PATCH", "main", {"name": ""}, "name"),
        ("PATCH", "main", {"expires": "2020-01-01"}, "expires"),
    ],
)
def test_a_bearer_that_makes_no_sense_is_refused(bearers, method, bearer, body, param):
    answer = bearers(method, bearer, body)

    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_two_bearers_of_one_name_are_refused(bearers):
    answer = bearers("POST", body={"name": "main"})

    assert (answer.status_code, answer.json["error"]["code"]) == (409, "bearer_exists")


def test_rotating_with_an_overlap_leaves_the_old_one_for_a_while(house, bearers, site):
    rotated = house.admin("POST", "/api/projects/site/rotate", {"overlap_s": 3600}).json

    assert status(house, site["bearer"]) == status(house, rotated["bearer"]) == 200
    old, new = by_name(bearers())
    assert 3590 < old["expires_ms"] / 1000 - time.time() < 3610
    assert new["expires_ms"] is None


@pytest.mark.parametrize(("overlap_s", "is_kept"), [(0, False), (60, True)])
def test_an_answer_in_memory_goes_with_the_bearers(house, site, overlap_s, is_kept):
    house.services.results.keep("req_1", Result(site["id"], [], b"said"))

    house.admin("POST", "/api/projects/site/rotate", {"overlap_s": overlap_s})

    assert (house.services.results.of("req_1") is not None) == is_kept


@pytest.mark.parametrize("overlap_s", [-1, 2_592_001, 1.5, "1h", True, None])
def test_an_overlap_is_a_number_of_seconds(house, site, overlap_s):
    answer = house.admin("POST", "/api/projects/site/rotate", {"overlap_s": overlap_s})

    assert (answer.status_code, answer.json["error"]["param"]) == (400, "overlap_s")
    assert status(house, site["bearer"]) == 200


def test_an_archived_project_is_refused_and_not_listed(house, site):
    archived = house.admin("POST", "/api/projects/site/archive").json

    assert archived["archived_ms"] is not None
    refused = house.ask("GET", "/v1/models", bearer=site["bearer"])
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "project_archived")
    assert "larouter projects restore" in refused.json["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    listed = house.admin("GET", "/api/projects").json["data"]
    assert [row["name"] for row in listed] == ["default"]
    every = house.admin("GET", "/api/projects?archived=1").json["data"]
    assert [row["name"] for row in every] == ["default", "site"]
    assert house.admin("GET", "/api/projects/site").json == archived


@pytest.mark.parametrize(
    ("method", "path", "where"),
    [
        ("POST", "/v1/chat/completions", lambda body: body["error"]["code"]),
        ("POST", "/v1/messages", lambda body: body["error"]["type"]),
        ("POST", "/v1beta/models/auto:generateContent", lambda body: body["error"]["status"]),
        ("POST", "/api/chat", lambda body: body["error"]),
        ("GET", "/api/usage", lambda body: body["error"]["code"]),
    ],
)
def test_an_archived_project_is_refused_in_the_caller_s_shape(house, site, method, path, where):
    house.admin("POST", "/api/projects/site/archive")

    answer = house.ask(method, path, {}, bearer=site["bearer"])

    assert answer.status_code == 403
    assert where(answer.json)
    assert "archived" in answer.text


def test_a_restored_project_goes_on_where_it_was(house, site):
    house.admin("PATCH", "/api/projects/site", {"aliases": {"gpt-4o": "auto"}})
    house.admin("POST", "/api/budgets", {"project": "site", "name": "b", "cap": "5"})
    house.admin("POST", "/api/projects/site/archive")

    restored = house.admin("POST", "/api/projects/site/restore").json

    assert (restored["archived_ms"], restored["aliases"]) == (None, {"gpt-4o": "auto"})
    assert status(house, site["bearer"]) == 200
    assert len(house.ask("GET", "/api/budget", bearer=site["bearer"]).json["data"]) == 1


def test_an_archived_project_gets_no_bearer(house, site):
    house.admin("POST", "/api/projects/site/archive")

    answer = house.admin("POST", "/api/projects/site/bearers", {"name": "ci"})

    assert (answer.status_code, answer.json["error"]["code"]) == (409, "project_archived")


def test_usage_of_an_archived_project_has_its_name(house, site):
    house.admin("POST", "/api/projects/site/archive")

    answer = house.admin("GET", "/api/usage?projectId=site")

    assert answer.json["projectId"] == site["id"]
