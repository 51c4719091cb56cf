"""Everything in the memory of this process: for tests, demonstrations and as the first to pass each contract."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from artifactstore.errors import BackendUnavailable, ChunkOutOfOrder, ObjectMissing, UploadBusy
from artifactstore.storage.files import now_micros
from artifactstore.storage.spi import BackendStatus, StoredBytes, StoredEntry
from artifactstore.storage.staging import StagedEntry, checked_id

CHUNK_BYTES = 256 * 1024
_POLL_SECONDS = 0.005


@dataclass(slots=True)
class _Staged:
    modified_at: int
    data: bytearray = field(default_factory=bytearray)
    published: bool = False


class MemoryStaging:
    """Bytes in flight, in memory."""

    def __init__(self, clock: Callable[[], int], busy_after: float) -> None:
        self._clock = clock
        self._busy_after = busy_after
        self._staged: dict[str, _Staged] = {}
        self._held: dict[str, object] = {}

    @asynccontextmanager
    async def hold(self, staged_id: str) -> AsyncIterator[None]:
        """Polls, since the one who holds may run in the event loop of another thread."""
        mark = object()
        deadline = time.monotonic() + self._busy_after
        while self._held.setdefault(checked_id(staged_id), mark) is not mark:
            if time.monotonic() >= deadline:
                raise UploadBusy("another request is writing to this upload", detail={"upload": staged_id})
            await asyncio.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            del self._held[staged_id]

    async def append(self, staged_id: str, offset: int, data: bytes | memoryview) -> int:
        """Copies."""
        size = await self.size(staged_id)
        before = self._staged.get(staged_id)
        if offset != size or (before is not None and before.published):
            raise ChunkOutOfOrder("the bytes do not begin where the upload stands", offset=size)
        staged = self._staged.setdefault(staged_id, _Staged(self._clock()))
        staged.data += data
        staged.modified_at = self._clock()
        return len(staged.data)

    async def read(self, staged_id: str) -> AsyncIterator[bytes]:
        """Reads what is there now."""
        staged = self._staged.get(checked_id(staged_id))
        data = bytes(staged.data) if staged else b""
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]

    async def size(self, staged_id: str) -> int:
        """Never waits."""
        staged = self._staged.get(checked_id(staged_id))
        return len(staged.data) if staged else 0

    async def truncate(self, staged_id: str, size: int) -> None:
        """Never waits."""
        staged = self._staged.get(checked_id(staged_id))
        if staged is not None and not staged.published:
            del staged.data[size:]

    async def list(self) -> AsyncIterator[StagedEntry]:
        """What there is at the first step."""
        for staged_id, staged in builtins.list(self._staged.items()):
            yield StagedEntry(staged_id, len(staged.data), staged.modified_at)

    async def discard(self, staged_id: str, *, if_older_than: int | None = None) -> bool:
        """Never waits."""
        staged = self._staged.get(checked_id(staged_id))
        if staged and if_older_than is not None and staged.modified_at >= if_older_than:
            return False
        self._staged.pop(staged_id, None)
        return True

    def take(self, staged_id: str, *, keep: bool) -> bytes:
        """Hand the bytes over to the storage."""
        staged = self._staged.get(checked_id(staged_id))
        if staged is None:
            raise BackendUnavailable("the staged bytes are gone", detail={"upload": staged_id})
        staged.published = True
        if not keep:
            del self._staged[staged_id]
        return bytes(staged.data)


class MemoryStorage:
    """Objects in memory. No operation awaits in its middle, so each is one step for every task of the loop."""

    backend_id = "memory"

    def __init__(self, *, clock: Callable[[], int] = now_micros, busy_after: float = 2.0) -> None:
        self._clock = clock
        self._objects: dict[str, tuple[bytes, int]] = {}
        self.staging = MemoryStaging(clock, busy_after)

    async def put(self, key: str, staged_id: str, *, keep: bool = False) -> None:
        """Durable as far as memory is."""
        await self.put_bytes(key, self.staging.take(staged_id, keep=keep))

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Durable as far as memory is."""
        kept, before = self._objects.get(key, (data, -1))
        self._objects[key] = (kept, max(self._clock(), before + 1))

    async def get(self, key: str, offset: int = 0, length: int | None = None) -> StoredBytes:
        """Slices of the object as it is now; a later delete does not touch them."""
        if key not in self._objects:
            raise ObjectMissing("the storage does not hold this object", detail={"key": key})
        end = None if length is None else offset + length
        data = self._objects[key][0][offset:end]
        return StoredBytes(len(data), _slices(data))

    async def head(self, key: str) -> StoredEntry | None:
        """Never waits."""
        found = self._objects.get(key)
        return StoredEntry(key, len(found[0]), found[1]) if found else None

    async def delete(self, key: str, *, if_older_than: int | None = None) -> bool:
        """Never waits."""
        entry = await self.head(key)
        if entry and if_older_than is not None and entry.modified_at >= if_older_than:
            return False
        self._objects.pop(key, None)
        return True

    async def list(self) -> AsyncIterator[StoredEntry]:
        """What there is at the first step."""
        for key, (data, modified_at) in builtins.list(self._objects.items()):
            yield StoredEntry(key, len(data), modified_at)

    async def health(self) -> BackendStatus:
        """Always ready."""
        return BackendStatus(self.backend_id, ready=True, latency_ms=0.0)


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]
