"""What if, over HTTP, on requests that were really written down."""

import re

import pytest

from larouter.config import folder
from larouter.core.account import Outcome, RequestRecord
from larouter.core.chat import Usage
from larouter.core.route import Choice, Numbers
from larouter.store.usage import Wanted
from larouter.store.writer import now_ms
from tests.fakes import NO_BOUND

DAY_MS = 86_400_000
HARD = Numbers(
    tier="COMPLEX", probabilities=(0.0, 0.1, 0.2, 0.5, 0.2), need_strong=0.7, prompt_tokens=900,
    output_tokens=400, turns=1, tags=("code",),
)  # fmt: skip
EASY = Numbers(
    tier="SIMPLE", probabilities=(0.1, 0.7, 0.15, 0.05, 0.0), need_strong=0.05, prompt_tokens=20,
    output_tokens=40, turns=1,
)  # fmt: skip
KEYS = {"OPENAI_API_KEY": "sk-a", "ANTHROPIC_API_KEY": "sk-b", "GEMINI_API_KEY": "sk-c"}


@pytest.fixture
def house(open_house):
    return open_house(**KEYS)


@pytest.fixture
def asked(house):
    """Write down a request that a model has answered, without asking one."""
    count = 0

    def asked(model, numbers=HARD, *, project="default", days_ago=0, **facts):
        nonlocal count
        count += 1
        services = house.services
        defaults = {"tier": numbers.tier or "-", "stage": "learned", "asked": "auto"}
        record = RequestRecord(
            id=f"req_{count:04}", project=services.projects.get(project), score=0.2,
            reason="said", stream=False, rid=None, started_ms=now_ms() - days_ago * DAY_MS,
            numbers=numbers, **{**defaults, **facts},
        )  # fmt: skip
        ledger = services.gateway.ledger
        if model is None:
            ledger.refuse(record, 424, "provider_not_configured")
            return
        attempt = ledger.reserve(record, Choice(model=services.catalog.models[model]), NO_BOUND)
        ledger.settle(attempt, Outcome(state="settled", usage=Usage(input=1_000, output=500)))

    return asked


def _replay(house, **body):
    answer = house.admin("POST", "/api/replay", body)
    assert answer.status_code == 200, answer.text
    return answer.json


def _savings(found):
    return {saving["baseline"]: saving for saving in found["savings"]}


def test_nothing_recorded_is_nothing_to_say(house):
    found = _replay(house)

    assert (found["requests"], found["changed"], found["period"]) == (0, 0, "30d")
    assert [saving["baseline"] for saving in found["savings"]] == ["frontier", "pin", "recorded"]


def test_another_mode_moves_requests_and_money(house, asked):
    for _ in range(3):
        asked("gemini-4-argon")
    asked("smollm2-135m", EASY)

    found = _replay(house, policy={"mode": "local-only"})

    assert (found["requests"], found["changed"], found["down"], found["up"]) == (4, 3, 3, 0)
    assert [move["count"] for move in found["moves"]] == [3]
    assert found["moves"][0]["to_model"] == "local/smollm2-135m"
    recorded = _savings(found)["recorded"]
    assert recorded["cost_nusd"] > 0 == recorded["new_cost_nusd"]
    assert recorded["percent"] == 100
    assert recorded["saving_nusd"] == recorded["cost_nusd"]
    low, high = recorded["saving_between_nusd"]
    assert low <= recorded["saving_nusd"] <= high
    assert found["quality"]["hard_after"] > found["quality"]["hard_before"]


def test_a_slider_is_a_policy(house, asked):
    asked("gemini-4-argon")

    assert _replay(house, policy={"quality": 0.05})["down"] == 1
    assert _replay(house, policy={"quality": 0.9})["changed"] == 0


def test_every_baseline_has_its_own_money(house, asked):
    asked("gemini-4-argon")
    asked("smollm2-135m", EASY)

    savings = _savings(_replay(house))

    best = house.services.catalog.models["claude-opus-5-5"].price.cost(
        Usage(input=1_000, output=500)
    )
    assert savings["frontier"]["cost_nusd"] == 2 * best
    assert savings["recorded"]["saving_nusd"] == 0
    assert list(_savings(_replay(house, baseline="pin"))) == ["pin"]


def test_the_pin_is_the_model_that_is_pinned_to_the_dearest_tier(house, asked):
    asked("gemini-4-argon")
    before = _savings(_replay(house, baseline="pin"))["pin"]
    pins = {"SIMPLE": ["smollm2-135m"], "COMPLEX": ["openai/gpt-6.2-sol"]}
    house.admin("PATCH", "/api/projects/default", {"policy": {"pins": pins}})

    after = _savings(_replay(house, baseline="pin"))["pin"]

    price = house.services.catalog.models["gpt-6.2-sol"].price
    assert (
        before["cost_nusd"]
        == _savings(_replay(house, baseline="recorded"))["recorded"]["cost_nusd"]
    )
    assert after["cost_nusd"] == price.cost(Usage(input=1_000, output=500))


