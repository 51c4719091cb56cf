"""Replay: the views made again from the log, into their own tables or beside them for comparison."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Table, select

from artifactstore.errors import LogCorrupt
from artifactstore.events import codec
from artifactstore.events.database import Query, Session, SqliteDatabase
from artifactstore.events.model import Event
from artifactstore.events.recording import HEAD
from artifactstore.events.schema import METADATA
from artifactstore.events.sql_log import ALL
from artifactstore.events.views import VIEWS, SqlViews, ViewWriter

Progress = Callable[[int, int], None]
"""Called now and then with (events done, events in all)."""

_REPORT_EVERY = 1000


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How many events were replayed, and each difference found, in words (empty: the views are what the log says)."""

    events: int
    differences: tuple[str, ...] = ()


def replay(events: Iterable[Event], into: ViewWriter, *, total: int = 0, progress: Progress | None = None) -> int:
    """Reset `into` and apply every event to it, from the first; returns how many there were.

    Each event is compared with its envelope, and the sequence must have no gap. Raises LogCorrupt.
    """
    into.reset()
    count, time = 0, 0
    for count, event in enumerate(events, 1):
        if event.sequence != count:
            raise LogCorrupt(f"the log has a gap: event {event.sequence} where {count} was expected")
        if event.time < time:
            raise LogCorrupt(f"event {event.sequence} is older than the one before it")
        codec.check(event)
        into.apply(event, codec.fact_of(event))
        time = event.time
        if progress and count % _REPORT_EVERY == 0:
            progress(count, total)
    return count


def read_through(session: Session, into: ViewWriter, progress: Progress | None = None) -> int:
    """Replay a database's whole log, to where its head says that it ends. Raises LogCorrupt."""
    head = session.one(HEAD)  # a database that was migrated and never opened has none, and no event
    total = head.sequence if head else 0
    count = replay(session.each(ALL), into, total=total, progress=progress)
    if count != total:
        raise LogCorrupt(f"the log ends at event {count}, its head says {total}")
    return count


def rebuild(database: SqliteDatabase, progress: Progress | None = None) -> ReplayReport:
    """Make the views again in place, in one transaction that keeps writers out.

    Raises LogCorrupt; then nothing has changed.
    """
    connection = database.connect()
    try:
        with database.writing(connection) as session:
            count = read_through(session, SqlViews(VIEWS, session), progress)
    finally:
        connection.close()
    return ReplayReport(count)


def check(database: SqliteDatabase, progress: Progress | None = None) -> ReplayReport:
    """Replay a snapshot into a separate file and compare every row; writers go on meanwhile. Raises LogCorrupt."""
    with tempfile.TemporaryDirectory(prefix="artifactstore-replay-") as directory, database.snapshot() as live:
        beside = SqliteDatabase(str(Path(directory, "views.sqlite")), full_sync=False)
        engine = sa.create_engine("sqlite://", creator=beside.connect)  # it need not outlive a power loss
        METADATA.create_all(engine)
        engine.dispose()
        connection = beside.connect()
        try:
            with beside.writing(connection) as session:
                count = read_through(live, SqlViews(VIEWS, session), progress)
                return ReplayReport(count, tuple(_differences(live, session)))
        finally:
            connection.close()


def _differences(live: Session, replayed: Session) -> Iterator[str]:
    for table in (table for view in VIEWS for table in view.tables):
        ours, theirs = rows_of(live, table), rows_of(replayed, table)
        while True:
            left, right = next(ours, None), next(theirs, None)
            if left != right:
                yield f"{table.name}: the view says {left!r}, the log says {right!r}"
                break
            if left is None:
                break


def rows_of(session: Session, table: Table) -> Iterator[tuple[Any, ...]]:
    """Every row of a view in the order of its key."""
    return session.each(Query(select(table).order_by(*table.primary_key), lambda *row: row))
