"""Objects as files under one directory: `objects/<key>`, and bytes in flight beside them in `staging/`."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from artifactstore.errors import ArtifactStoreError, BackendUnavailable, ObjectMissing
from artifactstore.storage.backends.local_objects import LocalObjects
from artifactstore.storage.backends.local_reading import INLINE_BYTES, FileReading
from artifactstore.storage.backends.local_staging import LocalStaging
from artifactstore.storage.files import Files, OsFiles, make_directories, now_micros
from artifactstore.storage.spi import BackendStatus, FileRegion, StoredBytes, StoredEntry
from artifactstore.storage.workers import Workers


class LocalStorage:
    """Objects in a directory of this machine, shared by every process that opens the same `root` (an absolute path).

    Raises BackendUnavailable when the root can be neither used nor made.
    """

    backend_id = "local"

    def __init__(
        self,
        root: str,
        *,
        files: Files | None = None,
        clock: Callable[[], int] = now_micros,
        busy_after: float = 2.0,
    ) -> None:
        self._root = root.rstrip("/")
        self._files: Files = files or OsFiles()
        self._workers = Workers("storage")
        self._objects = LocalObjects(self._root, self._files, clock)
        self.staging = LocalStaging(f"{self._root}/staging", self._objects.path, self._files, self._workers, busy_after)
        try:
            for directory in (self.staging.directory, self._objects.directory):
                make_directories(self._files, directory)
        except OSError as error:
            message = f"the storage root {self._root} cannot be used: {error.strerror}"
            raise BackendUnavailable(message, detail={"root": self._root}) from error

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()

    async def put(self, key: str, staged_id: str, *, keep: bool = False) -> None:
        """Moves the staged file into place, in one visit to a thread; to keep it leaves a note of where it went."""
        await self._workers.run(self._put, key, staged_id, keep)

    def _put(self, key: str, staged_id: str, keep: bool) -> None:
        moved = not self._objects.refresh(key) and self._move(key, staged_id, keep)
        if moved or keep:
            return
        with suppress(OSError):  # the object is safe; a staged file that cannot be removed now is left to the sweep
            self._files.unlink(self.staging.path(staged_id))

    def _move(self, key: str, staged_id: str, keep: bool) -> bool:
        if self.staging.moved_to(staged_id) is not None:
            raise BackendUnavailable("the staged bytes were published and are gone", detail={"upload": staged_id})
        if keep:
            self.staging.leave_note(staged_id, key)
        return self._publish_staged(key, staged_id)

    def _publish_staged(self, key: str, staged_id: str) -> bool:
        try:
            with self.staging.opened(staged_id, "write") as handle:
                self._sync_or_forget(handle, staged_id)
                return self._objects.publish(key, self.staging.path(staged_id), handle)
        except FileNotFoundError as error:
            raise BackendUnavailable("the staged bytes are gone", detail={"upload": staged_id}) from error

    def _sync_or_forget(self, handle: int, staged_id: str) -> None:
        """Sync the staged bytes, or drop them.

        After a failed sync the kernel takes the lost pages for clean: a second try would succeed and prove nothing.
        """
        try:
            self._files.sync_data(handle)
        except OSError:
            with suppress(OSError):
                self._files.unlink(self.staging.path(staged_id))
            raise

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Writes a file of a random staged id and moves it into place, in one visit to a thread."""
        await self._workers.run(self._put_bytes, key, data)

    def _put_bytes(self, key: str, data: bytes) -> None:
        if self._objects.refresh(key):
            return
        path = self.staging.path(secrets.token_hex(16))
        handle = self._files.open(path, "create")
        moved = False
        try:
            self._files.write(handle, data, 0)
            self._files.sync_data(handle)
            moved = self._objects.publish(key, path, handle)
        finally:
            self._files.close(handle)
            if not moved:
                with suppress(OSError):
                    self._files.unlink(path)

    async def get(self, key: str, offset: int = 0, length: int | None = None) -> StoredBytes:
        """Small reads come whole from the thread that opened the file; larger ones offer the region of the file."""
        return await self._workers.run(self._get, key, offset, length)

    def _get(self, key: str, offset: int, length: int | None) -> StoredBytes:
        path = self._objects.path(key)
        try:
            reading = FileReading(self._files, self._workers, path, offset, length)
        except FileNotFoundError as error:
            raise ObjectMissing("the storage does not hold this object", detail={"key": key}) from error
        if reading.length <= INLINE_BYTES:
            data = reading.at_once()
            return StoredBytes(len(data), _once(data))
        region = FileRegion(path, offset, reading.length) if self._files.on_disk else None
        return StoredBytes(reading.length, reading, region)

    async def head(self, key: str) -> StoredEntry | None:
        """stat(2)."""
        found = await self._workers.run(self._objects.stat, key)
        return StoredEntry(key, found.size, found.modified_at) if found else None

    async def delete(self, key: str, *, if_older_than: int | None = None) -> bool:
        """unlink(2), durable on return."""
        return await self._workers.run(self._objects.delete, key, if_older_than)

    async def list(self) -> AsyncIterator[StoredEntry]:
        """Walks the tree, one first-level directory of one algorithm at a time."""
        for algorithm in await self._workers.run(self._objects.names):
            for first in await self._workers.run(self._objects.names, algorithm):
                for entry in await self._workers.run(self._objects.entries, f"{algorithm}/{first}"):
                    yield entry

    async def health(self) -> BackendStatus:
        """Writes, syncs and removes a small file, and asks how much room is left."""
        started = time.perf_counter()
        try:
            free = await self._workers.run(self._probe)
        except ArtifactStoreError as error:
            return BackendStatus(self.backend_id, ready=False, latency_ms=_since(started), message=error.message)
        return BackendStatus(self.backend_id, ready=True, latency_ms=_since(started), free_bytes=free)

    def _probe(self) -> int:
        path = self.staging.path(f"probe-{secrets.token_hex(8)}")
        handle = self._files.open(path, "create")
        try:
            self._files.write(handle, b"artifactstore", 0)
            self._files.sync_data(handle)
        finally:
            self._files.close(handle)
            self._files.unlink(path)
        return self._files.free_bytes(self._root)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