def test_a_named_model_stays_in_every_baseline(house, asked):
    asked("gemini-4-argon", Numbers(prompt_tokens=5), asked="gemini-4-argon", stage="explicit")

    found = _replay(house, policy={"mode": "cheapest"})

    assert (found["changed"], found["named"]) == (0, 1)
    assert len({saving["cost_nusd"] for saving in found["savings"]}) == 1
    assert any("Named their model" in sentence for sentence in found["assumptions"])


def test_a_model_that_only_its_provider_knows_is_ready_with_it(house, asked, open_house):
    asked("smollm2-135m", EASY)

    found = _replay(house, policy={"pins": {"SIMPLE": ["openai/gpt-new"]}})
    shut = _replay(house, policy={"pins": {"SIMPLE": ["deepseek/new"]}})

    assert found["moves"][0]["to_model"] == "openai/gpt-new"
    assert found["unpriced"] == 1
    assert shut["changed"] == 0


def test_a_request_that_nobody_answered_counts_as_expected(house, asked):
    asked(None)

    found = _replay(house)

    assert (found["unanswered"], found["changed"]) == (1, 0)
    assert _savings(found)["recorded"]["new_cost_nusd"] > 0


def test_requests_from_before_have_no_numbers(house, asked):
    asked("gemini-4-argon", Numbers())

    found = _replay(house)

    assert (found["requests"], found["without_numbers"]) == (0, 1)


@pytest.mark.parametrize(("period", "requests"), [("1d", 1), ("7d", 2), ("all", 3), (None, 2)])
def test_a_period_chooses(house, asked, period, requests):
    for days in (0, 3, 400):
        asked("gemini-4-argon", days_ago=days)

    assert _replay(house, **({"period": period} if period else {}))["requests"] == requests


def test_a_project_replays_its_own_requests_with_its_own_policy(house, asked):
    made = house.admin("POST", "/api/projects", {"name": "site"}).json
    house.admin("PATCH", "/api/projects/site", {"policy": {"mode": "local-only"}})
    asked("smollm2-135m", project="site")
    asked("gemini-4-argon")

    own = house.ask("POST", "/api/replay", {}, bearer=made["bearer"]).json
    all_of_them = _replay(house)
    named = _replay(house, project="site", policy={"mode": "balanced"})

    assert (own["project"], own["requests"], own["changed"]) == ("site", 1, 0)
    assert (all_of_them["project"], all_of_them["requests"]) == (None, 2)
    assert (named["requests"], named["up"]) == (1, 1)


def test_the_default_project_is_there_before_its_first_request(house):
    assert _replay(house, project="default")["requests"] == 0


def test_a_bearer_sees_no_other_project(house):
    house.admin("POST", "/api/projects", {"name": "site"})

    answer = house.ask("POST", "/api/replay", {"project": "site"})

    assert answer.status_code == 404
    assert house.ask("POST", "/api/replay", {}, bearer=False).status_code == 401
    assert house.ask("POST", "/api/replay", {"project": "default"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"period": "week"}, {"period": 7}, {"period": "0d"}, {"baseline": "best"},
        {"baseline": 1}, {"policy": []}, {"policy": {"mode": "odd"}}, {"policy": {"odd": 1}},
        {"policy": {"pins": {"SIMPLE": ["nobody/x"]}}}, {"project": 1}, {"polciy": {}},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(house, body):
    assert house.admin("POST", "/api/replay", body).status_code == 400


def test_a_project_that_is_not_there_is_not_found(house):
    assert house.admin("POST", "/api/replay", {"project": "none"}).status_code == 404


def test_a_deleted_project_s_requests_have_the_policy_that_is_asked_about(house, asked):
    house.admin("POST", "/api/projects", {"name": "site"})
    asked("gemini-4-argon", project="site")
    house.admin("DELETE", "/api/projects/site")

    assert _replay(house, policy={"mode": "local-only"})["down"] == 1
    assert _replay(house)["changed"] == 0


def test_nothing_is_changed_by_asking(house, asked):
    asked("gemini-4-argon")
    before = house.services.projects.get("default").policy

    _replay(house, policy={"mode": "cheapest"})

    assert house.services.projects.get("default").policy == before
    assert house.services.reports.usage(Wanted()).total.calls == 1


def test_a_catalogue_without_tiers_has_no_frontier(house, asked):
    shipped = (folder("data") / "catalog.toml").read_text("utf-8")
    toml = re.sub(r"\[\[tier\]\]\n(?:.+\n)+", "", shipped)
    asked("gemini-4-argon")
    digest = house.admin("POST", "/api/catalog", {"toml": toml}).json["digest"]
    house.admin("POST", "/api/catalog", {"toml": toml, "apply": True, "digest": digest})
    assert house.services.catalog.tiers == ()

    found = _replay(house)

    assert found["refused"] == 1
    assert _savings(found)["frontier"]["requests"] == 0
