"""What all tables share: the metadata, column helpers, and the two tables of the log itself.

Each view and each kind of working state defines its own table in its own file, on this metadata. Alembic's migrations
make them; a test proves that migrations and definitions agree.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table
from sqlalchemy.dialects.postgresql import insert as _insert

SCHEMA_REVISION = "0003"
"""The migration this program needs; a test proves that it is the newest one shipped."""

KNOWN_REVISIONS = ("0001", "0002", "0003")
"""Every migration this program knows, oldest first; any other revision was made by a newer program."""

METADATA = MetaData()

BIG = sa.BigInteger().with_variant(Integer, "sqlite")
"""64-bit integers; SQLite needs the name INTEGER to make one the row id."""

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that compares bytewise on every database (SQLite does by default)."""

EVENTS = Table(
    "events",
    METADATA,
    Column("sequence", BIG, primary_key=True, autoincrement=False),
    Column("type", TEXT, nullable=False),
    Column("time", BIG, nullable=False),
    Column("actor", TEXT, nullable=False),
    Column("tenant", TEXT, nullable=False),
    Column("stream", TEXT, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Index("events_by_stream", "stream", "sequence"),
)

LOG_HEAD = Table(
    "log_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("log_id", TEXT, nullable=False),
    Column("sequence", BIG, nullable=False),
    Column("time", BIG, nullable=False),
    Column("batch_id", TEXT, nullable=False),
)
"""One row, the fence: whoever appends holds it first. `batch_id` names the batch that wrote it last."""


def insert_new(table: Table) -> Any:
    """INSERT … ON CONFLICT DO NOTHING, as SQLite and PostgreSQL both spell it."""
    return _insert(table).on_conflict_do_nothing()


def upsert(table: Table) -> Any:
    """INSERT … ON CONFLICT DO UPDATE of every column that is not part of the key."""
    statement = _insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
