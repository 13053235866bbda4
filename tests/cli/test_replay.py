"""`larouter replay`, on a data folder whose requests were really written down."""

import json

import click
import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.core.account import Outcome, RequestRecord
from larouter.core.chat import Usage
from larouter.core.errors import LARouterError
from larouter.core.route import Choice, Numbers
from larouter.store.writer import now_ms
from tests.fakes import NO_BOUND

HARD = Numbers(
    tier="COMPLEX", probabilities=(0.0, 0.1, 0.2, 0.5, 0.2), need_strong=0.7, prompt_tokens=900,
    output_tokens=400, turns=1,
)  # fmt: skip


@pytest.fixture
def record(tmp_path):
    """Write down requests of `default`, each answered by this model."""

    def record(*models, numbers=HARD):
        services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path)}))
        try:
            services.projects.ensure_default()
            for number, model in enumerate(models):
                row = RequestRecord(
                    id=f"req_{number:03}", project=services.projects.get("default"),
                    asked="auto", tier=numbers.tier or "-", stage="learned", score=0.6,
                    reason="said", stream=False, rid=None, started_ms=now_ms(), numbers=numbers,
                )  # fmt: skip
                ledger = services.gateway.ledger
                choice = Choice(model=services.catalog.models[model])
                attempt = ledger.reserve(row, choice, NO_BOUND)
                usage = Usage(input=10_000, output=5_000)
                ledger.settle(attempt, Outcome(state="settled", usage=usage))
        finally:
            services.close()

    return record


def test_nothing_recorded_is_said_kindly(cli):
    said = cli.run("replay", "--policy", "mode=cheapest", "--project", "default").stdout

    assert "Nothing is recorded yet" in said or "would go elsewhere" in said


def test_requests_without_numbers_are_said_to_be_old(alone, record):
    record("gemini-4-argon", numbers=Numbers())

    assert "recorded so far (1), none has the numbers" in alone.run("replay").stdout


def test_what_would_change_is_a_table_for_people(alone, record):
    record("gemini-4-argon", "gemini-4-argon", "smollm2-135m")

    lines = alone.lines("replay", "--policy", "mode=local-only")

    assert lines[0] == "3 requests, 2 would go elsewhere (66.7 %)"
    assert lines[1].split() == ["2", "to", "a", "smaller", "model"]
    text = "\n".join(lines)
    assert "2  COMPLEX google/gemini-4-argon → COMPLEX local/smollm2-135m" in text
    assert "Beside everything to the dearest tier (3 requests):" in text
    assert "Beside as it was (3 requests):" in text
    assert "saves $" in text
    assert "(100 %, between 100 % and 100 %)" in text
    assert "hard prompts answered by a small model: 23.3 % → 70.0 %" in text
    assert lines[-1].startswith("- ")


def test_a_policy_that_costs_more_says_so(alone, record):
    record("smollm2-135m", "smollm2-135m")

    text = alone.run(
        "replay", "--policy", "quality=0.9", "--baseline", "recorded", OPENAI_API_KEY="sk-x"
    ).stdout

    assert "to a stronger model" in text
    assert "costs $" in text
    assert "more, between $" in text
    assert "dearest" not in text


def test_a_policy_may_refuse(alone, record):
    record("smollm2-135m")

    text = alone.run("replay", "--policy", "mode=cloud-only").stdout

    assert "1  refused: nobody may answer" in text
    assert "COMPLEX local/smollm2-135m → refused" in text


def test_a_policy_that_changes_nothing_moves_nothing(alone, record):
    record("smollm2-135m")

    text = alone.run("replay").stdout

    assert text.startswith("1 request, 0 would go elsewhere (0.0 %)")
    assert "→ COMPLEX" not in text


def test_the_json_is_the_api_s(alone, record):
    record("gemini-4-argon")

    found = json.loads(
        alone.run("replay", "--policy", "mode=local-only", "--period", "7d", "--json").stdout
    )

    assert (found["period"], found["changed"]) == ("7d", 1)
    assert found["savings"][0]["baseline"] == "frontier"


def test_a_policy_may_come_from_a_file_and_the_words_go_before_it(alone, record, tmp_path):
    record("gemini-4-argon")
    file = tmp_path / "policy.json"
    file.write_text('{"mode": "local-only", "quality": 0.5}')

    from_file = json.loads(alone.run("replay", "--policy-file", str(file), "--json").stdout)
    over = json.loads(
        alone.run(
            "replay", "--policy-file", str(file), "--policy", "mode=best", "--json",
            GEMINI_API_KEY="sk-x",
        ).stdout
    )  # fmt: skip

    assert (from_file["changed"], over["changed"]) == (1, 0)


@pytest.mark.parametrize("text", ["[1]", "{", '"mode"'])
def test_a_file_that_is_no_policy_is_refused(alone, tmp_path, text):
    file = tmp_path / "policy.json"
    file.write_text(text)

    with pytest.raises(click.UsageError):
        alone.run("replay", "--policy-file", str(file))


@pytest.mark.parametrize(
    "change",
    ["quality=0.3", "privacy=email,card", 'privacy=["email"]', "max_cost_usd=0.02",
     "max-cost-usd=0.02", "rules=if tag = legal then COMPLEX", 'pins={"SIMPLE": ["smollm2-135m"]}',
     "mode=default", "providers=openai", "patterns=ACME-####,  secret*", "quality=null"],
)  # fmt: skip
def test_every_kind_of_change_can_be_written(alone, record, change):
    record("smollm2-135m")

    assert json.loads(alone.run("replay", "--policy", change, "--json").stdout)["requests"] == 1


@pytest.mark.parametrize("change", ["mode", "=cheapest", ""])
def test_what_is_no_change_is_refused(alone, change):
    with pytest.raises(click.UsageError, match="no change of a policy"):
        alone.run("replay", "--policy", change)


@pytest.mark.parametrize(("option", "value"), [("--policy", "mode=odd"), ("--period", "week"),
                                               ("--project", "nobody")])  # fmt: skip
def test_what_the_api_refuses_is_a_sentence(alone, option, value):
    with pytest.raises(LARouterError):
        alone.run("replay", option, value)


def test_many_ways_are_cut_short(alone, record):
    names = ["gemini-4-argon", "gpt-6.2-sol", "deepseek-v4-pro", "claude-opus-5-5", "gpt-6.2-astra"]
    services = bootstrap(read_settings({"LAROUTER_HOME": str(alone.home)}))
    try:
        clouds = [name for name, model in services.catalog.models.items() if not model.is_local]
    finally:
        services.close()
    assert set(names) <= set(clouds)
    record(*clouds)

    text = alone.run("replay", "--policy", "mode=local-only").stdout

    assert (len(clouds) > 12) is ("other ways" in text)
