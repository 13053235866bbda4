"""Budgets over our own API, and what a client sees of one that is used up."""

import pytest

from larouter.core.budget import ALERTS

CHAT = "/v1/chat/completions"


@pytest.fixture
def add(house):
    def add(cap="5", **fields):
        body = {"project": "default", "name": "Cap", "cap": cap, **fields}
        return house.admin("POST", "/api/budgets", body)

    return add


def test_a_new_budget_is_shown_as_it_stands(house, add):
    made = add("0.50", period="daily", scope="provider", of="openai")

    assert made.status_code == 201
    assert {name: made.json[name] for name in ("project", "metric", "period", "scope", "of")} == {
        "project": "default", "metric": "cost", "period": "daily", "scope": "provider",
        "of": "openai",
    }  # fmt: skip
    assert made.json["alerts"] == list(ALERTS)
    assert (made.json["cap"], made.json["capNusd"]) == (0.5, 500_000_000)
    assert (made.json["spentNusd"], made.json["reservedNusd"]) == (0, 0)
    assert made.json["leftNusd"] == 500_000_000
    assert made.json["renews_ms"] - made.json["starts_ms"] >= 23 * 3_600_000
    assert house.admin("GET", "/api/budgets").json["data"] == [made.json]


def test_what_is_counted_has_no_money(add):
    made = add(100, metric="requests", period="total").json

    assert (made["cap"], made["spent"], made["renews_ms"]) == (100, 0, None)
    assert "capNusd" not in made


@pytest.mark.parametrize(("cap", "nusd"), [(5, 5 * 10**9), ("0.01", 10**7), (0.25, 25 * 10**7)])
def test_a_cap_is_exact(add, cap, nusd):
    assert add(cap).json["capNusd"] == nusd


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"cap": "five"}, "cap"), ({"cap": True}, "cap"), ({"cap": None}, "cap"),
        ({"cap": -1}, "cap"), ({"cap": "5", "metric": "tokens"}, "cap"),
        ({"name": 7}, "name"), ({"hard": "no"}, "hard"), ({"alerts": 50}, "alerts"),
        ({"alerts": [1.5]}, "alerts"), ({"colour": "red"}, "colour"),
        ({"period": "often"}, "period"),
    ],
)  # fmt: skip
def test_a_slip_is_named(add, fields, param):
    refused = add(**fields)

    assert refused.status_code == 400
    assert refused.json["error"]["param"] == param


@pytest.mark.parametrize("missing", ["project", "name", "cap"])
def test_a_budget_needs(house, missing):
    body = {"project": "default", "name": "Cap", "cap": 5}
    del body[missing]

    assert house.admin("POST", "/api/budgets", body).json["error"]["param"] == missing


def test_nothing_changes_by_nothing(house, add):
    assert house.admin("PATCH", f"/api/budgets/{add().json['id']}", {}).status_code == 400


def test_a_budget_is_changed_and_removed(house, add):
    path = f"/api/budgets/{add().json['id']}"

    changed = house.admin(
        "PATCH", path, {"cap": "7", "hard": False, "name": "More", "alerts": [90]}
    ).json
    assert (changed["capNusd"], changed["hard"], changed["name"], changed["alerts"]) == (
        7 * 10**9, False, "More", [90],
    )  # fmt: skip
    assert house.admin("POST", f"{path}/resume").json["blocked"] is False
    assert house.admin("DELETE", path).json["deleted"] is True
    assert house.admin("DELETE", path).status_code == 404
    assert house.admin("GET", "/api/budgets").json["data"] == []


def test_a_project_sees_its_own_alone(house, add):
    other = house.admin("POST", "/api/projects", {"name": "site"}).json
    mine = add().json
    theirs = add(project="site").json
    add(project="machine")

    assert [row["id"] for row in house.ask("GET", "/api/budget").json["data"]] == [mine["id"]]
    seen = house.ask("GET", "/api/budget", bearer=other["bearer"]).json["data"]
    assert [row["id"] for row in seen] == [theirs["id"]]
    listed = house.admin("GET", "/api/budgets?project=site").json["data"]
    assert [row["id"] for row in listed] == [theirs["id"]]
    assert len(house.admin("GET", "/api/budgets").json["data"]) == 3


@pytest.mark.parametrize(
    ("scope", "of"), [("tier", "FRONTEIR"), ("provider", "opnai"), ("model", "nobody/knows")]
)
def test_a_budget_for_nobody_is_a_slip(add, scope, of):
    refused = add(scope=scope, of=of)

    assert (refused.status_code, refused.json["error"]["param"]) == (400, "of")


