"""Wrappers around `Files`: one to derive others from, one that never writes, and one that leaves syncing out."""

from __future__ import annotations

import errno
import os
from typing import NoReturn

from artifactstore.storage.files import Files, FileStat, OpenMode


class WrappedFiles:
    """Passes every operation on; a subclass changes the ones it is about."""

    def __init__(self, inner: Files) -> None:
        self.inner = inner

    @property
    def on_disk(self) -> bool:
        return self.inner.on_disk

    def open(self, path: str, mode: OpenMode) -> int:
        return self.inner.open(path, mode)

    def close(self, handle: int) -> None:
        self.inner.close(handle)

    def read(self, handle: int, size: int, offset: int) -> bytes:
        return self.inner.read(handle, size, offset)

    def read_cached(self, handle: int, size: int, offset: int) -> bytes | None:
        return self.inner.read_cached(handle, size, offset)

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        self.inner.write(handle, data, offset)

    def truncate(self, handle: int, size: int) -> None:
        self.inner.truncate(handle, size)

    def sync_data(self, handle: int) -> None:
        self.inner.sync_data(handle)

    def sync_directory(self, path: str) -> None:
        self.inner.sync_directory(path)

    def lock(self, handle: int, *, shared: bool = False, wait: bool = False) -> bool:
        return self.inner.lock(handle, shared=shared, wait=wait)

    def rename(self, source: str, target: str) -> None:
        self.inner.rename(source, target)

    def unlink(self, path: str) -> None:
        self.inner.unlink(path)

    def mkdir(self, path: str) -> None:
        self.inner.mkdir(path)

    def stat(self, path: str) -> FileStat:
        return self.inner.stat(path)

    def stat_open(self, handle: int) -> FileStat:
        return self.inner.stat_open(handle)

    def list(self, path: str) -> list[str]:
        return self.inner.list(path)

    def set_modified(self, path: str, modified_at: int) -> None:
        self.inner.set_modified(path, modified_at)

    def free_bytes(self, path: str) -> int:
        return self.inner.free_bytes(path)


class ReadOnlyFiles(WrappedFiles):
    """Changes nothing. A directory that is missing stays missing: there is nothing to be found in it."""

    def open(self, path: str, mode: OpenMode) -> int:
        """To read."""
        if mode != "read":
            _refuse(path)
        return self.inner.open(path, mode)

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
        """Refused."""
        _refuse()

    def truncate(self, handle: int, size: int) -> None:
        """Refused."""
        _refuse()

    def sync_data(self, handle: int) -> None:
        """Do nothing."""

    def sync_directory(self, path: str) -> None:
        """Do nothing."""

    def rename(self, source: str, target: str) -> None:
        """Refused."""
        _refuse(source)

    def unlink(self, path: str) -> None:
        """Refused."""
        _refuse(path)

    def mkdir(self, path: str) -> None:
        """Do nothing."""

    def set_modified(self, path: str, modified_at: int) -> None:
        """Refused."""
        _refuse(path)


def _refuse(path: str | None = None) -> NoReturn:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


class UnsyncedFiles(WrappedFiles):
    """Leaves every sync out: faster, and a power loss may take what was acknowledged (ARTIFACTSTORE_UNSAFE_NO_SYNC)."""

    def sync_data(self, handle: int) -> None:
        """Do nothing."""

    def sync_directory(self, path: str) -> None:
        """Do nothing."""
