"""A database that goes wrong on purpose, at a chosen place, and tells of each commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from artifactstore.events.database import SqliteDatabase, SqliteSession, Statement, translated
from artifactstore.testing.faulty import Boundaries, OnBoundary


def never(_: object) -> None:
    """An `on_boundary` at which nothing happens."""


class BoundaryDatabase(SqliteDatabase):
    """Has boundaries around BEGIN, each changing statement, and COMMIT; calls `on_commit` after each commit."""

    def __init__(
        self,
        path: str,
        *,
        full_sync: bool = True,
        on_boundary: OnBoundary = never,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(path, full_sync=full_sync)
        self._boundaries = Boundaries(on_boundary)
        self._on_commit = on_commit

    @property
    def operations(self) -> int:
        """How many operations began."""
        return self._boundaries.operations

    def begin(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        with self._operation("begin"):
            super().begin(connection, durable=durable)

    def session(self, connection: sqlite3.Connection) -> SqliteSession:
        return _BoundarySession(connection, self)

    def commit(self, connection: sqlite3.Connection) -> None:
        with self._operation("commit"):
            super().commit(connection)
            self._on_commit()

    @contextmanager
    def _operation(self, name: str) -> Iterator[None]:
        """One operation between its boundaries; what strikes there comes as the driver's error."""
        try:
            with self._boundaries.around(name, self.path):
                yield
        except OSError as error:
            raise sqlite3.OperationalError(f"disk I/O error: {error.strerror}") from error


class _BoundarySession(SqliteSession):
    def __init__(self, connection: sqlite3.Connection, database: BoundaryDatabase) -> None:
        super().__init__(connection)
        self._operation = database._operation

    def run(self, statement: Statement, **values: Any) -> None:
        with self._translated("statement"):
            super().run(statement, **values)

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        with self._translated("statements"):
            super().run_many(statement, rows)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        with translated(), self._operation(name):
            yield
