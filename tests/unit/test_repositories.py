"""A repository as a whole: what it holds, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from artifactstore.bootstrap import open_database, system_clock
from artifactstore.dataplane.spi import DeletionResult, one_chunk
from artifactstore.errors import BackendUnavailable, RepositoryUnknown, Unsupported, UploadUnknown
from artifactstore.events import codec, replay
from artifactstore.events.log import Appended
from artifactstore.events.model import RepositoryDeleted
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from tests.stores import fresh_config, fresh_registry, push_blob, push_image, sha256

GOING = RepositoryName("acme/going")
STAYING = RepositoryName("acme/going/on")
"""Its name begins with that of the other, and it is another repository all the same."""


@pytest_asyncio.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """Two repositories with the same image, the first under two tags."""
    opened = fresh_registry(tmp_path, unsafe_no_sync=True)
    await push_image(opened, GOING, "v1", [b"layer"])
    await push_image(opened, GOING, "v2", [b"layer"])
    await push_image(opened, STAYING, "v1", [b"layer"])
    yield opened
    await opened.close()


async def test_holdings_are_counted(registry: Registry) -> None:
    """A repository tells how many packages, tags and blobs it holds, and their bytes."""
    held = (await registry.repository(ANONYMOUS, GOING)).holdings
    manifest = await registry.resolve(ANONYMOUS, GOING, TagName("v1"))
    assert (held.packages, held.tags, held.blobs) == (1, 2, 2)
    assert held.size == manifest.size + len(b"layer") + len(b"{}")


async def test_deletion_is_one_event(registry: Registry) -> None:
    """A deletion appends one event that counts what went, and the name is unknown from then on."""
    before = await registry.head()
    deleted = await registry.delete_repository(ANONYMOUS, GOING)
    assert deleted == RepositoryDeleted(GOING, packages=1, tags=2, blobs=2)
    events = (await registry.events(ANONYMOUS, after=before.sequence, limit=10)).events
    assert [codec.fact_of(event) for event in events] == [deleted]
    with pytest.raises(RepositoryUnknown):
        await registry.resolve(ANONYMOUS, GOING, TagName("v1"))
    for asking in (registry.tags(ANONYMOUS, GOING, limit=1), registry.delete_repository(ANONYMOUS, GOING)):
        with pytest.raises(RepositoryUnknown):
            await asking
    assert [row.name for row in await registry.repositories(ANONYMOUS, limit=10)] == [STAYING]


async def test_deletion_leaves_others_whole(registry: Registry, tmp_path: Path) -> None:
    """What another repository holds of the same bytes stays readable, and the views are what the log says."""
    await registry.delete_repository(ANONYMOUS, GOING)
    kept = await registry.files(ANONYMOUS, STAYING, TagName("v1"), limit=10)
    assert [file.present for file in kept] == [True]
    assert replay.check(open_database(fresh_config(tmp_path))).differences == ()


async def test_tag_history_outlives_the_repository(registry: Registry) -> None:
    """Each tag ends in its history at the deletion, and goes on there when the name is pushed to again."""
    await registry.delete_repository(ANONYMOUS, GOING)
    for tag in ("v1", "v2"):
        changes = await registry.tag_history(ANONYMOUS, GOING, TagName(tag), limit=10)
        assert [change.event for change in changes] == ["deleted", "created"]
    await push_image(registry, GOING, "v1", [b"anew"])
    changes = await registry.tag_history(ANONYMOUS, GOING, TagName("v1"), limit=10)
    assert [change.event for change in changes] == ["created", "deleted", "created"]
    assert (await registry.repository(ANONYMOUS, GOING)).holdings.tags == 1


async def test_open_uploads_go_too(registry: Registry) -> None:
    """An open upload ends with its repository, its staged bytes too; one of another repository goes on."""
    gone = await registry.open_upload(ANONYMOUS, GOING)
    await registry.append_upload(ANONYMOUS, GOING, gone.upload_id, one_chunk(b"abc" * 50_000))
    open_still = await registry.open_upload(ANONYMOUS, STAYING)
    await registry.delete_repository(ANONYMOUS, GOING)
    with pytest.raises(UploadUnknown):
        await registry.upload_status(ANONYMOUS, GOING, gone.upload_id)
    assert [listed async for listed in registry.plane.list_uploads()] == []
    assert (await registry.upload_status(ANONYMOUS, STAYING, open_still.upload_id)).offset == 0


async def test_an_upload_that_is_opened_again_keeps_its_bytes(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens an upload again by its name, right after the deletion ended it, loses nothing that was acknowledged."""
    upload = (ANONYMOUS, GOING, "ab" * 16)
    await registry.open_upload(ANONYMOUS, GOING, upload_id=upload[2])
    await registry.append_upload(*upload, one_chunk(b"abc"))
    append = registry.log.append

    async def appended(*what: Any, **how: Any) -> Appended:
        done = await append(*what, **how)
        monkeypatch.undo()
        assert (await registry.open_upload(ANONYMOUS, GOING, upload_id=upload[2])).offset == 3
        await registry.append_upload(*upload, one_chunk(b"def"))
        return done

    monkeypatch.setattr(registry.log, "append", appended)
    await registry.delete_repository(ANONYMOUS, GOING)
    assert (await registry.upload_status(*upload)).offset == 6


