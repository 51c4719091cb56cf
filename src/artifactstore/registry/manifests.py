"""Manifests and tags: push, resolve, read, list, tag, delete, and who refers to what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from artifactstore.dataplane.spi import Hints, StoredObject, one_chunk
from artifactstore.errors import (
    DigestInvalid,
    FactsChanged,
    ManifestUnknown,
    ParameterInvalid,
    RepositoryUnknown,
    SizeExceeded,
    Unsupported,
)
from artifactstore.events.facts import ManifestRow
from artifactstore.events.log import Decide
from artifactstore.events.views import edges, history, objects, packages, repositories, tags
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import ContentAddress, Digest, digest_bytes
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest import oci
from artifactstore.registry import decide, derive
from artifactstore.registry.core import Core, Descriptor, in_turns, off_loop

Reference = Digest | TagName
FACTS_CHANGED_TRIES = 5
LAST_SEQUENCE = (1 << 63) - 1
KINDS_MAX = 20
"""Each is a look-up of its own; clients ask for two or three."""


@dataclass(frozen=True, slots=True)
class PushedManifest:
    """A manifest push that was recorded: its descriptor, the subject it names (as text) and the tags that were set."""

    descriptor: Descriptor
    subject: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagChange:
    """One change in a tag's history: `created` (set or moved) or `deleted`, at a log time in µs since 1970 UTC.

    `size` is that of what the tag named, in bytes; `manifest` is None when the repository no longer holds it.
    """

    event: str
    digest: str
    size: int
    time: int
    sequence: int
    manifest: ManifestRow | None


class Manifests(Core):
    """The part of the Registry that deals with manifests, tags and referrers."""

    async def push_manifest(
        self,
        principal: Principal,
        repository: RepositoryName,
        reference: Reference,
        body: bytes,
        *,
        media_type: str | None = None,
        tags: Sequence[TagName] = (),
    ) -> PushedManifest:
        """Store a manifest byte for byte under a tag, or under its digest and any number of tags (end-7a, 7b).

        Raises SizeExceeded, ManifestInvalid, DigestInvalid, ManifestBlobUnknown; then nothing is recorded.
        """
        if len(body) > self.policy.manifest_size_max:
            limit = self.policy.manifest_size_max
            raise SizeExceeded(f"a manifest may have {limit} bytes", detail={"size_max": limit})
        manifest = await off_loop(len(body), oci.parse, body, media_type)
        digest, moves = await off_loop(len(body), self._names, reference, tags, body)
        address = await self._until_facts_hold(
            lambda: self._store_manifest(principal, repository, manifest, digest, moves, body)
        )
        subject = manifest.subject.digest if manifest.subject else None
        descriptor = Descriptor(repository, digest, address, manifest.media_type, len(body))
        return PushedManifest(descriptor, subject, tuple(move.tag for move in moves))

    async def resolve(self, principal: Principal, repository: RepositoryName, reference: Reference) -> Descriptor:
        """What a tag or any known digest names (end-3). Raises ManifestUnknown, RepositoryUnknown."""
        if isinstance(reference, Digest):
            row = await self.reader.one(packages.MANIFEST_BY_DIGEST, repository=repository, digest=str(reference))
        else:
            row = await self.reader.one(packages.MANIFEST_BY_TAG, repository=repository, tag=reference)
        if row is None:
            missing = ManifestUnknown("no such manifest in this repository", detail={"reference": str(reference)})
            raise await self._unknown(repository, missing)
        digest = reference if isinstance(reference, Digest) else Digest.parse(row.digest)
        return Descriptor(repository, digest, ContentAddress.parse(row.content_address), row.media_type, row.size)

    async def missing(self, principal: Principal, repository: RepositoryName, manifest: oci.OciManifest) -> list[str]:
        """The digests of what a manifest needs and the repository does not hold; what its members need is not asked."""
        children = await derive.children_of(self.reader, repository, manifest)
        return [child.fact.digest for child in children if child.fact.required and child.known is None]

    async def get_bytes(self, content: Descriptor) -> bytes:
        """The whole of what was resolved, in memory: for manifests. Raises ObjectMissing, BackendUnavailable."""
        return await (await self.plane.serve_object(content.address)).read()

    async def tag(
        self, principal: Principal, repository: RepositoryName, tag: TagName, reference: Reference
    ) -> Descriptor:
        """Let `tag` name what `reference` names. Raises ManifestUnknown, RepositoryUnknown."""
        target = await self.resolve(principal, repository, reference)
        move = partial(decide.move_tag, repository, decide.TagPush(tag, target.digest))
        await self.log.append(principal.actor, move)
        return target

    async def delete_tag(self, principal: Principal, repository: RepositoryName, tag: TagName) -> None:
        """Take a tag away; the manifest stays (end-9). Raises ManifestUnknown, RepositoryUnknown, Unsupported."""
        await self._delete(principal, repository, partial(decide.delete_tag, repository, tag))

    async def delete_manifest(self, principal: Principal, repository: RepositoryName, digest: Digest) -> None:
        """Take a manifest and all its tags away (end-9). Raises ManifestUnknown, RepositoryUnknown, Unsupported."""
        await self._delete(principal, repository, partial(decide.delete_manifest, repository, digest))

    async def tags(self, principal: Principal, repository: RepositoryName, *, last: str = "", limit: int) -> list[str]:
        """Tags in byte order after `last` (end-8). Raises RepositoryUnknown."""
        found = await self.reader.all(tags.PAGE, repository=repository, last=last, limit=limit)
        if not found and await self.reader.one(repositories.BY_NAME, name=repository) is None:
            raise RepositoryUnknown("no such repository", detail={"name": repository})
        return found

    async def tag_history(
        self,
        principal: Principal,
        repository: RepositoryName,
        tag: TagName,
        *,
        before: int = LAST_SEQUENCE,
        earlier_than: int | None = None,
        since: int | None = None,
        digest: Digest | None = None,
        limit: int,
    ) -> list[TagChange]:
        """Everything a tag named, newest first, below the sequence `before`; empty for what never was.

        `since` (inclusive) and `earlier_than` are log times in µs since 1970 UTC, `digest` any digest of what it named.
        """
        where = {"repository": repository, "tag": tag, "before": before, "limit": limit}
        where |= {"since": since or 0, "earlier_than": LAST_SEQUENCE if earlier_than is None else earlier_than}
        if digest is None:
            rows = await self.reader.all(history.OF_TAG, **where)
        else:
            address = await self.reader.one(objects.ADDRESS_OF, digest=str(digest))
            rows = await self.reader.all(history.OF_TAG_NAMING, address=address, **where)
        return await in_turns(rows, partial(self._tag_change, repository))

    async def _tag_change(self, repository: RepositoryName, row: history.HistoryRow) -> TagChange:
        at = row.content_address
        manifest = await self.reader.one(packages.MANIFEST_BY_ADDRESS, repository=repository, address=at)
        location = await self.reader.one(objects.LOCATION, address=at)
        size = location.size if location else 0
        return TagChange(row.event, row.digest, size, row.time, row.sequence, manifest)

    async def referrers(
        self,
        principal: Principal,
        repository: RepositoryName,
        digest: Digest,
        *,
        kinds: Sequence[str] = (),
        after: int = 0,
        limit: int,
    ) -> list[edges.ReferrerRow]:
        """Manifests whose subject is `digest`, by whichever digest of the same bytes (end-12), in order of arrival.

        `kinds`: only those of any of these artifact types. Raises ParameterInvalid for too many of them.
        """
        if len(kinds) > KINDS_MAX:
            raise ParameterInvalid(f"referrers can be asked for by {KINDS_MAX} artifact types at most")
        found: dict[int, edges.ReferrerRow] = {}
        for name in await self.aliases(digest):
            where = {"repository": repository, "digest": name, "after": after, "limit": limit}
            pages = [await self.reader.all(edges.REFERRERS_OF_KIND, kind=kind, **where) for kind in kinds]
            if not kinds:
                pages.append(await self.reader.all(edges.REFERRERS, **where))
            found.update((row.sequence, row) for page in pages for row in page)
        return [found[sequence] for sequence in sorted(found)[:limit]]

    async def aliases(self, digest: Digest) -> list[str]:
        """Every known digest of the bytes that `digest` names; itself when nothing is known."""
        address = await self.reader.one(objects.ADDRESS_OF, digest=str(digest))
        if address is None:
            return [str(digest)]
        return await self.reader.all(objects.DIGESTS_OF, address=address)

    def _names(
        self, reference: Reference, tags: Sequence[TagName], body: bytes
    ) -> tuple[Digest, tuple[decide.TagPush, ...]]:
        """The digest a push is stored under, checked against the bytes, and the tags it sets."""
        if len(tags) > self.policy.tags_per_push_max:
            raise ParameterInvalid(f"one push sets {self.policy.tags_per_push_max} tags at most")
        if isinstance(reference, Digest):
            digest, named = digest_bytes(reference.algorithm, body), list(tags)
            if digest != reference:
                raise DigestInvalid("the manifest has another digest", detail={"digest": str(digest)})
        else:
            digest, named = digest_bytes("sha256", body), [reference, *tags]
        return digest, tuple(decide.TagPush(tag, digest) for tag in dict.fromkeys(named))

    async def _until_facts_hold(self, attempt: Callable[[], Awaitable[ContentAddress]]) -> ContentAddress:
        """Derive and record anew when what a push was derived from changed before the fence. Raises FactsChanged."""
        for _ in range(FACTS_CHANGED_TRIES - 1):
            try:
                return await attempt()
            except FactsChanged:
                continue
        return await attempt()

    async def _store_manifest(
        self,
        principal: Principal,
        repository: RepositoryName,
        manifest: oci.OciManifest,
        digest: Digest,
        moves: tuple[decide.TagPush, ...],
        body: bytes,
    ) -> ContentAddress:
        """Refuse early, ingest, derive the native side, and record; all but the last before the fence."""
        live = await self.reader.one(packages.MANIFEST_BY_DIGEST, repository=repository, digest=str(digest))
        if live is not None:
            address = ContentAddress.parse(live.content_address)
            again = partial(decide.repush_manifest, repository, address, manifest.media_type, moves)
            await self.log.append(principal.actor, again)
            return address
        sparse = self.policy.allows_sparse(repository)
        children = await derive.children_of(self.reader, repository, manifest)
        derive.refuse_missing(children, sparse)
        hints = Hints(expected=digest, algorithms=("sha512",), length=len(body))
        stored = await self._ingest(one_chunk(body), hints)
        derived = await derive.drafts(self.reader, self.plane, repository, manifest, children, digest, stored)

        def push(receipt: StoredObject) -> Decide:
            request = decide.ManifestPush(
                repository=repository,
                address=receipt.address,
                media_type=manifest.media_type,
                ingested_at=receipt.ingested_at,
                drafts=derived.drafts,
                children=tuple(child.fact for child in children),
                retention_class=derived.retention_class,
                sparse=sparse,
                tags=moves,
            )
            return partial(decide.push_manifest, request)

        await self._record_ingest(principal, stored, push)
        return stored.address

    async def _delete(self, principal: Principal, repository: RepositoryName, deciding: Decide) -> None:
        if not self.policy.delete_manifests:
            raise Unsupported("deleting manifests and tags is switched off")
        try:
            await self.log.append(principal.actor, deciding)
        except ManifestUnknown as missing:
            raise await self._unknown(repository, missing) from None
