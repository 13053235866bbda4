import pytest

from larouter.core.catalog import Catalog, Tier
from larouter.store.baselines import Baselines
from larouter.store.bills import Bills
from larouter.store.usage import Days
from tests.store.bills import CLOUD, LOCAL, MODELS, NOON

CATALOG = Catalog(
    date="2026-11-23",
    models={model.id: model for model in MODELS},
    tiers=(Tier(name="HARD", rank=0, title="Hard", models=("big",)),),
)


@pytest.fixture
def catalog():
    return [CATALOG]


@pytest.fixture
def bills(writer, reports, catalog, book):
    baselines = Baselines(writer, lambda: catalog[0], clock=lambda: NOON)
    baselines.choose(book.project.id, "starter")
    return Bills(reports, baselines, lambda: catalog[0])


def test_a_statement_names_every_baseline_of_its_month(bills, catalog):
    found = bills.statement("notes", Days("2026-11-01", "2026-11-30"))

    assert [(row.at_ms, row.model) for row in found.baselines] == [
        (found.since_ms, CLOUD.key), (NOON, LOCAL.key),
    ]  # fmt: skip
    catalog[0] = Catalog(date="2026-11-24")
    later = bills.statement("notes", Days("2026-11-01", "2026-11-30"))
    assert [row.model for row in later.baselines] == ["", "starter"]


def test_it_knows_whose_there_are_and_which_day_it_is(bills):
    assert [owner.name for owner in bills.owners()] == ["notes"]
    assert bills.today().isoformat() == "2026-11-22"
    assert bills.today("Pacific/Auckland").isoformat() == "2026-11-23"
