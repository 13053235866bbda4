"""What is compared in the end: the provider's journal, what clients got, what LARouter says.

Nothing lost, nothing doubled, nothing left open, and every budget right (TRUST B3, B9, B15, B17).
"""

import json

from larouter.store.invariants import violations
from larouter.store.rollups import differences
from tests.chaos.books import Compared, is_exact, read_journal
from tests.chaos.load import MODEL
from tests.serving import command

BY_COMMAND = 2
"""How many attempts are resolved by the command; the others by what the command asks."""


def audit(house, server, load, path):
    """Compare, resolve what is unknown, and compare again."""
    answers, refused = read_journal(path)
    attempts = _export(house)
    price = _price(server)
    compared = Compared(attempts, answers, refused, price)
    assert compared.wrong == []
    assert compared.settled > 0
    assert [row for row in attempts if row["rid"] not in load.asked] == []
    _is_what_the_clients_got(load, attempts, price)
    _adds_up(house)

    _resolve(server, house, compared.unknown)
    after = {row["attempt_id"]: row for row in _export(house)}
    for id, answer in compared.unknown.items():
        if answer is None:
            assert (after[id]["state"], after[id]["cost_nusd"]) == ("released", 0)
        else:
            assert after[id]["state"] == "settled"
            assert is_exact(after[id], answer["usage"], price)
    _adds_up(house)
    assert load.dry > 0
    print(  # noqa: T201 - `make chaos` shows it
        f"{len(attempts)} attempts, {compared.settled} settled, {len(load.whole)} held whole "
        f"by clients, {len(compared.unknown)} unknown and resolved, {load.dry} times a budget "
        "was used up"
    )


def _export(house):
    result = command(house.home, "usage", "export", "--attempts", **house.settings)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def _price(server):
    """As the catalogue has it, decimals as text."""
    models = server.admin("GET", "/api/models/catalog").json()["data"]
    return next(row["price"] for row in models if MODEL.endswith(f"/{row['id']}"))


def _is_what_the_clients_got(load, attempts, price):
    """Whoever holds a complete answer holds one that is in the books, exactly (TRUST B3)."""
    assert len(load.whole) > load.clients
    by_id = {row["provider_id"]: row for row in attempts if row["provider_id"]}
    for rid, (id, usage) in load.whole.items():
        row = by_id[id]
        assert (row["rid"], row["state"]) == (rid, "settled")
        assert is_exact(row, usage, price)
    estimated = {row["rid"] for row in attempts if row["state"] == "estimated"}
    assert estimated <= load.left


def _adds_up(house):
    assert house.look(violations) == []
    assert house.look(differences) == []
    assert house.ask("SELECT count(*) FROM attempt WHERE state = 'pending'") == [(0,)]
    assert house.ask("SELECT count(*) FROM request WHERE status IS NULL") == [(0,)]
    assert house.ask("SELECT count(*) FROM hold WHERE spent IS NULL") == [(0,)]
    spent = house.ask(
        "SELECT b.name, w.spent, w.reserved, w.blocked, w.spent <= b.cap "
        "FROM budget_window w JOIN budget b ON b.id = w.budget_id"
    )
    entries = dict(
        house.ask(
            "SELECT p.name, sum(e.cost_nusd) FROM ledger_entry e "
            "JOIN attempt a ON a.id = e.attempt_id JOIN project p ON p.id = a.project_id "
            "GROUP BY p.name"
        )
    )
    entries["machine"] = sum(entries.values())
    assert {row[0]: row[1:] for row in spent} == {
        name: (total, 0, 0, True) for name, total in entries.items()
    }


def _resolve(server, house, unknown):
    """As the provider's books say; first by hand, then faster."""
    for number, (id, answer) in enumerate(unknown.items()):
        said = answer and (
            answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"],
            answer["usage"]["prompt_tokens_details"]["cached_tokens"],
        )  # fmt: skip
        if number < BY_COMMAND:
            how = ("--tokens", ",".join(map(str, said))) if said else ("--released",)
            result = command(house.home, "usage", "resolve", id, *how, **house.settings)
            assert result.returncode == 0, result.stderr
        else:
            names = ("input", "output", "cached")
            body = dict(zip(names, said, strict=True)) if said else {"released": True}
            assert server.admin("POST", f"/api/usage/attempts/{id}", body).status_code == 200
