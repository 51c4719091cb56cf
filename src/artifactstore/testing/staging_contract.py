"""What every `Staging` promises.

A check gets a function that opens the staging: each call stands for another process over the same store. It should be
made to give up on a held id within a second.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from artifactstore.errors import ChunkOutOfOrder, UploadBusy, UploadInvalid
from artifactstore.storage.staging import Staging

FAR_FUTURE = 1 << 52
"""In microseconds since 1970 UTC: later than any time of a test."""

Opener = Callable[[], Staging]
StagingCheck = Callable[[Opener], Awaitable[None]]


async def content(staging: Staging, staged_id: str) -> bytes:
    """Everything staged under an id."""
    return b"".join([chunk async for chunk in staging.read(staged_id)])


async def ids(staging: Staging) -> list[str]:
    """Every staged id."""
    return [entry.staged_id async for entry in staging.list()]


async def refused_at(staging: Staging, offset: int) -> int | None:
    """The size that a refused append at `offset` tells; None when it is taken."""
    try:
        await staging.append("one", offset, b"xyz")
    except ChunkOutOfOrder as refusal:
        return refusal.offset
    return None


async def check_append_and_read(open_staging: Opener) -> None:
    """What was appended in pieces is read back as one, with its size, in this process and another."""
    staging, other = open_staging(), open_staging()
    pieces = [os.urandom(size) for size in (1, 70_000, 1_500_000)]
    size = 0
    async with staging.hold("one"):
        for piece in pieces:
            size = await staging.append("one", size, memoryview(piece))
    assert size == sum(map(len, pieces))
    for view in (staging, other):
        assert await view.size("one") == size
        assert await content(view, "one") == b"".join(pieces)


async def check_append_elsewhere_is_refused(open_staging: Opener) -> None:
    """An append that does not begin at the end raises ChunkOutOfOrder with the size, and changes nothing."""
    staging = open_staging()
    async with staging.hold("one"):
        await staging.append("one", 0, b"abc")
        for offset in (0, 2, 4):
            assert await refused_at(staging, offset) == 3
    assert await content(staging, "one") == b"abc"


async def check_unknown_id(open_staging: Opener) -> None:
    """An id that was never staged has size 0 and no bytes, and can be cut and discarded; nothing comes of that."""
    staging = open_staging()
    assert await staging.size("nobody") == 0
    assert await content(staging, "nobody") == b""
    async with staging.hold("nobody"):
        await staging.truncate("nobody", 0)
        assert await staging.discard("nobody")
    assert await staging.discard("nobody")
    assert await ids(staging) == []


async def check_held_for_nothing(open_staging: Opener) -> None:
    """Holding an id and staging nothing leaves nothing."""
    staging = open_staging()
    async with staging.hold("one"):
        pass
    assert await ids(staging) == []


async def check_truncate(open_staging: Opener) -> None:
    """After a cut the upload goes on from there."""
    staging = open_staging()
    async with staging.hold("one"):
        await staging.append("one", 0, b"abcdef")
        await staging.truncate("one", 2)
        assert await staging.size("one") == 2
        await staging.truncate("one", 5)
        assert await staging.append("one", 2, b"xy") == 4
    assert await content(staging, "one") == b"abxy"


async def check_list(open_staging: Opener) -> None:
    """Every staged id is listed with its size and the time of its last append."""
    staging = open_staging()
    for number in range(5):
        async with staging.hold(f"id-{number}"):
            await staging.append(f"id-{number}", 0, bytes(number + 1))
    entries = {entry.staged_id: entry async for entry in staging.list()}
    assert {name: entry.size for name, entry in entries.items()} == {f"id-{n}": n + 1 for n in range(5)}
    assert all(0 < entry.modified_at < FAR_FUTURE for entry in entries.values())


async def check_discard(open_staging: Opener) -> None:
    """Discarded bytes are gone; with a cut-off, what was appended to at or after it is kept."""
    staging = open_staging()
    async with staging.hold("one"):
        await staging.append("one", 0, b"abc")
        (entry,) = [entry async for entry in staging.list()]
        assert not await staging.discard("one", if_older_than=entry.modified_at)
        assert await staging.size("one") == 3
        assert await staging.discard("one", if_older_than=FAR_FUTURE)
    assert await staging.size("one") == 0
    assert await ids(staging) == []


async def check_hold_excludes(open_staging: Opener) -> None:
    """While one holds an id, another task or process gets UploadBusy after a bounded wait; other ids are free."""
    staging, other = open_staging(), open_staging()
    async with staging.hold("one"):
        for view in (staging, other):
            try:
                async with asyncio.timeout(10), view.hold("one"):
                    raise AssertionError("two hold the same id")
            except UploadBusy:
                pass
            async with view.hold("two"):
                pass
    async with other.hold("one"):
        pass


async def check_hold_waits(open_staging: Opener) -> None:
    """One who waits gets the id as soon as it is free, and sees what the one before staged."""
    staging, other = open_staging(), open_staging()

    async def second() -> bytes:
        async with other.hold("one"):
            return await content(other, "one")

    async with staging.hold("one"):
        await staging.append("one", 0, b"abc")
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == b"abc"


async def check_hold_survives_discard(open_staging: Opener) -> None:
    """One who waited for an id that was discarded meanwhile truly holds it: a third is kept out."""
    staging, other = open_staging(), open_staging()
    got = asyncio.Event()
    done = asyncio.Event()

    async def second() -> None:
        async with other.hold("one"):
            got.set()
            await other.append("one", 0, b"new")
            await done.wait()

    async with staging.hold("one"):
        await staging.append("one", 0, b"abc")
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.02)
        await staging.discard("one")
    await got.wait()
    try:
        async with staging.hold("one"):
            raise AssertionError("two hold the same id")
    except UploadBusy:
        pass
    done.set()
    await waiting
    assert await content(staging, "one") == b"new"


async def check_cancelled_hold_is_free(open_staging: Opener) -> None:
    """One who is cancelled while waiting or holding leaves the id free."""
    staging, other = open_staging(), open_staging()

    async def hold() -> None:
        async with other.hold("one"):
            await asyncio.sleep(60)

    for pause in (0.0, 0.001, 0.005, 0.03):
        async with staging.hold("one"):
            waiting = asyncio.create_task(hold())
            await asyncio.sleep(pause)
            waiting.cancel()
        holding = asyncio.create_task(hold())
        await asyncio.sleep(pause)
        holding.cancel()
        await asyncio.gather(waiting, holding, return_exceptions=True)
        async with staging.hold("one"):
            pass


async def check_many_writers_take_turns(open_staging: Opener) -> None:
    """Appends of many tasks under `hold` all arrive, none inside another."""
    views = [open_staging() for _ in range(4)]

    async def add(number: int) -> None:
        view = views[number % len(views)]
        with suppress(UploadBusy):
            async with view.hold("one"):
                await view.append("one", await view.size("one"), bytes([number]) * 1000)
            return
        await add(number)

    async with asyncio.timeout(20):
        await asyncio.gather(*(add(number) for number in range(12)))
    data = await content(views[0], "one")
    blocks = {data[start : start + 1000] for start in range(0, len(data), 1000)}
    assert blocks == {bytes([number]) * 1000 for number in range(12)}


async def check_bad_ids_are_refused(open_staging: Opener) -> None:
    """An id that could be a path to elsewhere is UploadInvalid to every operation."""
    staging = open_staging()
    for staged_id in ("", ".", "..", "../up", "a/b", "a.b", "/etc/passwd", "a\0b", "-a b", "x" * 200, "a\n"):
        calls = (
            lambda bad: staging.append(bad, 0, b"x"),
            staging.size,
            lambda bad: staging.truncate(bad, 0),
            staging.discard,
            lambda bad: content(staging, bad),
            lambda bad: staging.hold(bad).__aenter__(),
        )
        for call in calls:
            try:
                await call(staged_id)
            except UploadInvalid:
                continue
            raise AssertionError(f"{staged_id!r} was taken")


ALL: tuple[StagingCheck, ...] = (
    check_append_and_read,
    check_append_elsewhere_is_refused,
    check_unknown_id,
    check_held_for_nothing,
    check_truncate,
    check_list,
    check_discard,
    check_hold_excludes,
    check_hold_waits,
    check_hold_survives_discard,
    check_cancelled_hold_is_free,
    check_many_writers_take_turns,
    check_bad_ids_are_refused,
)
