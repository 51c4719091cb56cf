"""A stream on its way in: its limits, and the pipeline that works on one batch while the next is received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from artifactstore.dataplane.spi import Hints
from artifactstore.errors import InputError, SizeExceeded, SizeInvalid
from artifactstore.storage.workers import uninterrupted

BATCH_BYTES = 1024 * 1024
BATCH_CHUNKS = 4096
"""A batch is full with that many chunks too, so that a stream of single bytes takes no more memory than another."""


class Limits:
    """What a stream announced and what its object may have; remembers that it refused, unlike errors of the source."""

    def __init__(self, hints: Hints, start: int) -> None:
        self.received = 0
        self.refused = False
        self._length = hints.length
        self._size_max = hints.size_max
        self._start = start

    def admit(self, count: int) -> None:
        """Count `count` more bytes. Raises SizeInvalid or SizeExceeded as soon as they are, or will be, too many."""
        self.received += count
        size = self._start + max(self.received, self._length or 0)
        if self._length is not None and self.received > self._length:
            self._refuse(SizeInvalid("more bytes came than were announced", detail={"announced": self._length}))
        if self._size_max is not None and size > self._size_max:
            self._refuse(SizeExceeded("the object is larger than allowed", detail={"size_max": self._size_max}))

    def end(self) -> None:
        """The stream is over. Raises SizeInvalid when it is short of what was announced."""
        self.admit(0)
        if self._length is not None and self.received < self._length:
            detail = {"announced": self._length, "received": self.received}
            self._refuse(SizeInvalid("fewer bytes came than were announced", detail=detail))

    def _refuse(self, refusal: InputError) -> None:
        self.refused = True
        raise refusal


class Pipeline:
    """Gathers chunks into batches and has `process` work on one while the next is gathered: two batches at most.

    `process` runs for one batch at a time, in order, and is never cancelled in its middle. After its first failure
    (`failed`) no further batch is begun.
    """

    def __init__(self, process: Callable[[bytes], Awaitable[None]]) -> None:
        self.failed = False
        self._process = process
        self._chunks: list[bytes] = []
        self._gathered = 0
        self._running: asyncio.Task[None] | None = None

    async def add(self, chunk: bytes) -> None:
        """Take one chunk; waits for the batch before this one only when this one is full."""
        self._chunks.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= BATCH_BYTES or len(self._chunks) >= BATCH_CHUNKS:
            await self._hand_over()

    async def finish(self) -> None:
        """Wait until everything that was added is processed. Raises what `process` raised."""
        if self._gathered:
            await self._hand_over()
        await self._wait()

    async def salvage(self) -> None:
        """As `finish`, for a stream that broke off: of a failure only `failed` tells."""
        with suppress(Exception):
            await self.finish()

    async def stop(self) -> None:
        """Begin no more, and wait until the batch at work is through."""
        self._chunks.clear()
        self._gathered = 0
        await self.salvage()

    async def _hand_over(self) -> None:
        await self._wait()
        batch = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._gathered = 0
        self._running = asyncio.create_task(self._run(batch))

    async def _wait(self) -> None:
        """Wait for the batch at work. When the waiting is cancelled the batch goes on, and can be waited for again."""
        if self._running is not None:
            await asyncio.shield(self._running)
            self._running = None

    async def _run(self, batch: bytes) -> None:
        try:
            await self._process(batch)
        except BaseException:
            self.failed = True
            raise


async def feed(source: AsyncIterator[bytes], process: Callable[[bytes], Awaitable[None]]) -> None:
    """Process all of `source` in batches; on return or error nothing is at work any more."""
    pipeline = Pipeline(process)
    try:
        async for chunk in source:
            await pipeline.add(chunk)
        await pipeline.finish()
    except BaseException:
        await uninterrupted(pipeline.stop())
        raise
