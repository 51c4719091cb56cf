"""The races that the fence decides: dedup against the sweep, a push against a concurrent delete."""

from __future__ import annotations

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from artifactstore.bootstrap import open_database, system_clock
from artifactstore.dataplane.spi import Hints, one_chunk
from artifactstore.errors import ArtifactStoreError, ManifestBlobUnknown, NotFound
from artifactstore.events import codec, model, replay, working
from artifactstore.events.facts import Facts
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import ContentAddress
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from artifactstore.storage.spi import key_of
from artifactstore.testing.log_contract import refusal_of
from tests.stores import (
    INDEX,
    fresh_config,
    fresh_registry,
    image,
    index,
    push_blob,
    push_image,
    push_manifest,
    sha256,
)

HOUR = 3600 * 1_000_000
REPOSITORY = RepositoryName("race/one")
ROUNDS = 60
ROUNDS_MAX = 1500
ENOUGH = 25
"""So often must each of two racers win before a race counts as run."""


class Finder:
    """Seeks the moment at which a race turns: waits longer after one outcome, shorter after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._seconds = 0.002
        self.outcomes = {True: 0, False: 0}

    async def wait(self) -> None:
        """Up to twice the present estimate."""
        await asyncio.sleep(self._chance.random() * 2 * self._seconds)

    def saw(self, *, too_late: bool) -> None:
        """Note who won; `too_late`: the one who waited lost."""
        self.outcomes[too_late] += 1
        self._seconds = min(max(self._seconds * (0.7 if too_late else 1.4), 0.00002), 0.2)

    @property
    def enough(self) -> bool:
        """Both came first often enough."""
        return min(self.outcomes.values()) >= ENOUGH


async def everything(registry: Registry) -> list[model.Event]:
    """Every event of a small log."""
    return list((await registry.log.read(0, limit=100_000, bytes_max=1 << 40)).events)


async def test_dedup_against_sweep(tmp_path: Path) -> None:
    """A push whose bytes lie there unnamed and a day old is never acknowledged for bytes that the sweep takes away."""
    now = [system_clock()]
    pusher = fresh_registry(tmp_path, clock=lambda: now[0], unsafe_no_sync=True)
    sweeper = fresh_registry(tmp_path, clock=lambda: now[0], unsafe_no_sync=True)
    finder = Finder(7)
    for number in range(ROUNDS_MAX):
        data = f"object {number}".encode() * 50
        await pusher.plane.ingest_stream(one_chunk(data), Hints(expected=sha256(data)))
        now[0] += 25 * HOUR

        async def push(data: bytes = data) -> bytes:
            await finder.wait()
            return await pusher.get_bytes(await push_blob(pusher, REPOSITORY, data))

        report, read_back = await asyncio.gather(sweeper.sweep(), push())
        assert read_back == data
        blob = await sweeper.resolve_blob(ANONYMOUS, REPOSITORY, sha256(data))
        assert await sweeper.get_bytes(blob) == data
        finder.saw(too_late=report.objects > 0)
        if finder.enough:
            break
    assert finder.enough
    await pusher.close()
    await sweeper.close()


async def test_sweep_spares_what_facts_name(tmp_path: Path) -> None:
    """Objects that a fact names outlive every sweep, linked by a repository or not; others go in a day."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0])
    manifest, _ = await push_image(registry, REPOSITORY, "v1", [b"layer"])
    await registry.delete_blob(ANONYMOUS, REPOSITORY, sha256(b"layer"))
    await registry.delete_manifest(ANONYMOUS, REPOSITORY, sha256(manifest))
    stray = (await registry.plane.ingest_stream(one_chunk(b"stray"), Hints())).stored
    assert stray is not None
    assert (await registry.sweep()).objects == 0
    now[0] += 23 * HOUR
    assert (await registry.sweep()).objects == 0
    now[0] += 2 * HOUR
    assert (await registry.sweep(dry_run=True)).objects == 1
    assert (await registry.sweep()).objects == 1
    assert len([listed async for listed in registry.plane.list_objects()]) == 3
    await registry.close()


