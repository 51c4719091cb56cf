"""One pass gives every digest, in one thread or many; states of uploads are used only when they cover every byte."""

from __future__ import annotations

import asyncio
import os

import pytest

from artifactstore.dataplane.batches import BATCH_BYTES, BATCH_CHUNKS, Pipeline, feed
from artifactstore.dataplane.hashing import DigestPass
from artifactstore.dataplane.uploads import UploadStates
from artifactstore.errors import DigestInvalid
from artifactstore.identity.digest import digest_bytes
from artifactstore.storage.workers import Workers
from artifactstore.testing.planes import Dropped, stream

ALGORITHMS = ("blake3", "sha256", "sha512")


async def test_one_pass_gives_every_digest() -> None:
    """Updates here and in threads, in any mixture, give the digests of the whole."""
    parts = [os.urandom(size) for size in (0, 1, 1_000_000, 50)]
    running = DigestPass((*ALGORITHMS, "sha256"))
    workers = Workers("test")
    for number, part in enumerate(parts):
        if number % 2:
            running.update(part)
        else:
            await running.update_in(workers, part)
    whole = b"".join(parts)
    assert running.size == len(whole)
    assert running.digests() == {name: digest_bytes(name, whole) for name in ALGORITHMS}
    workers.close()


def test_a_copy_goes_its_own_way() -> None:
    """A copy of a pass is not touched by what the original hashes later."""
    running = DigestPass(ALGORITHMS)
    running.update(b"abc")
    twin = running.copy()
    running.update(b"def")
    assert twin.size == 3
    assert twin.digests() == {name: digest_bytes(name, b"abc") for name in ALGORITHMS}
    assert running.digests() == {name: digest_bytes(name, b"abcdef") for name in ALGORITHMS}


def test_missing_algorithms_are_named() -> None:
    """A pass names what it does not compute, and refuses what is not supported."""
    assert DigestPass().missing(("sha512", "sha256")) == ("sha512",)
    with pytest.raises(DigestInvalid):
        DigestPass(("md5",))


def test_a_state_is_used_only_when_it_covers_every_byte() -> None:
    """A state of another size than the upload has is not given out, now or later."""
    states = UploadStates()
    running = DigestPass()
    running.update(b"abc")
    states.keep("one", running)
    assert states.take("one", 4) is None
    assert states.take("one", 3) is None
    states.keep("one", running)
    assert states.take("one", 3) is running
    assert states.take("one", 3) is None


def test_states_are_bounded() -> None:
    """The upload that was kept longest ago is forgotten first."""
    states = UploadStates(count_max=2)
    for name in ("one", "two", "three"):
        states.keep(name, DigestPass())
    assert states.take("one", 0) is None
    assert states.take("two", 0) is not None
    assert states.take("three", 0) is not None


async def test_batches_are_full_and_in_order() -> None:
    """Chunks are gathered into batches of about a megabyte, or of so many chunks, which follow each other."""
    batches: list[bytes] = []

    async def take(batch: bytes) -> None:
        await asyncio.sleep(0)
        batches.append(batch)

    data = os.urandom(3 * BATCH_BYTES + 5)
    await feed(stream(data, chunk=65_536), take)
    assert b"".join(batches) == data
    assert [len(batch) for batch in batches] == [BATCH_BYTES] * 3 + [5]
    batches.clear()
    await feed(stream(bytes(BATCH_CHUNKS + 1), chunk=1), take)
    assert [len(batch) for batch in batches] == [BATCH_CHUNKS, 1]


async def test_two_batches_at_most() -> None:
    """While one batch is at work a second is gathered, and then the source has to wait."""
    gate = asyncio.Event()
    pipeline = Pipeline(lambda batch: gate.wait())  # type: ignore[arg-type, return-value]
    await pipeline.add(bytes(BATCH_BYTES))
    await pipeline.add(bytes(BATCH_BYTES - 1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pipeline.add(b"x"), 0.05)
    gate.set()
    await pipeline.finish()


async def test_nothing_is_begun_after_a_failure() -> None:
    """The first failure of a batch is raised, and no batch after it is begun."""
    begun: list[int] = []

    async def fail(batch: bytes) -> None:
        begun.append(len(batch))
        raise Dropped("disk")

    pipeline = Pipeline(fail)
    await pipeline.add(bytes(BATCH_BYTES))
    with pytest.raises(Dropped):
        await pipeline.add(bytes(BATCH_BYTES))
    await pipeline.salvage()
    assert pipeline.failed
    assert begun == [BATCH_BYTES]


async def test_feed_leaves_nothing_at_work() -> None:
    """After an error of the source the batch at work is waited for."""
    done: list[int] = []

    async def slow(batch: bytes) -> None:
        await asyncio.sleep(0.02)
        done.append(len(batch))

    with pytest.raises(Dropped):
        await feed(stream(bytes(BATCH_BYTES), chunk=BATCH_BYTES, then=Dropped("gone")), slow)
    assert done == [BATCH_BYTES]
