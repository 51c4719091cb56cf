"""Random histories: what the store says is what a plain model says, and the views are what the log replays to."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifactstore.bootstrap import open_database
from artifactstore.errors import (
    ArtifactStoreError,
    BlobUnknown,
    ManifestBlobUnknown,
    ManifestUnknown,
    NotFound,
    RepositoryUnknown,
)
from artifactstore.events import replay
from artifactstore.identity.actor import ANONYMOUS
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.registry.registry import Registry
from artifactstore.testing.log_contract import refusal_of
from tests.stores import (
    INDEX,
    descriptor,
    fresh_config,
    fresh_registry,
    image,
    index,
    push_blob,
    push_manifest,
    sha256,
)

REPOSITORIES = ("acme/one", "acme/two", "other")
LAYERS = (b"", b"layer one", b"layer two", b"layer three")
MANIFESTS = tuple(
    image(layers, annotations={"note": str(number)})
    for number, layers in enumerate([(LAYERS[1],), (LAYERS[1], LAYERS[2]), (LAYERS[0], LAYERS[0], LAYERS[3]), ()])
)
REFERRER = image((LAYERS[2],), subject=descriptor(MANIFESTS[0], "application/vnd.oci.image.manifest.v1+json"))
MEMBERS = {index(members): members for members in (MANIFESTS[:2], MANIFESTS[1:3])}
INDEXES = tuple(MEMBERS)
TAGS = ("v1", "v2", "latest")

repositories = st.sampled_from(REPOSITORIES)
manifests = st.sampled_from((*MANIFESTS, REFERRER))
operations = st.one_of(
    st.tuples(st.just("blob"), repositories, st.sampled_from((b"{}", *LAYERS)), st.sampled_from(["sha256", "sha512"])),
    st.tuples(st.just("image"), repositories, manifests, st.sampled_from(TAGS)),
    st.tuples(st.just("push"), repositories, manifests, st.sampled_from((*TAGS, "digest"))),
    st.tuples(st.just("index"), repositories, st.sampled_from(INDEXES), st.sampled_from(TAGS)),
    st.tuples(st.just("retag"), repositories, st.sampled_from(TAGS), st.sampled_from(TAGS)),
    st.tuples(st.just("untag"), repositories, st.sampled_from(TAGS), st.none()),
    st.tuples(st.just("delete"), repositories, st.sampled_from((*MANIFESTS, REFERRER, *INDEXES)), st.none()),
    st.tuples(st.just("raze"), repositories, st.none(), st.none()),
    st.tuples(st.just("unlink"), repositories, st.sampled_from((b"{}", *LAYERS)), st.none()),
    st.tuples(st.just("mount"), repositories, st.sampled_from(LAYERS), repositories),
)


class Model:
    """What should be true, as sets and dicts: blobs, manifests and tags of each repository."""

    def __init__(self) -> None:
        self.blobs: dict[str, set[bytes]] = defaultdict(set)
        self.manifests: dict[str, set[bytes]] = defaultdict(set)
        self.tags: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.known: set[str] = set()
        self.ended: set[tuple[str, str]] = set()

    def delete(self, repository: str, manifest: bytes) -> None:
        """A manifest goes with its tags."""
        self.manifests[repository].discard(manifest)
        kept = {tag: named for tag, named in self.tags[repository].items() if named != manifest}
        self.tags[repository] = kept

    def raze(self, repository: str) -> None:
        """Nothing of a repository is left, but that its tags have ended."""
        self.ended |= {(repository, tag) for tag in self.tags[repository]}
        for held in (self.blobs, self.manifests, self.tags):
            held.pop(repository, None)
        self.known.discard(repository)


def needs(manifest: bytes) -> set[bytes]:
    """The blobs that an image names."""
    return {data for data in (b"{}", *LAYERS) if str(sha256(data)).encode() in manifest}


class Run:
    """A history on a real store beside the model."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.model = Model()

    async def do(self, verb: str, repository: str, what: Any, how: Any) -> None:
        """One operation on both; what one refuses the other must refuse."""
        await getattr(self, verb)(repository, what, how)

    async def blob(self, repository: str, data: bytes, algorithm: str) -> None:
        await push_blob(self.registry, repository, data, algorithm)
        self._linked(repository, data)

    async def image(self, repository: str, manifest: bytes, tag: str) -> None:
        for data in sorted(needs(manifest)):
            await self.blob(repository, data, "sha256")
        await self.push(repository, manifest, tag)

    async def push(self, repository: str, manifest: bytes, tag: str) -> None:
        reference = str(sha256(manifest)) if tag == "digest" else tag
        allowed = manifest in self.model.manifests[repository] or needs(manifest) <= self.model.blobs[repository]
        await self._expect(
            push_manifest(self.registry, repository, reference, manifest),
            None if allowed else ManifestBlobUnknown,
        )
        if allowed:
            self._stored(repository, manifest, tag)

    async def index(self, repository: str, manifest: bytes, tag: str) -> None:
        held = all(member in self.model.manifests[repository] for member in MEMBERS[manifest])
        held = held or manifest in self.model.manifests[repository]
        pushing = push_manifest(self.registry, repository, tag, manifest, INDEX)
        await self._expect(pushing, None if held else ManifestBlobUnknown)
        if held:
            self._stored(repository, manifest, tag)

    async def retag(self, repository: str, source: str, target: str) -> None:
        named = self.model.tags[repository].get(source)
        tagging = self.registry.tag(ANONYMOUS, RepositoryName(repository), TagName(target), TagName(source))
        await self._expect(tagging, NotFound if named is None else None)
        if named is not None:
            self.model.tags[repository][target] = named

    async def untag(self, repository: str, tag: str, _: None) -> None:
        known = tag in self.model.tags[repository]
        await self._expect(
            self.registry.delete_tag(ANONYMOUS, RepositoryName(repository), TagName(tag)), None if known else NotFound
        )
        self.model.tags[repository].pop(tag, None)

    async def delete(self, repository: str, manifest: bytes, _: None) -> None:
        known = manifest in self.model.manifests[repository]
        deleting = self.registry.delete_manifest(ANONYMOUS, RepositoryName(repository), sha256(manifest))
        await self._expect(deleting, None if known else NotFound)
        self.model.delete(repository, manifest)

    async def unlink(self, repository: str, data: bytes, _: None) -> None:
        known = data in self.model.blobs[repository]
        deleting = self.registry.delete_blob(ANONYMOUS, RepositoryName(repository), sha256(data))
        await self._expect(deleting, None if known else NotFound)
        self.model.blobs[repository].discard(data)

    async def mount(self, repository: str, data: bytes, source: str) -> None:
        held = data in self.model.blobs[source] or data in self.model.blobs[repository]
        target, origin = RepositoryName(repository), RepositoryName(source)
        mounted = await self.registry.mount_blob(ANONYMOUS, target, sha256(data), origin)
        assert (mounted is not None) == held
        if held:
            self._linked(repository, data)

    async def raze(self, repository: str, _: None, __: None) -> None:
        name = RepositoryName(repository)
        known = repository in self.model.known
        await self._expect(self.registry.delete_repository(ANONYMOUS, name), None if known else RepositoryUnknown)
        self.model.raze(repository)

    def _linked(self, repository: str, data: bytes) -> None:
        self.model.blobs[repository].add(data)
        self.model.known.add(repository)

    def _stored(self, repository: str, manifest: bytes, tag: str) -> None:
        self.model.manifests[repository].add(manifest)
        if tag != "digest":
            self.model.tags[repository][tag] = manifest

    async def _expect(self, doing: Any, refusal: type[ArtifactStoreError] | None) -> None:
        raised = await refusal_of(doing)
        assert isinstance(raised, refusal or type(None)), raised

    async def compare(self) -> None:
        """Everything the model knows, asked of the store."""
        await self._compare_ends()
        for repository in REPOSITORIES:
            name = RepositoryName(repository)
            await self._compare_holdings(name)
            await self._compare_tags(name)
            await self._compare_lists(name)
            for manifest in (*MANIFESTS, REFERRER, *INDEXES):
                await self._compare_manifest(name, manifest)
            for data in (b"{}", *LAYERS):
                await self._compare_blob(name, data)
            referrers = await self.registry.referrers(ANONYMOUS, name, sha256(MANIFESTS[0]), limit=10)
            assert len(referrers) == int(REFERRER in self.model.manifests[repository])

    async def _compare_ends(self) -> None:
        """A tag that went with its repository is proof of it in the history, whatever came later."""
        for repository, tag in self.model.ended:
            changes = await self.registry.tag_history(ANONYMOUS, RepositoryName(repository), TagName(tag), limit=100)
            assert "deleted" in {change.event for change in changes}

    async def _compare_holdings(self, name: RepositoryName) -> None:
        try:
            held = (await self.registry.repository(ANONYMOUS, name)).holdings
        except RepositoryUnknown:
            assert name not in self.model.known
            return
        blobs, manifests = self.model.blobs[name], self.model.manifests[name]
        assert (held.packages, held.tags, held.blobs) == (len(manifests), len(self.model.tags[name]), len(blobs))
        assert held.size == sum(map(len, blobs | manifests))

    async def _compare_lists(self, name: RepositoryName) -> None:
        """Lists leave out what an index of the repository lists, unless they are asked for it; newest first."""
        held = self.model.manifests[name]
        listed = {member for made in held & MEMBERS.keys() for member in MEMBERS[made]}
        for members, expected in ((True, held), (False, held - listed)):
            found = await self.registry.packages(ANONYMOUS, repository=name, members=members, limit=100)
            assert {package.digests["sha256"] for package in found} == {str(sha256(body)) for body in expected}
            sequences = [package.row.stored_sequence for package in found]
            assert sequences == sorted(sequences, reverse=True)

    async def _compare_tags(self, name: RepositoryName) -> None:
        try:
            found = await self.registry.tags(ANONYMOUS, name, limit=100)
        except NotFound:
            found = []
        assert found == sorted(self.model.tags[name])
        for tag in found:
            resolved = await self.registry.resolve(ANONYMOUS, name, TagName(tag))
            assert resolved.digest == sha256(self.model.tags[name][tag])

    async def _compare_manifest(self, name: RepositoryName, manifest: bytes) -> None:
        try:
            resolved = await self.registry.resolve(ANONYMOUS, name, sha256(manifest))
        except ManifestUnknown:
            assert manifest not in self.model.manifests[name]
        except NotFound:
            assert not self.model.manifests[name]
        else:
            assert manifest in self.model.manifests[name]
            assert await self.registry.get_bytes(resolved) == manifest

    async def _compare_blob(self, name: RepositoryName, data: bytes) -> None:
        try:
            blob = await self.registry.resolve_blob(ANONYMOUS, name, sha256(data))
        except BlobUnknown:
            assert data not in self.model.blobs[name]
        except NotFound:
            assert not self.model.blobs[name]
        else:
            assert data in self.model.blobs[name]
            assert await self.registry.get_bytes(blob) == data


async def live(directory: Path, history: list[tuple[str, str, Any, Any]]) -> None:
    """Run a history, compare with the model, and with a replay beside and in place."""
    registry = fresh_registry(directory, unsafe_no_sync=True)
    run = Run(registry)
    for operation in history:
        await run.do(*operation)
    await run.compare()
    database = open_database(fresh_config(directory))
    assert replay.check(database).differences == ()
    replay.rebuild(database)
    await run.compare()
    assert replay.check(database).differences == ()
    await registry.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(operations, max_size=40))
def test_views_are_the_log(history: list[tuple[str, str, Any, Any]]) -> None:
    """After any history the store agrees with the model, and its views are byte for byte what a replay gives."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(live(Path(directory), history))
