"""Who of those in line may answer."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from larouter.routing.candidates import field_for, larger
from larouter.routing.need import Need
from tests.fakes import a_catalog
from tests.routing.house import GENIUS, HOUSE, LARGE, SMALL, SMART, a_case, asking

MODERATE = Need.named(HOUSE.tiers[2], HOUSE)


def _keys(field):
    return [candidate.model.id for candidate in field.allowed]


def test_the_first_own_model_that_may_not_answer_is_remembered():
    field = field_for(MODERATE, a_case(without={"large": "not-downloaded", "lesser": "no-key"}))

    assert _keys(field) == ["small", "tiny"]
    assert [gate.why for gate in field.gates] == ["not-downloaded", "no-key"]
    assert field.missed == (LARGE, field.gates[0])


def test_a_stand_in_that_may_not_answer_is_no_loss():
    assert field_for(MODERATE, a_case(without={"small": "not-downloaded"})).missed is None


def test_pins_take_the_place_of_the_tiers_own():
    case = a_case(asking({"pins": {"MODERATE": ("openai/x",), "SIMPLE": ("genius",)}}))

    assert _keys(field_for(MODERATE, case)) == ["openai/x", "genius", "tiny"]


def test_the_model_of_a_rule_goes_before_the_tiers_own_which_stand_in():
    field = field_for(with_(MODERATE, model=SMALL), a_case())

    assert _keys(field) == ["small", "large", "lesser", "tiny"]
    assert [candidate.is_own for candidate in field.allowed] == [True, False, False, False]


def test_larger_models_are_those_that_hold_more_and_may_answer():
    small, smart, genius = (
        replace(SMALL, context=8_000), replace(SMART, context=8_000), replace(GENIUS, context=9_000)
    )  # fmt: skip
    catalog = a_catalog(small, smart, genius, A=("small",), B=("smart",), C=("genius",))
    need = Need.named(catalog.tiers[0], catalog)
    case = a_case(catalog=catalog)

    assert larger(field_for(need, case), case) == [genius]

    case = a_case(catalog=catalog, without={"genius": "no-key"})
    assert larger(field_for(need, case), case) == []
