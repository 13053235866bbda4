"""Rules in words: what can be written, what it means, and where a slip is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.errors import BadRequest
from larouter.core.policy import Condition
from larouter.core.policy_rules import EXAMPLE, FIELDS, Facts, holds, parse_rule

RANKS = {"HEARTBEAT": 0, "SIMPLE": 1, "MODERATE": 2, "COMPLEX": 3, "FRONTIER": 4}


def facts(**known):
    return Facts(ranks=RANKS, **known)


def test_a_rule_is_read():
    rule = parse_rule("  if tag = Legal  and tokens>4000 THEN COMPLEX ")

    assert rule.conditions == (Condition("tag", "=", "legal"), Condition("tokens", ">", 4000))
    assert rule.action == "COMPLEX"
    assert rule.text == "if tag = Legal and tokens>4000 THEN COMPLEX"


def test_the_example_is_a_rule():
    assert parse_rule(EXAMPLE).text == EXAMPLE


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("if turns >= 3 then local", "local"),
        ("if turns >= 3 then LOCAL", "local"),
        ("if turns >= 3 then complex", "complex"),
        ("if turns >= 3 then ollama/gemma3:4b", "ollama/gemma3:4b"),
        ("if model = gpt-4o then openai/gpt-6.2-sol", "openai/gpt-6.2-sol"),
    ],
)
def test_an_action_is_a_tier_a_model_or_local(text, action):
    assert parse_rule(text).action == action


@pytest.mark.parametrize(
    ("rule", "known", "is_so"),
    [
        ("tag = legal", {"tags": frozenset({"legal", "code"})}, True),
        ("tag = legal", {}, False),
        ("tag != legal", {"tags": frozenset({"code"})}, True),
        ("tag != legal", {"tags": frozenset({"legal"})}, False),
        ("needs = tools", {"needs": frozenset({"tools"})}, True),
        ("needs != tools", {"needs": frozenset({"tools"})}, False),
        ("language = DE", {"language": "de"}, True),
        ("language = de", {}, False),
        ("language != de", {}, True),
        ("tier = complex", {"tier": "COMPLEX"}, True),
        ("tier != complex", {"tier": "COMPLEX"}, False),
        ("tier >= MODERATE", {"tier": "COMPLEX"}, True),
        ("tier > MODERATE", {"tier": "MODERATE"}, False),
        ("tier < MODERATE", {"tier": "SIMPLE"}, True),
        ("tier <= MODERATE", {"tier": "FRONTIER"}, False),
        ("tier > GONE", {"tier": "FRONTIER"}, False),
        ("tier > SIMPLE", {}, False),
        ("tokens > 4000", {"tokens": 4001}, True),
        ("tokens > 4000", {"tokens": 4000}, False),
        ("tokens = 4000", {"tokens": 4000}, True),
        ("tokens <= 4000", {"tokens": 4000}, True),
        ("turns < 2", {"turns": 1}, True),
        ("turns != 2", {"turns": 2}, False),
        ("model = auto", {"model": "auto"}, True),
        ("model != auto", {"model": "gpt-4o"}, True),
        ("tokens > 1 and turns > 1", {"tokens": 2, "turns": 1}, False),
        ("tokens > 1 and turns > 1", {"tokens": 2, "turns": 2}, True),
    ],
)
def test_a_rule_holds_when_all_of_it_does(rule, known, is_so):
    assert holds(parse_rule(f"if {rule} then local"), facts(**known)) is is_so


@pytest.mark.parametrize(
    ("text", "shown", "why"),
    [
        ("", "▸", "begins with: if"),
        ("tag = legal then COMPLEX", "▸tag = legal", "begins with: if"),
        ("if then COMPLEX", "if ▸then", "begins with one of tag"),
        ("if topic = legal then COMPLEX", "if ▸topic", "begins with one of tag"),
        ("if tag legal then COMPLEX", "tag ▸legal", "followed by one of = !="),
        ("if tag > legal then COMPLEX", "tag ▸> legal", "no order"),
        ("if tokens then COMPLEX", "tokens ▸then", "followed by one of = != <"),
        ("if tokens > many then COMPLEX", "> ▸many", "a whole number, such as 4000"),
        ("if tokens > -1 then COMPLEX", "> ▸-1", "a whole number"),
        ("if tokens > 4.5 then COMPLEX", "> ▸4.5", "a whole number"),
        ("if tokens > 1234567890123 then COMPLEX", "> ▸1234567890123", "a whole number"),
        ("if tokens > then COMPLEX", "> ▸then", "a whole number"),
        ("if tag == legal then COMPLEX", "=▸= legal", "in one word"),
        ("if tag = legal law then COMPLEX", "legal ▸law", "and, or: then"),
        ("if tag = legal or tag = tax then COMPLEX", "legal ▸or", "and, or: then"),
        ("if tag = legal and then COMPLEX", "and ▸then", "begins with one of tag"),
        ("if language = german then COMPLEX", "= ▸german", "two letters"),
        ("if needs = speed then COMPLEX", "= ▸speed", "one of tools"),
        ("if model = a(b) then COMPLEX", "= ▸a(b)", "model's name"),
        ("if tier = 5 then COMPLEX", "= ▸5", "a tier"),
        ("if tag = legal", "legal▸", "and, or: then"),
        ("if tag = legal then", "then▸", "a tier, a model, or: local"),
        ("if tag = legal then (x)", "then ▸(x)", "a tier, a model, or: local"),
        ("if tag = legal then COMPLEX now", "COMPLEX ▸now", "ends after"),
        ("if tag ! legal then COMPLEX", "tag ▸! legal", "followed by"),
    ],
)
def test_a_slip_is_shown_at_its_place(text, shown, why):
    with pytest.raises(BadRequest) as caught:
        parse_rule(text)

    assert shown in caught.value.message
    assert why in caught.value.message
    assert caught.value.message.endswith(EXAMPLE)
    assert caught.value.param == "rules"


@pytest.mark.parametrize("text", ["if tag = \0 then local", "if tag = " + "x" * 500])
def test_a_rule_is_one_line_of_bounded_length(text):
    with pytest.raises(BadRequest, match="at most 500 printable characters"):
        parse_rule(text)


_CONDITIONS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["tokens", "turns"]),
              st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 10**12 - 1)),
    st.builds("{} {} {}".format, st.sampled_from(["tag", "tier"]), st.sampled_from(["=", "!="]),
              st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True)),
)  # fmt: skip


@given(st.lists(_CONDITIONS, min_size=1, max_size=5), st.sampled_from(["local", "COMPLEX", "a/b"]))
def test_what_was_written_is_read_again(conditions, action):
    rule = parse_rule(f"if {' and '.join(conditions)} then {action}")

    assert parse_rule(rule.text) == rule
    assert len(rule.conditions) == len(conditions)


@given(st.text(st.sampled_from("if tag=<>!and 4then local▸\n\u00e9")))
def test_any_text_is_a_rule_or_refused(text):
    try:
        rule = parse_rule(text)
    except BadRequest:
        return
    assert holds(rule, Facts()) in (True, False)


def test_every_field_is_a_fact():
    assert {name if name != "tag" else "tags" for name in FIELDS} <= set(Facts.__struct_fields__)
