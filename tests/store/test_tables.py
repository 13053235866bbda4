import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.pool import NullPool

from larouter.store.sqlite import connect
from larouter.store.tables import Row


def test_the_tables_are_those_of_a_migrated_database(database):
    engine = sa.create_engine(
        "sqlite://", creator=lambda: connect(database, read_only=True), poolclass=NullPool
    )

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, Row.metadata)

    assert differences == []


def test_postgresql_s_tables_are_the_same(postgres):
    url, options = postgres.engine()
    engine = sa.create_engine(url, **options)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, Row.metadata)

    assert differences == []


def test_money_is_never_a_float():
    money = [
        column
        for table in Row.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_nusd")
    ]

    assert len(money) == 8
    assert {type(column.type) for column in money} == {sa.BigInteger}


def test_a_bearer_has_no_column_of_its_own():
    assert set(Row.metadata.tables["bearer"].columns.keys()) == {
        "id", "project_id", "sha256", "created_ms", "expires_ms", "name", "begins", "granted",
        "last_used_ms", "revoked_ms",
    }  # fmt: skip


def test_an_attempt_has_one_entry_of_each_kind(ask, book, writer):
    attempt = book.bill()

    indexes = [name for _, name, unique, *_ in ask("PRAGMA index_list(ledger_entry)") if unique]
    columns = [[column for *_, column in ask(f"PRAGMA index_info({name})")] for name in indexes]

    assert columns == [["attempt_id", "kind"]]
    assert ask("SELECT attempt_id FROM ledger_entry") == [(attempt.id,)]


def test_the_look_for_open_attempts_reads_no_others(ask):
    ((*_, plan),) = ask("EXPLAIN QUERY PLAN SELECT id FROM attempt WHERE state='pending'")

    assert "USING INDEX attempt_open" in plan.replace("COVERING ", "")
