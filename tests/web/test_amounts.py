from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.web.amounts import cents, exact, places_for


@pytest.mark.parametrize(
    ("amounts", "places"),
    [([], 2), ([0], 2), ([10**9], 2), ([1_500_000_000, 10_000_000], 2), ([1_000_000], 3),
     ([100, 2 * 10**9], 7), ([1], 9), ([-5], 9)],
)  # fmt: skip
def test_as_few_places_as_write_all_exactly(amounts, places):
    assert places_for(amounts) == places


@pytest.mark.parametrize(
    ("nusd", "places", "text"),
    [(0, 2, "$0.00"), (1_234_567_890_123, 9, "$1,234.567890123"), (-2_500_000, 4, "-$0.0025"),
     (30_000_000, 2, "$0.03"), (1, 9, "$0.000000001")],
)  # fmt: skip
def test_an_amount_is_written_in_full(nusd, places, text):
    assert exact(nusd, places) == text


@pytest.mark.parametrize(
    ("nusd", "text"),
    [(0, "$0.00"), (4_999_999, "$0.00"), (5_000_000, "$0.01"), (-5_000_000, "-$0.01"),
     (-1, "$0.00"), (1_234_567_895_000_000, "$1,234,567.90")],
)  # fmt: skip
def test_cents_are_rounded_half_away_from_zero(nusd, text):
    assert cents(nusd) == text


@given(st.lists(st.integers(-(10**15), 10**15), max_size=8))
def test_amounts_as_written_add_up(amounts):
    places = places_for([*amounts, sum(amounts)])

    written = [Decimal(exact(n, places).replace("$", "").replace(",", "")) for n in amounts]

    assert sum(written) * 10**9 == sum(amounts)
