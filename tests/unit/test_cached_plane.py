"""The cache of small objects changes how fast an answer comes, never what it is."""

from __future__ import annotations

import os

from artifactstore.dataplane.cached import OBJECT_BYTES_MAX, CachedDataPlane
from artifactstore.dataplane.inproc import InProcessDataPlane
from artifactstore.dataplane.spi import DataPlane, Hints, Served, one_chunk
from artifactstore.errors import ObjectMissing
from artifactstore.identity.digest import ContentAddress
from artifactstore.storage.backends.memory import MemoryStorage
from artifactstore.testing.planes import drain, refusal


class Counting(InProcessDataPlane):
    """Counts reads that reach it."""

    reads = 0

    async def serve_object(self, address: ContentAddress, offset: int = 0, length: int | None = None) -> Served:
        self.reads += 1
        return await super().serve_object(address, offset, length)


async def ingest(plane: DataPlane, data: bytes) -> ContentAddress:
    """Store `data`; gives its address."""
    stored = (await plane.ingest_stream(one_chunk(data), Hints())).stored
    assert stored is not None
    return stored.address


async def test_second_read_is_from_memory() -> None:
    """A small object is read once and served as often as wanted, whole and in parts."""
    inner = Counting(MemoryStorage())
    plane = CachedDataPlane(inner, inner, 1000)
    address = await ingest(plane, b"0123456789")
    for offset, length, expected in ((0, None, b"0123456789"), (0, None, b"0123456789"), (2, 3, b"234"), (8, 9, b"89")):
        served = await plane.serve_object(address, offset, length)
        assert (served.length, await drain(served)) == (len(expected), expected)
    assert inner.reads == 1


async def test_cache_is_bounded() -> None:
    """What is kept never passes the limit: what was served longest ago goes, and what is too large never comes."""
    inner = Counting(MemoryStorage())
    plane = CachedDataPlane(inner, inner, 250)
    first, second, third = [await ingest(plane, os.urandom(100)) for _ in range(3)]
    for address in (first, second, first, third, first, second):
        await drain(await plane.serve_object(address))
    assert inner.reads == 4
    large = await ingest(plane, bytes(OBJECT_BYTES_MAX + 1))
    for _ in range(2):
        assert (await plane.serve_object(large)).length == OBJECT_BYTES_MAX + 1
    assert inner.reads == 6


async def test_deleted_object_is_forgotten() -> None:
    """After a deletion the cache does not serve what is gone."""
    inner = Counting(MemoryStorage())
    plane = CachedDataPlane(inner, inner, 1000)
    address = await ingest(plane, b"gone")
    await drain(await plane.serve_object(address))
    assert (await plane.delete_object(address)).gone
    await refusal(plane.serve_object(address), ObjectMissing)
