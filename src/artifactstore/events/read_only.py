"""A log that is only read, on a database that is never written to."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from artifactstore.errors import BackendUnavailable, ReadOnly
from artifactstore.events.database import Query, SqliteDatabase, SqliteSession, translated
from artifactstore.events.facts import Facts
from artifactstore.events.log import Appended, Decide
from artifactstore.events.sql_log import SqlLogReader

T = TypeVar("T")


class ReadOnlyDatabase(SqliteDatabase):
    """A database that this process never changes, also where it may write nothing at all.

    SQLite shares a WAL database through the file `-shm` beside it. Where neither that nor a `-wal` is there, and none
    can be made, nobody is writing: the file is then read as one that never changes. Who begins to write to it all the
    same, through another mount or as another user, ends the reading: see `_UnchangingSession`.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        may_share = os.access(Path(path).parent, os.W_OK) or _is_shared(path)
        self._unchanging = None if may_share else _mark(path)

    def open(self) -> sqlite3.Connection:
        how = "mode=ro" if self._unchanging is None else "mode=ro&immutable=1"
        return self._connected(f"file:{quote(os.fsencode(self.path))}?{how}", uri=True)

    def connect(self, *, read_only: bool = True) -> sqlite3.Connection:
        with translated():
            connection = self.open()
            connection.execute("PRAGMA cache_size=-32768")
        return connection

    def reading(self, connection: sqlite3.Connection) -> SqliteSession:
        if self._unchanging is None:
            return super().reading(connection)
        return _UnchangingSession(connection, self.path, self._unchanging)

    def admit_changes(self) -> NoReturn:
        raise ReadOnly

    def begin(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        self.admit_changes()


class _UnchangingSession(SqliteSession):
    """Believes what it read only if the file is still the one that was opened, and nobody has begun to write to it."""

    def __init__(self, connection: sqlite3.Connection, path: str, mark: tuple[int, int, int]) -> None:
        super().__init__(connection)
        self._path = path
        self._mark = mark

    def one(self, query: Query[T], **values: Any) -> T | None:
        return self._believed(super().one(query, **values))

    def all(self, query: Query[T], **values: Any) -> list[T]:
        return self._believed(super().all(query, **values))

    def each(self, query: Query[T], **values: Any) -> Iterator[T]:
        for row in super().each(query, **values):
            yield self._believed(row)

    def _believed(self, found: T) -> T:
        if _is_shared(self._path) or _mark(self._path) != self._mark:
            raise BackendUnavailable("somebody writes to the database, which was opened as unchanging: open it again")
        return found


class ReadOnlyLog(SqlLogReader):
    """The EventLog of a database that is never written to: it refuses every decision before it is made."""

    async def append(self, actor: str, decide: Decide, *, durable: bool = True) -> Appended:
        raise ReadOnly

    def fence(self) -> AbstractAsyncContextManager[Facts]:
        raise ReadOnly


def _is_shared(path: str) -> bool:
    return Path(f"{path}-wal").exists() or Path(f"{path}-shm").exists()


def _mark(path: str) -> tuple[int, int, int]:
    """What changes with a file; nothing for one that is not there, which SQLite will say."""
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)
