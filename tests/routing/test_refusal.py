"""A request that nobody may answer is told what would help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.errors import (
    BadRequest,
    ContextExceeded,
    EngineDown,
    Forbidden,
    ProviderNotConfigured,
    Unavailable,
)
from tests.fakes import a_catalog, a_request, with_fields
from tests.routing.house import HOUSE, SMALL, SMART, TINY, asking, changed, names, routed


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
        routed(a_request(model="smart"), without={"smart": why})

    assert (caught.value.status, caught.value.code) == (424, "provider_not_configured")
    assert (caught.value.message, caught.value.param) == (said, "model")


def test_a_prompt_that_fits_nowhere_is_refused_with_the_longest_that_was_there():
    catalog = a_catalog(
        replace(TINY, context=10), replace(SMALL, context=20), replace(SMART, context=10**6),
        SIMPLE=("small", "tiny"), COMPLEX=("smart",),
    )  # fmt: skip

    with pytest.raises(ContextExceeded, match="20 tokens") as caught:
        routed(with_fields(a_request(), size=10**6), catalog=catalog, without={"smart": "no-key"})

    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")


def test_an_explicit_model_that_it_does_not_fit_is_refused():
    with pytest.raises(ContextExceeded, match="10 tokens"):
        routed(with_fields(a_request(model="small"), size=999), catalog=changed(SMALL, context=10))


def test_an_explicit_local_model_that_cannot_do_it_is_refused():
    catalog = changed(SMALL, abilities=frozenset({"tools"}))
    images = with_fields(a_request(model="small"), needs=frozenset({"images", "audio"}))

    with pytest.raises(BadRequest, match="local/small cannot do audio") as caught:
        routed(images, catalog=catalog)

    assert caught.value.code == "unsupported"


def test_what_a_clouds_model_can_do_its_provider_says():
    catalog = changed(SMART, abilities=frozenset({"tools"}))
    files = with_fields(a_request(model="smart"), needs=frozenset({"files"}))

    assert names(routed(files, catalog=catalog)) == ["smart"]


def test_nobody_can_do_it():
    catalog = a_catalog(replace(SMALL, abilities=frozenset({"tools"})), SIMPLE=("small",))
    images = with_fields(a_request(), needs=frozenset({"images"}))

    with pytest.raises(BadRequest, match=r"what this request needs \(images\)") as caught:
        routed(images, catalog=catalog)

    assert caught.value.code == "unsupported"


def test_nobody_is_there():
    with pytest.raises(ProviderNotConfigured, match="nothing is downloaded"):
        routed(without=dict.fromkeys(HOUSE.models, "not-downloaded"))


def test_an_engine_that_keeps_crashing_is_no_missing_model():
    missing = dict.fromkeys(HOUSE.models, "no-key") | {"tiny": "engine-down"}

    with pytest.raises(EngineDown, match="crashed"):
        routed(without=missing)


_ALL = dict.fromkeys(HOUSE.models, "not-downloaded")


def _refused(error, request=None, **situation):
    with pytest.raises(error) as caught:
        routed(request, **situation)
    return caught.value


@pytest.mark.parametrize(
    ("policy", "model", "rule", "how"),
    [
        ({"mode": "local-only"}, "smart", "local-only", "--mode balanced"),
        ({"mode": "cloud-only"}, "small", "cloud-only", "--mode balanced"),
        ({"providers": frozenset({"openai"})}, "google/x", "providers", "--allow PROVIDER"),
        ({"max_cost": 1}, "smart", "max-cost", "--max-cost USD"),
        ({"privacy": frozenset({"card"})}, "smart", "privacy", "--private none"),
        ({}, "smart", "budget", "larger budget"),
    ],
)
def test_a_model_asked_for_by_name_is_refused_by_the_rule_that_keeps_it_out(
    policy, model, rule, how
):
    request = asking(policy, model=model, over_budget=rule == "budget")
    error = _refused(Forbidden, request, private=lambda _: "card")

    assert (error.status, error.code, error.param) == (403, "policy_refused", "model")
    assert f"({rule})" in error.message
    assert how in error.message


def test_a_named_tier_whose_models_are_all_kept_out_is_refused():
    error = _refused(Forbidden, asking({"mode": "cloud-only"}, model="simple"))

    assert error.code == "policy_refused"
    assert "larouter projects policy NAME --mode" in error.message


def test_a_key_and_a_download_that_would_help_are_named():
    error = _refused(
        ProviderNotConfigured, model_request := a_request(model="frontier"),
        without=_ALL | {"genius": "no-key", "smart": "no-key"},
    )  # fmt: skip

    assert model_request.model == "frontier"
    assert "larouter keys set anthropic or larouter keys set google" in error.message
    assert "So would a download of Large or Lesser or Small." in error.message


def test_a_download_alone_would_help():
    error = _refused(ProviderNotConfigured, a_request(model="simple"), without=_ALL)

    assert "A download of Small or Tiny or Large would help." in error.message


def test_a_picture_that_a_key_would_let_be_seen():
    models = [replace(model, abilities=frozenset({"tools"})) for model in (TINY, SMALL)]
    seeing = replace(SMART, abilities=frozenset({"images"}))
    catalog = a_catalog(*models, seeing, SIMPLE=("small",), COMPLEX=("smart",), starter="tiny")
    picture = with_fields(a_request(), needs=frozenset({"images"}))

    error = _refused(BadRequest, picture, catalog=catalog, without={"smart": "no-key"})

    assert error.code == "unsupported"
    assert error.message.endswith("(images). A key would help: larouter keys set google.")


def test_a_prompt_that_only_a_forbidden_cloud_could_hold():
    catalog = replace(
        HOUSE,
        models={
            name: replace(model, context=1_000) if model.is_local else model
            for name, model in HOUSE.models.items()
        },
    )
    request = with_fields(asking({"mode": "local-only"}), size=10**6)

    error = _refused(ContextExceeded, request, catalog=catalog)

    assert "1000 tokens" in error.message
    assert "The policy (local-only) keeps others out." in error.message


def test_a_policy_is_not_blamed_for_a_model_that_could_not_do_it_either():
    blind = frozenset({"tools"})
    models = [replace(model, abilities=blind) for model in (SMALL, SMART)]
    catalog = a_catalog(*models, SIMPLE=("small",), COMPLEX=("smart",))
    picture = asking({"mode": "local-only"}, needs=frozenset({"images"}))

    error = _refused(BadRequest, picture, catalog=catalog)

    assert error.message.endswith("(images).")


def test_a_policy_that_leaves_nobody_who_is_ready():
    request = asking({"mode": "local-only"}, model="frontier")

    error = _refused(ProviderNotConfigured, request, without=_ALL)

    assert error.message.startswith("No model that the project's policy allows is ready.")
    assert "A download of" in error.message
    assert "The policy" not in error.message  # no cloud is ready either


def test_who_rests_is_told_with_the_seconds():
    catalog = a_catalog(SMART, COMPLEX=("smart",))

    error = _refused(Unavailable, verdict="COMPLEX", catalog=catalog, rests=lambda key: 4.2)

    assert (error.status, error.code, error.retry_after_s) == (503, "provider_resting", 5)
    assert error.message.startswith("google/smart-2026 failed several times in a row")


def test_a_pin_outside_the_catalogue_can_be_refused_too():
    policy = {"pins": {"COMPLEX": ("openai/x",)}, "mode": "local-only"}
    request = asking(policy, model="complex")
    catalog = a_catalog(SMART, COMPLEX=("smart",))

    error = _refused(Forbidden, request, catalog=catalog)

    assert "keeps openai/x out" in error.message
