"""Our own API: what can be changed of a project."""

import json

import pytest

from larouter.core.account import RequestRecord
from larouter.core.results import Result
from larouter.store.writer import now_ms


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


def test_an_export_is_lines_of_everything(house, site):
    house.admin("POST", "/api/budgets", {"project": "site", "name": "Cap", "cap": "5"})

    answer = house.admin("GET", "/api/projects/site/export")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.mimetype == "application/x-ndjson"
    assert f'filename="larouter-{site["id"]}.jsonl"' in answer.headers["Content-Disposition"]
    assert {"project", "bearer", "budget", "budget_window"} <= {line["row"] for line in lines}
    assert lines[-1] == {"row": "end", "rows": len(lines) - 2}
    assert site["bearer"] not in answer.text


def test_an_export_of_nobody_is_said_so(house):
    answer = house.admin("GET", "/api/projects/nobody/export")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "project_not_found")


def test_what_a_deleted_project_had_kept_is_erased_and_its_requests_are_not(house, site):
    services = house.services
    project = services.projects.get("site")
    change(house, {"aliases": {"secret": "auto"}, "policy": {"private": ["Project Falcon"]}})
    record = RequestRecord(
        id="req_1", project=project, asked="auto", tier="SIMPLE", stage="rules", score=0.1,
        reason="short", stream=False, rid=None, started_ms=now_ms(),
    )  # fmt: skip
    services.ledger.refuse(record, 424, "provider_not_configured")
    services.feedback.note(project.id, "req_1", 1.0)
    services.responses.save(project.id, {"id": "resp_1", "output": []}, [], None)
    services.results.keep("req_1", Result(project.id, [], b"said"))

    house.admin("DELETE", "/api/projects/site")

    lines = b"".join(services.exports.lines(project)).decode()
    kinds = [json.loads(line)["row"] for line in lines.splitlines()]
    assert "request" in kinds
    assert not {"feedback", "response"} & {*kinds}
    assert services.results.of("req_1") is None
    assert "Falcon" not in lines
    assert "secret" not in lines


def test_what_was_under_way_when_its_project_was_deleted_leaves_nothing(house, site):
    services = house.services
    project = services.projects.get("site")
    house.admin("DELETE", "/api/projects/site")

    services.responses.save(project.id, {"id": "resp_1", "output": []}, [], None)

    assert services.responses.count() == 0


def test_a_project_of_the_longest_name_can_be_deleted(house):
    house.admin("POST", "/api/projects", {"name": "x" * 100})

    assert house.admin("DELETE", f"/api/projects/{'x' * 100}").status_code == 200
