"""What the checks of a data plane share: sources that behave and sources that do not, and short ways to ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from artifactstore.dataplane.spi import DataPlane, Hints, Maintenance, Served, StoredObject, Upload
from artifactstore.identity.digest import ContentAddress, digest_bytes

LARGE_BYTES = 3 * 1024 * 1024 + 17
FAR_FUTURE = 1 << 52
"""In microseconds since 1970 UTC: later than any time of a test."""


class Plane(DataPlane, Maintenance, Protocol):
    """A data plane that can also list what it holds."""


Opener = Callable[[], Plane]
PlaneCheck = Callable[[Opener], Awaitable[None]]


class Dropped(Exception):
    """What a source raises when its connection is gone."""


async def stream(data: bytes, *, chunk: int = 100_000, then: BaseException | None = None) -> AsyncIterator[bytes]:
    """A source that yields `data` in chunks, and then ends or raises."""
    for start in range(0, len(data), chunk):
        yield data[start : start + chunk]
    if then is not None:
        raise then


async def stalling(data: bytes, reached: asyncio.Event) -> AsyncIterator[bytes]:
    """A source that yields `data`, says so, and never ends."""
    async for chunk in stream(data):
        yield chunk
    reached.set()
    await asyncio.Event().wait()


async def ingest(plane: Plane, data: bytes, hints: Hints | None = None) -> StoredObject:
    """Ingest `data` as the last stream of its object."""
    result = await plane.ingest_stream(stream(data), hints or Hints())
    assert result.stored is not None, "the object is complete"
    assert result.size == result.stored.size
    return result.stored


async def extend(plane: Plane, upload: Upload, data: bytes, **hints: object) -> int:
    """Add `data` to an upload that more streams will follow; gives its size."""
    made = Hints(upload=upload, last=False, **hints)  # type: ignore[arg-type]  # hints are Hints' own
    result = await plane.ingest_stream(stream(data), made)
    assert result.stored is None
    return result.size


async def drain(served: Served) -> bytes:
    """Everything an open read yields."""
    return await served.read()


async def read(plane: Plane, data: bytes) -> bytes:
    """What the plane serves under the address of `data`."""
    return await drain(await plane.serve_object(address_of_bytes(data)))


def address_of_bytes(data: bytes) -> ContentAddress:
    """The address that `data` has as an object."""
    return ContentAddress(digest_bytes("blake3", data).hex)


async def refusal(work: Awaitable[object], *kinds: type[BaseException]) -> BaseException:
    """The error that `work` raises, which must be one of `kinds`."""
    try:
        await work
    except kinds as error:
        return error
    raise AssertionError(f"{[kind.__name__ for kind in kinds]} was not raised")


async def cancel_until_done(task: asyncio.Task[object]) -> None:
    """Cancel `task` at every turn of the event loop until it has ended of that."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
    await refusal(task, asyncio.CancelledError)


async def assert_empty(plane: Plane, uploads: Sequence[Upload] = ()) -> None:
    """No object is there, and nothing is staged but `uploads`."""
    assert [listed.target async for listed in plane.list_objects()] == []
    assert sorted([str(listed.target) async for listed in plane.list_uploads()]) == sorted(map(str, uploads))
