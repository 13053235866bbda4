from larouter.core.account import Outcome
from larouter.core.chat import Usage
from larouter.core.meters import BUCKETS_MS, KINDS, Label, Meters, Tally

USAGE = Usage(
    input=1, cache_read=2, cache_write_5m=4, cache_write_1h=8, output=16, audio=32, image=64
)


def settle(meters, model="openai/big", *, cost=5, took_ms=70, project="p", **outcome):
    facts = {"state": "settled", "usage": USAGE, "first_ms": 10, **outcome}
    meters.settled(project, "FRONTIER", model, Outcome(**facts), cost, took_ms)


def test_what_ended_is_counted():
    meters = Meters()
    settle(meters)
    settle(meters, usage=Usage(input=3, output=1), took_ms=120)
    settle(meters, state="failed", usage=Usage(), cost=0, first_ms=None, final=False)
    settle(meters, status=502, state="unknown", usage=Usage(), cost=None)
    settle(meters, status=499, state="estimated", usage=Usage(), cost=1)

    ((label, sums),) = meters.snapshot().items()

    assert label == Label("p", "FRONTIER", "openai", "big")
    assert sums.requests == {"answered": 2, "failed": 1, "left": 1}
    assert sums.attempts == {"settled": 2, "failed": 1, "unknown": 1, "estimated": 1}
    assert dict(zip(KINDS, sums.tokens, strict=True)) == {
        "input": 4, "cache_read": 2, "cache_write_5m": 4, "cache_write_1h": 8, "output": 17,
        "audio": 32, "image": 64,
    }  # fmt: skip
    assert (sums.cost_nusd, sums.unpriced) == (11, 1)
    assert sum(sums.took.counts) == 4
    assert (sum(sums.first.counts), sums.first.sum_ms) == (4, 40)


def test_what_was_refused_is_counted():
    meters = Meters()
    meters.refused("p", "-", "", 3)
    meters.refused("p", "FRONTIER", "openai/big", 3)
    settle(meters)

    found = meters.snapshot()

    assert found[Label("p", "-", "", "")].requests == {"refused": 1}
    assert found[Label("p", "FRONTIER", "openai", "big")].requests == {"refused": 1, "answered": 1}


def test_models_that_nobody_knows_make_one_label():
    meters = Meters({"openai/big"}.__contains__)
    for number in range(100):
        settle(meters, f"openai/made-up-{number}")
    settle(meters)

    found = meters.snapshot()

    assert len(found) == 2
    assert found[Label("p", "FRONTIER", "openai", "other")].attempts == {"settled": 100}


def test_a_time_is_in_the_first_bucket_that_holds_it():
    tally = Tally()
    for ms in (0, 50, 51, 600_000, 600_001):
        tally.add(ms)

    assert tally.counts[:2] == [2, 1]
    assert tally.counts[-2:] == [1, 1]
    assert len(tally.counts) == len(BUCKETS_MS) + 1
    assert tally.sum_ms == 1_200_102
