"""Bytes in flight as files of one directory: a file's name is the staged id, its size how far the upload is."""

from __future__ import annotations

import asyncio
import builtins
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from artifactstore.errors import ChunkOutOfOrder, UploadBusy, UploadInvalid
from artifactstore.storage.backends.local_reading import FileReading
from artifactstore.storage.files import Files, OpenMode
from artifactstore.storage.staging import StagedEntry, checked_id
from artifactstore.storage.workers import Workers

_POLL_SECONDS = (0.002, 0.02)
_LIST_BATCH = 256

NOTE = ".moved"
"""Ends the name of a note; no staged id has a full stop."""

NOTE_BYTES_MAX = 256
_KEY = re.compile(rb"[a-z0-9]+(?:/[0-9a-f]+){3}")


class LocalStaging:
    """One file per staged id, in a directory on the file system of the objects.

    To hold an id is to have its file locked with flock, which makes the file; the kernel ends it with the process. An
    empty file is the same as none, and is removed at the end of the hold.

    Where the file was moved to become an object and its id is kept, a note beside it says where the bytes are now. A
    note counts only while there is no file, or an empty one: so it can be left before the move.
    """

    def __init__(
        self, directory: str, object_path: Callable[[str], str], files: Files, workers: Workers, busy_after: float
    ) -> None:
        self.directory = directory
        self._object_path = object_path
        self._files = files
        self._workers = workers
        self._busy_after = busy_after
        self._held: dict[str, int] = {}

    def path(self, staged_id: str) -> str:
        """Where the bytes of `staged_id` lie."""
        return f"{self.directory}/{checked_id(staged_id)}"

    def leave_note(self, staged_id: str, key: str) -> None:
        """Say which object the bytes are about to become."""
        handle = self._files.open(self.path(staged_id) + NOTE, "create")
        try:
            self._files.write(handle, key.encode(), 0)
        finally:
            self._files.close(handle)

    def moved_to(self, staged_id: str) -> str | None:
        """Where the bytes were moved to, None while they are (or nothing is) here.

        A note that a power loss left torn says nothing.
        """
        path = self.path(staged_id)
        if self._size_at(path):
            return None
        try:
            handle = self._files.open(path + NOTE, "read")
        except FileNotFoundError:
            return None
        try:
            note = self._files.read(handle, NOTE_BYTES_MAX, 0)
        finally:
            self._files.close(handle)
        return self._object_path(note.decode()) if _KEY.fullmatch(note) else None

    @asynccontextmanager
    async def hold(self, staged_id: str) -> AsyncIterator[None]:
        """The lock is asked for in a thread, and between two tries the event loop runs on."""
        grip: list[int] = []
        deadline = time.monotonic() + self._busy_after
        pause, pause_max = _POLL_SECONDS
        try:
            while not await self._workers.run(self._grasp, staged_id, grip):
                if time.monotonic() >= deadline:
                    raise UploadBusy("another request is writing to this upload", detail={"upload": staged_id})
                await asyncio.sleep(pause)
                pause = min(pause * 2, pause_max)
            yield
        finally:
            if grip:
                await self._workers.run(self._release, staged_id, grip[0])

    def _grasp(self, staged_id: str, grip: list[int]) -> bool:
        """Lock the file of that name, or say that another has it.

        A file that was published or removed between the opening and the locking is no longer the one of that name: the
        lock on it means nothing, and the next try opens the new one.
        """
        path = self.path(staged_id)
        handle = self._files.open(path, "create")
        try:
            if self._files.lock(handle) and self._is_at(path, handle):
                self._held[staged_id] = handle
                grip.append(handle)
                return True
        finally:
            if not grip:
                self._files.close(handle)
        return False

    def _is_at(self, path: str, handle: int) -> bool:
        try:
            return self._files.stat(path).inode == self._files.stat_open(handle).inode
        except FileNotFoundError:
            return False

    def _release(self, staged_id: str, handle: int) -> None:
        """Let go of the file that was locked; once that was published or removed another may hold the id already."""
        if self._held.get(staged_id) == handle:
            del self._held[staged_id]
        try:
            if self._files.stat_open(handle).size == 0 and self._is_at(self.path(staged_id), handle):
                with suppress(OSError):  # an empty file says nothing, so that it may as well wait for the sweep
                    self._files.unlink(self.path(staged_id))
        finally:
            self._files.close(handle)

    @contextmanager
    def opened(self, staged_id: str, mode: OpenMode) -> Iterator[int]:
        """The handle under which the id is held, or one of its own for a caller that knows to be alone."""
        path = self.path(staged_id)
        handle = self._held.get(staged_id)
        if handle is not None:
            yield handle
            return
        handle = self._files.open(path, mode)
        try:
            yield handle
        finally:
            self._files.close(handle)

    async def append(self, staged_id: str, offset: int, data: bytes | memoryview) -> int:
        """One pwrite, as a rule."""
        return await self._workers.run(self._append, staged_id, offset, data)

    def _append(self, staged_id: str, offset: int, data: bytes | memoryview) -> int:
        with self.opened(staged_id, "create") as handle:
            size = self._files.stat_open(handle).size or self._size_moved(staged_id)
            if size != offset or (size and not self._files.stat_open(handle).size):
                raise ChunkOutOfOrder("the bytes do not begin where the upload stands", offset=size)
            try:
                self._files.write(handle, data, offset)
            except OSError:
                with suppress(OSError):
                    self._files.truncate(handle, offset)
                raise
        return offset + len(data)

    async def read(self, staged_id: str) -> AsyncIterator[bytes]:
        """Through a handle of its own, which outlives the name."""
        reading = await self._workers.run(self._open_reading, staged_id)
        if reading is not None:
            async for chunk in reading:
                yield chunk

    def _open_reading(self, staged_id: str) -> FileReading | None:
        try:
            return FileReading(self._files, self._workers, self.moved_to(staged_id) or self.path(staged_id))
        except FileNotFoundError:
            return None

    async def size(self, staged_id: str) -> int:
        """The size of the file."""
        return await self._workers.run(self._size, staged_id)

    def _size(self, staged_id: str) -> int:
        return self._size_at(self.path(staged_id)) or self._size_moved(staged_id)

    def _size_moved(self, staged_id: str) -> int:
        moved_to = self.moved_to(staged_id)
        return self._size_at(moved_to) if moved_to else 0

    def _size_at(self, path: str) -> int:
        try:
            return self._files.stat(path).size
        except FileNotFoundError:
            return 0

    async def truncate(self, staged_id: str, size: int) -> None:
        """ftruncate, where the file is longer."""
        await self._workers.run(self._truncate, staged_id, size)

    def _truncate(self, staged_id: str, size: int) -> None:
        with suppress(FileNotFoundError), self.opened(staged_id, "write") as handle:
            if self._files.stat_open(handle).size > size:
                self._files.truncate(handle, size)

    async def list(self) -> AsyncIterator[StagedEntry]:
        """Names that are no ids are passed over; so are files that vanish in the meantime."""
        names = await self._workers.run(self._files.list, self.directory)
        for start in range(0, len(names), _LIST_BATCH):
            for entry in await self._workers.run(self._entries, names[start : start + _LIST_BATCH]):
                yield entry

    def _entries(self, names: builtins.list[str]) -> builtins.list[StagedEntry]:
        found = []
        for name in names:
            with suppress(FileNotFoundError, UploadInvalid):
                staged_id = checked_id(name.removesuffix(NOTE))
                if name != staged_id and staged_id in names:
                    continue
                stat = self._files.stat(f"{self.directory}/{name}")
                found.append(StagedEntry(staged_id, stat.size if name == staged_id else 0, stat.modified_at))
        return found

    async def discard(self, staged_id: str, *, if_older_than: int | None = None) -> bool:
        """unlink, the note first: one without a file would tell of bytes that may be swept."""
        return await self._workers.run(self._discard, staged_id, if_older_than)

    def _discard(self, staged_id: str, if_older_than: int | None) -> bool:
        path = self.path(staged_id)
        for name in (path + NOTE, path):
            with suppress(FileNotFoundError):
                if if_older_than is not None and self._files.stat(name).modified_at >= if_older_than:
                    return False
                self._files.unlink(name)
        return True
