import pytest

from larouter.core.duration import duration_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("90s", 90_000), ("15m", 900_000), ("12h", 43_200_000), ("30d", 2_592_000_000)],
)
def test_a_length_of_time_is_a_number_and_a_unit(text, milliseconds):
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "1.5h", "1w", "d", "12345678s", "1 d", "1d1h", "\u0661d"]
)
def test_anything_else_is_none(text):
    assert duration_ms(text) is None
