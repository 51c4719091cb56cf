"""SQL as this package speaks it: statements written once with SQLAlchemy Core, compiled once, run by the driver.

An ORM-less SQLAlchemy session costs ten times what the driver does for a hot read, so SQLAlchemy is the author of the
statements here, never the one who runs them. `Session` is synchronous: under the fence it is the writer's transaction,
in `SqliteReader` the reads of one event loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from artifactstore.errors import BackendUnavailable, LogCorrupt

T = TypeVar("T")
_SQLITE = sqlite.dialect(paramstyle="named")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Statement:
    """A statement and what it compiles to for a driver."""

    def __init__(self, element: ClauseElement) -> None:
        self.element = element

    @cached_property
    def sqlite(self) -> tuple[str, Mapping[str, Any]]:
        """The SQL text with named parameters, and the values of those that are constants."""
        compiled = self.element.compile(dialect=_SQLITE)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), constants


class Query(Statement, Generic[T]):
    """A SELECT whose rows are read into `T`."""

    def __init__(self, element: ClauseElement, row: Callable[..., T]) -> None:
        super().__init__(element)
        self.row = row


class Session(Protocol):
    """Look-ups in one consistent state, and changes where it is a write transaction."""

    def one(self, query: Query[T], **values: Any) -> T | None:
        """The first row, or None."""
        ...

    def all(self, query: Query[T], **values: Any) -> list[T]:
        """Every row."""
        ...

    def each(self, query: Query[T], **values: Any) -> Iterator[T]:
        """Every row, one at a time, without keeping them all."""
        ...

    def run(self, statement: Statement, **values: Any) -> None:
        """Execute once."""
        ...

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute for each row, by the driver's executemany."""
        ...


class Reader(Protocol):
    """The same look-ups for the event loop; each sees every commit that was acknowledged before it."""

    async def one(self, query: Query[T], **values: Any) -> T | None: ...

    async def all(self, query: Query[T], **values: Any) -> list[T]: ...


@contextmanager
def translated() -> Iterator[None]:
    """Driver errors become BackendUnavailable, and LogCorrupt where the file itself is damaged, at the one place where
    they arise; our own mistakes stay as they are."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise LogCorrupt(f"the database file is damaged: {error}") from error
        raise BackendUnavailable(f"the database answered: {error}") from error


class SqliteSession:
    """A Session on a `sqlite3` connection; whoever made it owns the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, query: Query[T], **values: Any) -> T | None:
        sql, constants = query.sqlite
        with translated():
            found = self.connection.execute(sql, {**constants, **values}).fetchone()
        return None if found is None else query.row(*found)

    def all(self, query: Query[T], **values: Any) -> list[T]:
        sql, constants = query.sqlite
        with translated():
            found = self.connection.execute(sql, {**constants, **values}).fetchall()
        row = query.row
        return [row(*columns) for columns in found]

    def each(self, query: Query[T], **values: Any) -> Iterator[T]:
        sql, constants = query.sqlite
        row = query.row
        with translated():
            for columns in self.connection.execute(sql, {**constants, **values}):
                yield row(*columns)

    def run(self, statement: Statement, **values: Any) -> None:
        sql, constants = statement.sqlite
        with translated():
            self.connection.execute(sql, {**constants, **values})

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        sql, constants = statement.sqlite
        with translated():
            self.connection.executemany(sql, [{**constants, **row} for row in rows])

    def end(self, why: str = "the transaction has ended") -> None:
        """Whoever still holds this session hears `why`, and cannot reach into what comes next."""
        self.connection = cast(sqlite3.Connection, _Ended(why))


class _Ended:
    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise BackendUnavailable(self._why)


class SqliteReader:
    """A Reader that asks SQLite inline: at 5 to 12 µs a look-up a thread would cost ten times the work."""

    def __init__(self, session: SqliteSession) -> None:
        self._session = session

    async def one(self, query: Query[T], **values: Any) -> T | None:
        return self._session.one(query, **values)

    async def all(self, query: Query[T], **values: Any) -> list[T]:
        return self._session.all(query, **values)


class SqliteDatabase:
    """One SQLite file in WAL mode, opened for one process: connections of its own for whoever asks.

    `full_sync` False trades durability at power loss for speed (`ARTIFACTSTORE_UNSAFE_NO_SYNC`).
    """

    def __init__(self, path: str, *, full_sync: bool = True, busy_timeout_seconds: float = 20.0) -> None:
        self.path = path
        self.durable = "FULL" if full_sync else "OFF"
        self._busy_timeout_seconds = busy_timeout_seconds

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A connection in autocommit: no implicit BEGIN by the driver. Raises BackendUnavailable."""
        with translated():
            connection = self.open()
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self.durable}")
            connection.execute("PRAGMA cache_size=-32768")
            if read_only:
                connection.execute("PRAGMA query_only=1")
        return connection

    def open(self) -> sqlite3.Connection:
        """A connection that changes nothing yet: a database that another program made stays as that left it."""
        return self._connected(self.path)

    def _connected(self, where: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            where,
            timeout=self._busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
            uri=uri,
        )
        # What SQLite sets aside while it works would otherwise lie in TMPDIR, and a push fail because that is full.
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    def reading(self, connection: sqlite3.Connection) -> SqliteSession:
        """A session of look-ups, each in the state of its moment."""
        return SqliteSession(connection)

    def admit_changes(self) -> None:
        """Raises ReadOnly where the database cannot be changed."""

    @contextmanager
    def writing(self, connection: sqlite3.Connection, *, durable: bool = True) -> Iterator[SqliteSession]:
        """Hold the fence for one transaction: commits at the end, rolls back on any exception.

        Not `durable`: the commit survives the death of the process, and a power loss only with the next durable one.
        Raises BackendUnavailable when another process keeps the fence too long, or the commit fails.
        """
        try:
            with translated():
                self.begin(connection, durable=durable)
            session = self.session(connection)
            try:
                yield session
            finally:
                session.end()
            with translated():
                self.commit(connection)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def begin(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        """Take the fence."""
        connection.execute(f"PRAGMA synchronous={self.durable if durable or self.durable == 'OFF' else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")

    def session(self, connection: sqlite3.Connection) -> SqliteSession:
        """The session of a write transaction."""
        return SqliteSession(connection)

    def commit(self, connection: sqlite3.Connection) -> None:
        """Make the transaction durable and let the fence go."""
        connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSession]:
        """One consistent state for as long as it takes, without holding the fence."""
        connection = self.connect(read_only=True)
        try:
            connection.execute("BEGIN")
            yield self.reading(connection)
        finally:
            connection.close()
