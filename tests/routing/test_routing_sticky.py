"""The result of a tool goes back to the model that called it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.catalog import FREE, Model, Price
from larouter.core.errors import ModelNotFound
from larouter.core.policy import Policy
from larouter.core.route import Verdict
from larouter.routing import Situation, route
from tests.fakes import a_catalog, a_request, with_fields

SMALL = Model(id="small", name="small", provider="local", price=FREE)
SMART = Model(id="smart", name="smart-2026", provider="google")
GENIUS = Model(id="genius", name="genius", provider="anthropic")
EXTRA = Model(id="extra", name="extra", provider="google")
CATALOG = a_catalog(
    SMALL, SMART, GENIUS, EXTRA, SIMPLE=("small",), COMPLEX=("smart",), FRONTIER=("genius",)
)
PROVIDERS = {"local": FREE, "google": Price(), "anthropic": Price(), "custom": Price()}
VERDICT = Verdict(
    tier="SIMPLE", score=0.3, need_strong=0.3, confidence=0.9, stage="rules", reason="said"
)


def _routed(
    caller,
    *,
    catalog=CATALOG,
    without=(),
    answers=("call_1",),
    model="auto",
    rests=lambda key: 0.0,
    **fields,
):
    situation = Situation(
        catalog=lambda: catalog,
        missing=lambda asked: "no-key" if asked.id in without else None,
        classify=lambda _: VERDICT,
        providers=PROVIDERS,
        caller=lambda _: caller,
        rests=rests,
    )
    return route(with_fields(a_request(model=model), answers=answers, **fields), situation)


@pytest.mark.parametrize(
    ("caller", "tier", "score"),
    [
        ("google/smart-2026", "COMPLEX", 0.5),
        ("anthropic/genius", "FRONTIER", 1.0),
        ("local/small", "SIMPLE", 0.0),
        ("google/extra", "-", 0.0),
        ("custom/anything", "-", 0.0),
    ],
)
@pytest.mark.parametrize("model", ["auto", "simple"])
def test_who_called_the_tool_gets_its_result(caller, tier, score, model):
    decision = _routed(caller, model=model)

    assert [choice.model.key for choice in decision.choices] == [caller]
    assert decision.choices[0].degraded is None
    assert (decision.tier, decision.stage, decision.score) == (tier, "sticky", score)
    assert decision.reason == f"{caller} asked for the tool whose result this is"


def test_a_request_without_a_result_is_nobodys():
    assert _routed("google/smart-2026", answers=()).stage == "rules"


@pytest.mark.parametrize("caller", [None, "gone/model", "local/gone"])
def test_a_caller_that_nobody_knows_is_forgotten(caller):
    decision = _routed(caller)

    assert (decision.stage, decision.choices[0].model) == ("rules", SMALL)


def test_a_caller_whose_key_is_gone_is_stood_in_for():
    assert _routed("google/smart-2026", without={"smart"}).stage == "rules"


@pytest.mark.parametrize("change", [{"context": 1}, {"abilities": frozenset({"tools"})}])
def test_a_caller_that_cannot_answer_any_more_is_stood_in_for(change):
    catalog = replace(CATALOG, models={**CATALOG.models, "smart": replace(SMART, **change)})

    decision = _routed("google/smart-2026", catalog=catalog, size=100, needs=frozenset({"images"}))

    assert decision.stage == "rules"


def test_a_model_asked_for_by_name_goes_before_the_caller():
    decision = _routed("google/smart-2026", model="genius")

    assert (decision.stage, decision.choices[0].model) == ("explicit", GENIUS)


def test_a_name_that_is_nobodys_stays_so():
    with pytest.raises(ModelNotFound):
        _routed("google/smart-2026", model="gpt-99")


def test_a_caller_that_rests_a_little_keeps_its_call():
    assert _routed("google/smart-2026", rests=lambda key: 3.0).stage == "sticky"


def test_a_caller_that_the_policy_keeps_out_is_stood_in_for():
    decision = _routed("google/smart-2026", policy=Policy(mode="local-only"))

    assert (decision.stage, decision.choices[0].model) == ("rules", SMALL)


def test_without_a_memory_of_callers_it_is_routed_as_ever():
    situation = Situation(
        catalog=lambda: CATALOG,
        missing=lambda _: None,
        classify=lambda _: VERDICT,
        providers=PROVIDERS,
    )

    assert route(with_fields(a_request(), answers=("call_1",)), situation).stage == "rules"
