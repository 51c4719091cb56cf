"""In what order a copy does things, how far it goes, and what a source cannot make it do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from artifactstore import bootstrap
from artifactstore.dataplane.spi import Served
from artifactstore.errors import BackendUnavailable, SizeExceeded
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.digest import Digest
from artifactstore.identity.names import TagName
from artifactstore.manifest.media_types import OCI_INDEX
from artifactstore.registry.registry import Registry
from artifactstore.transfer import Content, LocalRepository, Manifest, Root, copy, copying, graph, roots_of
from tests.stores import IMAGE, descriptor, push_blob, push_image, push_manifest, sha256
from tests.transfers import HERE, THERE, V1, populate, refer


@pytest.fixture
async def store() -> AsyncIterator[Registry]:
    """A store to copy from."""
    opened = bootstrap.open_memory()
    yield opened
    await opened.close()


@pytest.fixture
async def other() -> AsyncIterator[Registry]:
    """A store to copy to."""
    opened = bootstrap.open_memory()
    yield opened
    await opened.close()


@pytest.fixture
def source(store: Registry) -> LocalRepository:
    """The repository that is copied."""
    return LocalRepository(store, ANONYMOUS, HERE)


@pytest.fixture
def target(other: Registry) -> LocalRepository:
    """Where it goes."""
    return LocalRepository(other, ANONYMOUS, THERE)


class Noting(LocalRepository):
    """Is slow to take what refers to something, and notes what is there when a tag is set."""

    seen: dict[str, int]

    async def push_manifest(self, manifest: Manifest) -> None:
        """Wait for everybody else first."""
        if manifest.says.subject is not None:
            for _ in range(100):
                await asyncio.sleep(0)
        await super().push_manifest(manifest)

    async def tag(self, tag: TagName, manifest: Manifest) -> None:
        """Note how many manifests refer to what gets the tag."""
        self.seen[tag] = len([each async for each in self.referrers(manifest.content.digest)])
        await super().tag(tag, manifest)


async def test_every_tag_waits_for_what_refers_to_it(store: Registry, other: Registry, source: LocalRepository) -> None:
    """Two tags of one manifest, and cosign's tag of one that is signed itself, are set after what refers to them."""
    body, _ = await push_image(store, HERE, "v1", [b"layer"])
    await push_manifest(store, HERE, "v2", body)
    await refer(store, HERE, body, b"signature")
    attached, _ = await push_image(store, HERE, f"sha256-{sha256(body).hex}.att", [b"attestation"])
    await refer(store, HERE, attached, b"signature of the attestation")
    target = Noting(other, ANONYMOUS, THERE)
    target.seen = {}
    await copy(source, target, await roots_of(source), referrers=True)
    assert target.seen == {"v1": 1, "v2": 1, f"sha256-{sha256(body).hex}.att": 1}


async def chain(store: Registry, length: int, width: int = 1) -> Content:
    """An index that lists an index that lists an index ..., each `width` times."""
    body, _ = await push_image(store, HERE, "leaf", [b"leaf"])
    media_type = IMAGE
    for _ in range(length):
        listed = [descriptor(body, media_type)] * width
        media_type = OCI_INDEX
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
        await push_manifest(store, HERE, str(sha256(body)), body, OCI_INDEX)
    return Content(sha256(body), len(body), media_type)


@pytest.mark.parametrize(("length", "width"), [(1100, 1), (40, 4)])
async def test_indexes_in_indexes(
    length: int, width: int, store: Registry, source: LocalRepository, target: LocalRepository
) -> None:
    """However deep indexes lie in each other, each is looked at once, when it is copied and when it is there."""
    root = await chain(store, length, width)
    report = await copy(source, target, [Root(root.digest)])
    assert report.manifests_copied == length + 1
    assert await target.has_manifest(await target.manifest(root))
    again = await copy(source, target, [Root(root.digest)])
    assert (again.manifests_copied, again.manifests_skipped) == (0, 1)


