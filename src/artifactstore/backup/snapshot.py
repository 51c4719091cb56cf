"""A database copied as of one moment, proved sound, and put in the place of an earlier one in one step."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import bindparam, delete, select

from artifactstore.backup.place import Place, answered
from artifactstore.errors import BackendUnavailable, DirectoryOccupied, LogCorrupt
from artifactstore.events import codec, replay
from artifactstore.events.database import Query, Session, SqliteDatabase, SqliteSession, Statement, translated
from artifactstore.events.log import Head
from artifactstore.events.model import Event, Fact, LogCreated
from artifactstore.events.read_only import ReadOnlyDatabase
from artifactstore.events.recording import HEAD
from artifactstore.events.replay import Progress
from artifactstore.events.schema import EVENTS
from artifactstore.events.views import objects
from artifactstore.events.working import UPLOAD_SESSIONS
from artifactstore.storage.files import make_private_file

PAGES_A_STEP = 2048
BUSY_SECONDS = 20.0
HELD_SECONDS = 5.0
"""How long to wait for those who have an earlier backup's database open."""

LEAF: Query[bytes] = Query(select(EVENTS.c.leaf_hash).where(EVENTS.c.sequence == bindparam("sequence")), bytes)
_FIRST = Query(select(*EVENTS.columns).where(EVENTS.c.sequence == 1), Event)
_FORGET_UPLOADS = Statement(delete(UPLOAD_SESSIONS))


@dataclass(frozen=True, slots=True)
class Proof:
    """What a database was found to be: where its log ends, that event's leaf hash, and where views differ from it."""

    head: Head
    leaf_hash: bytes
    differences: tuple[str, ...]


def take(source: Place, target: str, progress: Progress) -> Head:
    """Copy the database of `source` as of one moment into the new file `target`; writers go on meanwhile.

    The copy is one read transaction, which no writer ends or waits for. Open uploads are left out: their bytes are. The
    file is to be synced by `install`. Raises LogCorrupt, BackendUnavailable.
    """
    with translated(), reading(source.database, read_only=source.read_only) as live, closing(_making(target)) as made:
        head = live.one(HEAD)
        if head is None:
            raise BackendUnavailable("the database holds no log yet: nothing was ever stored")
        live.connection.backup(made, pages=PAGES_A_STEP, progress=lambda _, left, total: progress(total - left, total))
        live.one(HEAD)  # raises when a file that was read as unchanging did change
        made.execute("PRAGMA journal_mode=DELETE")
        SqliteSession(made).run(_FORGET_UPLOADS)
    return head


@contextmanager
def reading(path: str, *, read_only: bool = False) -> Iterator[SqliteSession]:
    """One state of a database; nothing is changed, not the journal mode either, so that read-only media will do.

    `read_only`: not even what SQLite left beside it is tidied up.
    """
    if read_only or not os.access(Path(path).parent, os.W_OK):
        with translated(), ReadOnlyDatabase(path).snapshot() as session:
            yield session
        return
    with translated(), closing(_connect(path, BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA query_only=1")
        connection.execute("BEGIN")
        yield SqliteSession(connection)


def _connect(path: str, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=rw", uri=True, timeout=busy_seconds, isolation_level=None
    )


def _making(path: str) -> sqlite3.Connection:
    """A connection to a new private file that is worth nothing before it is whole, and so needs no journal."""
    with answered():
        make_private_file(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def prove(database: SqliteDatabase, expected: Head, progress: Progress, *, thorough: bool) -> Proof:
    """Read the whole log: no gap, every hash right, its end where it should be, and every object known by its view.

    `thorough`: make the views again beside it and compare every row. Raises LogCorrupt.
    """
    with database.snapshot() as session:
        _check_file(session)
        head, first = session.one(HEAD), session.one(_FIRST)
        created = codec.fact_of(first) if first else None
        if head != expected or not isinstance(created, LogCreated) or created.log_id != head.log_id:
            raise LogCorrupt("the copied log is not the one it was copied from", detail={"expected": str(expected)})
        if thorough:
            differences = replay.check(database, progress).differences
        else:
            named = NamedObjects(session)
            replay.read_through(session, named, progress)
            differences = tuple(named.unknown)
        leaf_hash = session.one(LEAF, sequence=head.sequence)
    assert leaf_hash is not None, "a log that was read through has its last event"
    return Proof(head, leaf_hash, differences)


def _check_file(session: SqliteSession) -> None:
    """Every page of the file, and that indexes and tables agree: what the hashes of the log do not cover."""
    with translated():
        found = [text for (text,) in session.connection.execute("PRAGMA integrity_check(5)")]
    if found != ["ok"]:
        raise LogCorrupt("the database file is damaged", detail={"found": found})


class NamedObjects:
    """A ViewWriter that writes nothing: it looks whether the view of objects knows each object that a fact names."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.unknown: list[str] = []

    def reset(self) -> None:
        """Nothing was written."""

    def apply(self, event: Event, fact: Fact) -> None:
        """Look one up."""
        named = getattr(fact, "object", None)
        if named is not None and self._session.one(objects.LOCATION, address=str(named.address)) is None:
            self.unknown.append(f"storage_locations: event {event.sequence} names {named.address}, the view does not")


Admit = Callable[[Session | None, Session], None]
"""Raises a refusal when the copy (second) may not take the place of what is there (first; None: nothing is)."""


@contextmanager
def admitted(target: Place, admit: Admit) -> Iterator[None]:
    """Hold what is there, if anything, once `admit` lets the copy beside it take its place."""
    with held(target.database) as earlier:
        with reading(target.partial) as ours:
            admit(earlier, ours)
        yield


def install(target: Place, admit: Admit) -> None:
    """Give the finished copy its real name, over an earlier one, in one step and durably.

    At every moment there is one whole database of that name. Raises what `admit` and `held` raise.
    """
    with answered():
        handle = target.files.open(target.partial, "write")
        try:
            target.files.sync_data(handle)
        finally:
            target.files.close(handle)
    with admitted(target, admit), answered():
        target.files.rename(target.partial, target.database)
        target.files.sync_directory(target.directory)


@contextmanager
def held(path: str) -> Iterator[Session | None]:
    """Have a database, if there is one, for oneself and in one file, with nothing beside it that belongs to it.

    A write-ahead log that was left beside it would become part of the database that takes its name. So it is moved into
    the file, and nobody gets in until the end. Who waited for that meanwhile finds that the file has lost its name, and
    is told so by SQLite. Raises BackendUnavailable when somebody has it open, DirectoryOccupied when it is of another
    kind, LogCorrupt.
    """
    if not Path(path).exists():
        yield None
        return
    with _told_busy(path), closing(_connect(path, HELD_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        if connection.execute("PRAGMA journal_mode").fetchone() != ("delete",):
            raise _in_use(path)  # somebody came between the two
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'log_head'").fetchone() is None:
            raise DirectoryOccupied(f"{path} is not a database of this kind")
        yield SqliteSession(connection)


@contextmanager
def _told_busy(path: str) -> Iterator[None]:
    try:
        with translated():
            yield
    except BackendUnavailable as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise _in_use(path) from error
        raise


def _in_use(path: str) -> BackendUnavailable:
    return BackendUnavailable(f"somebody has {path} open: end what serves or reads it first")
