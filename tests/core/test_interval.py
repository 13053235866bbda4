from random import Random

import pytest

from larouter.core.interval import HANDS, RESAMPLES, interval, resampled


def _costs(count, seed=1):
    random = Random(seed)  # noqa: S311 - made-up costs
    return [int(random.expovariate(1) * 1_000_000) for _ in range(count)]


def _spread(column):
    """Half the width of the interval that a normal sum has."""
    count = len(column)
    mean = sum(column) / count
    variance = sum((value - mean) ** 2 for value in column) / (count - 1)
    return 1.96 * (count * variance) ** 0.5


# Above the limit the hands are drawn, and their sums spread as the requests' do.
@pytest.mark.parametrize("count", [300, HANDS, HANDS + 1, 9_001])
def test_the_interval_of_a_sum_is_as_wide_as_statistics_says(count):
    column = _costs(count)

    found = interval(resampled([column]), lambda sums: sums[0])

    assert found.low < sum(column) < found.high
    assert (found.high - found.low) / 2 == pytest.approx(_spread(column), rel=0.12)


def test_columns_are_drawn_together():
    column = _costs(400)
    dearer = [cost + 5 for cost in column]

    found = interval(resampled([dearer, column]), lambda sums: sums[0] - sums[1])

    assert (found.low, found.high) == (2_000, 2_000)


def test_the_draws_are_the_same_each_time():
    columns = [_costs(50), _costs(50, seed=2)]

    assert resampled(columns) == resampled(columns)


def test_money_stays_whole():
    assert {type(value) for sums in resampled([_costs(10)]) for value in sums} == {int}


@pytest.mark.parametrize(
    ("columns", "sums"), [([], ()), ([[], []], (0, 0)), ([[7], [-2]], (7, -2))]
)
def test_what_cannot_come_out_otherwise_does_not(columns, sums):
    assert resampled(columns) == [sums] * RESAMPLES


def test_two_requests_are_drawn_like_many():
    sums = {drawn for (drawn,) in resampled([[1, 10]])}

    assert sums == {2, 11, 20}
