"""Every storage backend, made over a store of its own; opening one again stands for another process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.backends.memory import MemoryStorage
from artifactstore.storage.files import OsFiles
from artifactstore.storage.files_wrapped import UnsyncedFiles
from artifactstore.storage.spi import Storage
from artifactstore.testing.simulated_files import SimulatedFiles

BUSY_AFTER = 0.25

Opener = Callable[[], Storage]
Make = Callable[[Path], Opener]


def memory(tmp_path: Path) -> Opener:
    """There is no other process: the same store each time."""
    storage = MemoryStorage(busy_after=BUSY_AFTER)
    return lambda: storage


def local(tmp_path: Path) -> Opener:
    """A directory on this machine's disk."""
    return lambda: LocalStorage(str(tmp_path / "deep" / "root"), busy_after=BUSY_AFTER)


def unsynced(tmp_path: Path) -> Opener:
    """The same, with syncing left out."""
    return lambda: LocalStorage(str(tmp_path), files=UnsyncedFiles(OsFiles()), busy_after=BUSY_AFTER)


def simulated(tmp_path: Path) -> Opener:
    """The local backend on a simulated disk."""
    files = SimulatedFiles()
    return lambda: LocalStorage("/srv/store", files=files, busy_after=BUSY_AFTER)


ALL = (memory, local, unsynced, simulated)
