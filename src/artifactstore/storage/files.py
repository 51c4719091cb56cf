"""The seam for file operations: every byte and every name that a local backend changes goes through `Files`.

Durability cannot be tested by killing a process, so tests put a simulator or a fault injector in place of `OsFiles`.
"""

# Paths are plain strings here: they cross this seam by the thousand and are never taken apart.
# ruff: noqa: PTH102, PTH104, PTH108, PTH116, PTH208

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol

OpenMode = Literal["read", "write", "create"]
"""`read` and `write` want an existing file; `create` writes too, and makes the file when it is missing."""

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
_FLAGS = {"read": os.O_RDONLY, "write": os.O_RDWR, "create": os.O_RDWR | os.O_CREAT}
_NOT_IN_MEMORY = {errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_RWF_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


@dataclass(frozen=True, slots=True)
class FileStat:
    """Size in bytes, time of the last change in microseconds since 1970 UTC, and the file's identity on its disk."""

    size: int
    modified_at: int
    inode: int


class Files(Protocol):
    """Blocking file operations on string paths and integer handles; every failure is an OSError.

    What is written is durable only after `sync_data` of that handle; a name that was made, moved or removed only after
    `sync_directory` of the directory (or both directories) that hold it.
    """

    @property
    def on_disk(self) -> bool:
        """Whether paths are those of this machine, so that the kernel can send a file by its path."""
        ...

    def open(self, path: str, mode: OpenMode) -> int:
        """A handle on the file at `path`."""
        ...

    def close(self, handle: int) -> None:
        """Give the handle back, and with it any lock it holds."""
        ...

    def read(self, handle: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset`; none at the end."""
        ...

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        """As `read`, but only what is in memory already, so that it never waits for a disk; None: nothing is."""
        ...

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        """All of `data` at `offset`; after a failure any part of it may be there."""
        ...

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        ...

    def sync_data(self, handle: int) -> None:
        """Make the file's bytes and size durable."""
        ...

    def sync_directory(self, path: str) -> None:
        """Make the names in the directory durable."""
        ...

    def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
        """An advisory lock on the open file, ended by `close` or the death of the process; False: another has it."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Move a name, in one step, over any file of the new name."""
        ...

    def unlink(self, path: str) -> None:
        """Remove the name of a file."""
        ...

    def mkdir(self, path: str) -> None:
        """Make one directory."""
        ...

    def stat(self, path: str) -> FileStat:
        """What is known of the file at `path`."""
        ...

    def stat_open(self, handle: int) -> FileStat:
        """What is known of the open file, wherever its name went."""
        ...

    def list(self, path: str) -> list[str]:
        """The names in the directory, in no order."""
        ...

    def set_modified(self, path: str, modified_at: int) -> None:
        """Set the time of the last change, in microseconds since 1970 UTC."""
        ...

    def free_bytes(self, path: str) -> int:
        """The room left on the file system that holds `path`."""
        ...


class OsFiles:
    """The file system of this machine."""

    on_disk = True

    def __init__(self) -> None:
        self._local = threading.local()

    def open(self, path: str, mode: OpenMode) -> int:
        """open(2), closed on exec; a new file is readable to nobody else."""
        return os.open(path, _FLAGS[mode] | os.O_CLOEXEC, PRIVATE_FILE)

    def close(self, handle: int) -> None:
        """close(2)."""
        os.close(handle)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        """pread(2)."""
        return os.pread(handle, size, offset)

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        """preadv2(2) with RWF_NOWAIT, where the kernel and the file system offer it."""
        if not _RWF_NOWAIT:
            return None
        buffer = self._buffer(size)
        try:
            count = os.preadv(handle, [buffer], offset, _RWF_NOWAIT)
        except OSError as error:
            if error.errno in _NOT_IN_MEMORY:
                return None
            raise
        return bytes(buffer[:count])

    def _buffer(self, size: int) -> memoryview:
        """A buffer of this thread's own, used again by its next read: fresh ones cost page faults."""
        buffer: bytearray | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < size:
            buffer = self._local.buffer = bytearray(size)
        return memoryview(buffer)[:size]

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        """pwrite(2) until all is written."""
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset)
            view, offset = view[written:], offset + written

    def truncate(self, handle: int, size: int) -> None:
        """ftruncate(2)."""
        os.ftruncate(handle, size)

    def sync_data(self, handle: int) -> None:
        """fdatasync(2)."""
        os.fdatasync(handle)

    def sync_directory(self, path: str) -> None:
        """fsync(2) of the directory."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
        """flock(2): it belongs to the open file, so two handles of one process exclude each other too."""
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            return False
        return True

    def rename(self, source: str, target: str) -> None:
        """rename(2)."""
        os.rename(source, target)

    def unlink(self, path: str) -> None:
        """unlink(2)."""
        os.unlink(path)

    def mkdir(self, path: str) -> None:
        """mkdir(2), open to nobody else."""
        os.mkdir(path, PRIVATE_DIRECTORY)

    def stat(self, path: str) -> FileStat:
        """stat(2)."""
        return _stat(os.stat(path))

    def stat_open(self, handle: int) -> FileStat:
        """fstat(2)."""
        return _stat(os.fstat(handle))

    def list(self, path: str) -> list[str]:
        """The names, without `.` and `..`."""
        return os.listdir(path)

    def set_modified(self, path: str, modified_at: int) -> None:
        """utimensat(2), with the time given, so that it is as fine as the file system keeps it."""
        os.utime(path, ns=(modified_at * 1000, modified_at * 1000))

    def free_bytes(self, path: str) -> int:
        """statvfs(3): what an unprivileged user may still fill."""
        room = os.statvfs(path)
        return room.f_bavail * room.f_frsize


def _stat(found: os.stat_result) -> FileStat:
    return FileStat(found.st_size, found.st_mtime_ns // 1000, found.st_ino)


def now_micros() -> int:
    """The clock of this machine: microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def make_directories(files: Files, path: str) -> None:
    """Make a directory and what is missing above it, and sync each name on the way, whoever made it.

    `path` is absolute. One that is there may have been made by a process that did not live to sync it; one above that
    is not ours to open is not ours to sync.
    """
    *ancestors, _ = PurePosixPath(path).parents
    for level in (*map(str, reversed(ancestors)), path):
        try:
            files.stat(level)
        except FileNotFoundError:
            with suppress(FileExistsError):
                files.mkdir(level)
            files.sync_directory(parent_of(level))
        else:
            with suppress(PermissionError):
                files.sync_directory(parent_of(level))


def make_private_file(path: str) -> None:
    """Make an empty file that nobody else can read, unless one is there.

    No handle is opened on it: to close one would end the locks that SQLite has on the same file in this process.
    """
    with suppress(FileExistsError):
        os.mknod(path, PRIVATE_FILE | stat.S_IFREG)


def parent_of(path: str) -> str:
    """The directory that holds the name `path`."""
    return path.rpartition("/")[0] or "/"
