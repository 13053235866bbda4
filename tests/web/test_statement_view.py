from datetime import date

import pytest

from larouter.store.statements import Line
from larouter.store.usage import Used
from larouter.web.statement_view import HEIGHT, WIDTH, as_json, bars_of, months_around
from tests.web.pages.fakes import a_statement


@pytest.mark.parametrize(
    ("month", "around"),
    [("2026-11", ("2026-10", None)), ("2026-10", ("2026-09", "2026-11")),
     ("2026-01", ("2025-12", "2026-02")), ("2030-01", ("2029-12", None)),
     ("0001-01", ("1-01", "1-02")), ("9999-12", ("9999-11", None))],
)  # fmt: skip
def test_one_may_go_to_the_month_before_and_to_one_that_has_begun(month, around):
    found = months_around(month, date(2026, 11, 23))

    assert tuple(text and text.lstrip("0") for text in found) == around


def test_the_chart_is_as_high_as_its_dearest_day():
    days = [Line("2026-11-01", Used(cost_nusd=10)), Line("2026-11-02", Used(cost_nusd=5, calls=3)),
            Line("2026-11-03", Used(calls=9)), Line("2026-11-04", Used(cost_nusd=-3)),
            Line("2026-11-05", Used(cost_nusd=1_000_000))]  # fmt: skip

    bars = list(bars_of(days, 9))

    assert [bar.height for bar in bars] == [2, 2, 0, 0, HEIGHT]
    assert all(bar.y + bar.height == HEIGHT for bar in bars)
    assert bars[-1].x + bars[-1].width <= WIDTH
    assert [bar.label for bar in bars] == ["1", "", "", "", "5"]
    assert bars[1].words == "2026-11-02: $0.000000005, 3 requests"


def test_a_month_that_cost_nothing_shows_its_requests():
    bars = list(bars_of([Line("2026-11-01", Used(calls=4)), Line("2026-11-02", Used())], 2))

    assert [bar.height for bar in bars] == [HEIGHT, 0]


def test_as_json_every_list_adds_up():
    told = as_json(a_statement())

    for name in ("days", "byTier", "byModel", "byProvider", "byBearer"):
        assert sum(row["costNusd"] for row in told[name]) == told["total"]["costNusd"]
        assert sum(row["calls"] for row in told[name]) == told["total"]["calls"]
    total = told["total"]
    assert total["savedNusd"] == total["baselineCostNusd"] - total["costNusd"]
    assert told["byModel"][1]["model"] is None
    assert (told["from"], told["correctedNusd"]) == ("2026-10-31T23:00:00Z", -5_000_000)
    assert told["corrections"][0]["attemptId"] == "att_7"
