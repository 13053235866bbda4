import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from larouter.store import db, reading_app
from larouter.store.sqlite import SqliteFile


def test_a_report_reads_what_is_committed(database, book):
    with reading_app(database).app_context():
        names = db.session.execute(text("SELECT name FROM project")).scalars().all()

    assert names == ["notes"]


def test_a_report_cannot_write(database):
    with (
        reading_app(database).app_context(),
        pytest.raises(OperationalError, match="readonly database"),
    ):
        db.session.execute(text("DELETE FROM project"))


def test_two_databases_are_told_apart(database, fresh, book):
    counts = []
    for one in (database, SqliteFile(fresh)):
        with reading_app(one).app_context():
            counts.append(db.session.execute(text("SELECT count(*) FROM project")).scalar())

    assert counts == [1, 0]


def test_no_connection_outlives_its_question(database):
    app = reading_app(database)
    seen = []

    for _ in range(2):
        with app.app_context():
            seen.append(db.session.connection().connection.dbapi_connection)

    assert seen[0] is not seen[1]


def test_two_questions_at_once_have_a_connection_each(database):
    app = reading_app(database)

    with app.app_context():
        first = db.session.connection().connection.dbapi_connection
        with app.app_context():
            second = db.session.connection().connection.dbapi_connection

    assert first is not second
