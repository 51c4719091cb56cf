"""Reading a local file, at once where its bytes are in memory, in a thread where they are not."""

from __future__ import annotations

from artifactstore.errors import BackendUnavailable
from artifactstore.storage.files import Files
from artifactstore.storage.workers import Workers, unavailable

INLINE_BYTES = 256 * 1024
"""One read from the page cache: some 20 microseconds of the event loop, where a thread would cost 100 and more."""

THREAD_BYTES = 1024 * 1024
"""One read in a thread, where the disk sets the pace."""


class FileReading:
    """An iterator over `length` bytes of a file from `offset`, to its end by default; making one blocks.

    Its handle is closed at the end, by `aclose`, or when the iterator is dropped: a caller that sends the region of the
    file instead never starts it.
    """

    _handle: int | None = None

    def __init__(self, files: Files, workers: Workers, path: str, offset: int = 0, length: int | None = None) -> None:
        self._files = files
        self._workers = workers
        self._handle = handle = files.open(path, "read")
        there = max(0, files.stat_open(handle).size - offset)
        self.length = there if length is None else min(length, there)
        self._offset = offset
        self._left = self.length

    def at_once(self) -> bytes:
        """All of it, read here and now; blocks."""
        if self._handle is None or self._left == 0:
            return b""
        return self._advance(self._files.read(self._handle, self._left, self._offset))

    def __aiter__(self) -> FileReading:
        return self

    async def __anext__(self) -> bytes:
        if self._handle is None or self._left == 0:
            self._close()
            raise StopAsyncIteration
        try:
            data = self._files.read_cached(self._handle, min(self._left, INLINE_BYTES), self._offset)
        except OSError as error:
            raise unavailable(error) from error
        if data is None:
            size = min(self._left, THREAD_BYTES)
            data = await self._workers.run(self._files.read, self._handle, size, self._offset)
        return self._advance(data)

    def _advance(self, data: bytes) -> bytes:
        if not data:
            raise BackendUnavailable("a stored file is shorter than it was when it was opened")
        self._offset += len(data)
        self._left -= len(data)
        if self._left == 0:
            self._close()
        return data

    async def aclose(self) -> None:
        """Give the handle back before the end."""
        self._close()

    def _close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._files.close(handle)

    def __del__(self) -> None:
        self._close()
