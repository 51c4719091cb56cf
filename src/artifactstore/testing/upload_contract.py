"""What every data plane promises of resumable uploads; a part of the contract in `dataplane_contract`."""

from __future__ import annotations

import asyncio
import os
import secrets

from artifactstore.dataplane.spi import Hints, Upload
from artifactstore.errors import ChunkOutOfOrder, DigestInvalid, SizeInvalid, UploadBusy, UploadInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.testing.planes import (
    FAR_FUTURE,
    LARGE_BYTES,
    Dropped,
    Opener,
    PlaneCheck,
    address_of_bytes,
    assert_empty,
    cancel_until_done,
    extend,
    ingest,
    read,
    refusal,
    stalling,
    stream,
)

ONE = Upload("one")


def fresh() -> Upload:
    """An upload of a new id, since ids are never used again."""
    return Upload(secrets.token_hex(16))


async def check_upload_in_streams(open_plane: Opener) -> None:
    """An upload of several streams is one object, with the digests of the whole."""
    plane = open_plane()
    for sizes in ((0, 0), (3, 4), (LARGE_BYTES, 5, LARGE_BYTES), (700_000, 0)):
        upload = fresh()
        parts = [os.urandom(size) for size in sizes]
        whole = b"".join(parts)
        size = 0
        for part in parts[:-1]:
            assert await extend(plane, upload, part, offset=size, length=len(part)) == size + len(part)
            size += len(part)
        stored = await ingest(plane, parts[-1], Hints(upload=upload, expected=digest_bytes("sha256", whole)))
        assert dict(stored.digests) == {name: digest_bytes(name, whole) for name in ("blake3", "sha256")}
        assert await read(plane, whole) == whole
        for target in (stored.address, upload):
            await plane.delete_object(target)
    await assert_empty(plane)


async def check_nothing_is_visible_before_the_last(open_plane: Opener) -> None:
    """An upload is no object until its last stream."""
    plane = open_plane()
    await extend(plane, ONE, b"abc")
    await assert_empty(plane, [ONE])


async def check_close_can_be_repeated(open_plane: Opener) -> None:
    """A published upload stays complete, here and elsewhere: its close can be repeated and nothing added to it."""
    for size in (7, LARGE_BYTES):
        plane, other = open_plane(), open_plane()
        whole = os.urandom(size)
        await extend(plane, ONE, whole[:5])
        first = await ingest(plane, whole[5:], Hints(upload=ONE, offset=5))
        for view in (plane, other):
            assert await extend(view, ONE, b"") == size
            await refusal(extend(view, ONE, b"more"), ChunkOutOfOrder)
            again = await ingest(view, b"", Hints(upload=ONE, offset=size, expected=digest_bytes("sha512", whole)))
            assert again.address == first.address
            assert await read(view, whole) == whole
        await other.delete_object(ONE)
        assert await extend(plane, ONE, b"") == 0
        assert await read(plane, whole) == whole


async def check_upload_elsewhere(open_plane: Opener) -> None:
    """An upload goes on, and is closed, in processes that did not see its beginning, sha512 included."""
    for algorithm in ("blake3", "sha256", "sha512"):
        upload = fresh()
        planes = [open_plane() for _ in range(3)]
        parts = [os.urandom(size) for size in (LARGE_BYTES, 10, 100_000)]
        whole = b"".join(parts)
        await extend(planes[0], upload, parts[0])
        assert await extend(planes[1], upload, parts[1], offset=LARGE_BYTES) == LARGE_BYTES + 10
        stored = await ingest(planes[2], parts[2], Hints(upload=upload, expected=digest_bytes(algorithm, whole)))
        assert stored.digests["sha256"] == digest_bytes("sha256", whole)
        assert await read(planes[0], whole) == whole


async def check_upload_there_and_back(open_plane: Opener) -> None:
    """A process that sees an upload again after another continued it does not trust what it knew before."""
    first, second = open_plane(), open_plane()
    parts = [os.urandom(50_000) for _ in range(4)]
    for plane, part in zip((first, second, first), parts, strict=False):
        await extend(plane, ONE, part)
    whole = b"".join(parts)
    stored = await ingest(second, parts[3], Hints(upload=ONE))
    assert stored.digests["sha256"] == digest_bytes("sha256", whole)
    assert await read(first, whole) == whole