async def test_deletion_stands_when_bytes_cannot_be_removed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A deletion that is recorded is answered as done, also when a staged byte cannot be removed; the sweep does."""
    upload = await registry.open_upload(ANONYMOUS, GOING)
    await registry.append_upload(ANONYMOUS, GOING, upload.upload_id, one_chunk(b"abc" * 50_000))

    async def failing(target: object, *, if_older_than: int | None = None) -> DeletionResult:
        raise BackendUnavailable("the disk does not answer")

    monkeypatch.setattr(registry.plane, "delete_object", failing)
    assert (await registry.delete_repository(ANONYMOUS, GOING)).packages == 1
    assert f"upload {upload.upload_id} is left to the sweep" in caplog.text
    monkeypatch.undo()
    late = system_clock() + 10 * registry.policy.upload_expiry_seconds * 1_000_000
    monkeypatch.setattr(registry, "clock", lambda: late)
    assert (await registry.sweep()).uploads == 1


async def test_a_close_that_comes_after_the_deletion_makes_no_blob(registry: Registry) -> None:
    """An upload whose last bytes were on the way when its repository went is refused, and leaves nothing."""
    upload = await registry.open_upload(ANONYMOUS, GOING)
    data = b"late" * 50_000
    go = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        await go.wait()
        yield data

    closing = registry.close_upload(ANONYMOUS, GOING, upload.upload_id, slowly(), sha256(data))
    task = asyncio.create_task(closing)
    await asyncio.sleep(0.05)
    await registry.delete_repository(ANONYMOUS, GOING)
    go.set()
    with pytest.raises(UploadUnknown):
        await task
    with pytest.raises(RepositoryUnknown):
        await registry.resolve_blob(ANONYMOUS, GOING, sha256(data))
    assert [listed async for listed in registry.plane.list_uploads()] == []


async def test_a_mount_finds_no_source_in_what_was_deleted(registry: Registry) -> None:
    """A blob can be mounted from a repository until it is deleted."""
    target = RepositoryName("other")
    await push_blob(registry, GOING, b"only here")
    assert await registry.mount_blob(ANONYMOUS, target, sha256(b"only here"), GOING)
    await registry.delete_repository(ANONYMOUS, target)
    await registry.delete_repository(ANONYMOUS, GOING)
    assert await registry.mount_blob(ANONYMOUS, STAYING, sha256(b"only here"), None) is None


async def test_deletion_can_be_switched_off(tmp_path: Path) -> None:
    """Where manifests may not be deleted, neither may a repository, be it there or not."""
    registry = fresh_registry(tmp_path, delete_manifests=False)
    await push_image(registry, GOING, "v1", [b"layer"])
    for name in (GOING, RepositoryName("none")):
        with pytest.raises(Unsupported):
            await registry.delete_repository(ANONYMOUS, name)
    await registry.close()
