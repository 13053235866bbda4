"""How strong a model a request needs, under a project's preference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import floats, sampled_from
from msgspec.structs import replace

from larouter.core.policy import DEFAULT_POLICY, MODES, Policy
from larouter.routing.need import border, need_of, threshold, tier_for
from tests.fakes import a_catalog
from tests.routing.house import HOUSE, SMALL, SMART, a_verdict

TIERS = [tier.name for tier in HOUSE.tiers]


def _tier(verdict, *, quality=0.5, mode="balanced", bias=0.0, catalog=HOUSE):
    return tier_for(verdict, Policy(quality=quality, mode=mode), bias, catalog).name


@given(tier=sampled_from(TIERS), need_strong=floats(0, 1))
def test_in_the_middle_the_verdict_stands(tier, need_strong):
    assert _tier(a_verdict(tier, need_strong)) == tier


@pytest.mark.parametrize(
    ("quality", "tier", "need_strong", "found"),
    [
        (0.7, "MODERATE", 0.4, "COMPLEX"),
        (0.7, "MODERATE", 0.2, "MODERATE"),
        (0.3, "COMPLEX", 0.6, "MODERATE"),
        (0.3, "COMPLEX", 0.8, "COMPLEX"),
        (0.0, "COMPLEX", 0.99, "COMPLEX"),
        (1.0, "MODERATE", 0.0, "MODERATE"),
        (1.0, "SIMPLE", 0.4, "SIMPLE"),
        (0.0, "FRONTIER", 0.4, "FRONTIER"),
    ],
)
def test_the_slider_moves_the_threshold_between_neighbours(quality, tier, need_strong, found):
    assert _tier(a_verdict(tier, need_strong), quality=quality) == found


@pytest.mark.parametrize(
    ("mode", "tier", "need_strong", "found"),
    [
        ("cheapest", "COMPLEX", 0.7, "MODERATE"),
        ("cheapest", "COMPLEX", 0.9, "COMPLEX"),
        ("best", "MODERATE", 0.3, "COMPLEX"),
        ("best", "MODERATE", 0.1, "MODERATE"),
        ("local-only", "COMPLEX", 0.6, "COMPLEX"),
    ],
)
def test_a_mode_moves_it_too(mode, tier, need_strong, found):
    assert _tier(a_verdict(tier, need_strong), mode=mode) == found


def test_a_classifier_that_leans_has_its_own_middle():
    """A little more or less quality moves what is near its border, and nothing else."""
    leaning = replace(a_verdict("COMPLEX", 0.5), lean=0.85, probabilities=(0.0, 0.2, 0.4, 0.3, 0.1))

    assert _tier(leaning, quality=0.49) == _tier(leaning, quality=0.51) == "COMPLEX"
    assert _tier(leaning, quality=0.3) == "MODERATE"
    assert threshold(DEFAULT_POLICY, 0.0, 0.85) == pytest.approx(0.30, abs=0.001)


def test_what_feedback_taught_is_added():
    assert _tier(a_verdict("MODERATE", 0.4), bias=1.0) == "COMPLEX"
    assert tier_for(a_verdict("COMPLEX", 0.6), DEFAULT_POLICY, -1.0, HOUSE).name == "MODERATE"


@pytest.mark.parametrize(
    ("tier", "quality", "probabilities", "found"),
    [
        ("SIMPLE", 0.9, (0.0, 0.6, 0.2, 0.15, 0.05), "COMPLEX"),
        ("SIMPLE", 0.9, (0.1, 0.8, 0.06, 0.04, 0.0), "SIMPLE"),
        ("HEARTBEAT", 1.0, (0.99, 0.01, 0.0, 0.0, 0.0), "HEARTBEAT"),
        ("FRONTIER", 0.1, (0.0, 0.1, 0.2, 0.2, 0.5), "MODERATE"),
        ("FRONTIER", 0.0, (0.0, 0.0, 0.02, 0.1, 0.88), "FRONTIER"),
    ],
)
def test_probabilities_say_what_may_cross_the_border(tier, quality, probabilities, found):
    verdict = a_verdict(tier, 0.4, probabilities=probabilities)

    assert _tier(verdict, quality=quality) == found


@given(
    tier=sampled_from(TIERS),
    need_strong=floats(0, 1),
    one=floats(0, 1),
    other=floats(0, 1),
    bias=floats(-1, 1),
    mode=sampled_from(MODES),
)
def test_more_quality_never_means_a_weaker_model(tier, need_strong, one, other, bias, mode):
    verdict = a_verdict(tier, need_strong)
    low, high = (
        _tier(verdict, quality=quality, bias=bias, mode=mode) for quality in sorted((one, other))
    )

    assert TIERS.index(low) <= TIERS.index(high)


def test_the_threshold_is_one_minus_the_slider():
    assert threshold(Policy(quality=0.7), 0.0) == pytest.approx(0.3)
    assert threshold(DEFAULT_POLICY, 0.0) == 0.5


def test_the_border_is_where_the_clouds_begin():
    assert border(HOUSE) == 3
    assert border(a_catalog(SMALL, SIMPLE=("small",))) == 1
    assert border(a_catalog(SMART, COMPLEX=("smart",))) == 0


@pytest.mark.parametrize("model", [SMALL, SMART])
def test_without_a_border_nothing_moves(model):
    catalog = a_catalog(model, LOW=(model.id,), HIGH=(model.id,))

    assert _tier(a_verdict("LOW", 0.9), quality=1.0, catalog=catalog) == "LOW"


def test_a_tier_that_nobody_has_is_a_fault():
    with pytest.raises(AssertionError, match="not there"):
        _tier(a_verdict("HUGE"))


def test_the_numbers_are_told():
    kept = need_of(a_verdict("MODERATE", 0.42), DEFAULT_POLICY, 0.0, HOUSE)
    down = need_of(a_verdict("COMPLEX", 0.6), Policy(quality=0.25), 0.0, HOUSE)

    assert kept.reasons == ("said", "needs a strong model: 42% likely, limit 50%")
    assert (kept.stage, down.stage) == ("rules", "policy")
    assert down.reasons[0] == (
        "MODERATE instead of COMPLEX: needs a strong model: 60% likely, under your limit of 75%"
    )
