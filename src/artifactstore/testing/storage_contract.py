"""What every `Storage` promises. Each check gets a storage of its own to work on; keys and ids are made at random."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable

from artifactstore.errors import BackendUnavailable, ObjectMissing
from artifactstore.identity.digest import ContentAddress, digest_bytes
from artifactstore.storage.files import now_micros
from artifactstore.storage.spi import Storage, StoredBytes, StoredEntry, key_of

LARGE_BYTES = 3 * 1024 * 1024 + 17
FAR_FUTURE = 1 << 52
"""In microseconds since 1970 UTC: later than any time of a test."""

StorageCheck = Callable[[Storage], Awaitable[None]]


def key_for(data: bytes) -> str:
    """The key under which `data` belongs."""
    return key_of(ContentAddress(digest_bytes("blake3", data).hex))


async def put(storage: Storage, data: bytes, *, pause: float = 0) -> str:
    """Stage and publish `data`, with a pause of so many seconds in between; gives its key."""
    staged_id = secrets.token_hex(16)
    async with storage.staging.hold(staged_id):
        await storage.staging.append(staged_id, 0, data)
        await asyncio.sleep(pause)
        await storage.put(key_for(data), staged_id)
    return key_for(data)


async def drain(opened: StoredBytes) -> bytes:
    """Everything an open read yields."""
    return b"".join([chunk async for chunk in opened.chunks])


async def modified_at(storage: Storage, key: str) -> int:
    """When `key` was put or refreshed."""
    entry = await storage.head(key)
    assert entry is not None, "the key is there"
    return entry.modified_at


async def check_put_is_readable(storage: Storage) -> None:
    """What was staged is read back, byte for byte, under its key, and is staged no more."""
    data = os.urandom(LARGE_BYTES)
    opened = await storage.get(await put(storage, data))
    assert opened.length == len(data)
    assert await drain(opened) == data
    assert [entry.staged_id async for entry in storage.staging.list()] == []


async def check_put_bytes_is_readable(storage: Storage) -> None:
    """What was put in one step is read back, and leaves nothing staged."""
    data = os.urandom(900)
    await storage.put_bytes(key_for(data), data)
    assert await drain(await storage.get(key_for(data))) == data
    assert [entry.staged_id async for entry in storage.staging.list()] == []


async def check_empty_object(storage: Storage) -> None:
    """An object of no bytes can be put in either way, read and found."""
    for publish in (put(storage, b""), storage.put_bytes(key_for(b""), b"")):
        await publish
        opened = await storage.get(key_for(b""))
        assert (opened.length, await drain(opened)) == (0, b"")
    entry = await storage.head(key_for(b""))
    assert entry is not None
    assert entry.size == 0


async def check_ranges(storage: Storage) -> None:
    """A range gives its bytes exactly, and as many as there are when it reaches past the end."""
    data = os.urandom(LARGE_BYTES)
    key = await put(storage, data)
    for offset, length in ((0, 1), (5, 300_000), (len(data) - 3, 3), (1_000_000, None), (len(data) - 2, 9), (9, 0)):
        opened = await storage.get(key, offset, length)
        expected = data[offset:] if length is None else data[offset : offset + length]
        assert opened.length == len(expected)
        assert await drain(opened) == expected
    beyond = await storage.get(key, len(data) + 5, 10)
    assert (beyond.length, await drain(beyond)) == (0, b"")


async def check_region_is_the_same_bytes(storage: Storage) -> None:
    """Where a read offers a region of a file, that region holds the bytes that the chunks would give."""
    data = os.urandom(LARGE_BYTES)
    opened = await storage.get(await put(storage, data), 100, 2_000_000)
    if opened.region is not None:
        handle = os.open(opened.region.path, os.O_RDONLY)
        try:
            assert os.pread(handle, opened.region.length, opened.region.offset) == data[100:2_000_100]
        finally:
            os.close(handle)
    assert await drain(opened) == data[100:2_000_100]


async def check_missing_object(storage: Storage) -> None:
    """A key that was never put is None to `head`, ObjectMissing to `get`, and already gone to `delete`."""
    key = key_for(os.urandom(8))
    assert await storage.head(key) is None
    assert await storage.delete(key)
    try:
        await storage.get(key)
    except ObjectMissing:
        return
    raise AssertionError("get of a missing key raised nothing")


async def check_missing_staged_bytes(storage: Storage) -> None:
    """Publishing an id whose bytes are gone raises BackendUnavailable and publishes nothing."""
    key = key_for(os.urandom(8))
    staged_id = secrets.token_hex(16)
    try:
        async with storage.staging.hold(staged_id):
            await storage.staging.append(staged_id, 0, b"abc")
            await storage.staging.discard(staged_id)
            await storage.put(key, staged_id)
    except BackendUnavailable:
        assert await storage.head(key) is None
        return
    raise AssertionError("put of an unknown id raised nothing")


async def check_put_again_refreshes(storage: Storage) -> None:
    """The same bytes again succeed, forget the staged id, keep one object and make its time later than it was."""
    data = os.urandom(100_000)
    key = await put(storage, data)
    first = await modified_at(storage, key)
    await put(storage, data)
    second = await modified_at(storage, key)
    await storage.put_bytes(key, data)
    assert first < second < await modified_at(storage, key)
    assert await drain(await storage.get(key)) == data
    assert [entry.key async for entry in storage.list()] == [key]
    assert [entry.staged_id async for entry in storage.staging.list()] == []


async def check_put_makes_it_new(storage: Storage) -> None:
    """An object counts from its publication, not from when its bytes were staged."""
    data = os.urandom(1000)
    begun = now_micros()
    key = await put(storage, data, pause=0.1)
    assert await modified_at(storage, key) >= begun + 100_000


async def check_head_and_list(storage: Storage) -> None:
    """`head` and `list` tell key, size and time of every object, and agree."""
    keys = [await put(storage, os.urandom(size)) for size in (1, 2000, 70_000)]
    heads = {await storage.head(key) for key in keys}
    listed: set[StoredEntry | None] = {entry async for entry in storage.list()}
    assert heads == listed
    assert {entry.size for entry in listed if entry} == {1, 2000, 70_000}


async def check_delete(storage: Storage) -> None:
    """A deleted object is gone, deleting it again succeeds, and it can be put again."""
    data = os.urandom(1000)
    key = await put(storage, data)
    assert await storage.delete(key)
    assert await storage.head(key) is None
    assert await storage.delete(key)
    await put(storage, data)
    assert await drain(await storage.get(key)) == data


async def check_delete_if_older_than(storage: Storage) -> None:
    """A delete with a cut-off keeps what was put or refreshed at or after it, and removes what is older."""
    data = os.urandom(1000)
    key = await put(storage, data)
    cut_off = await modified_at(storage, key) + 1
    await put(storage, data)
    assert not await storage.delete(key, if_older_than=cut_off), "refreshed since the cut-off"
    assert not await storage.delete(key, if_older_than=await modified_at(storage, key)), "put at the cut-off"
    assert await drain(await storage.get(key)) == data
    assert await storage.delete(key, if_older_than=FAR_FUTURE)
    assert await storage.head(key) is None


async def check_open_read_outlives_delete(storage: Storage) -> None:
    """A read that was opened before a delete yields all its bytes."""
    data = os.urandom(LARGE_BYTES)
    opened = await storage.get(await put(storage, data))
    assert await storage.delete(key_for(data))
    assert await drain(opened) == data


async def check_concurrent_puts_of_one_key(storage: Storage) -> None:
    """Many puts of the same bytes at once all succeed and leave one object."""
    data = os.urandom(50_000)
    puts = [put(storage, data) for _ in range(8)]
    await asyncio.gather(*puts, *(storage.put_bytes(key_for(data), data) for _ in range(8)))
    assert await drain(await storage.get(key_for(data))) == data
    assert [entry.key async for entry in storage.list()] == [key_for(data)]
    assert [entry.staged_id async for entry in storage.staging.list()] == []


async def check_concurrent_puts_of_many_keys(storage: Storage) -> None:
    """Puts of different objects at once do not disturb each other."""
    objects = [os.urandom(1000 + number) for number in range(40)]
    keys = await asyncio.gather(*(put(storage, data) for data in objects))
    for key, data in zip(keys, objects, strict=True):
        assert await drain(await storage.get(key)) == data


async def check_health(storage: Storage) -> None:
    """A backend that works says so, under its own name, and its probe leaves nothing behind."""
    status = await storage.health()
    assert status.ready
    assert status.backend_id == storage.backend_id
    assert status.latency_ms >= 0
    assert status.free_bytes is None or status.free_bytes > 0
    assert [entry.key async for entry in storage.list()] == []
    assert [entry.staged_id async for entry in storage.staging.list()] == []


ALL: tuple[StorageCheck, ...] = (
    check_put_is_readable,
    check_put_bytes_is_readable,
    check_empty_object,
    check_ranges,
    check_region_is_the_same_bytes,
    check_missing_object,
    check_missing_staged_bytes,
    check_put_again_refreshes,
    check_put_makes_it_new,
    check_head_and_list,
    check_delete,
    check_delete_if_older_than,
    check_open_read_outlives_delete,
    check_concurrent_puts_of_one_key,
    check_concurrent_puts_of_many_keys,
    check_health,
)
