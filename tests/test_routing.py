"""From a request and a verdict to the models that may answer, best first."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal

import pytest

from larouter.core.catalog import FREE, Model, Price
from larouter.core.errors import (
    BadRequest,
    ContextExceeded,
    EngineDown,
    ModelNotFound,
    ProviderNotConfigured,
)
from larouter.core.route import Verdict
from larouter.routing import explicit_model, route
from tests.fakes import a_catalog, a_request, with_fields

DEAR = Price(input=Decimal(5), output=Decimal(25), source="a page")


def _local(name, **more):
    return Model(id=name, name=name, provider="local", title=name.title(), price=FREE, **more)


TINY, SMALL, LARGE, LESSER = _local("tiny"), _local("small"), _local("large"), _local("lesser")
SMART = Model(id="smart", name="smart-2026", provider="google", title="Smart", price=DEAR)
GENIUS = Model(id="genius", name="genius", provider="anthropic", title="Genius", price=DEAR)
HOUSE = a_catalog(
    TINY, SMALL, LARGE, LESSER, SMART, GENIUS,
    starter="tiny",
    HEARTBEAT=("tiny",), SIMPLE=("small",), MODERATE=("large", "lesser"),
    COMPLEX=("smart",), FRONTIER=("genius",),
)  # fmt: skip
PROVIDERS = {"local": FREE, "google": Price(), "anthropic": Price(), "openai": Price()}


def _routed(request=None, *, without=None, catalog=HOUSE, verdict="SIMPLE", **options):
    """Route; `without` says which models are missing and why."""
    missing = without or {}
    return route(
        request or a_request(),
        catalog,
        lambda model: missing.get(model.id),
        lambda _: Verdict(
            tier=verdict, score=0.3, need_strong=0.3, confidence=0.9, stage="rules", reason="said"
        ),
        providers=PROVIDERS,
        **options,
    )


def _names(decision):
    return [choice.model.id for choice in decision.choices]


def _first(decision):
    return decision.choices[0].model.id, decision.choices[0].degraded


def test_auto_is_what_the_classifier_says():
    decision = _routed(verdict="FRONTIER")

    assert _first(decision) == ("genius", None)
    assert (decision.tier, decision.stage) == ("FRONTIER", "rules")
    assert (decision.score, decision.reason) == (0.3, "said")
    assert decision.verdict is not None


@pytest.mark.parametrize("name", ["auto", "AUTO", "Auto"])
def test_auto_is_written_in_any_case(name):
    assert _first(_routed(a_request(model=name))) == ("small", None)


@pytest.mark.parametrize("name", ["simple", "SIMPLE", "Simple", "sImPlE"])
def test_a_tier_is_written_in_any_case(name):
    decision = _routed(a_request(model=name), verdict="FRONTIER")

    assert _first(decision) == ("small", None)
    assert (decision.tier, decision.stage, decision.score) == ("SIMPLE", "explicit", 0.25)
    assert decision.reason == "tier SIMPLE was asked for"


@pytest.mark.parametrize("tier", ["complex", "COMPLEX"])
def test_the_header_forces_a_tier(tier):
    assert _routed(a_request(model="auto", tier=tier)).tier == "COMPLEX"
    assert _routed(a_request(model="simple", tier=tier)).tier == "COMPLEX"


def test_a_tier_that_is_not_there_is_refused():
    with pytest.raises(BadRequest, match="one of HEARTBEAT, SIMPLE, MODERATE") as caught:
        _routed(a_request(tier="huge"))

    assert caught.value.code == "invalid_tier"


@pytest.mark.parametrize("name", ["gpt-99", "openai", "openai/", "/x", "nobody/x", "local/x"])
def test_a_stranger_is_not_found(name):
    with pytest.raises(ModelNotFound) as caught:
        _routed(a_request(model=name))

    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert name in caught.value.message


@pytest.mark.parametrize(
    ("setting", "project", "is_routed"),
    [
        ("auto", None, True),
        ("auto", "auto", True),
        ("auto", "reject", False),
        ("reject", None, False),
        ("reject", "auto", True),
        ("reject", "reject", False),
    ],
)
def test_what_becomes_of_a_stranger_the_project_says_before_the_setting(
    setting, project, is_routed
):
    request = with_fields(a_request(model="gpt-99"), unknown_model=project)
    expected = nullcontext() if is_routed else pytest.raises(ModelNotFound)

    with expected:
        assert _first(_routed(request, unknown_model=setting)) == ("small", None)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("smart", "google/smart-2026"),
        ("google/smart", "google/smart-2026"),
        ("google/smart-2026", "google/smart-2026"),
        ("openai/smart", "openai/smart"),
        ("openai/org/name:tag", "openai/org/name:tag"),
        ("local/large", "local/large"),
    ],
)
def test_a_model_is_named_by_its_id_or_its_provider(name, key):
    decision = _routed(a_request(model=name))

    assert [choice.model.key for choice in decision.choices] == [key]
    assert (decision.tier, decision.stage) == ("-", "explicit")
    assert decision.reason == f"{key} was asked for by name"


def test_a_model_outside_the_catalogue_has_its_providers_price():
    prices = {"mine": FREE, "openai": Price()}

    assert explicit_model("mine/x", HOUSE, prices) == Model(
        id="mine/x", name="x", provider="mine", title="x", price=FREE
    )
    assert explicit_model("openai/x", HOUSE, prices) == Model(
        id="openai/x", name="x", provider="openai", title="x", price=Price()
    )
    assert explicit_model("auto", HOUSE, prices) is None


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("no-key", "google has no key yet. Give it one with: larouter keys set google (it works "
                   "at once) – or ask for model auto."),
        ("no-address", "google has no address yet. Set LAROUTER_GOOGLE_URL and restart LARouter."),
        ("not-downloaded", "google/smart-2026 is not downloaded."),
        ("engine-down", "google/smart-2026 could not be started."),
        ("on strike", "google/smart-2026 on strike."),
    ],
)  # fmt: skip
def test_an_explicit_model_is_never_degraded_and_says_what_to_do(why, said):
    with pytest.raises(ProviderNotConfigured) as caught:
        _routed(a_request(model="smart"), without={"smart": why})

    assert (caught.value.status, caught.value.code) == (424, "provider_not_configured")
    assert (caught.value.message, caught.value.param) == (said, "model")


def test_a_missing_model_is_stood_in_for_by_the_next_cheaper_tier():
    decision = _routed(verdict="FRONTIER", without={"genius": "no-key"})

    assert _names(decision) == ["smart", "large", "lesser", "small", "tiny"]
    assert {choice.degraded for choice in decision.choices} == {"no-key"}
    assert decision.reason == "said; Genius has no key"
    assert [(gate.model, gate.why) for gate in decision.gates] == [("anthropic/genius", "no-key")]


def test_without_any_key_the_machine_answers():
    decision = _routed(verdict="FRONTIER", without={"genius": "no-key", "smart": "no-key"})

    assert _first(decision) == ("large", "no-key")


def test_a_cheap_tier_is_stood_in_for_by_free_models_only():
    decision = _routed(a_request(model="heartbeat"), without={"tiny": "not-downloaded"})

    assert _names(decision) == ["small", "large", "lesser"]
    assert _first(decision) == ("small", "not-downloaded")


@pytest.mark.parametrize("verdict", ["HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER"])
def test_a_fallback_is_never_of_a_dearer_price(verdict):
    rank = [tier.name for tier in HOUSE.tiers].index(verdict)
    dearer = {name for tier in HOUSE.tiers[rank + 1 :] for name in tier.models}

    choices = _routed(verdict=verdict).choices

    assert not [c for c in choices if c.model.id in dearer and not c.model.price.is_free]


def test_a_tiers_second_model_is_still_its_own():
    decision = _routed(verdict="MODERATE", without={"large": "not-downloaded"})

    assert _names(decision)[:2] == ["lesser", "small"]
    assert [choice.degraded for choice in decision.choices] == [None] + 2 * ["not-downloaded"]
    assert decision.reason == "said"


def test_the_starter_comes_last():
    catalog = a_catalog(TINY, SMALL, SMART, starter="tiny", SIMPLE=("small",), COMPLEX=("smart",))

    assert _names(_routed(catalog=catalog)) == ["small", "tiny"]
    assert _first(_routed(catalog=catalog, without={"small": "engine-down"})) == (
        "tiny", "engine-down",
    )  # fmt: skip


def test_a_catalogue_may_have_no_starter():
    catalog = a_catalog(SMALL, SIMPLE=("small",))

    assert _names(_routed(catalog=catalog)) == ["small"]


def _with(model, **more):
    changed = {**HOUSE.models, model.id: replace(model, **more)}
    return replace(HOUSE, models=changed)


def test_a_model_that_cannot_do_it_is_passed_over():
    catalog = _with(SMALL, abilities=frozenset({"logprobs"}))
    tools = a_request(tools=[{"type": "function", "function": {"name": "f"}}])

    decision = _routed(tools, catalog=catalog)

    assert _first(decision) == ("tiny", "policy")
    assert decision.reason == "said; Small cannot do what this request needs"


def test_a_prompt_that_does_not_fit_goes_to_a_model_that_it_fits():
    catalog = _with(SMALL, context=10)
    long = with_fields(a_request(), size=121)

    assert _first(_routed(long, catalog=catalog)) == ("tiny", "context")
    assert _first(_routed(with_fields(long, size=120), catalog=catalog)) == ("small", None)


def test_a_prompt_that_fits_nowhere_is_refused_with_the_longest_that_was_there():
    catalog = a_catalog(
        replace(TINY, context=10), replace(SMALL, context=20), replace(SMART, context=10**6),
        SIMPLE=("small", "tiny"), COMPLEX=("smart",),
    )  # fmt: skip

    with pytest.raises(ContextExceeded, match="20 tokens") as caught:
        _routed(with_fields(a_request(), size=10**6), catalog=catalog, without={"smart": "no-key"})

    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")


def test_an_explicit_model_that_it_does_not_fit_is_refused():
    with pytest.raises(ContextExceeded, match="10 tokens"):
        _routed(with_fields(a_request(model="small"), size=999), catalog=_with(SMALL, context=10))


def test_an_explicit_local_model_that_cannot_do_it_is_refused():
    catalog = _with(SMALL, abilities=frozenset({"tools"}))
    images = with_fields(a_request(model="small"), needs=frozenset({"images", "audio"}))

    with pytest.raises(BadRequest, match="local/small cannot do audio") as caught:
        _routed(images, catalog=catalog)

    assert caught.value.code == "unsupported"


def test_what_a_clouds_model_can_do_its_provider_says():
    catalog = _with(SMART, abilities=frozenset({"tools"}))
    files = with_fields(a_request(model="smart"), needs=frozenset({"files"}))

    assert _names(_routed(files, catalog=catalog)) == ["smart"]


def test_nobody_can_do_it():
    catalog = a_catalog(replace(SMALL, abilities=frozenset({"tools"})), SIMPLE=("small",))
    images = with_fields(a_request(), needs=frozenset({"images"}))

    with pytest.raises(BadRequest, match="No model that is ready") as caught:
        _routed(images, catalog=catalog)

    assert caught.value.code == "unsupported"


def test_nobody_is_there():
    with pytest.raises(ProviderNotConfigured, match="nothing is downloaded"):
        _routed(without=dict.fromkeys(HOUSE.models, "not-downloaded"))


def test_an_engine_that_keeps_crashing_is_no_missing_model():
    missing = dict.fromkeys(HOUSE.models, "no-key") | {"tiny": "engine-down"}

    with pytest.raises(EngineDown, match="crashed"):
        _routed(without=missing)
