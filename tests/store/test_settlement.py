"""An end that is written once, however often it is handed in."""

from larouter.core.chat import Usage
from larouter.store.rollups import Share, differences
from larouter.store.settlement import Settlement, apply
from tests.store.bills import CLOUD, COST


def test_only_the_first_time_changes_anything(book, writer, rollups, ask):
    attempt = book.reserve()
    settled = Settlement(
        attempt_id=attempt.id, state="estimated", provider_id=None, cost=COST,
        usage=Usage(input=3), first_ms=None, ended_ms=attempt.started_ms + 5, final=True,
        request_id=attempt.request.id, started_ms=attempt.request.started_ms, status=499,
        error="client_left", stage="rules", reason="said", degraded=None, baseline=0,
        share=Share(book.project.id, attempt.request.tier, CLOUD.key, ""),
    )  # fmt: skip

    first, second = (
        writer.run(lambda connection: apply(connection, settled, rollups)) for _ in range(2)
    )

    assert (first, second) == (True, False)
    assert ask("SELECT state, input, cost_nusd FROM attempt") == [("estimated", 3, COST)]
    assert ask("SELECT count(*) FROM ledger_entry") == [(1,)]
    assert ask("SELECT status, error FROM request") == [(499, "client_left")]
    assert writer.run(differences) == []
