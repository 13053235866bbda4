"""The database: tables, one writer, read-only questions."""

from __future__ import annotations

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import configure_mappers

from larouter.store.sql import Database

db = SQLAlchemy()
"""The reports' way in: engine and sessions. The tables are plain SQLAlchemy (`store.tables`), and
the hot path writes through `store.writer`, not through this."""


def reading_app(database: Database) -> Flask:
    """The Flask app whose contexts the reports run in, on read-only connections."""
    app = Flask("larouter.store")
    url, options = database.engine()
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    configure_mappers()
    return app
