import json

import pytest

from larouter.core.account import Project
from larouter.core.route import Numbers
from larouter.store import exports as module
from larouter.store.bearers import Bearers
from larouter.store.exports import LEFT_OUT, PARTS, Exports
from larouter.store.feedback import Feedback
from larouter.store.projects import Projects
from larouter.store.responses import Responses
from larouter.store.tables import Row
from tests.store.bills import COST, LOCAL, USAGE

TABLES = [part.table for part in PARTS]
_BUDGET = """INSERT INTO budget (id, project_id, name, metric, cap, period, scope, of, hard, alerts,
 created_ms) VALUES (?,?,?,'cost',5,'daily','all','',1,'50',1)"""
_WINDOW = """INSERT INTO budget_window (budget_id, start_ms, end_ms, opening, spent, reserved,
 blocked) VALUES (?,1,2,0,3,0,0)"""
_ALERT = """INSERT INTO alert (budget_id, start_ms, mark, spent, cap, created_ms)
 VALUES (?,1,50,3,5,1)"""
_UNUSUAL = """INSERT INTO alert (start_ms, mark, spent, cap, created_ms, of_project)
 VALUES (1,0,9,5,1,?)"""
_WEBHOOK = """INSERT INTO webhook (id, project_id, url, secret, created_ms)
 VALUES (?,?,?,'whsec_hidden',1)"""
_LETTER = """INSERT INTO webhook_delivery (webhook_id, event, body, created_ms, state)
 VALUES (?,'evt','{"a": 1}',1,'sent')"""
_HOLD = "INSERT INTO hold (attempt_id, budget_id, start_ms, amount, spent) VALUES (?,?,1,4,3)"


@pytest.fixture
def both(writer, book):
    """Two projects with something of every kind, and the ids of what is the first one's."""
    projects = Projects(writer)
    bearers = Bearers(writer, projects, "UTC")
    feedback = Feedback(writer, projects, lambda bias: bias)
    kept = Responses(writer)
    ids = {}
    for number, name in ((1, "alpha"), (2, "beta")):
        project, secret = projects.create(name)
        bearers.create(project, f"{name}-ci")
        bearers.grant(project, seconds=600)
        projects.update(project.id, aliases={f"{name}-model": "auto"})
        for at in range(5):
            attempt = book.bill(
                project=project, asked=f"{name}-asked", numbers=Numbers(prompt_tokens=at + 1),
                outcome={"provider_id": f"{name}-{at}"},
            )  # fmt: skip
        feedback.note(project.id, attempt.request.id, 1.0)
        answer = {"id": f"resp_{name}", "output": [{"said": f"{name}-answer"}]}
        kept.save(project.id, answer, [{"role": "user", "content": f"{name}-question"}], None)
        for sql, row in (
            (_BUDGET, (number, project.id, f"{name}-budget")), (_WINDOW, (number,)),
            (_ALERT, (number,)), (_HOLD, (attempt.id, number)), (_UNUSUAL, (project.id,)),
            (_WEBHOOK, (number, project.id, f"https://{name}.example")), (_LETTER, (number,)),
        ):  # fmt: skip
            writer.run(lambda connection, sql=sql, row=row: connection.execute(sql, row))
        ids[name] = project, secret
    return ids


@pytest.fixture
def read(database):
    """The lines of a project's export."""

    def read(project):
        text = b"".join(Exports(database).lines(project))
        return [json.loads(line) for line in text.splitlines()]

    return read


@pytest.fixture
def lines(both, read):
    return read(both["alpha"][0])


def of(lines, table):
    return [line for line in lines if line["row"] == table]


def test_every_table_with_something_of_a_project_is_in_an_export():
    owned = {"project_id", "attempt_id", "budget_id", "request_id", "webhook_id"}
    tables = {name for name, table in Row.metadata.tables.items() if owned & {*table.c.keys()}}

    assert tables - {*TABLES} == {*LEFT_OUT}


def test_no_column_takes_the_place_of_the_table_s_name():
    assert [name for name in TABLES if "row" in Row.metadata.tables[name].c] == []


def test_an_export_has_every_kind_of_row(lines):
    assert [*dict.fromkeys(line["row"] for line in lines)] == ["export", *TABLES, "end"]
    assert [row["asked"] for row in of(lines, "request")] == ["alpha-asked"] * 5
    assert [row["cost_nusd"] for row in of(lines, "ledger_entry")] == [COST] * 5
    assert [row["budget_id"] for row in of(lines, "alert")] == [1, None]
    assert sum(row["calls"] for row in of(lines, "usage_day")) == 5
    assert {row["name"] for row in of(lines, "bearer")} == {"main", "alpha-ci"}


def test_an_export_has_nothing_of_another_project(both, lines, read):
    text = json.dumps(lines)

    assert "beta" not in text
    assert both["beta"][0].id not in text
    assert "alpha" not in json.dumps(read(both["beta"][0]))


def test_an_export_has_no_secret(both, lines):
    (_, secret), text = both["alpha"], json.dumps(lines)

    assert secret not in text
    assert "sha256" not in text
    assert "whsec" not in text
    assert all(set(row) >= {"name", "begins", "last_used_ms"} for row in of(lines, "bearer"))


def test_what_is_json_in_a_column_is_json_in_a_line(lines):
    (project,), (response,) = of(lines, "project"), of(lines, "response")

    assert project["aliases"] == {"alpha-model": "auto"}
    assert project["policy"] == {}
    assert response["body"]["output"] == [{"said": "alpha-answer"}]
    assert response["input"][0]["content"][0]["text"] == "alpha-question"
    assert of(lines, "request")[0]["numbers"]["prompt_tokens"] == 1
    assert of(lines, "price_version")[0]["price"]


def test_the_first_line_names_the_project_and_the_last_counts_the_rows(both, lines):
    first, *rows, last = lines

    assert (first["format"], first["project"]) == (1, "alpha")
    assert first["project_id"] == both["alpha"][0].id
    assert last == {"row": "end", "rows": len(rows)}


@pytest.mark.parametrize("page", [1, 2, 5])
def test_however_long_a_page_is_every_row_comes_once(both, lines, read, monkeypatch, page):
    monkeypatch.setattr(module, "PARTS", [part._replace(page=page) for part in PARTS])

    assert read(both["alpha"][0])[1:] == lines[1:]


def test_an_export_is_read_a_page_at_a_time(both, database, monkeypatch, book):
    monkeypatch.setattr(module, "PARTS", [part._replace(page=2) for part in PARTS])

    pieces = Exports(database).lines(both["alpha"][0])
    sizes = [len(next(pieces).splitlines()) for _ in range(4)]
    # What comes while it is read is in it: nothing is locked, and nothing was read ahead.
    book.bill(LOCAL, project=both["alpha"][0], asked="late", outcome={"usage": USAGE})
    rest = b"".join(pieces)

    assert max(sizes) <= 2
    assert b'"asked":"late"' in rest


def test_a_project_without_anything_has_an_export_too(writer, read):
    project, _ = Projects(writer).create("new")

    lines = read(project)

    assert [line["row"] for line in lines] == ["export", "project", "bearer", "end"]


def test_a_project_that_is_not_there_is_empty(read):
    assert [line["row"] for line in read(Project(id="prj_0", name="x"))] == ["export", "end"]
