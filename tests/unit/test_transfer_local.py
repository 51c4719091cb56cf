"""A store on this machine as a target: uploads that are found again, and copies that meet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from artifactstore.errors import BackendUnavailable, DigestInvalid
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.registry.registry import Registry
from artifactstore.transfer import Content, LocalRepository, Root, copy
from artifactstore.transfer.local import RESUMABLE_BYTES
from artifactstore.transfer.spi import Chunks, Opening
from tests.stores import fresh_registry, push_blob, push_image, sha256
from tests.transfers import HERE, THERE, V1, populate

BIG = os.urandom(RESUMABLE_BYTES + 1000)
CONTENT = Content(sha256(BIG), len(BIG), "text/plain")
HOURS = 3600 * 1_000_000


class Clock:
    """A clock that is set by hand, in microseconds."""

    now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time of the store."""
    return Clock()


@pytest.fixture
async def registry(tmp_path: Path, clock: Clock) -> AsyncIterator[Registry]:
    """A store whose time stands still."""
    opened = fresh_registry(tmp_path, clock=clock, unsafe_no_sync=True)
    yield opened
    await opened.close()


@pytest.fixture
def target(registry: Registry) -> LocalRepository:
    """A repository of it."""
    return LocalRepository(registry, ANONYMOUS, THERE)


def source(data: bytes, *, breaks_at: int | None = None) -> tuple[Opening, list[int]]:
    """A source of bytes that may break off, and the offsets at which it was opened."""
    opened: list[int] = []

    async def opening(offset: int) -> Chunks:
        opened.append(offset)
        for start in range(offset, len(data), 1 << 20):
            if breaks_at is not None and start >= breaks_at:
                raise BackendUnavailable("the source broke off")
            yield data[start : min(start + (1 << 20), len(data))]

    return opening, opened


async def interrupted(target: LocalRepository, data: bytes = BIG) -> None:
    """Bring part of a blob."""
    opening, _ = source(data, breaks_at=12 << 20)
    with pytest.raises(BackendUnavailable):
        await target.push_blob(CONTENT, opening)


async def test_what_came_before_is_not_asked_for_again(target: LocalRepository) -> None:
    """After a source broke off the next copy begins where it did, and the blob is whole."""
    await interrupted(target)
    opening, opened = source(BIG)
    await target.push_blob(CONTENT, opening)
    assert opened == [12 << 20]
    assert b"".join([chunk async for chunk in target.blob(CONTENT)]) == BIG


async def test_what_came_wrong_is_forgotten(target: LocalRepository) -> None:
    """When the beginning was of other bytes the blob is refused at its end, and the next copy begins anew."""
    await interrupted(target, bytes(len(BIG)))
    opening, _ = source(BIG)
    with pytest.raises(DigestInvalid):
        await target.push_blob(CONTENT, opening)
    assert not await target.has_blob(CONTENT)
    opening, opened = source(BIG)
    await target.push_blob(CONTENT, opening)
    assert opened == [0]


async def test_an_upload_beyond_its_time_is_opened_again(target: LocalRepository, clock: Clock) -> None:
    """An upload that ended unfinished, swept or not, is in nobody's way."""
    await interrupted(target)
    clock.now += 25 * HOURS
    opening, opened = source(BIG)
    await target.push_blob(CONTENT, opening)
    assert opened == [12 << 20]
    assert await target.has_blob(CONTENT)


async def test_two_copies_of_one_blob_at_once(registry: Registry, target: LocalRepository) -> None:
    """Both are done, whoever was first, and the store has the blob once."""
    await asyncio.gather(*(target.push_blob(CONTENT, source(BIG)[0]) for _ in range(3)))
    assert await target.has_blob(CONTENT)
    assert (await registry.sweep()).uploads == 0


async def test_a_store_mends_what_was_taken_away(registry: Registry, target: LocalRepository) -> None:
    """A live manifest whose blob was deleted since is made whole by the next copy."""
    await populate(registry)
    origin = LocalRepository(registry, ANONYMOUS, HERE)
    await copy(origin, target, [Root(V1, V1)])
    layer = sha256(b"one" * 1000)
    await registry.delete_blob(ANONYMOUS, THERE, layer)
    report = await copy(origin, target, [Root(V1, V1)])
    assert report.blobs_mounted == 1
    assert await target.has_blob(Content(layer, 3000, ""))


async def test_what_any_repository_holds_is_mounted(
    registry: Registry, target: LocalRepository, tmp_path: Path
) -> None:
    """A blob that another repository of the store holds is not brought from elsewhere."""
    other = fresh_registry(tmp_path / "other", unsafe_no_sync=True)
    try:
        await push_image(other, HERE, "v1", [b"known", b"new"])
        await push_blob(registry, "some/where", b"known")
        report = await copy(LocalRepository(other, ANONYMOUS, HERE), target, [Root(V1, V1)])
    finally:
        await other.close()
    assert (report.blobs_mounted, report.blobs_copied) == (1, 2)


async def test_a_copy_that_is_cancelled_ends_at_once(registry: Registry, target: LocalRepository) -> None:
    """Cancelling leaves no task behind, and no tag."""
    await populate(registry)
    before = asyncio.all_tasks()
    copying = asyncio.create_task(copy(LocalRepository(registry, ANONYMOUS, HERE), target, [Root(V1, V1)]))
    await asyncio.sleep(0)
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert asyncio.all_tasks() <= before | {copying}
    with pytest.raises(Exception, match="no such"):
        await target.resolve(V1)
