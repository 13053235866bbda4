"""What was used, over our own API: sums, tables, and who may see them."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from larouter.core.account import Outcome, RequestRecord
from larouter.core.budget import bound_of
from larouter.core.chat import Usage
from larouter.core.route import Choice
from larouter.store.writer import now_ms
from tests.fakes import a_request

LOCAL, CLOUD = "smollm2-135m", "claude-opus-5-5"
HI = {"messages": [{"role": "user", "content": "Hi"}]}
USAGE = Usage(input=1_000, cache_read=100, output=50)


@pytest.fixture
def bill(house):
    """Write down a call that ended now; return what it cost."""

    def bill(model=CLOUD, *, project="default", tier="FRONTIER", stage="learned", bearer=None):
        services = house.services
        ids = [row["id"] for row in house.admin("GET", "/api/projects").json["data"]]
        record = RequestRecord(
            id=f"req_{now_ms()}{len(ids)}{house.admin('GET', '/api/usage').json['totalCalls']:04}",
            project=replace(services.projects.get(project), bearer_id=bearer),
            asked="auto", tier=tier, stage=stage, score=0.5, reason="said", stream=False, rid=None,
            started_ms=now_ms(),
        )  # fmt: skip
        ledger, model = services.gateway.ledger, services.catalog.models[model]
        bound = bound_of(model, a_request(max_tokens=100))
        attempt = ledger.reserve(record, Choice(model=model), bound)
        return ledger.settle(attempt, Outcome(state="settled", usage=USAGE))

    return bill


@pytest.mark.parametrize("period", ["daily", "weekly", "monthly", "all"])
def test_usage_of_nothing_is_zero(house, period):
    usage = house.ask("GET", f"/api/usage?period={period}")

    assert '"totalCost":0,' in usage.text.replace(" ", "")
    assert usage.json == {
        "period": period,
        "from": None if period == "all" else usage.json["from"],
        "to": None if period == "all" else usage.json["to"],
        "zone": house.services.settings.zone,
        "projectId": house.services.projects.get("default").id,
        "totalCost": 0,
        "totalCostNusd": 0,
        "totalCalls": 0,
        "succeededCalls": 0,
        "inputTokens": 0,
        "cachedTokens": 0,
        "outputTokens": 0,
        "unpricedCalls": 0,
        "baselineCost": 0,
        "baselineCostNusd": 0,
        "saved": 0,
        "savedNusd": 0,
        "classificationCost": 0,
        "classificationCostNusd": 0,
        "baselineModel": "anthropic/claude-opus-5-5",
        "byModel": [],
        "byTier": [],
        "byProvider": [],
        "byProject": [],
        "byBearer": [],
        "dailyCosts": [],
    }


def test_usage_by_bearer_has_their_names_also_of_one_that_is_gone(house):
    ci = house.admin("POST", "/api/projects/default/bearers", {"name": "ci"}).json
    house.ask("POST", "/v1/chat/completions", {**HI, "model": "nobody/knows"}, bearer=ci["bearer"])
    house.chat("nobody/knows")
    house.admin("DELETE", "/api/projects/default/bearers/ci")

    rows = house.ask("GET", "/api/usage").json["byBearer"]

    assert {row["bearer"]: row["calls"] for row in rows} == {"main": 1, "ci": 1}
    assert ci["id"] in {row["bearerId"] for row in rows}


def test_usage_counts_what_was_refused(house):
    house.chat("nobody/knows")

    usage = house.ask("GET", "/api/usage").json

    assert (usage["totalCalls"], usage["succeededCalls"]) == (1, 0)


def test_an_unknown_period_is_refused(house):
    answer = house.ask("GET", "/api/usage?period=yearly")

    assert (answer.status_code, answer.json["error"]["param"]) == (400, "period")


def test_a_project_sees_its_own_usage_only(house):
    other = house.admin("POST", "/api/projects", {"name": "other"}).json
    house.chat("nobody/knows")

    seen = house.ask("GET", "/api/usage", bearer=other["bearer"]).json
    asked = house.ask("GET", "/api/usage?projectId=default", bearer=other["bearer"])

    assert (seen["projectId"], seen["totalCalls"]) == (other["id"], 0)
    assert asked.status_code == 404
    own = house.ask("GET", "/api/usage?projectId=other", bearer=other["bearer"])
    assert own.status_code == 200


def test_the_admin_sees_all_or_the_one_that_it_names(house):
    house.admin("POST", "/api/projects", {"name": "other"})
    house.chat("nobody/knows")

    def calls(query):
        return house.admin("GET", f"/api/usage{query}").json["totalCalls"]

    assert [calls(""), calls("?projectId=default"), calls("?projectId=other")] == [1, 1, 0]
    assert house.admin("GET", "/api/usage?projectId=nobody").status_code == 404


def test_without_attempts_the_export_is_empty(house):
    answer = house.ask("GET", "/api/usage/attempts")

    assert (answer.data, answer.mimetype) == (b"", "application/x-ndjson")


def test_usage_tells_what_was_saved_and_by_whom_it_was_used(house, bill):
    made = house.admin("POST", "/api/projects", {"name": "site"}).json
    cost = bill()
    bill(LOCAL, tier="SIMPLE", bearer="brr_1")
    bill(LOCAL, tier="SIMPLE", project="site")

    mine = house.ask("GET", "/api/usage?period=daily").json
    everybody = house.admin("GET", "/api/usage").json

    assert (mine["totalCalls"], mine["totalCostNusd"]) == (2, cost)
    assert (mine["inputTokens"], mine["cachedTokens"], mine["outputTokens"]) == (2_200, 200, 100)
    # Both by the dearest tier's own model, and one of them was.
    assert (mine["baselineCostNusd"], mine["savedNusd"]) == (2 * cost, cost)
    assert [(row["provider"], row["calls"]) for row in mine["byProvider"]] == [
        ("anthropic", 1), ("local", 1),
    ]  # fmt: skip
    assert [row["bearerId"] for row in mine["byBearer"]] == ["brr_1"]
    assert {row["project"]: row["calls"] for row in everybody["byProject"]} == {
        "default": 2, "site": 1,
    }  # fmt: skip
    assert everybody["byProject"][0].keys() >= {"projectId", "cost", "costNusd"}
    seen = house.ask("GET", "/api/usage", bearer=made["bearer"]).json
    assert [row["project"] for row in seen["byProject"]] == ["site"]


def test_a_model_asked_for_by_name_saves_nothing(house, bill):
    bill(LOCAL, stage="explicit")

    assert house.ask("GET", "/api/usage").json["savedNusd"] == 0


def test_days_and_models_are_lists_of_their_own(house, bill):
    cost = bill()

    (day,) = house.ask("GET", "/api/usage/daily").json["data"]
    (model,) = house.ask("GET", "/api/usage/models").json["data"]

    assert (day["calls"], day["costNusd"]) == (1, cost)
    assert len(day["date"]) == 10
    assert (model["model"], model["costNusd"]) == (f"anthropic/{CLOUD}", cost)


def test_a_table_for_a_spreadsheet(house, bill):
    house.admin("POST", "/api/projects", {"name": "=HYPERLINK(1)"})
    cost = bill()
    bill(LOCAL, project="=HYPERLINK(1)", tier="SIMPLE")

    answer = house.admin("GET", "/api/usage/export?period=weekly")

    assert answer.mimetype == "text/csv"
    assert "larouter-usage-weekly.csv" in answer.headers["Content-Disposition"]
    formula, mine = csv.DictReader(io.StringIO(answer.text))
    assert formula["project"] == "'=HYPERLINK(1)"
    assert (mine["project"], mine["tier"], mine["cost_nusd"]) == ("default", "FRONTIER", str(cost))
    own = house.ask("GET", "/api/usage/export").text
    assert "HYPERLINK" not in own


def test_the_same_table_as_json(house, bill):
    cost = bill()

    answer = house.admin("GET", "/api/usage/export?format=json&period=daily")

    assert answer.mimetype == "application/json"
    assert "larouter-usage-daily.json" in answer.headers["Content-Disposition"]
    (line,) = answer.json["data"]
    assert line == {
        "date": house.services.reports.date_in().isoformat(), "project": "default",
        "tier": "FRONTIER", "model": f"anthropic/{CLOUD}", "calls": 1, "succeededCalls": 1,
        "inputTokens": 1_100, "cachedTokens": 100, "outputTokens": 50, "cost": cost / 10**9,
        "costNusd": cost, "unpricedCalls": 0, "baselineCost": cost / 10**9,
        "baselineCostNusd": cost, "saved": 0, "savedNusd": 0,
    }  # fmt: skip
    assert house.admin("GET", "/api/usage/export?format=xml").json["error"]["param"] == "format"


def test_usage_is_of_a_stretch_and_filtered(house, bill):
    cost = bill()
    bill(LOCAL, tier="SIMPLE")
    now = datetime.now(UTC)
    hour_ago, in_an_hour = (quote((now + timedelta(hours=h)).isoformat()) for h in (-1, 1))

    def sums(query):
        usage = house.ask("GET", f"/api/usage?{query}").json
        return usage["totalCalls"], usage["totalCostNusd"], usage["from"], usage["to"]

    today = house.services.reports.date_in()
    month = f"{today:%Y-%m}"
    assert sums(f"month={month}")[:3] == (2, cost, f"{month}-01")
    assert sums("month=2001-02") == (0, 0, "2001-02-01", "2001-02-28")
    assert sums(f"from={today}&to={today}&model={CLOUD}")[:2] == (1, cost)
    assert sums(f"from={hour_ago}&to={in_an_hour}&provider=local")[:2] == (1, 0)
    assert sums(f"from={in_an_hour}&to={quote((now + timedelta(hours=2)).isoformat())}")[0] == 0
    refused = house.ask("GET", "/api/usage?tier=FRONTEIR")
    assert (refused.status_code, refused.json["error"]["param"]) == (400, "tier")


@pytest.mark.parametrize("path", ["", "/daily", "/models", "/export", "/attempts"])
def test_no_path_shows_another_projects_rows(house, bill, path):
    other = house.admin("POST", "/api/projects", {"name": "other"}).json
    bill()

    own = house.ask("GET", f"/api/usage{path}", bearer=other["bearer"])
    asked = house.ask("GET", f"/api/usage{path}?projectId=default", bearer=other["bearer"])

    assert own.status_code == 200
    # The baseline is this machine's and named to everyone.
    assert CLOUD not in own.text.replace(f'"baselineModel":"anthropic/{CLOUD}"', "")
    assert asked.status_code == 404
    assert house.ask("GET", f"/api/usage{path}", bearer=False).status_code == 401


def test_the_sums_are_made_anew(house, bill):
    bill()
    before = house.ask("GET", "/api/usage").json

    assert house.admin("POST", "/api/usage/rebuild").json == {"differences": []}
    assert house.ask("GET", "/api/usage").json == before


CALLS = "/api/usage/calls?from=2026-01-01T00:00:00Z&provider="


def test_calls_are_told_page_by_page_to_the_admin_alone(house, bill, monkeypatch):
    monkeypatch.setattr("larouter.web.usage._PAGE", 2)
    for _ in range(3):
        bill()
    bill(LOCAL)

    first = house.admin("GET", f"{CALLS}anthropic").json
    second = house.admin("GET", f"{CALLS}anthropic&after={first['next']}").json

    ids = [row["id"] for row in first["data"] + second["data"]]
    assert (len(ids), ids, second["next"]) == (3, sorted(set(ids)), None)
    assert first["data"][0].items() >= {
        "model": f"anthropic/{CLOUD}", "state": "settled", "promptTokens": 1_100,
        "cachedTokens": 100, "outputTokens": 50,
    }.items()  # fmt: skip
    assert house.admin("GET", f"{CALLS}nobody").json == {"data": [], "next": None}
    assert house.ask("GET", f"{CALLS}anthropic").status_code == 401


@pytest.mark.parametrize(
    ("query", "param"),
    [("from=2026-01-01T00:00:00Z", "provider"), ("provider=openai", "from"),
     ("provider=openai&from=2026-01-01", "from"),
     ("provider=openai&from=2026-01-01T00:00:00Z&after=-1", "after"),
     ("provider=openai&from=2026-01-01T00:00:00Z&after=" + "9" * 20, "after")],
)  # fmt: skip
def test_calls_that_cannot_be_told_are_refused(house, query, param):
    refused = house.admin("GET", f"/api/usage/calls?{query}")

    assert (refused.status_code, refused.json["error"]["param"]) == (400, param)


@pytest.fixture
def lost(house):
    """An attempt that nobody knows the end of; return its id."""
    services = house.services
    record = RequestRecord(
        id="req_1", project=services.projects.get("default"), asked="auto", tier="FRONTIER",
        stage="learned", score=0.5, reason="said", stream=False, rid=None, started_ms=now_ms(),
    )  # fmt: skip
    model = services.catalog.models[CLOUD]
    attempt = services.ledger.reserve(record, Choice(model=model), bound_of(model, a_request()))
    services.ledger.settle(attempt, Outcome(state="unknown", status=502, error="crash"))
    return f"att_{attempt.id}"


def test_what_nobody_knew_is_told(house, lost):
    path = f"/api/usage/attempts/{lost}"

    told = house.admin("POST", path, {"input": 1_100, "output": 50, "cached": 100}).json

    assert told["attempt_id"] == lost
    assert told["cost_nusd"] < told["before_nusd"]
    assert house.ask("GET", "/api/usage").json["totalCostNusd"] == told["cost_nusd"]
    assert house.ask("GET", "/api/usage").json["cachedTokens"] == 100
    again = house.admin("POST", path, {"released": True})
    assert (again.status_code, again.json["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [{}, {"released": False}, {"released": True, "input": 1}, {"input": 1},
     {"input": -1, "output": 1},
     {"input": 1, "output": 1.5}, {"input": 1, "output": 1, "cached": 2},
     {"input": 1, "output": 10**10}, {"input": 1, "output": 1, "more": 1}],
)  # fmt: skip
def test_tokens_that_make_no_sense_are_refused(house, lost, body):
    assert house.admin("POST", f"/api/usage/attempts/{lost}", body).status_code == 400


@pytest.mark.parametrize("id", ["att_99", "att_", "req_1", "att_1x", "9" * 30])
def test_nobody_s_attempt_is_not_found(house, id):
    refused = house.admin("POST", f"/api/usage/attempts/{id}", {"released": True})

    assert (refused.status_code, refused.json["error"]["code"]) == (404, "attempt_not_found")
