"""The database: tables, one writer, read-only questions."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import URL
from sqlalchemy.orm import configure_mappers
from sqlalchemy.pool import NullPool

from larouter.store.writer import connect

db = SQLAlchemy()
"""The reports' way in: engine and sessions. The tables are plain SQLAlchemy (`store.tables`), and
the hot path writes through `store.writer`, not through this."""


def reading_app(path: Path) -> Flask:
    """The Flask app whose contexts the reports run in, on read-only connections.

    No pool of connections: its lock would be gevent's, and the reports run in native threads.
    """
    app = Flask("larouter.store")
    # With its path, or Flask-SQLAlchemy takes it for one in memory: one connection for all threads.
    app.config["SQLALCHEMY_DATABASE_URI"] = URL.create("sqlite", database=str(path.absolute()))
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "creator": lambda: connect(path, read_only=True),
        "poolclass": NullPool,
    }
    db.init_app(app)
    configure_mappers()
    return app
