"""What was spent by the quarter of an hour, as the ledger wrote it."""

from tests.store.bills import COST, NOON

QUARTER = 900_000


def test_spend_is_of_its_project_and_its_quarter(bill, book, reports):
    other = book.add_project("site")
    bill(at=NOON)
    bill(at=NOON + 1)
    bill(at=NOON + QUARTER)
    bill(at=NOON - QUARTER)
    bill(at=NOON, project=other)

    found = reports.spending([book.project.id, other.id, "prj_none"], NOON)

    assert found == {
        book.project.id: {NOON: 2 * COST, NOON + QUARTER: COST},
        other.id: {NOON: COST},
        "prj_none": {},
    }