async def test_expired_uploads_are_swept(tmp_path: Path) -> None:
    """An upload past its time is unknown at once, and the next sweep takes its bytes and its row."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0])
    opened = await registry.open_upload(ANONYMOUS, REPOSITORY)
    await registry.append_upload(ANONYMOUS, REPOSITORY, opened.upload_id, one_chunk(b"abc"))
    now[0] += 25 * HOUR
    with pytest.raises(NotFound):
        await registry.upload_status(ANONYMOUS, REPOSITORY, opened.upload_id)
    report = await registry.sweep()
    assert (report.uploads, report.bytes) == (1, 3)
    assert [listed async for listed in registry.plane.list_uploads()] == []
    await registry.close()


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_an_upload_that_was_opened_again_is_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    """One that was resumed by its name stays, however old its bytes are: before the sweep, or while that looks."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0], unsafe_no_sync=True)
    upload = (ANONYMOUS, REPOSITORY, "ab" * 16)
    await registry.open_upload(ANONYMOUS, REPOSITORY, upload_id=upload[2])
    await registry.append_upload(*upload, one_chunk(b"abc"))
    now[0] += 25 * HOUR
    fence = registry.log.fence

    @asynccontextmanager
    async def late() -> AsyncIterator[Facts]:
        await registry.open_upload(ANONYMOUS, REPOSITORY, upload_id=upload[2])
        async with fence() as facts:
            yield facts

    if meanwhile:
        monkeypatch.setattr(registry.log, "fence", late)
    else:
        await registry.open_upload(ANONYMOUS, REPOSITORY, upload_id=upload[2])
        assert (await registry.sweep(dry_run=True)).uploads == 0
    assert (await registry.sweep()).uploads == 0
    assert (await registry.upload_status(*upload)).offset == 3
    await registry.close()


