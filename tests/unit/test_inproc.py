"""What the data plane in this process does beyond its contract: no byte is read back that was hashed on its way in."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from artifactstore.dataplane.inproc import SMALL_BYTES, InProcessDataPlane
from artifactstore.dataplane.spi import Hints, Upload
from artifactstore.errors import BackendUnavailable, SizeExceeded, SizeInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.storage.backends.local import LocalStorage
from artifactstore.storage.backends.memory import MemoryStaging, MemoryStorage
from artifactstore.storage.files import OsFiles
from artifactstore.storage.files_wrapped import WrappedFiles
from artifactstore.testing.planes import LARGE_BYTES, Dropped, extend, ingest, read, stream

ONE = Upload("one")


class CountingStaging(MemoryStaging):
    """Counts how often staged bytes are read back, and how they were written."""

    reads = 0
    written = 0

    async def append(self, staged_id: str, offset: int, data: bytes | memoryview) -> int:
        self.written += len(data)
        return await super().append(staged_id, offset, data)

    async def read(self, staged_id: str) -> AsyncIterator[bytes]:
        self.reads += 1
        async for chunk in super().read(staged_id):
            yield chunk


def counting() -> tuple[InProcessDataPlane, CountingStaging]:
    """A data plane in memory, and the staging that counts."""
    storage = MemoryStorage()
    staging = storage.staging = CountingStaging(lambda: 1, 0.1)
    return InProcessDataPlane(storage), staging


async def test_bytes_are_written_once_and_never_read_back() -> None:
    """An upload of many streams, refusals and dropped connections included, is closed without reading it again."""
    plane, staging = counting()
    data = os.urandom(LARGE_BYTES)
    await extend(plane, ONE, data[:100])
    with pytest.raises(SizeInvalid):
        await extend(plane, ONE, bytes(2_000_000), length=1_500_000)
    assert staging.written > 1_000_000
    staging.written = 100
    with pytest.raises(Dropped):
        await plane.ingest_stream(stream(data[100:2_000_000], then=Dropped("gone")), Hints(upload=ONE, last=False))
    hints = Hints(upload=ONE, offset=2_000_000, expected=digest_bytes("sha256", data))
    await ingest(plane, data[2_000_000:], hints)
    assert (staging.reads, staging.written) == (0, LARGE_BYTES)


async def test_an_upload_is_read_once_for_what_is_missing() -> None:
    """A late algorithm costs one reading, and so does an upload whose beginning was received elsewhere."""
    plane, staging = counting()
    data = os.urandom(LARGE_BYTES)
    await extend(plane, ONE, data)
    await ingest(plane, b"", Hints(upload=ONE, expected=digest_bytes("sha512", data)))
    assert staging.reads == 1
    await extend(plane, Upload("two"), data)
    other = InProcessDataPlane(plane._storage)
    await ingest(other, b"", Hints(upload=Upload("two"), expected=digest_bytes("sha512", data)))
    assert staging.reads == 2


async def test_small_objects_are_not_staged() -> None:
    """A whole object up to the limit is published in one step; one byte more is staged."""
    plane, staging = counting()
    await ingest(plane, os.urandom(SMALL_BYTES))
    assert staging.written == 0
    await ingest(plane, os.urandom(SMALL_BYTES + 1))
    assert staging.written == SMALL_BYTES + 1


async def test_hashes_of_bytes_that_were_not_written_are_not_used(tmp_path: Path) -> None:
    """After a failed write another process may stage other bytes of that length; the digest at the close is theirs."""

    class FailOnce(WrappedFiles):
        failed = False

        def write(self, handle: int, data: bytes | memoryview, offset: int) -> None:
            if not self.failed:
                self.failed = True
                raise OSError(errno.EIO, "once")
            self.inner.write(handle, data, offset)

    plane = InProcessDataPlane(LocalStorage(str(tmp_path), files=FailOnce(OsFiles())))
    other = InProcessDataPlane(LocalStorage(str(tmp_path)))
    lost, kept = os.urandom(100_000), os.urandom(100_000)
    with pytest.raises(BackendUnavailable):
        await extend(plane, ONE, lost)
    assert await extend(other, ONE, kept) == len(kept)
    await ingest(plane, b"", Hints(upload=ONE, expected=digest_bytes("sha256", kept)))
    assert await read(plane, kept) == kept


async def test_the_clock_is_a_parameter() -> None:
    """A receipt carries the time of the clock that the data plane was given."""
    plane = InProcessDataPlane(MemoryStorage(), clock=lambda: 1_234_567)
    assert (await ingest(plane, b"abc")).ingested_at == 1_234_567


async def test_an_announced_length_that_is_too_much_is_refused_at_once() -> None:
    """Who announces more than is allowed hears so with the first chunk, and the upload stays where it was."""
    plane, staging = counting()
    await extend(plane, ONE, b"begun")
    came = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal came
        while True:
            came += 1
            yield b"more"

    for upload in (None, ONE):
        hints = Hints(upload=upload, length=10**30, size_max=LARGE_BYTES, last=upload is None)
        with pytest.raises(SizeExceeded):
            await plane.ingest_stream(endless(), hints)
    assert (came, await staging.size("one")) == (2, 5)