async def check_late_algorithm(open_plane: Opener) -> None:
    """An algorithm that is asked for only at the end is computed over the whole all the same."""
    plane = open_plane()
    whole = os.urandom(LARGE_BYTES)
    await extend(plane, ONE, whole[:1_500_000])
    stored = await ingest(plane, whole[1_500_000:], Hints(upload=ONE, expected=digest_bytes("sha512", whole)))
    assert set(stored.digests) == {"blake3", "sha256", "sha512"}


async def check_offset(open_plane: Opener) -> None:
    """A stream that does not begin where the upload stands is refused with its size and changes nothing."""
    plane = open_plane()
    refused = await refusal(extend(plane, ONE, b"abc", offset=1), ChunkOutOfOrder)
    assert isinstance(refused, ChunkOutOfOrder)
    assert refused.offset == 0
    await assert_empty(plane)
    await extend(plane, ONE, b"abc", offset=0)
    for offset in (0, 2, 4):
        refused = await refusal(extend(plane, ONE, b"xyz", offset=offset), ChunkOutOfOrder)
        assert isinstance(refused, ChunkOutOfOrder)
        assert refused.offset == 3
    assert (await ingest(plane, b"def", Hints(upload=ONE, offset=3))).address == address_of_bytes(b"abcdef")


async def check_how_far(open_plane: Opener) -> None:
    """An empty stream that is not the last tells the size, of an unknown upload too, and changes nothing."""
    plane = open_plane()
    assert await extend(plane, ONE, b"") == 0
    await assert_empty(plane)
    await extend(plane, ONE, b"abc")
    assert await extend(plane, ONE, b"") == 3
    assert await extend(open_plane(), ONE, b"") == 3


async def check_refused_stream_changes_nothing(open_plane: Opener) -> None:
    """After a stream of the wrong length the upload is where it was, and goes on to the right digest."""
    plane = open_plane()
    begin, end = os.urandom(LARGE_BYTES), os.urandom(LARGE_BYTES)
    await extend(plane, ONE, begin)
    for bad, announced in ((b"x" * LARGE_BYTES, 2_000_000), (b"x" * 2_000_000, LARGE_BYTES), (b"x", 0)):
        for last in (False, True):
            hints = Hints(upload=ONE, length=announced, last=last)
            await refusal(plane.ingest_stream(stream(bad), hints), SizeInvalid)
            assert await extend(plane, ONE, b"") == LARGE_BYTES
    await assert_empty(plane, [ONE])
    stored = await ingest(plane, end, Hints(upload=ONE, length=LARGE_BYTES))
    assert stored.digests["sha256"] == digest_bytes("sha256", begin + end)
    assert await read(plane, begin + end) == begin + end


async def check_refused_first_stream(open_plane: Opener) -> None:
    """An upload whose very first stream is refused is as if nothing had come."""
    plane = open_plane()
    await refusal(extend(plane, ONE, bytes(LARGE_BYTES), length=5), SizeInvalid)
    await assert_empty(plane)
    assert (await ingest(plane, b"abc", Hints(upload=ONE, offset=0))).size == 3


async def check_source_error_keeps_what_came(open_plane: Opener) -> None:
    """After an error of the source the upload has every byte that was yielded, and goes on from there."""
    plane, other = open_plane(), open_plane()
    for closer in (plane, other):
        upload, whole = fresh(), b""
        for last, size, error in ((False, LARGE_BYTES, Dropped("gone")), (True, 10, SizeInvalid("the source's own"))):
            part = os.urandom(size)
            hints = Hints(upload=upload, last=last, offset=len(whole), length=2 * LARGE_BYTES)
            assert await refusal(plane.ingest_stream(stream(part, then=error), hints), type(error)) is error
            whole += part
        assert await extend(plane, upload, b"") == len(whole)
        stored = await ingest(closer, b"last", Hints(upload=upload, offset=len(whole)))
        assert stored.digests["sha256"] == digest_bytes("sha256", whole + b"last")


async def check_close_that_breaks_off_can_be_repeated(open_plane: Opener) -> None:
    """A last stream that does not say where it begins, and breaks off, leaves the upload where it was."""
    plane = open_plane()
    for begin in (b"", b"begin", os.urandom(LARGE_BYTES)):
        upload, end = fresh(), os.urandom(LARGE_BYTES)
        await extend(plane, upload, begin)
        for part, error in ((end[:10], Dropped("gone")), (end, Dropped("gone at the end"))):
            hints = Hints(upload=upload, length=LARGE_BYTES + 1)
            assert await refusal(plane.ingest_stream(stream(part, then=error), hints), Dropped) is error
            assert await extend(plane, upload, b"") == len(begin)
        stored = await ingest(plane, end, Hints(upload=upload, length=LARGE_BYTES))
        assert stored.digests["sha256"] == digest_bytes("sha256", begin + end)


