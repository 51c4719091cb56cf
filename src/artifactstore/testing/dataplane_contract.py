"""What every data plane promises.

A check gets a function that opens the data plane: each call stands for another process over the same store. It should
be made to give up on a held upload within a second.
"""

from __future__ import annotations

import asyncio
import os

from artifactstore.dataplane.spi import Hints, Upload
from artifactstore.errors import DigestInvalid, ObjectMissing, SizeExceeded, SizeInvalid
from artifactstore.identity.digest import Digest, digest_bytes
from artifactstore.testing import upload_contract
from artifactstore.testing.planes import (
    FAR_FUTURE,
    LARGE_BYTES,
    Dropped,
    Opener,
    PlaneCheck,
    address_of_bytes,
    assert_empty,
    cancel_until_done,
    drain,
    extend,
    ingest,
    read,
    refusal,
    stalling,
    stream,
)

SIZES = (0, 1, 900, 32 * 1024, 32 * 1024 + 1, 1024 * 1024, LARGE_BYTES)


async def check_ingest_and_serve(open_plane: Opener) -> None:
    """Objects of every size are stored with both digests and their size, and read back byte for byte elsewhere."""
    plane, other = open_plane(), open_plane()
    for size in SIZES:
        data = os.urandom(size)
        stored = await ingest(plane, data)
        assert stored.address == address_of_bytes(data)
        assert dict(stored.digests) == {name: digest_bytes(name, data) for name in ("blake3", "sha256")}
        assert stored.size == size
        assert await read(plane, data) == data
        assert await read(other, data) == data
    assert [listed async for listed in plane.list_uploads()] == []


async def check_one_large_chunk_and_many_small(open_plane: Opener) -> None:
    """It does not matter how a source cuts its bytes."""
    plane = open_plane()
    for size, chunk in ((LARGE_BYTES, LARGE_BYTES), (50_000, 3), (LARGE_BYTES, 999)):
        data = os.urandom(size)
        await plane.ingest_stream(stream(data, chunk=chunk), Hints())
        assert await read(plane, data) == data


async def check_more_algorithms(open_plane: Opener) -> None:
    """sha512 is computed when it is asked for, or when the expected digest is one."""
    plane = open_plane()
    for size in (10, LARGE_BYTES):
        data = os.urandom(size)
        sha512 = digest_bytes("sha512", data)
        for hints in (Hints(algorithms=("sha512",)), Hints(expected=sha512)):
            assert (await ingest(plane, data, hints)).digests["sha512"] == sha512


async def check_unsupported_algorithm(open_plane: Opener) -> None:
    """An algorithm that is not supported is refused before anything is taken."""
    plane, upload = open_plane(), Upload("one")
    await extend(plane, upload, b"abc")
    for hints in (Hints(algorithms=("md5",)), Hints(algorithms=("md5",), upload=upload)):
        await refusal(plane.ingest_stream(stream(b"x"), hints), DigestInvalid)
    await assert_empty(plane, [upload])
    assert await extend(plane, upload, b"") == 3


async def check_expected_digest(open_plane: Opener) -> None:
    """A stream with the digest it was announced under is stored; one with another leaves nothing."""
    plane = open_plane()
    for size in (10, LARGE_BYTES):
        data = os.urandom(size)
        for algorithm in ("blake3", "sha256", "sha512"):
            wrong = Digest(algorithm, digest_bytes(algorithm, data + b"x").hex)
            await refusal(ingest(plane, data, Hints(expected=wrong)), DigestInvalid)
            await assert_empty(plane)
        for algorithm in ("blake3", "sha256", "sha512"):
            await ingest(plane, data, Hints(expected=digest_bytes(algorithm, data)))
        await plane.delete_object(address_of_bytes(data))


async def check_length(open_plane: Opener) -> None:
    """A stream of another length than announced is SizeInvalid and leaves nothing; the right one is stored."""
    plane = open_plane()
    for size in (10, LARGE_BYTES):
        data = os.urandom(size)
        for announced in (0, size - 1, size + 1, size + LARGE_BYTES):
            await refusal(ingest(plane, data, Hints(length=announced)), SizeInvalid)
        await assert_empty(plane)
        await ingest(plane, data, Hints(length=size))
        await plane.delete_object(address_of_bytes(data))


