"""The base of all rows: a row is a database record, a model is always a language model."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import DeclarativeBase

# SQLite counts up by itself only in a column of exactly this type.
Serial = BigInteger().with_variant(Integer, "sqlite")


class Row(DeclarativeBase):
    """Whole numbers are 64 bits wide."""

    type_annotation_map = {int: BigInteger}  # noqa: RUF012 - SQLAlchemy's own declaration