async def check_cancellation_keeps_what_came(open_plane: Opener) -> None:
    """After a cancellation, or many, the upload has every byte that was yielded, and goes on from there."""
    plane = open_plane()
    for size in (10, 100_000, LARGE_BYTES):
        upload, begin = fresh(), os.urandom(size)
        reached = asyncio.Event()
        task = asyncio.create_task(plane.ingest_stream(stalling(begin, reached), Hints(upload=upload, last=False)))
        await reached.wait()
        await cancel_until_done(task)
        assert await extend(plane, upload, b"") == size
        stored = await ingest(plane, b"last", Hints(upload=upload, offset=size))
        assert stored.digests["sha256"] == digest_bytes("sha256", begin + b"last")


async def check_wrong_digest_ends_the_upload(open_plane: Opener) -> None:
    """An upload that turns out to have another digest is gone, and no object came of it."""
    plane = open_plane()
    for size in (3, LARGE_BYTES):
        for algorithm in ("sha256", "sha512"):
            await extend(plane, ONE, bytes(size))
            hints = Hints(upload=ONE, expected=digest_bytes(algorithm, b"another"))
            await refusal(ingest(plane, b"end", hints), DigestInvalid)
            await assert_empty(plane)
            assert await extend(plane, ONE, b"") == 0


async def check_upload_is_busy(open_plane: Opener) -> None:
    """While one stream goes on, another for the same upload is UploadBusy, here and elsewhere; deleting keeps it."""
    plane, other = open_plane(), open_plane()
    reached = asyncio.Event()
    task = asyncio.create_task(plane.ingest_stream(stalling(b"abc", reached), Hints(upload=ONE, last=False)))
    await reached.wait()
    for view in (plane, other):
        busy = await refusal(extend(view, ONE, b"xyz"), UploadBusy)
        assert isinstance(busy, UploadBusy)
        assert 0 <= busy.detail["offset"] <= 3, "how far it is may be asked while somebody writes"
        assert not (await view.delete_object(ONE)).gone
    await extend(plane, Upload("two"), b"free")
    task.cancel()
    await refusal(task, asyncio.CancelledError)
    assert await extend(other, ONE, b"def", offset=3) == 6


async def check_delete_upload(open_plane: Opener) -> None:
    """An upload can be discarded, unless it is newer than asked."""
    plane = open_plane()
    await extend(plane, ONE, b"abc")
    (listed,) = [listed async for listed in plane.list_uploads()]
    assert not (await plane.delete_object(ONE, if_older_than=listed.modified_at)).gone
    assert await extend(plane, ONE, b"") == 3
    assert (await plane.delete_object(ONE, if_older_than=FAR_FUTURE)).gone
    assert (await plane.delete_object(ONE)).gone
    assert await extend(plane, ONE, b"") == 0
    await assert_empty(plane)


async def check_only_uploads_have_more_to_come(open_plane: Opener) -> None:
    """A whole object cannot be announced as unfinished."""
    plane = open_plane()
    await refusal(plane.ingest_stream(stream(b"abc"), Hints(last=False)), UploadInvalid)
    await assert_empty(plane)


async def check_uploads_at_once(open_plane: Opener) -> None:
    """Many uploads go on at the same time without touching each other."""
    planes = [open_plane(), open_plane()]

    async def one(number: int) -> None:
        parts = [os.urandom(200_000), os.urandom(300_000)]
        upload = Upload(f"upload-{number}")
        await extend(planes[number % 2], upload, parts[0])
        expected = digest_bytes("sha256", b"".join(parts))
        await ingest(planes[number // 2 % 2], parts[1], Hints(upload=upload, expected=expected))

    await asyncio.gather(*(one(number) for number in range(8)))
    assert len([listed async for listed in planes[0].list_objects()]) == 8


ALL: tuple[PlaneCheck, ...] = (
    check_upload_in_streams,
    check_nothing_is_visible_before_the_last,
    check_close_can_be_repeated,
    check_upload_elsewhere,
    check_upload_there_and_back,
    check_late_algorithm,
    check_offset,
    check_how_far,
    check_refused_stream_changes_nothing,
    check_refused_first_stream,
    check_source_error_keeps_what_came,
    check_close_that_breaks_off_can_be_repeated,
    check_cancellation_keeps_what_came,
    check_wrong_digest_ends_the_upload,
    check_upload_is_busy,
    check_delete_upload,
    check_only_uploads_have_more_to_come,
    check_uploads_at_once,
)