async def check_excess_stops_at_once(open_plane: Opener) -> None:
    """A stream is refused as soon as it is longer than announced or allowed, not when it ends."""
    plane = open_plane()
    for hints, kind in ((Hints(length=1000), SizeInvalid), (Hints(size_max=1000), SizeExceeded)):
        for data in (bytes(1001), bytes(LARGE_BYTES)):
            async with asyncio.timeout(20):
                await refusal(plane.ingest_stream(stalling(data, asyncio.Event()), hints), kind)
    await assert_empty(plane)


async def check_size_max(open_plane: Opener) -> None:
    """An object may have as many bytes as allowed and none more, over all its streams."""
    plane = open_plane()
    for size in (10, LARGE_BYTES):
        data = os.urandom(size)
        await refusal(ingest(plane, data, Hints(size_max=size - 1)), SizeExceeded)
        await assert_empty(plane)
        await ingest(plane, data, Hints(size_max=size))
        await plane.delete_object(address_of_bytes(data))
    upload = Upload("one")
    assert await extend(plane, upload, b"12345", size_max=8) == 5
    await refusal(extend(plane, upload, b"6789", size_max=8), SizeExceeded)
    assert (await ingest(plane, b"678", Hints(upload=upload, size_max=8))).size == 8


async def check_source_error_passes_through(open_plane: Opener) -> None:
    """The error of a source reaches the caller as it is, and of a whole object nothing is kept."""
    plane = open_plane()
    for size in (10, LARGE_BYTES):
        for error in (Dropped("gone"), SizeInvalid("the source's own"), OSError("the source's own")):
            raised = await refusal(plane.ingest_stream(stream(bytes(size), then=error), Hints()), type(error))
            assert raised is error
    await assert_empty(plane)


async def check_cancellation_leaves_nothing(open_plane: Opener) -> None:
    """A cancelled ingest of a whole object leaves neither an object nor staged bytes."""
    plane = open_plane()
    for size in (10, 100_000, LARGE_BYTES):
        reached = asyncio.Event()
        task = asyncio.create_task(plane.ingest_stream(stalling(bytes(size), reached), Hints()))
        await reached.wait()
        task.cancel()
        await refusal(task, asyncio.CancelledError)
    await assert_empty(plane)


async def check_cancellation_at_any_moment(open_plane: Opener) -> None:
    """Whenever an ingest is cancelled, nothing stays staged, and the same bytes can be stored afterwards."""
    plane = open_plane()
    for size in (900, LARGE_BYTES):
        data = os.urandom(size)
        for pause in (0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016):
            task = asyncio.create_task(plane.ingest_stream(stream(data), Hints()))
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert [listed async for listed in plane.list_uploads()] == []
        await ingest(plane, data)
        assert await read(plane, data) == data


async def check_cancelled_over_and_over(open_plane: Opener) -> None:
    """Cancelling an ingest again while it cleans up does not keep it from cleaning up."""
    plane = open_plane()
    for size in (10, 100_000, LARGE_BYTES):
        reached = asyncio.Event()
        task = asyncio.create_task(plane.ingest_stream(stalling(bytes(size), reached), Hints()))
        await reached.wait()
        await cancel_until_done(task)
    await assert_empty(plane)


async def check_same_bytes_again(open_plane: Opener) -> None:
    """The same bytes again succeed, keep one object, and make it and its receipt later than they were."""
    plane = open_plane()
    for size in (900, LARGE_BYTES):
        data = os.urandom(size)
        first = await ingest(plane, data)
        (before,) = [listed async for listed in plane.list_objects()]
        await asyncio.sleep(0.002)
        second = await ingest(plane, data)
        (after,) = [listed async for listed in plane.list_objects()]
        assert second.address == first.address
        assert before.modified_at < after.modified_at <= second.ingested_at
        assert first.ingested_at < second.ingested_at
        await plane.delete_object(first.address)