async def test_a_copy_ends_however_deep_it_is(store: Registry, other: Registry, source: LocalRepository) -> None:
    """A failure at the bottom of many indexes ends the copy as any other does, and leaves no task behind."""

    class Failing(LocalRepository):
        async def push_manifest(self, manifest: Manifest) -> None:
            await asyncio.sleep(0.01)
            raise BackendUnavailable("the disk is gone")

    root = await chain(store, 600)
    before = asyncio.all_tasks()
    with pytest.raises(BackendUnavailable):
        await copy(source, Failing(other, ANONYMOUS, THERE), [Root(root.digest), Root(TagName("leaf"))])
    copying_it = asyncio.create_task(copy(source, Stuck(other, ANONYMOUS, THERE), [Root(root.digest)]))
    await asyncio.wait_for(Stuck.reached.wait(), 60)
    copying_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying_it
    assert asyncio.all_tasks() <= before


class Stuck(LocalRepository):
    """Never takes a manifest."""

    reached = asyncio.Event()

    async def push_manifest(self, manifest: Manifest) -> None:
        """Wait for ever."""
        self.reached.set()
        await asyncio.Event().wait()


class Lying(LocalRepository):
    """Lists referrers that are none, or makes up a new one of whatever it is asked about."""

    listed: Content | None = None

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry, ANONYMOUS, HERE)
        self.asked: list[Digest] = []
        self._store = registry

    async def referrers(self, digest: Digest) -> AsyncIterator[Content]:
        """What was set, or a new one."""
        self.asked.append(digest)
        if self.listed is not None:
            yield self.listed
            return
        body = (await self.manifest(await self.resolve(digest))).body
        made = await refer(self._store, HERE, body, b"signature")
        yield Content(sha256(made), len(made), IMAGE)


async def test_a_referrer_names_its_subject(store: Registry, target: LocalRepository) -> None:
    """What a source lists as a referrer of a manifest, and does not say so itself, is not copied."""
    source = Lying(store)
    await push_image(store, HERE, "v1", [b"layer"])
    body, _ = await push_image(store, HERE, "v2", [b"other"])
    source.listed = Content(sha256(body), len(body), IMAGE)
    report = await copy(source, target, [Root(V1, V1)], referrers=True)
    assert (report.manifests_copied, report.referrers, len(source.asked)) == (1, 0, 1)
    report = await copy(source, target, await roots_of(source), referrers=True)
    assert (report.manifests_copied, report.referrers) == (1, 0)


async def test_a_subject_may_be_named_by_another_digest(
    store: Registry, source: LocalRepository, target: LocalRepository
) -> None:
    """A referrer whose subject is asked for by another digest of the same bytes comes along."""
    body, pushed = await push_image(store, HERE, "v1", [b"layer"])
    await refer(store, HERE, body, b"signature")
    address = Digest("blake3", pushed.descriptor.address.hex)
    assert (await copy(source, target, [Root(address)], referrers=True)).referrers == 1


async def test_referrers_without_end(store: Registry, target: LocalRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that has one more referrer for whatever it is asked is given up, and nothing is tagged."""
    monkeypatch.setattr(copying, "REFERRERS_MAX", 20)
    await push_image(store, HERE, "v1", [b"layer"])
    with pytest.raises(SizeExceeded, match="more than 20 manifests refer"):
        await copy(Lying(store), target, [Root(V1, V1)], referrers=True)
    assert [tag async for tag in target.tags()] == []


@pytest.mark.parametrize("room", [0, 16 << 20])
async def test_a_body_is_read_again_where_none_is_kept(
    room: int, store: Registry, source: LocalRepository, target: LocalRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without room for the bodies of manifests every tag is set, to what it should name."""
    monkeypatch.setattr(graph, "BODIES_SIZE_MAX", room)
    made = await populate(store)
    await copy(source, target, await roots_of(source), referrers=True)
    assert (await target.resolve(V1)).digest == made.root
    assert (await target.resolve(TagName(f"sha256-{made.root.hex}.sig"))).digest == made.attached


async def test_what_is_read_in_part_is_closed(
    store: Registry, source: LocalRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who stops reading a blob has its file closed at once."""
    await push_blob(store, HERE, b"blob")
    closed = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"bl"
            yield b"ob"
        finally:
            closed.append(True)

    async def serve(*_: object) -> Served:
        return Served(4, chunks())

    monkeypatch.setattr(store, "serve", serve)
    reading = source.blob(Content(sha256(b"blob"), 4, ""))
    assert await anext(reading) == b"bl"
    await reading.aclose()
    assert closed == [True]