def test_a_model_is_kept_as_the_ledger_writes_it(add):
    assert add(scope="model", of="claude-opus-5-5").json["of"] == "anthropic/claude-opus-5-5"


def test_a_deleted_project_takes_its_budgets_along(house, add):
    house.admin("POST", "/api/projects", {"name": "site"})
    add(project="site")
    machine = add(project="machine").json

    house.admin("DELETE", "/api/projects/site")

    assert [row["id"] for row in house.admin("GET", "/api/budgets").json["data"]] == [machine["id"]]


def test_a_zone_moves_a_projects_budgets(house, add):
    add()

    house.admin("PATCH", "/api/projects/default", {"zone": "Asia/Tokyo"})

    assert house.admin("GET", "/api/budgets").json["data"][0]["zone"] == "Asia/Tokyo"
    assert house.admin("GET", "/api/projects/default").json["zone"] == "Asia/Tokyo"
    refused = house.admin("PATCH", "/api/projects/default", {"zone": "Mars/Crater"})
    assert refused.json["error"]["param"] == "zone"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (CHAT, lambda body: (body["error"]["type"], body["error"]["code"])),
        ("/v1/messages", lambda body: (body["error"]["type"], "insufficient_quota")),
    ],
)
def test_a_client_is_told_in_its_own_shape_and_not_to_repeat(house, add, path, says):
    add(0, metric="requests")

    refused = house.ask(
        "POST", path,
        {"model": "auto", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]},
    )  # fmt: skip

    assert refused.status_code == 429
    assert says(refused.json)[1] == "insufficient_quota"
    assert "budget 'Cap' of 0 requests a month is used up" in refused.json["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"


# What a provider is asked for.


@pytest.fixture
def served(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


def test_an_answer_is_asked_to_be_short_enough(served, provider):
    body = {"project": "default", "name": "Few", "cap": 1_000, "metric": "tokens"}
    served.admin("POST", "/api/budgets", body)

    answer = served.chat("custom/plain", max_tokens=5_000)

    longest = int(answer.headers["x-larouter-max-tokens"])
    assert 256 <= longest < 1_000
    assert provider.last["body"]["max_tokens"] == longest
    (budget,) = served.ask("GET", "/api/budget").json["data"]
    assert 0 < budget["spent"] < 1_000
    assert budget["reserved"] == 0


def test_limits_stand_in_the_headers_as_openai_sends_them(served):
    served.admin(
        "PATCH", "/api/projects/default",
        {"policy": {"requests_per_minute": 2, "tokens_per_minute": 500}},
    )  # fmt: skip

    first, _, third = (served.chat("custom/plain") for _ in range(3))

    limits = {name: text for name, text in first.headers if name.startswith("x-ratelimit-")}
    assert limits["x-ratelimit-limit-requests"] == "2"
    assert limits["x-ratelimit-remaining-requests"] == "1"
    assert limits["x-ratelimit-limit-tokens"] == "500"
    assert int(limits["x-ratelimit-remaining-tokens"]) < 500
    assert limits["x-ratelimit-reset-tokens"].endswith("s")
    assert (third.status_code, third.json["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(third.headers["retry-after"]) <= 60


@pytest.fixture
def custom(open_house, provider):
    """A provider whose prices nobody knows, with a budget of tokens."""
    house = open_house(LAROUTER_CUSTOM_URL=provider.url)
    body = {"project": "default", "name": "Cap", "cap": 3_000_000, "metric": "tokens"}
    house.admin("POST", "/api/budgets", body)
    provider.seen.clear()
    return house


def test_a_tool_that_the_provider_bills_is_refused_by_its_name(custom, provider):
    refused = custom.chat("custom/plain", web_search_options={})

    assert (refused.status_code, refused.json["error"]["code"]) == (400, "unbounded_cost")
    assert "web_search_options" in refused.json["error"]["message"]
    assert provider.seen == []


def test_a_picture_that_is_only_named_holds_what_it_may_take(custom):
    part = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    messages = [{"role": "user", "content": [part]}]
    asked = {"messages": messages, "max_tokens": 10}

    first = custom.chat("custom/plain", **asked)
    custom.admin("PATCH", "/api/budgets/1", {"cap": 1_000_000})
    second = custom.chat("custom/plain", **asked)

    assert (first.status_code, second.status_code) == (200, 429)
