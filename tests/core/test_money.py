"""Money is exact, in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.money import MOST_DOLLARS, decimal_text, nanodollars


@pytest.mark.parametrize(
    ("nusd", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (1500, "0.0000015"),
        (1_000_000_000, "1"),
        (12_345_678_901_230_000_000, "12345678901.23"),
        (-1_500_000_000, "-1.5"),
    ],
)
def test_money_is_printed_exactly(nusd, text):
    assert decimal_text(nusd) == text


@given(st.integers(0, MOST_DOLLARS * 1_000_000_000))
def test_what_is_printed_is_read(nusd):
    assert nanodollars(decimal_text(nusd)) == nusd


@pytest.mark.parametrize(("text", "nusd"), [(".5", 500_000_000), ("2.", 2_000_000_000)])
def test_people_leave_out_a_zero(text, nusd):
    assert nanodollars(text) == nusd


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.2.3", "-1", "+1", "1e3", "1E-999999", "NaN", "1_0", " 1", "1,5", "$1",
     "\N{FULLWIDTH DIGIT ONE}", "0.0000000001", "1000000.01", "9" * 30],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"dollars"):
        nanodollars(text)
