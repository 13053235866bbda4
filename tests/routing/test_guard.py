"""The guard over the tiers in force: what a bias would do to prompts whose tier is known."""

from decimal import Decimal

import pytest

from larouter.core.catalog import FREE, Model, Price
from larouter.core.learning import GuardRow
from larouter.routing.guard import guard_of
from tests.fakes import a_catalog

SMALL = Model(id="small", name="small", provider="local", price=FREE)
LARGE = Model(
    id="large", name="large", provider="openai", price=Price(input=Decimal(2), output=Decimal(10))
)
CATALOG = a_catalog(SMALL, LARGE, LOW=("small",), HIGH=("large",))


def _easy(chance):
    return GuardRow(tier=0, need_strong=chance, probabilities=(1 - chance, chance))


def _hard(chance):
    return GuardRow(tier=1, need_strong=chance, probabilities=(1 - chance, chance))


@pytest.mark.parametrize("bias", [-1.5, -0.2, 0.0, 0.2, 1.5])
def test_what_moves_nothing_passes(bias):
    guard = guard_of([_easy(0.05)] * 50 + [_hard(0.95)] * 50, lambda: CATALOG)

    assert guard(bias) == bias


def test_hard_prompts_stay_with_the_strong():
    guard = guard_of([_hard(0.55)] * 100, lambda: CATALOG)

    # 0.55 is 0.2 in log-odds: what is left of the bias does not reach that.
    assert guard(-1.5) == pytest.approx(-0.1875, abs=0.001)
    assert guard(1.5) == 1.5


def test_easy_prompts_are_not_all_sent_away():
    guard = guard_of([_easy(0.4)] * 100, lambda: CATALOG)

    # 0.4 is -0.405 in log-odds.
    assert guard(1.5) == pytest.approx(0.375)


def test_the_catalogue_in_force_counts():
    catalogs = [CATALOG]
    guard = guard_of([_hard(0.55)] * 100, lambda: catalogs[0])
    before = guard(-1.5)

    # Everything is on this machine: there is no border that a bias could move a prompt over.
    catalogs[0] = a_catalog(SMALL, LOW=("small",))

    assert before > -0.2
    assert guard(-1.5) == -1.5


def test_a_classifier_that_leans_is_measured_as_it_leans():
    # 0.4 with a lean of 1 is 0.595 in log-odds: strong, until a bias takes that away.
    rows = [_hard(0.4)] * 100

    assert guard_of(rows, lambda: CATALOG, 1.0)(-1.5) == pytest.approx(-0.375)
    assert guard_of(rows, lambda: CATALOG)(-1.5) == -1.5


def test_without_rows_everything_passes():
    assert guard_of((), lambda: CATALOG)(1.2) == 1.2
