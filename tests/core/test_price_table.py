import json
from datetime import date
from decimal import Decimal

import pytest

from larouter.config import folder
from larouter.core.catalog_toml import read_catalog
from larouter.core.price import UNKNOWN, OffPeak, Price, Step
from larouter.core.price_table import price_facts, price_table, read_table

WHOLE = Price(
    input=Decimal("1.250"),
    output=Decimal("10"),
    steps=(Step(above=200_000, input=Decimal("2.5"), output=Decimal("15")), Step(above=900_000)),
    services=(("batch", Decimal("0.5")),),
    starts=date(2026, 12, 1),
    ends=date(2026, 12, 31),
    source="a page",
    date="2026-11-20",
    note="a remark",
)
HOURLY = Price(
    input=Decimal("0.3"),
    output=Decimal("1.2"),
    off_peak=OffPeak(
        input=Decimal("0.15"), output=Decimal("0.6"), peak=((60, 240),), days=frozenset({1, 5})
    ),
)


def test_a_table_has_what_was_printed_and_nothing_else():
    assert price_table(WHOLE) == {
        "input": "1.250",
        "output": "10",
        "steps": [{"above": 200_000, "input": "2.5", "output": "15"}, {"above": 900_000}],
        "services": {"batch": "0.5"},
        "from": "2026-12-01",
        "until": "2026-12-31",
        "source": "a page",
        "date": "2026-11-20",
        "note": "a remark",
    }


def test_a_table_is_json():
    assert json.loads(json.dumps(price_table(HOURLY)))["off_peak"] == {
        "peak": ["01:00-04:00"], "days": [1, 5], "input": "0.15", "output": "0.6",
    }  # fmt: skip


def test_an_unknown_price_has_only_a_source():
    assert price_table(UNKNOWN) == price_facts(UNKNOWN) == {"source": "unknown"}


def test_facts_are_lines():
    facts = price_facts(WHOLE)

    assert facts["input"] == "1.250"
    assert facts["above 200000: output"] == "15"
    assert facts["above 900000: price"] == "unknown"
    assert facts["service batch"] == "x 0.5"
    assert facts["until"] == "2026-12-31"


def test_hours_are_written_as_people_write_them():
    facts = price_facts(HOURLY)

    assert facts["off-peak: peak"] == "01:00-04:00"
    assert facts["off-peak: days"] == "1, 5"
    assert facts["off-peak: input"] == "0.15"


@pytest.mark.parametrize("price", [WHOLE, HOURLY, UNKNOWN])
def test_what_was_written_down_is_read(price):
    assert read_table(json.loads(json.dumps(price_table(price)))) == price


def test_every_price_of_the_catalogue_is_read_as_it_was():
    catalog = read_catalog((folder("data") / "catalog.toml").read_text("utf-8"))

    for model in catalog.models.values():
        assert read_table(json.loads(json.dumps(price_table(model.price)))) == model.price
