import json
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from larouter.core.price import Step
from larouter.store.prices import record_prices
from tests.store.bills import CLOUD, LOCAL, MODELS, UNPRICED

VERSIONS = "SELECT id, model, price FROM price_version ORDER BY id"


def at(dollars, model=CLOUD, **facts):
    return replace(model, price=replace(model.price, output=Decimal(dollars), **facts))


@pytest.fixture
def record(writer):
    """Record prices as one start of LARouter after another does, not within a millisecond."""

    def record(*models):
        time.sleep(0.002)
        return record_prices(writer, models)

    return record


def test_each_model_has_a_version(record, ask):
    versions = record(*MODELS)

    assert versions.keys() == {"local/starter", "openai/big-1", "custom/odd"}
    assert {id for id, *_ in ask(VERSIONS)} == set(versions.values())


def test_a_price_that_stays_has_one_version(record, ask):
    first = record(*MODELS)
    before = ask(VERSIONS)

    assert record(*MODELS) == first
    assert ask(VERSIONS) == before


def test_a_new_price_is_a_new_version(record, ask):
    old = record(CLOUD)
    before = ask(VERSIONS)

    new = record(at("11"))

    assert new[CLOUD.key] > old[CLOUD.key]
    assert ask(VERSIONS)[: len(before)] == before


def test_a_price_that_comes_back_is_a_new_version(record, ask):
    record(at("10"))
    record(at("11"))

    record(at("10"))

    assert [json.loads(price)["output"] for *_, price in ask(VERSIONS)] == ["10", "11", "10"]


def test_a_change_of_one_price_leaves_the_others(record):
    first = record(*MODELS)

    second = record(LOCAL, at("11"), UNPRICED)

    assert {key for key in first if first[key] != second[key]} == {CLOUD.key}


def test_a_clock_that_jumps_back_makes_no_new_version(record, writer, ask):
    record(at("10"))
    writer.run(lambda c: c.execute("UPDATE price_version SET effective_ms = effective_ms + 1e12"))
    versions = record(at("11"))

    assert record(at("11")) == versions
    assert len(ask(VERSIONS)) == 2


def test_a_price_is_kept_as_it_was_printed(record, ask):
    record(at("0.10", input=Decimal("1.250"), cache_read=Decimal("0.125")))

    ((_, _, price),) = ask(VERSIONS)
    assert json.loads(price) == {
        "input": "1.250",
        "output": "0.10",
        "cache_read": "0.125",
        "source": "a page",
        "date": "2026-11-20",
    }


def test_an_unknown_price_is_kept_as_unknown(record, ask):
    record(UNPRICED)

    ((_, _, price),) = ask(VERSIONS)
    assert json.loads(price) == {"source": "unknown"}


def test_everything_that_a_cost_is_worked_out_from_is_kept(record, ask):
    step = Step(above=200_000, input=Decimal("2.50"), output=Decimal(15))
    record(at("10", steps=(step,), services=(("batch", Decimal("0.5")),), note="a remark"))

    ((_, _, price),) = ask(VERSIONS)
    kept = json.loads(price)
    assert kept["steps"] == [{"above": 200_000, "input": "2.50", "output": "15"}]
    assert kept["services"] == {"batch": "0.5"}
    assert "note" not in kept


def test_another_step_is_another_price(record):
    old = record(at("10"))

    assert record(at("10", steps=(Step(above=1),)))[CLOUD.key] > old[CLOUD.key]


def test_two_changes_at_once_are_two(writer, ask):
    for dollars in ("10", "11", "12", "13"):
        record_prices(writer, [at(dollars)])

    assert len(ask(VERSIONS)) == 4
