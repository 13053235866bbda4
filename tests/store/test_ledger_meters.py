"""What the ledger counts for `GET /metrics`."""

import pytest

from larouter.core.errors import StorageDown
from larouter.core.meters import Label, Meters
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.spill import Spill
from tests.store.bills import CLOUD, COST, MODELS, USAGE, Book


@pytest.fixture
def meters():
    return Meters()


@pytest.fixture
def counted(writer, run, feed, rollups, meters, tmp_path):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, meters=meters, spill=Spill(tmp_path / "unwritten.jsonl"),
    )  # fmt: skip
    return Book(writer, ledger)


def sums(meters, **label):
    facts = {"project_id": "prj_notes", "tier": "FRONTIER", "provider": "openai", "model": "big-1"}
    return meters.snapshot()[Label(**{**facts, **label})]


def test_a_call_is_counted_once_however_often_it_is_settled(counted, meters):
    attempt = counted.bill()
    counted.settle(attempt)

    found = sums(meters)
    assert (found.requests, found.attempts) == ({"answered": 1}, {"settled": 1})
    assert (found.cost_nusd, found.tokens[0], found.tokens[4]) == (COST, USAGE.input, USAGE.output)


def test_a_request_is_counted_with_its_last_attempt(counted, meters):
    first = counted.bill(state="failed", outcome={"final": False, "status": 502})
    counted.settle(counted.reserve(record=first.request))

    assert sums(meters).requests == {"answered": 1}
    assert sums(meters).attempts == {"failed": 1, "settled": 1}


def test_what_was_refused_is_counted_where_it_stood(counted, meters):
    counted.ledger.refuse(counted.record(tier="-"), 404, "model_not_found")
    first = counted.bill(state="failed", outcome={"final": False, "status": 502})
    counted.ledger.refuse(first.request, 503, "provider_resting")

    assert sums(meters, tier="-", provider="", model="").requests == {"refused": 1}
    assert sums(meters).requests == {"refused": 1}


def test_what_waits_is_told(counted, writer):
    assert (counted.ledger.queued, counted.ledger.spilled) == (0, 0)
    attempt = counted.reserve(CLOUD)
    writer.close()

    counted.settle(attempt)

    assert counted.ledger.spilled == 1
    with pytest.raises(StorageDown):
        counted.ledger.replay()
