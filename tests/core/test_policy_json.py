"""A policy in and out: every field, every slip."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.errors import BadRequest
from larouter.core.policy import (
    DEFAULT_POLICY,
    ESCALATIONS,
    MODES,
    PRIVACY,
    WHEN_LEFT,
    WHEN_SPENT,
    Policy,
)
from larouter.core.policy_json import changes_json, policy_json, read_policy
from larouter.core.policy_rules import parse_rule

WISHES = {
    "mode": "best",
    "quality": 0.75,
    "pins": {"complex": ["openai/gpt-6.2-sol", "gemini-4-argon"], "SIMPLE": "gemma-4-e4b"},
    "providers": ["openai", "google"],
    "max_cost_usd": "0.02",
    "privacy": ["id", "email"],
    "patterns": ["ACME-####", "Project  Falcon", "ACME-####"],
    "rules": ["if tag = legal then COMPLEX"],
    "escalation": "cloud",
    "hold_first_tokens": True,
    "when_spent": "local",
    "when_left": "drain",
    "requests_per_minute": 60,
    "tokens_per_minute": 90_000,
    "parallel": 4,
}
RULE = parse_rule("if tag = legal then COMPLEX")
POLICY = Policy(
    mode="best",
    quality=0.75,
    pins={"COMPLEX": ("openai/gpt-6.2-sol", "gemini-4-argon"), "SIMPLE": ("gemma-4-e4b",)},
    providers=frozenset({"openai", "google"}),
    max_cost=20_000_000,
    privacy=frozenset({"id", "email"}),
    patterns=("ACME-####", "Project Falcon"),
    rules=(RULE,),
    escalation="cloud",
    hold_first_tokens=True,
    when_spent="local",
    when_left="drain",
    requests_per_minute=60,
    tokens_per_minute=90_000,
    parallel=4,
)


def test_every_field_is_read():
    assert read_policy(WISHES) == POLICY


def test_every_field_is_shown():
    assert policy_json(POLICY) == {
        **WISHES,
        "pins": {"COMPLEX": ["openai/gpt-6.2-sol", "gemini-4-argon"], "SIMPLE": ["gemma-4-e4b"]},
        "providers": ["google", "openai"],
        "privacy": ["email", "id"],
        "patterns": ["ACME-####", "Project Falcon"],
    }


def test_only_what_is_given_changes():
    changed = read_policy({"mode": "cheapest"}, base=POLICY)

    assert changed.mode == "cheapest"
    assert {**policy_json(changed), "mode": "best"} == policy_json(POLICY)


def test_nothing_given_changes_nothing():
    assert read_policy({}) is DEFAULT_POLICY
    assert read_policy({}, base=POLICY) is POLICY


@pytest.mark.parametrize("back", [None, "default"])
@pytest.mark.parametrize("field", WISHES)
def test_a_field_goes_back_to_the_default(field, back):
    shown = policy_json(read_policy({field: back}, base=POLICY))

    assert shown[field] == policy_json(DEFAULT_POLICY)[field]


def test_only_what_is_not_the_default_is_kept():
    assert changes_json(DEFAULT_POLICY) == {}
    assert changes_json(Policy(max_cost=1)) == {"max_cost_usd": "0.000000001"}
    assert read_policy(changes_json(POLICY)) == POLICY


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("colour", "blue", "no field 'colour'"),
        ("mode", "fastest", "balanced, cheapest, best, local-only, cloud-only"),
        ("mode", 7, "balanced"),
        ("mode", ["best"], "balanced"),
        ("quality", 1.1, "from 0"),
        ("quality", -0.1, "from 0"),
        ("quality", True, "from 0"),
        ("quality", "0.5", "from 0"),
        ("quality", float("nan"), "from 0"),
        ("pins", [], "an object"),
        ("pins", {str(number): ["a"] for number in range(21)}, "at most 20"),
        ("pins", {"": ["a"]}, "no name of a tier"),
        ("pins", {"A B": ["a"]}, "no name of a tier"),
        ("pins", {"COMPLEX": []}, "at least one model"),
        ("pins", {"COMPLEX": [7]}, "list of strings"),
        ("pins", {"COMPLEX": ["a b"]}, "'a b' is no name of a model"),
        ("pins", {"COMPLEX": [f"m{number}" for number in range(11)]}, "at most 10"),
        ("providers", [], "at least one provider"),
        ("providers", "openai", "list of strings"),
        ("providers", ["open ai"], "letters, digits"),
        ("providers", ["openai/gpt"], "letters, digits"),
        ("max_cost_usd", 0.02, 'as a string such as "0.02"'),
        ("max_cost_usd", "0", "above 0"),
        ("max_cost_usd", "-1", "above 0"),
        ("max_cost_usd", "1e3", "above 0"),
        ("max_cost_usd", "1000000.5", "up to 1000000"),
        ("max_cost_usd", "0.0000000001", "nine places"),
        ("privacy", ["names"], "secrets, email, card, id"),
        ("privacy", "email", "list of strings"),
        ("patterns", ["ab"], "3 to 100"),
        ("patterns", ["*****"], "everything"),
        ("patterns", [f"word{number}" for number in range(51)], "at most 50"),
        ("rules", ["if tag = legal then COMPLEX", "if x"], "Rule 2: "),
        ("rules", [f"if tokens > {number} then local" for number in range(51)], "at most 50"),
        ("rules", {"if": "then"}, "list of strings"),
        ("escalation", "up", "off, local, cloud"),
        ("hold_first_tokens", "yes", "true or false"),
        ("hold_first_tokens", 1, "true or false"),
        ("when_spent", "stop", "refuse, local"),
        ("when_left", "stay", "close, drain"),
        ("requests_per_minute", 0, "from 1"),
        ("tokens_per_minute", 10**9 + 1, "from 1"),
        ("parallel", 1.5, "whole number"),
        ("parallel", True, "whole number"),
    ],
)
def test_a_slip_is_refused_with_its_field(field, value, says):
    with pytest.raises(BadRequest) as caught:
        read_policy({field: value})

    assert says in caught.value.message
    assert caught.value.param == f"policy.{field}"


_POLICIES = st.builds(
    Policy,
    mode=st.sampled_from(MODES),
    quality=st.floats(0, 1),
    pins=st.dictionaries(
        st.sampled_from(["SIMPLE", "COMPLEX"]),
        st.lists(st.sampled_from(["a", "b/c", "d"]), min_size=1, unique=True).map(tuple),
    ),
    providers=st.none() | st.frozensets(st.sampled_from(["openai", "my-server"]), min_size=1),
    max_cost=st.none() | st.integers(1, 10**15),
    privacy=st.frozensets(st.sampled_from(PRIVACY)),
    patterns=st.lists(st.sampled_from(["ACME-##", "*@acme.de", "a b c"]), unique=True).map(tuple),
    rules=st.sampled_from([(), (RULE,)]),
    escalation=st.sampled_from(ESCALATIONS),
    hold_first_tokens=st.booleans(),
    when_spent=st.sampled_from(WHEN_SPENT),
    when_left=st.sampled_from(WHEN_LEFT),
    requests_per_minute=st.none() | st.integers(1, 10**9),
    tokens_per_minute=st.none() | st.integers(1, 10**9),
    parallel=st.none() | st.integers(1, 10**9),
)


@given(_POLICIES)
def test_what_is_shown_is_read(policy):
    shown = json.loads(json.dumps(policy_json(policy)))

    assert read_policy(shown) == policy
    assert read_policy(changes_json(policy)) == policy