async def test_an_upload_that_is_written_to_keeps_its_session(tmp_path: Path) -> None:
    """An upload past its time that somebody is writing to is left to a later sweep as a whole."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0], unsafe_no_sync=True)
    upload = await registry.open_upload(ANONYMOUS, REPOSITORY)
    go = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"abc"
        await go.wait()

    writing = asyncio.create_task(registry.append_upload(ANONYMOUS, REPOSITORY, upload.upload_id, slowly()))
    await asyncio.sleep(0.05)
    now[0] += 25 * HOUR
    assert (await registry.sweep()).uploads == 0
    assert await registry.reader.one(working.UPLOAD, upload_id=upload.upload_id) is not None
    go.set()
    with pytest.raises(NotFound):
        await writing
    assert (await registry.sweep()).uploads == 1
    assert await registry.reader.one(working.UPLOAD, upload_id=upload.upload_id) is None
    await registry.close()


async def test_old_receipt_is_staged_again(tmp_path: Path) -> None:
    """Bytes that were ingested more than an hour before their fact are staged again, and the push succeeds."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0])
    append = registry.log.append
    calls = []

    async def late(*arguments: object, **named: object) -> object:
        calls.append(now[0])
        now[0] += 2 * HOUR if len(calls) == 1 else 0
        return await append(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came

    registry.log.append = late  # type: ignore[method-assign,assignment]
    blob = await push_blob(registry, REPOSITORY, b"late")
    assert len(calls) == 2
    assert await registry.get_bytes(blob) == b"late"
    await registry.close()


async def test_push_against_blob_delete(tmp_path: Path) -> None:
    """At every manifest.stored the log shows each of its blobs linked, however pushes and deletes interleave."""
    first = fresh_registry(tmp_path, unsafe_no_sync=True)
    second = fresh_registry(tmp_path, unsafe_no_sync=True)
    finder = Finder(11)
    for number in range(ROUNDS_MAX):
        layer = b"layer %d" % (number % 3)
        await push_blob(first, REPOSITORY, b"{}")
        await push_blob(first, REPOSITORY, layer)
        manifest = image([layer], annotations={"n": str(number)})

        async def delete(layer: bytes = layer) -> None:
            await finder.wait()
            await second.delete_blob(ANONYMOUS, REPOSITORY, sha256(layer))

        pushing = refusal_of(push_manifest(first, REPOSITORY, "v1", manifest))
        refused, _ = await asyncio.gather(pushing, delete())
        assert refused is None or isinstance(refused, ManifestBlobUnknown)
        finder.saw(too_late=refused is None)
        if finder.enough:
            break
    assert finder.enough
    check_children(await everything(first))
    assert replay.check(open_database(fresh_config(tmp_path))).differences == ()
    await first.close()
    await second.close()


async def test_push_against_repository_delete(tmp_path: Path) -> None:
    """A push is wholly before a repository's deletion or wholly after it: nothing that went with it is named again."""
    first = fresh_registry(tmp_path, unsafe_no_sync=True)
    second = fresh_registry(tmp_path, unsafe_no_sync=True)
    finder = Finder(13)
    for number in range(ROUNDS_MAX):
        await push_blob(first, REPOSITORY, b"{}")
        await push_blob(first, REPOSITORY, b"layer")
        manifest = image([b"layer"], annotations={"n": str(number)})

        async def delete() -> None:
            await finder.wait()
            await second.delete_repository(ANONYMOUS, REPOSITORY)

        pushing = refusal_of(push_manifest(first, REPOSITORY, "v1", manifest))
        refused, _ = await asyncio.gather(pushing, delete())
        assert refused is None or isinstance(refused, ManifestBlobUnknown)
        assert await refusal_of(first.tags(ANONYMOUS, REPOSITORY, limit=1)) is not None
        finder.saw(too_late=refused is None)
        if finder.enough:
            break
    assert finder.enough
    check_children(await everything(first))
    assert replay.check(open_database(fresh_config(tmp_path))).differences == ()
    await first.close()
    await second.close()


def check_children(events: list[model.Event]) -> None:
    """Walk the log: what a manifest needs is linked, or lives, at the moment when it is stored."""
    linked: dict[str, dict[str, str]] = defaultdict(dict)
    live: dict[str, set[str]] = defaultdict(set)
    for event in events:
        match codec.fact_of(event):
            case model.BlobLinked() as fact:
                linked[fact.repository].update(
                    {str(name): str(fact.object.address) for name in fact.object.digests.values()}
                )
            case model.BlobUnlinked() as fact:
                held = linked[fact.repository]
                linked[fact.repository] = {name: at for name, at in held.items() if at != str(fact.address)}
            case model.ManifestStored() as fact:
                for edge in fact.edges:
                    known = live if edge.relation == "member" else linked
                    assert edge.relation == "subject" or edge.digest in known[fact.repository]
                live[fact.repository].update(str(name) for name in fact.object.digests.values())
            case model.ManifestDeleted() as fact:
                live[fact.repository].discard(str(fact.digest))
            case model.RepositoryDeleted() as fact:
                linked.pop(fact.repository, None)
                live.pop(fact.repository, None)
            case model.TagMoved() as fact:
                assert str(fact.digest) in live[fact.repository]
            case _:
                pass


async def test_index_and_tag_against_manifest_delete(tmp_path: Path) -> None:
    """No index is stored, and no tag moved, onto a manifest that was deleted before it in the log."""
    first = fresh_registry(tmp_path, unsafe_no_sync=True)
    second = fresh_registry(tmp_path, unsafe_no_sync=True)
    for number in range(ROUNDS):
        member, _ = await push_image(first, REPOSITORY, "member", [b"layer"], annotations={"n": str(number % 2)})
        results = await asyncio.gather(
            push_manifest(first, REPOSITORY, "index", index([member], annotations={"n": str(number)}), INDEX),
            second.tag(ANONYMOUS, REPOSITORY, TagName("moved"), sha256(member)),
            second.delete_manifest(ANONYMOUS, REPOSITORY, sha256(member)),
            return_exceptions=True,
        )
        assert all(isinstance(result, ArtifactStoreError) or not isinstance(result, Exception) for result in results)
    check_children(await everything(first))
    for tag in await first.tags(ANONYMOUS, REPOSITORY, limit=10):
        await first.get_bytes(await first.resolve(ANONYMOUS, REPOSITORY, TagName(tag)))
    assert replay.check(open_database(fresh_config(tmp_path))).differences == ()
    await first.close()
    await second.close()


async def test_same_push_by_many(tmp_path: Path) -> None:
    """Many who push the same image at once all succeed, and the log tells it once."""
    registries = [fresh_registry(tmp_path, unsafe_no_sync=True) for _ in range(3)]
    await asyncio.gather(*(push_image(registry, REPOSITORY, "v1", [b"layer"]) for registry in registries * 4))
    types = [event.type for event in await everything(registries[0])]
    assert types.count(model.ManifestStored.TYPE) == types.count(model.PackageFinalized.TYPE) == 1
    assert types.count(model.BlobLinked.TYPE) == 2
    assert types.count(model.TagMoved.TYPE) == 1
    for registry in registries:
        await registry.close()


@pytest.mark.parametrize("named", [False, True], ids=["refreshed", "named"])
async def test_sweep_looks_again_under_the_fence(tmp_path: Path, named: bool) -> None:
    """What was refreshed, or named by a fact, between the sweep's listing and its unlinking is spared."""
    now = [system_clock()]
    registry = fresh_registry(tmp_path, clock=lambda: now[0])
    stored = (await registry.plane.ingest_stream(one_chunk(b"late"), Hints())).stored
    assert stored is not None
    now[0] += 25 * HOUR
    remove = registry._remove

    async def after_the_listing(batch: dict[ContentAddress, int], before: int, dry_run: bool) -> list[int]:
        assert list(batch) == [stored.address]
        if named:
            await push_blob(registry, REPOSITORY, b"late")
            os.utime(tmp_path / "storage" / "objects" / key_of(stored.address), (0, 0))
        else:
            await registry.plane.ingest_stream(one_chunk(b"late"), Hints())
        return await remove(batch, before, dry_run)

    registry._remove = after_the_listing  # type: ignore[method-assign]  # the moment that is to be hit
    assert (await registry.sweep()).objects == 0
    assert [listed.target async for listed in registry.plane.list_objects()] == [stored.address]
    await registry.close()
