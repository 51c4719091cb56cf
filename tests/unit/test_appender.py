"""The appender where its callers, its loop or its database fail it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from artifactstore.bootstrap import system_clock
from artifactstore.errors import BackendUnavailable, NameInvalid
from artifactstore.events import migrate
from artifactstore.events.database import SqliteDatabase
from artifactstore.events.facts import Facts
from artifactstore.events.log import Decision
from artifactstore.events.sql_log import SqlLog
from artifactstore.testing.log_contract import linked, record, recording

PATIENCE_SECONDS = 10


class Disk(SqliteDatabase):
    """A database whose commits fail while it is `full`."""

    full = False
    writer: sqlite3.Connection

    def begin(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        self.writer = connection
        super().begin(connection, durable=durable)

    def commit(self, connection: sqlite3.Connection) -> None:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        super().commit(connection)


@pytest.fixture
def database(tmp_path: Path) -> Disk:
    """A migrated database."""
    made = Disk(str(tmp_path / "log.sqlite"))
    migrate.upgrade(made)
    return made


@pytest_asyncio.fixture
async def log(database: Disk) -> AsyncIterator[SqlLog]:
    """A log on it."""
    opened = SqlLog(database, system_clock)
    yield opened
    await opened.close()


async def test_a_refusal_waits_for_the_commit_it_rests_on(database: Disk, log: SqlLog) -> None:
    """Who was refused because of a neighbour's fact hears of the failure, not the refusal, when neither is recorded."""
    fact = linked("a/b", b"blob")

    def once(facts: Facts, time: int) -> Decision:
        if facts.blob("a/b", str(fact.digest)) is not None:
            raise NameInvalid("it is there already")
        return record(fact, facts, time)

    async with log.fence():
        appends = [asyncio.create_task(log.append("anonymous", decide)) for decide in (partial(record, fact), once)]
        await asyncio.sleep(0)
        database.full = True
    answers = await asyncio.gather(*appends, return_exceptions=True)
    database.full = False
    assert [type(answer) for answer in answers] == [BackendUnavailable, BackendUnavailable]
    assert (await log.append("anonymous", once)).events


async def test_a_full_disk_is_named_where_the_database_has_undone_all(database: Disk, log: SqlLog) -> None:
    """When SQLite ends the whole transaction on its own, everybody in it hears why, and the next one is sound."""

    def overflow(facts: Facts, time: int) -> Decision:
        database.writer.execute("ROLLBACK")
        raise BackendUnavailable("the disk is full")

    with pytest.raises(BackendUnavailable, match="the disk is full"):
        await log.append("anonymous", overflow)
    assert (await log.append("anonymous", partial(record, linked("a/b", b"blob")))).events


def test_nothing_is_set_aside_in_a_directory_of_others(database: Disk) -> None:
    """What SQLite sets aside while it works stays in memory: a full TMPDIR fails no push."""
    connections = [database.open(), database.connect(), database.connect(read_only=True)]
    assert {connection.execute("PRAGMA temp_store").fetchone() for connection in connections} == {(2,)}
    for connection in connections:
        connection.close()


async def test_a_fence_whose_loop_has_ended_leaves_the_appender_alive(database: Disk, log: SqlLog) -> None:
    """Whoever asked for the fence and went away with the whole event loop stops nobody else."""
    other = database.connect()
    other.execute("BEGIN IMMEDIATE")

    async def give_up() -> None:
        async with asyncio.timeout(0.05), log.fence():
            raise AssertionError("another holds the fence")

    def run() -> None:
        with pytest.raises(TimeoutError):
            asyncio.run(give_up())

    thread = threading.Thread(target=run)
    thread.start()
    await asyncio.to_thread(thread.join)
    other.execute("ROLLBACK")
    other.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await log.append("anonymous", recording(1))).events


async def test_nobody_waits_for_a_log_that_closes(database: Disk) -> None:
    """Every append that comes while the log closes is recorded or refused, and none waits for ever."""
    log = SqlLog(database, system_clock)
    async with log.fence():
        before = asyncio.create_task(log.append("anonymous", recording(1)))
        await asyncio.sleep(0)
        closing = [asyncio.create_task(log.close()) for _ in range(2)]
        await asyncio.sleep(0.01)
        after = asyncio.create_task(log.append("anonymous", recording(2)))
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await before).events
        with pytest.raises(BackendUnavailable, match="closed"):
            await after
        await asyncio.gather(*closing)


async def test_a_follower_hears_that_the_log_was_closed(database: Disk) -> None:
    """Who waits for the next event of a log that is closed is told so."""
    log = SqlLog(database, system_clock)
    follower = log.tail(1)
    following = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0.01)
    await log.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(BackendUnavailable, match="closed"):
            await following
