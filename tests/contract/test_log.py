"""The log on SQLite keeps the log's contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from artifactstore.bootstrap import system_clock
from artifactstore.events import migrate
from artifactstore.events.database import SqliteDatabase
from artifactstore.events.sql_log import SqlLog
from artifactstore.testing.log_contract import ALL, LogCheck, OpenLog


@pytest_asyncio.fixture
async def open_log(tmp_path: Path) -> AsyncIterator[OpenLog]:
    """Opens one migrated SQLite log any number of times."""
    database = SqliteDatabase(str(tmp_path / "log.sqlite"))
    migrate.upgrade(database)
    opened: list[SqlLog] = []

    def open_once(clock: Callable[[], int] | None = None) -> SqlLog:
        log = SqlLog(SqliteDatabase(database.path), clock or system_clock)
        opened.append(log)
        return log

    yield open_once
    for log in opened:
        await log.close()


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
async def test_sqlite_log(check: LogCheck, open_log: OpenLog) -> None:
    """The SQLite log keeps this promise of the contract."""
    await check(open_log)
