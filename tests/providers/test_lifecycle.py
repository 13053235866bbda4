"""Which models are lost to a key, and who may follow."""

from datetime import date

import pytest

from larouter.core.catalog import Catalog, Model, Tier
from larouter.providers.lifecycle import lost_models, successor

TODAY = date(2026, 11, 23)


def model(name, provider="cloud", **facts):
    return Model(id=name, name=name, provider=provider, **facts)


def catalog(*models, tiers=()):
    return Catalog(
        date="2026-11-22",
        models={model.id: model for model in models},
        tiers=tuple(
            Tier(name=name, rank=rank, title=name, models=tuple(names))
            for rank, (name, names) in enumerate(tiers)
        ),
    )


def lost(house, *listed, provider="cloud"):
    return [
        (lost.model.id, lost.why, lost.successor.id if lost.successor else None)
        for lost in lost_models(house, provider, listed, TODAY)
    ]


def test_a_model_that_is_listed_is_not_lost():
    assert lost(catalog(model("a-1"), model("b-1", provider="other")), "a-1") == []


@pytest.mark.parametrize(
    "listed", ["a-1-20260901", "a-1-2026-09-01", "a-1-001", "a-1-latest", "a-1"]
)
def test_a_dated_state_of_a_model_is_the_model(listed):
    assert lost(catalog(model("a-1")), listed) == []


@pytest.mark.parametrize("listed", ["a-10", "a-1-mini", "a-1-5", "a-1-20260901-mini", "xa-1", "a"])
def test_a_longer_name_is_another_model(listed):
    assert lost(catalog(model("a-1")), listed) == [("a-1", "unlisted", None)]


@pytest.mark.parametrize(
    ("retires", "found"),
    [
        (date(2026, 11, 22), [("a-1", "retired", None)]),
        (TODAY, [("a-1", "retired", None)]),
        (date(2026, 11, 24), []),
    ],
)
def test_a_model_is_retired_from_its_day_on(retires, found):
    assert lost(catalog(model("a-1", retires=retires)), "a-1") == found


def test_whom_the_provider_names_follows():
    house = catalog(
        model("a-1", successor="b-2"), model("a-2"), model("b-2"), tiers=[("T", ["a-1", "a-2"])]
    )

    assert lost(house, "a-2", "b-2") == [("a-1", "unlisted", "b-2")]


def test_the_first_one_of_the_same_tier_follows():
    house = catalog(
        model("a-1"),
        model("a-2"),
        model("b-1"),
        model("b-2"),
        tiers=[("LOW", ["a-2"]), ("HIGH", ["a-1", "b-1", "b-2"])],
    )

    assert lost(house, "a-2", "b-1", "b-2") == [("a-1", "unlisted", "b-1")]


def test_a_mate_that_is_lost_too_does_not_follow():
    house = catalog(
        model("a-1"),
        model("b-1", retires=TODAY),
        model("b-2"),
        tiers=[("T", ["a-1", "b-1", "b-2"])],
    )

    assert lost(house, "b-1", "b-2") == [
        ("a-1", "unlisted", "b-2"),
        ("b-1", "retired", "b-2"),
    ]


def test_another_provider_s_model_does_not_follow():
    house = catalog(model("a-1"), model("a-2", provider="other"), tiers=[("T", ["a-1", "a-2"])])

    assert lost(house) == [("a-1", "unlisted", None)]


@pytest.mark.parametrize(
    ("gone", "left", "follows"),
    [
        ("claude-opus-5", ["claude-haiku-5", "claude-opus-5-5"], "claude-opus-5-5"),
        ("gpt-6-sol", ["gpt-5.1-sol", "gpt-6.2-sol"], "gpt-6.2-sol"),
        ("claude-opus-5", ["claude-haiku-5"], None),
        ("7b", ["claude-haiku-5"], None),
    ],
)
def test_the_nearest_name_of_the_family_follows(gone, left, follows):
    house = catalog(model(gone), *map(model, left))

    assert lost(house, *left) == [(gone, "unlisted", follows)]


def test_nobody_follows_where_nothing_is_left():
    assert successor(catalog(model("a-1")), model("a-1"), []) is None