async def check_concurrent_same_bytes(open_plane: Opener) -> None:
    """Many ingests of the same bytes at once, in two processes, all succeed and leave one object."""
    planes = [open_plane(), open_plane()]
    for size in (900, 500_000):
        data = os.urandom(size)
        await asyncio.gather(*(ingest(planes[number % 2], data) for number in range(10)))
        assert await read(planes[0], data) == data
        await planes[0].delete_object(address_of_bytes(data))
    await assert_empty(planes[0])


async def check_ranges(open_plane: Opener) -> None:
    """A range of an object gives exactly its bytes."""
    plane = open_plane()
    data = os.urandom(LARGE_BYTES)
    address = (await ingest(plane, data)).address
    for offset, length in ((0, 1), (10, 500_000), (len(data) - 1, None), (1_000_000, None), (0, len(data))):
        served = await plane.serve_object(address, offset, length)
        expected = data[offset : len(data) if length is None else offset + length]
        assert served.length == len(expected)
        assert await drain(served) == expected


async def check_missing_object(open_plane: Opener) -> None:
    """An object that is not there is ObjectMissing to serve, absent to verify, and already gone to delete."""
    plane = open_plane()
    address = address_of_bytes(os.urandom(8))
    await refusal(plane.serve_object(address), ObjectMissing)
    assert not (await plane.verify_object(address, {}, 1)).present
    assert (await plane.delete_object(address)).gone


async def check_verify(open_plane: Opener) -> None:
    """A sound object verifies; each digest or size recorded wrongly is named."""
    plane = open_plane()
    for size in (0, 900, LARGE_BYTES):
        data = os.urandom(size)
        stored = await ingest(plane, data, Hints(algorithms=("sha512",)))
        sound = await plane.verify_object(stored.address, stored.digests, size)
        assert (sound.present, sound.size, sound.mismatches) == (True, size, ())
        assert dict(sound.digests) == dict(stored.digests)
        wrong = {name: digest_bytes(name, data + b"x") for name in ("sha256", "sha512")}
        found = await plane.verify_object(stored.address, wrong, size + 1)
        assert len(found.mismatches) == 3


async def check_delete(open_plane: Opener) -> None:
    """Deleting removes an object, unless it is newer than asked."""
    plane = open_plane()
    stored = await ingest(plane, b"abc")
    (listed,) = [listed async for listed in plane.list_objects()]
    assert not (await plane.delete_object(stored.address, if_older_than=listed.modified_at)).gone
    assert await read(plane, b"abc") == b"abc"
    assert (await plane.delete_object(stored.address, if_older_than=FAR_FUTURE)).gone
    assert (await plane.delete_object(stored.address)).gone
    await assert_empty(plane)


async def check_listing(open_plane: Opener) -> None:
    """Every object and every upload is listed with its size."""
    plane = open_plane()
    stored = await ingest(plane, b"abc")
    await extend(plane, Upload("one"), b"abcd")
    assert [(listed.target, listed.size) async for listed in plane.list_objects()] == [(stored.address, 3)]
    assert [(listed.target, listed.size) async for listed in plane.list_uploads()] == [(Upload("one"), 4)]


async def check_health(open_plane: Opener) -> None:
    """A data plane that works says so, and names the backend that receipts name."""
    plane = open_plane()
    status = await plane.backend_health()
    assert status.ready
    assert status.backend_id == (await ingest(plane, b"abc")).backend_id


ALL: tuple[PlaneCheck, ...] = (
    check_ingest_and_serve,
    check_one_large_chunk_and_many_small,
    check_more_algorithms,
    check_unsupported_algorithm,
    check_expected_digest,
    check_length,
    check_excess_stops_at_once,
    check_size_max,
    check_source_error_passes_through,
    check_cancellation_leaves_nothing,
    check_cancellation_at_any_moment,
    check_cancelled_over_and_over,
    check_same_bytes_again,
    check_concurrent_same_bytes,
    check_ranges,
    check_missing_object,
    check_verify,
    check_delete,
    check_listing,
    check_health,
    *upload_contract.ALL,
)
