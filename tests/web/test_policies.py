"""Policies over our own API: shown, changed field by field, refused with a reason."""

import pytest

from larouter.core.policy import MODES
from larouter.core.policy_json import policy_json, read_policy


@pytest.fixture
def change(house):
    """Change the policy of the project `site`."""
    house.admin("POST", "/api/projects", {"name": "site"})
    return lambda policy: house.admin("PATCH", "/api/projects/site", {"policy": policy})


def test_the_choices_have_words(house):
    shown = house.admin("GET", "/api/policies").json

    assert [word["name"] for word in shown["mode"]] == list(MODES)
    assert set(shown["privacy"][0]) == {"name", "title", "meaning"}
    assert shown["rules"]["example"].startswith("if ")
    assert shown["default"]["mode"] == "balanced"


def test_a_new_project_has_the_default_policy(house):
    default = house.admin("GET", "/api/policies").json["default"]
    made = house.admin("POST", "/api/projects", {"name": "site"}).json

    assert made["policy"] == default
    assert house.admin("GET", "/api/projects/site").json["policy"] == default
    assert house.admin("GET", "/api/projects").json["data"][0]["policy"] == default


def test_only_what_is_given_changes(house, change):
    change({"mode": "best", "max_cost_usd": "0.05"})

    changed = change({"mode": "cheapest", "pins": {"COMPLEX": ["gpt-6.2-sol"]}}).json["policy"]

    assert (changed["mode"], changed["max_cost_usd"]) == ("cheapest", "0.05")
    assert changed["pins"] == {"COMPLEX": ["gpt-6.2-sol"]}
    assert house.services.projects.get("site").policy == read_policy(changed)


def test_null_takes_a_field_back(change):
    change({"mode": "best", "quality": 1})

    assert change({"quality": None}).json["policy"]["quality"] == 0.5
    assert change({"mode": "default"}).json["policy"]["mode"] == "balanced"


def test_what_is_shown_can_be_sent_back(house, change):
    shown = change({"privacy": ["email"], "rules": ["if turns > 3 then openai/gpt-9"]}).json

    assert change(shown["policy"]).json["policy"] == shown["policy"]


@pytest.mark.parametrize(
    ("policy", "param", "says"),
    [
        ({"mode": "wild"}, "policy.mode", "balanced"),
        ({"speed": 1}, "policy.speed", "no field"),
        ({"rules": ["if x"]}, "policy.rules", "▸x"),
        ({"rules": ["if turns > 3 then COMPLX"]}, "policy.rules", "no tier or model 'COMPLX'"),
        ({"rules": ["if tier = HUGE then local"]}, "policy.rules", "The tiers are HEARTBEAT"),
        ({"pins": {"HUGE": ["gpt-6.2-sol"]}}, "policy.pins", "no tier 'HUGE'"),
        ({"pins": {"COMPLEX": ["gpt-99"]}}, "policy.pins", "no model 'gpt-99'"),
        ({"providers": ["openal"]}, "policy.providers", "no provider 'openal'"),
    ],
)
def test_a_slip_is_refused_and_nothing_changes(house, change, policy, param, says):
    answer = change({"quality": 0.9, **policy})

    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)
    assert says in answer.json["error"]["message"]
    assert house.admin("GET", "/api/projects/site").json["policy"]["quality"] == 0.5


@pytest.mark.parametrize("policy", [None, [], "best"])
def test_a_policy_is_an_object(change, policy):
    answer = change(policy)

    assert (answer.status_code, answer.json["error"]["param"]) == (400, "policy")


def test_names_that_are_gone_do_not_stop_other_changes(house, change):
    policy = read_policy({"pins": {"GONE": ["nobody"]}, "rules": ["if tier = GONE then nobody"]})
    house.services.projects.update("site", policy=policy)

    assert change({"mode": "best"}).json["policy"] == {**policy_json(policy), "mode": "best"}


def test_rules_name_tiers_models_and_this_machine(change):
    rules = [
        "if tier >= MODERATE and tag = code then frontier",
        "if language = de then gemma-4-e4b",
        "if tag = medical then local",
    ]

    assert change({"rules": rules}).json["policy"]["rules"] == rules


def test_providers_that_there_are_may_be_allowed(change):
    assert change({"providers": ["openai", "local"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "jane@example.com"}]}),
        ("/v1/embeddings", {"input": ["a", "jane@example.com"]}),
        ("/v1/responses", {"input": [
            {"role": "user", "content": "Go on"},
            {"type": "function_call", "call_id": "c1", "name": "send",
             "arguments": '{"to": "jane@example.com"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
        ]}),
    ],
    ids=["said", "embedded", "given to a tool"],
)  # fmt: skip
def test_what_is_private_leaves_by_no_door(open_house, provider, path, body):
    house = open_house(LAROUTER_CUSTOM_URL=provider.url)
    house.admin("PATCH", "/api/projects/default", {"policy": {"privacy": ["email"]}})

    answer = house.ask("POST", path, {"model": "custom/any", **body})

    assert answer.status_code >= 400, answer.text
    assert "e-mail address" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("policy", "state", "output"), [({}, "estimated", None), ({"when_left": "drain"}, "settled", 5)]
)
def test_a_stream_that_was_left_costs_what_its_project_wants_to_know(serve, policy, state, output):
    server = serve()
    server.admin("PATCH", "/api/projects/default", {"policy": policy})
    answer = server.chat("custom/slow", stream=True)
    lines = answer.iter_lines()
    next(lines)
    answer.close()

    row = server.ended(answer.headers["x-request-id"])
    [attempt] = server.attempts(row["id"])

    assert (row["status"], row["error"], attempt["state"]) == (499, "client_left", state)
    assert output in (None, attempt["output"])
