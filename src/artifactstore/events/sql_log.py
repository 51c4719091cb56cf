"""The log in a SQL database: the appender writes, everybody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from artifactstore.errors import BackendUnavailable, LogRewound
from artifactstore.events.appender import Appender
from artifactstore.events.database import Query, SqliteDatabase
from artifactstore.events.facts import Facts
from artifactstore.events.log import Appended, Clock, Decide, Head, LogPage
from artifactstore.events.model import Event
from artifactstore.events.recording import HEAD
from artifactstore.events.schema import EVENTS
from artifactstore.events.tail import HeadWatcher

_COLUMNS = tuple(EVENTS.columns)
_AFTER = (
    select(*_COLUMNS)
    .where(EVENTS.c.sequence > bindparam("after"))
    .order_by(EVENTS.c.sequence)
    .limit(bindparam("limit"))
)
ALL = Query(select(*_COLUMNS).order_by(EVENTS.c.sequence), Event)
"""Every event from the first; to be read with `each`."""

READ = Query(_AFTER, Event)
READ_STREAM = Query(_AFTER.where(EVENTS.c.stream == bindparam("stream")), Event)
_SIZES = (
    select(EVENTS.c.sequence, sa.func.length(EVENTS.c.payload) + sa.func.length(EVENTS.c.envelope))
    .where(EVENTS.c.sequence > bindparam("after"))
    .order_by(EVENTS.c.sequence)
    .limit(bindparam("limit"))
)
SIZES: Query[tuple[int, int]] = Query(_SIZES, lambda *row: row)
SIZES_STREAM: Query[tuple[int, int]] = Query(_SIZES.where(EVENTS.c.stream == bindparam("stream")), lambda *row: row)


class SqlLogReader:
    """Reads the log of a SQLite database, inline, on a connection of its own."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._reader = database.connect(read_only=True)
        self._read = database.reading(self._reader)
        self._watcher = HeadWatcher(self._head_sequence)

    async def head(self) -> Head:
        head = self._read.one(HEAD)
        if head is None:
            raise BackendUnavailable("the database holds no log")
        return head

    async def read(self, after: int, *, limit: int, bytes_max: int, stream: str | None = None) -> LogPage:
        end = self._head_sequence()
        where = {"after": after} if stream is None else {"after": after, "stream": stream}
        sizes = self._read.all(SIZES if stream is None else SIZES_STREAM, limit=limit, **where)
        count = _fitting([length for _, length in sizes], bytes_max)
        events = self._read.all(READ if stream is None else READ_STREAM, limit=count, **where) if count else []
        last = events[-1].sequence if events else after
        is_whole = count == len(sizes) < limit
        return LogPage(events, max(last, end) if is_whole else last)

    async def tail(self, since_sequence: int) -> AsyncIterator[Event]:
        head = await self.head()
        if since_sequence > head.sequence:
            raise LogRewound(
                f"the cursor {since_sequence} lies beyond the head {head.sequence}",
                detail={"log_id": head.log_id, "head": head.sequence},
            )
        after = since_sequence
        while True:
            page = await self.read(after, limit=500, bytes_max=8 << 20)
            for event in page.events:
                yield event
                after = event.sequence
            if not page.events:
                await self._watcher.wait_beyond(after)

    async def close(self) -> None:
        """Let go; whoever follows the log hears of it. Idempotent."""
        self._read.end("the log is closed")
        self._watcher.close()
        self._reader.close()

    def _head_sequence(self) -> int:
        head = self._read.one(HEAD)
        return head.sequence if head else 0


class SqlLog(SqlLogReader):
    """The EventLog on SQLite. One appender thread."""

    def __init__(self, database: SqliteDatabase, clock: Clock, *, waiting_max: int = 4096) -> None:
        self._appender = Appender(database, clock, waiting_max)
        super().__init__(database)

    async def append(self, actor: str, decide: Decide, *, durable: bool = True) -> Appended:
        appended = await self._appender.append(actor, decide, durable=durable)
        if appended.events:
            self._watcher.ring()
        return appended

    def fence(self) -> AbstractAsyncContextManager[Facts]:
        return self._appender.fence()

    async def close(self) -> None:
        """Finish what waits, then stop. Idempotent."""
        await self._appender.close()
        await super().close()


def _fitting(sizes: list[int], bytes_max: int) -> int:
    """How many of the sizes fit, one at least."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if count and total > bytes_max:
            return count
    return len(sizes)
