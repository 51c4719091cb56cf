"""Where a store lies, whether anybody serves it or not; and who may put a copy there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from artifactstore.dataplane.spi import DataPlane
from artifactstore.errors import BackendUnavailable, DirectoryOccupied
from artifactstore.storage.files import Files, make_directories, parent_of
from artifactstore.storage.spi import Storage
from artifactstore.storage.workers import unavailable

PARTIAL = ".partial"
"""Ends the name of a database that is being made and takes its real name when it is whole."""

SIDES = ("-wal", "-shm", "-journal")
"""What SQLite lays beside a database. Beside another database of the same name it would be read as part of that one."""


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a place, opened: what moves them, and what knows which are there."""

    plane: DataPlane
    storage: Storage


@dataclass(frozen=True, slots=True)
class Place:
    """A store's database file and the root of its objects, as absolute paths. `read_only`: nothing may change there."""

    database: str
    root: str
    files: Files
    open_objects: Callable[[], AbstractContextManager[Objects]]
    read_only: bool = False

    @property
    def directory(self) -> str:
        """What holds the database."""
        return parent_of(self.database)

    @property
    def partial(self) -> str:
        """The database that is being made."""
        return self.database + PARTIAL

    def has_database(self) -> bool:
        """Whether a store is here. Raises BackendUnavailable."""
        return self._is_there(self.database)

    def refuse_foreign(self) -> None:
        """Raises DirectoryOccupied unless the directory is missing or empty, or holds a database, or only what a copy
        leaves that was interrupted before it had one."""
        beside = [self.database + side for side in SIDES]
        if self.has_database():
            return
        ours = {self.root, self.partial, *(self.partial + side for side in SIDES), f"{self.directory}/lost+found"}
        found = {f"{self.directory}/{name}" for name in self._names()} - ours
        found.update(path for path in beside if self._is_there(path))
        if found:
            detail = {"found": sorted(found)[:5]}
            raise DirectoryOccupied(f"{self.directory} is neither empty nor a store of this kind", detail=detail)

    def _is_there(self, path: str) -> bool:
        try:
            with answered():
                self.files.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _names(self) -> list[str]:
        try:
            with answered():
                return self.files.list(self.directory)
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise DirectoryOccupied(f"{self.directory} is not a directory") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the directory and be the only one who copies to it.

        Raises BackendUnavailable when another does, or the directory cannot be made.
        """
        try:
            make_directories(self.files, self.directory)
            handle = self.files.open(self.directory, "read")
        except OSError as error:
            raise BackendUnavailable(f"the directory {self.directory} cannot be used: {error.strerror}") from error
        try:
            with answered():
                if not self.files.lock(handle):
                    raise BackendUnavailable(f"another copy to {self.directory} is running")
            yield
        finally:
            self.files.close(handle)

    def discard_partial(self) -> None:
        """Remove what was made of a database, and with it what SQLite laid beside it."""
        for path in (*(self.partial + side for side in SIDES), self.partial):
            with answered(), suppress(FileNotFoundError):
                self.files.unlink(path)


def refuse_same(source: Place, target: Place) -> None:
    """Raises DirectoryOccupied when both share a database or the root of their objects."""
    for ours, theirs in ((source.database, target.database), (source.root, target.root)):
        if Path(ours).resolve() == Path(theirs).resolve():
            raise DirectoryOccupied(f"{theirs} is the store's own: a copy needs another directory")


@contextmanager
def answered() -> Iterator[None]:
    """Errors of the operating system become BackendUnavailable; that a path is not there is for the caller."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise unavailable(error) from error
