"""From a Config to a Registry: the only file that names concrete classes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from artifactstore.backup import copy
from artifactstore.backup.copy import Stage, silent
from artifactstore.backup.place import Objects, Place
from artifactstore.backup.report import CopyReport
from artifactstore.config import Config
from artifactstore.dataplane.cached import CachedDataPlane
from artifactstore.dataplane.inproc import InProcessDataPlane
from artifactstore.dataplane.read_only import ReadOnlyDataPlane
from artifactstore.errors import BackendUnavailable, ReadOnly
from artifactstore.events import migrate
from artifactstore.events.database import SqliteDatabase, SqliteReader
from artifactstore.events.log import Clock
from artifactstore.events.read_only import ReadOnlyDatabase, ReadOnlyLog
from artifactstore.events.sql_log import SqlLog
from artifactstore.registry.policy import Policy
from artifactstore.registry.registry import Registry
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.backends.memory import MemoryStorage
from artifactstore.storage.files import Files, OsFiles, make_directories, make_private_file
from artifactstore.storage.files_wrapped import ReadOnlyFiles, UnsyncedFiles
from artifactstore.storage.spi import Storage


def system_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def open_database(config: Config) -> SqliteDatabase:
    """The database of a config; its directory and an empty file are made when missing, unless it is read-only.

    Raises BackendUnavailable.
    """
    path = Path(config.sqlite_path).absolute()
    if config.read_only:
        return ReadOnlyDatabase(str(path))
    try:
        make_directories(_files(config), str(path.parent))
        make_private_file(str(path))
    except OSError as error:
        raise BackendUnavailable(f"the data directory cannot be used: {error}") from error
    return SqliteDatabase(str(path), full_sync=not config.unsafe_no_sync)


def open_registry(
    config: Config,
    *,
    create: bool = False,
    clock: Clock = system_clock,
    files: Files | None = None,
    database: SqliteDatabase | None = None,
) -> Registry:
    """Everything a config describes, opened. `files` and `database` take the place of its own, for tests of failures.

    `create`: set an empty database up; one with an older schema is left to `migrate`. Raises SchemaUnsupported when the
    database is not at this program's schema; BackendUnavailable.
    """
    database = database or open_database(config)
    if create and migrate.revision_of(database) is None:
        migrate.upgrade(database)
    migrate.require_current(database)
    storage = LocalStorage(str(Path(config.local_root).absolute()), files=files or _files(config), clock=clock)
    return _assemble(config, database, storage, storage.close, clock)


def open_memory(config: Config | None = None, *, clock: Clock = system_clock) -> Registry:
    """A Registry that leaves nothing behind: bytes in memory, and a private SQLite file that goes with the process."""
    directory = tempfile.mkdtemp(prefix="artifactstore-memory-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    private = replace(config or Config(), data=directory, database_url="", unsafe_no_sync=True)
    database = open_database(private)
    migrate.upgrade(database)
    return _assemble(private, database, MemoryStorage(clock=clock), lambda: None, clock)


def _assemble(
    config: Config, database: SqliteDatabase, storage: Storage, close_storage: Callable[[], None], clock: Clock
) -> Registry:
    plane = InProcessDataPlane(storage, clock=clock)
    log = ReadOnlyLog(database) if config.read_only else SqlLog(database, clock)
    reader = database.connect(read_only=True)

    async def close_rest() -> None:
        reader.close()
        plane.close()
        close_storage()

    closing: tuple[Callable[[], Awaitable[None]], ...] = (log.close, close_rest)
    cached = CachedDataPlane(plane, plane, config.read_cache_size)
    outer = ReadOnlyDataPlane(cached, cached) if config.read_only else cached
    return Registry(log, SqliteReader(database.reading(reader)), outer, _policy(config), clock, closing)


def _files(config: Config) -> Files:
    if config.read_only:
        return ReadOnlyFiles(OsFiles())
    return UnsyncedFiles(OsFiles()) if config.unsafe_no_sync else OsFiles()


def _policy(config: Config) -> Policy:
    return Policy(
        manifest_size_max=config.manifest_size_max,
        blob_size_max=config.blob_size_max,
        upload_expiry_seconds=config.upload_expiry,
        uploads_open_max=config.uploads_open_max,
        tags_per_push_max=config.tags_per_push_max,
        page_size_max=config.page_size_max,
        sparse_repositories=config.sparse_repositories,
        delete_blobs=config.delete_blobs,
        delete_manifests=config.delete_manifests,
        read_only=config.read_only,
    )


def backup(
    config: Config, directory: str, *, verify: bool = False, stage: Stage = silent, files: Files | None = None
) -> CopyReport:
    """Copy the store of a config, served or not, to a directory; see `backup.copy.backup`. It blocks, so that in an
    event loop it wants a thread. `verify`: be thorough."""
    return copy.backup(_source(config), _place(in_directory(config, directory), files), thorough=verify, stage=stage)


def restore(config: Config, directory: str, *, stage: Stage = silent, files: Files | None = None) -> CopyReport:
    """Copy the backup in a directory to where a config says, where no store may be; see `backup.copy.restore`.

    Raises ReadOnly, for a config that says so.
    """
    if config.read_only:
        raise ReadOnly
    return copy.restore(_source(in_directory(config, directory)), _place(config, files), stage=stage)


def in_directory(config: Config, directory: str) -> Config:
    """The config of a store that lies in one directory as a whole, written to and synced whatever the config says."""
    return replace(
        config, data=directory, database_url="", storage_local_root="", unsafe_no_sync=False, read_only=False
    )


def _source(config: Config) -> Place:
    return _place(config, ReadOnlyFiles(OsFiles()))


def _place(config: Config, files: Files | None = None) -> Place:
    files = files or _files(config)
    root = str(Path(config.local_root).absolute())

    @contextmanager
    def open_objects() -> Iterator[Objects]:
        storage = LocalStorage(root, files=files)
        plane = InProcessDataPlane(storage)
        try:
            yield Objects(plane, storage)
        finally:
            plane.close()
            storage.close()

    return Place(str(Path(config.sqlite_path).absolute()), root, files, open_objects, config.read_only)


class SweepTurn:
    """Whose turn it is to sweep, among all processes that serve the same database: the first to ask keeps it.

    A lock on a file beside the database says so; it ends with the process at the latest.
    """

    def __init__(self, config: Config) -> None:
        self._path = f"{Path(config.sqlite_path).absolute()}.sweep"
        self._files = OsFiles()
        self._handle: int | None = None

    def take(self) -> bool:
        """Whether it is this process's turn, now and until `leave`."""
        if self._handle is None:
            handle = self._files.open(self._path, "create")
            if not self._files.lock(handle):
                self._files.close(handle)
                return False
            self._handle = handle
        return True

    def leave(self) -> None:
        """Let another process have it. Idempotent."""
        if self._handle is not None:
            self._files.close(self._handle)
            self._handle = None
