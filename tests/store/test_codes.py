import pytest

from larouter.store.codes import LIFE_MS, SharedCodes


@pytest.fixture
def time_ms():
    return [1_000_000]


@pytest.fixture
def codes(writer, time_ms):
    return SharedCodes(writer, clock=lambda: time_ms[0])


def test_a_code_counts_once_in_any_process(codes, writer, time_ms):
    other = SharedCodes(writer, clock=lambda: time_ms[0])
    code = codes.issue()

    assert (other.redeem(code), codes.redeem(code)) == (True, False)


def test_a_code_that_nobody_issued_is_none(codes):
    codes.issue()

    assert not codes.redeem("x" * 43)


def test_a_code_is_good_for_ten_minutes(codes, time_ms):
    code = codes.issue()
    time_ms[0] += LIFE_MS

    assert not codes.redeem(code)


def test_only_its_hash_is_kept_and_old_ones_go(codes, time_ms, ask):
    code = codes.issue()
    time_ms[0] += LIFE_MS
    codes.issue()
    rows = ask("SELECT name FROM setting WHERE name LIKE 'sign-in:%'")

    assert len(rows) == 1
    assert code not in str(rows)
