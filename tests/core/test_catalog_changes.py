"""What another catalogue would change."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from larouter.core.catalog import FREE, Catalog, Model, ModelFile, Price
from larouter.core.catalog_changes import Change, changes
from larouter.core.shape import Shape
from tests.catalogs import CATALOG, CLOUD, LOCAL


def with_models(*models):
    return replace(CATALOG, models={model.id: model for model in models})


def test_the_same_catalogue_changes_nothing():
    assert changes(CATALOG, replace(CATALOG)) == []


def test_today_s_price_is_no_difference():
    later = Price(input=Decimal(9), output=Decimal(9), starts=date(2026, 12, 1))
    dated = replace(CLOUD, prices=(CLOUD.price, later))

    before = with_models(dated)

    assert changes(before, before.on(date(2026, 12, 1))) == []


def test_a_model_that_goes_is_one_line():
    assert changes(CATALOG, with_models(LOCAL)) == [Change("removed", "model big")]


def test_a_model_that_comes_is_told_whole():
    found = changes(with_models(LOCAL), CATALOG)

    assert found[0] == Change("new", "model big")
    assert Change("changed", "model big", "price: output", "", "10") in found
    assert Change("changed", "model big", "context", "", "1000") in found


def test_every_fact_that_changes_is_a_line_with_both_sides():
    other = replace(
        CLOUD,
        context=2000,
        abilities=frozenset({"tools", "images"}),
        refuses=frozenset({"prefill"}),
        retires=date(2026, 12, 1),
        successor="small",
        price=replace(CLOUD.price, output=Decimal("12.5"), source="another page"),
    )

    assert changes(CATALOG, with_models(LOCAL, other)) == [
        Change("changed", "model big", "context", "1000", "2000"),
        Change("changed", "model big", "abilities", "tools", "images, tools"),
        Change("changed", "model big", "refuses", "", "prefill"),
        Change("changed", "model big", "retires", "", "2026-12-01"),
        Change("changed", "model big", "successor", "", "small"),
        Change("changed", "model big", "price: output", "10", "12.5"),
        Change("changed", "model big", "price: source", "a page", "another page"),
    ]


def test_a_price_that_is_announced_is_told_with_its_day():
    later = Price(input=Decimal(4), output=Decimal(20), starts=date(2026, 12, 1), source="a page")
    dated = replace(CLOUD, prices=(CLOUD.price, later))

    found = changes(CATALOG, with_models(LOCAL, dated))

    assert Change("changed", "model big", "price from 2026-12-01: input", "", "4") in found


def test_another_file_is_told():
    file = ModelFile(name="other.gguf", bytes=5, repo="org/other")
    other = Model(id="small", name="small", provider="local", price=FREE, file=file)

    found = changes(CATALOG, with_models(CLOUD, replace(other, title="Small")))

    assert Change("changed", "model small", "file name", "small.gguf", "other.gguf") in found
    assert Change("changed", "model small", "file repo", "", "org/other") in found


def test_tiers_and_the_whole_are_told():
    other = replace(
        CATALOG,
        date="2026-12-01",
        starter=None,
        tiers=(replace(CATALOG.tiers[0], models=("small", "big")),),
    )

    assert changes(CATALOG, other) == [
        Change("changed", "the catalogue", "date", "2026-11-23", "2026-12-01"),
        Change("changed", "the catalogue", "starter", "small", ""),
        Change("changed", "tier EASY", "models", "small", "small, big"),
        Change("removed", "tier HARD"),
    ]


def test_another_shape_is_told():
    shape = Shape(layers=2, heads=1, head_dim=64, source="a page")
    plain = Model(id="small", name="small", provider="local", price=FREE)
    old, new = (
        Catalog(date="2026-11-22", models={"small": model})
        for model in (plain, replace(plain, shape=shape, license="MIT"))
    )

    found = changes(old, new)

    assert Change("changed", "model small", "shape layers", "", "2") in found
    assert Change("changed", "model small", "license", "", "MIT") in found
    assert changes(new, new) == []
