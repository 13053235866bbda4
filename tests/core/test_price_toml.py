"""Rows of prices: what they become, and which are refused."""

import re
import tomllib
from datetime import date
from decimal import Decimal

import pytest

from larouter.core.price_toml import read_electricity, read_prices, read_source
from larouter.core.toml_row import Row

BASE = """
[[price]]
input = "2"
output = "10"
source = "a price list"
date = 2026-11-20
"""
LATER = BASE.replace("input", "from = 2026-12-01\ninput").replace('"2"', '"4"')
STEP = """
[[price.step]]
above = 1000
input = "4"
output = "15"
"""
OFF_PEAK = """
[price.off_peak]
peak = ["01:00-04:00", "22:30-24:00"]
input = "1"
output = "5"
"""


def read(text):
    return read_prices(Row(tomllib.loads(text), "model one", frozenset({"price"})))


def test_a_plain_price():
    (price,) = read(BASE)

    assert (price.input, price.output, price.cache_read) == (Decimal(2), Decimal(10), None)
    assert (price.source, price.date, price.note) == ("a price list", "2026-11-20", "")
    assert (price.starts, price.ends, price.steps, price.services) == (None, None, (), ())


def test_a_model_may_have_no_price():
    assert read("") == ()


def test_every_figure_and_day():
    (price,) = read(
        BASE
        + """
from = 2026-11-01
until = 2026-11-30
cache_read = "0.1"
cache_write = "2.5"
cache_write_1h = "4"
audio = "3"
image = "2.2"
services = { Batch = "0.5", priority = "1.8" }
note = "a remark"
"""
    )

    assert (price.cache_read, price.cache_write, price.cache_write_1h) == (
        Decimal("0.1"), Decimal("2.5"), Decimal(4),
    )  # fmt: skip
    assert (price.audio, price.image) == (Decimal(3), Decimal("2.2"))
    assert price.services == (("batch", Decimal("0.5")), ("priority", Decimal("1.8")))
    assert (price.starts, price.ends) == (date(2026, 11, 1), date(2026, 11, 30))
    assert price.note == "a remark"


def test_steps_and_hours():
    (stepped,) = read(BASE + STEP + "[[price.step]]\nabove = 2000\n")
    (hourly,) = read(BASE + OFF_PEAK + "days = [6, 7]")

    assert [(step.above, step.input) for step in stepped.steps] == [
        (1000, Decimal(4)),
        (2000, None),
    ]
    assert hourly.off_peak.peak == ((60, 240), (1350, 1440))
    assert hourly.off_peak.days == {6, 7}
    assert hourly.off_peak.output == Decimal(5)


def test_working_days_are_the_usual_ones():
    assert read(BASE + OFF_PEAK)[0].off_peak.days == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BASE.replace('source = "a price list"', ""), "the price of model one has no source"),
        (BASE.replace('"a price list"', '" "'), "the price of model one has no source"),
        (BASE.replace("date = 2026-11-20", ""), "the price of model one has no date in date"),
        (BASE.replace('"a price list"', '"unknown"'), "states input, and its source is unknown"),
        (BASE.replace("input", "inptu"), "unknown key: inptu"),
        (BASE.replace('"2"', "2.0"), "not a string in quotes"),
        (BASE.replace('"2"', '"-2"'), "out of range"),
        (BASE + "from = 1\n", "no date in from"),
        (BASE + "from = 2026-12-02\nuntil = 2026-12-01\n", "ends before it begins"),
        (BASE + "services = 1\n", "services of the price of model one is not a table"),
        (BASE + 'services = { batch = "101" }\n', "the service batch of the price of model one"),
        (BASE + "services = { batch = 0.5 }\n", "not a string in quotes"),
        (BASE + BASE, "begins twice on the same day"),
        (LATER + LATER, "begins twice on the same day"),
        (BASE + STEP + OFF_PEAK, "no provider has both"),
        (BASE + STEP.replace("1000", "0"), "above of a step of the price of model one"),
        (BASE + STEP.replace("above = 1000", ""), "above of a step"),
        (BASE + STEP + STEP, "do not rise"),
        (BASE + STEP.replace('output = "15"', ""), "has other figures than the price itself"),
        (BASE + STEP + 'cache_read = "1"\n', "has other figures than the price itself"),
        (BASE + STEP + "abvoe = 1\n", "unknown key: abvoe"),
        (BASE + OFF_PEAK.replace('output = "5"', ""), "has other figures than the price itself"),
        (BASE + OFF_PEAK.replace('"5"', '"11"'), "has a dearer output than the peak hours"),
        (BASE + OFF_PEAK + "days = [0]\n", "days of off_peak"),
        (BASE + OFF_PEAK + "days = 1\n", "days of off_peak"),
        (BASE + OFF_PEAK.replace('"01:00-04:00"', '"1-4"'), "not like 01:00-04:00: 1-4"),
        (BASE + OFF_PEAK.replace('"01:00-04:00"', '"04:00-01:00"'), "end before they begin"),
        (BASE + OFF_PEAK.replace('peak = ["01:00-04:00", "22:30-24:00"]', ""), "no peak hours"),
        ("price = [1]", "the price of model one is not a table"),
    ],
)
def test_a_row_with_a_fault_is_refused(text, fault):
    with pytest.raises(ValueError, match=re.escape(fault)):
        read(text)


def test_a_source_that_is_unknown_states_nothing():
    bare = Row({"source": "unknown"}, "it", frozenset({"source", "context"}))

    assert read_source(bare, ("context",)) == "unknown"


METER = {
    "watts": "120", "dollars_per_kwh": "0.3", "prompt_tokens_per_s": "300", "tokens_per_s": "30",
    "source": "my meter", "date": date(2026, 11, 20),
}  # fmt: skip


def electricity(**changed):
    meter = {name: value for name, value in {**METER, **changed}.items() if value is not None}
    return read_electricity(Row({"electricity": meter}, "model one", frozenset({"electricity"})))


def test_electricity_is_a_price_by_the_token():
    price = electricity()

    # $0.036 an hour, so $0.00001 a second, of which 30 tokens are one: a third of a millionth each
    assert (price.input, price.output) == (Decimal("0.033334"), Decimal("0.333334"))
    assert price.cache_read == 0
    assert (price.source, price.date) == ("electricity: my meter", "2026-11-20")
    assert price.note == "120 W at $0.3 a kWh, 300 tokens a second read, 30 written"
    assert electricity(dollars_per_kwh="0").is_free


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"watts": None}, "watts, has a figure that is not a string in quotes"),
        ({"watts": 120}, "not a string in quotes"),
        ({"tokens_per_s": "0"}, "a speed of nothing"),
        ({"prompt_tokens_per_s": "-1"}, "out of range"),
        ({"source": None}, "has no source"),
        ({"date": None}, "has no date"),
        ({"volts": "230"}, "unknown key: volts"),
    ],
)
def test_what_is_wrong_with_electricity_is_said(changed, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        electricity(**changed)
