"""A book whose calls count for budgets, and webhooks that hear of it: fixtures for some tests."""

import pytest

from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.webhooks import Webhooks
from tests.store.bills import MODELS, Book

OUTBOX = "SELECT webhook_id, state FROM webhook_delivery ORDER BY id"


@pytest.fixture
def budgets(writer):
    return Budgets(writer, "UTC")


@pytest.fixture
def book(writer, run, feed, rollups, budgets):
    prices = record_prices(writer, MODELS)
    ledger = Ledger(
        writer, run_id=run.id, price_versions=prices, feed=feed, rollups=rollups, budgets=budgets.of
    )
    return Book(writer, ledger)


@pytest.fixture
def limit(book, budgets):
    """A soft budget of a project, or (None) of the machine."""

    def limit(cap, project="prj_notes", **fields):
        fields = {"name": "Cap", "hard": False, "alerts": (50,), **fields}
        return budgets.add(checked(project_id=project, cap=cap, **fields))

    return limit


@pytest.fixture
def now():
    return [1_790_000_000_000]


@pytest.fixture
def webhooks(writer, now):
    return Webhooks(writer, clock=lambda connection: now[0])
