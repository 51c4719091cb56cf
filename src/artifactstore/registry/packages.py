"""The native face: packages, their manifests, files and attachments, as queries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from artifactstore.errors import FileUnknown, ManifestUnknown
from artifactstore.events.views import blobs, edges, objects, packages, retention, tags
from artifactstore.events.views import files as file_view
from artifactstore.events.views.package_lists import PackageFilter, page
from artifactstore.events.views.packages import PackageRow
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.identity.names import RepositoryName, TagName
from artifactstore.manifest.oci import attachment_tags, fallback_tag
from artifactstore.registry.core import Descriptor, in_turns
from artifactstore.registry.manifests import LAST_SEQUENCE, Manifests, Reference

MEMBERS_A_READ = 500
TAGS_SHOWN_MAX = 100
"""A package's description names so many of its tags; `tags_truncated` says when there are more."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package as the native API describes it: its row, its digests, first tags and retention."""

    row: PackageRow
    digests: Mapping[str, str]
    tags: Sequence[str]
    tags_truncated: bool
    retention: retention.RetentionRow | None

    @property
    def metadata(self) -> dict[str, Any]:
        """The producer's metadata: of a native package its own, else the OCI annotations."""
        value: dict[str, Any] = json.loads(self.row.metadata or self.row.annotations)
        return value


@dataclass(frozen=True, slots=True)
class File:
    """A file of a package, every digest known of it now, and whether its bytes are here."""

    row: file_view.FileRow
    digests: Mapping[str, str]
    address: ContentAddress | None

    @property
    def present(self) -> bool:
        return self.address is not None


@dataclass(frozen=True, slots=True)
class Attachment:
    """What refers to a package: `via` its `subject` field, a cosign `tag`, or the referrers `fallback-tag`.

    `tag` is the tag that says so, None where the subject field does.
    """

    row: edges.ReferrerRow
    role: str
    via: str
    tag: str | None = None


class Packages(Manifests):
    """The part of the Registry that answers from the native side."""

    async def packages(
        self,
        principal: Principal,
        *,
        repository: RepositoryName | None = None,
        tag: TagName | None = None,
        digest: Digest | None = None,
        kind: str | None = None,
        members: bool = False,
        attachments: bool = False,
        before: int = LAST_SEQUENCE,
        limit: int,
    ) -> list[Package]:
        """Packages that meet every given condition, newest first, below the sequence `before`.

        `digest`: any digest of the OCI manifest, or the blake3 digest of the native one.
        """
        by_manifest = digest is not None and await self._is_native_digest(digest)
        chosen = PackageFilter(
            repository=repository is not None,
            tag=tag is not None,
            digest=digest is not None and not by_manifest,
            manifest_digest=by_manifest,
            kind=kind is not None,
            members=members or digest is not None or tag is not None,
            attachments=attachments or digest is not None or tag is not None or kind is not None,
        )
        given = {"repository": repository, "tag": tag, "kind": kind}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if digest is not None:
            values["manifest_digest" if by_manifest else "digest"] = str(digest)
        rows = await self.reader.all(page(chosen), before=before, limit=limit, **values)
        return await in_turns(rows, self._describe)

    async def package(self, principal: Principal, repository: RepositoryName, reference: Reference) -> Package:
        """One package, by tag or any digest. Raises ManifestUnknown, RepositoryUnknown."""
        return await self._describe(await self._row(principal, repository, reference))

    async def native_manifest(
        self, principal: Principal, repository: RepositoryName, reference: Reference
    ) -> tuple[bytes, Digest]:
        """A package's native manifest in canonical CBOR and its blake3 digest. Raises ManifestUnknown, …"""
        row = await self._row(principal, repository, reference)
        return await self._manifest_bytes(row), Digest.parse(row.manifest_digest)

    async def native_manifest_by_digest(self, principal: Principal, digest: Digest) -> bytes:
        """A native manifest by its own blake3 digest, of whichever repository. Raises ManifestUnknown."""
        row = await self.reader.one(packages.BY_MANIFEST, manifest_digest=str(digest))
        if row is None:
            raise ManifestUnknown("no live package has that native manifest", detail={"digest": str(digest)})
        return await self._manifest_bytes(row)

    async def files(
        self, principal: Principal, repository: RepositoryName, reference: Reference, *, position: int = 0, limit: int
    ) -> list[File]:
        """A package's files in order, from a position on."""
        where = await self._where(principal, repository, reference)
        rows = await self.reader.all(file_view.PAGE, position=position, limit=limit, **where)
        return await in_turns(rows, partial(self._file, repository))

    async def file(
        self, principal: Principal, repository: RepositoryName, reference: Reference, path: str
    ) -> tuple[File, Descriptor]:
        """The first file at `path`; a file without a path goes by its digest. Raises FileUnknown.

        A blob's deletion does not take it away: a live package keeps its own reference.
        """
        where = await self._where(principal, repository, reference)
        row = await self.reader.one(file_view.BY_PATH, path=path, **where)
        if row is None:
            row = await self._file_by_digest(path, where)
        if row is None:
            raise FileUnknown("the package has no such file", detail={"path": path[:500]})
        file = await self._file(repository, row)
        if file.address is None:
            raise FileUnknown("the bytes of this file were never pushed", detail={"path": path[:500]})
        digest = Digest.parse(row.digest_primary)
        return file, Descriptor(repository, digest, file.address, row.media_type, file.row.size)

    async def attachments(
        self,
        principal: Principal,
        repository: RepositoryName,
        reference: Reference,
        *,
        after: int = 0,
        limit: int,
    ) -> list[Attachment]:
        """Signatures, attestations, SBOMs and other referrers of a package, in whichever form clients wrote them.

        In order of arrival after the sequence `after`, so that the last one's sequence is the next page's cursor.
        """
        row = await self._row(principal, repository, reference)
        digest = Digest.parse(row.digest)
        found = {
            attached.row.sequence: attached
            for attached in await self._by_tags(repository, digest)
            if attached.row.sequence > after
        }
        # What also names its subject is found that way in its own page, and said to be.
        referrers = await self.referrers(principal, repository, digest, after=after, limit=limit)
        found.update((referrer.sequence, Attachment(referrer, referrer.role, "subject")) for referrer in referrers)
        return [found[sequence] for sequence in sorted(found)[:limit]]

    async def _by_tags(self, repository: str, digest: Digest) -> list[Attachment]:
        """Attachments that hang on tags made of the subject's digest."""
        found = []
        for name in await self.aliases(digest):
            found += [attached async for attached in self._by_fallback(repository, fallback_tag(name))]
            for tag, role in attachment_tags(name).items():
                row = await self.reader.one(tags.BY_NAME, repository=repository, tag=tag)
                package = row and await self._at(repository, row.content_address)
                if package:
                    actual = role if package.role == "package" else package.role
                    found.append(Attachment(_as_referrer(package), actual, "tag", tag))
        return found

    async def _by_fallback(self, repository: str, tag: str) -> AsyncIterator[Attachment]:
        """The members of a referrers fallback index (distribution-spec, "Referrers Tag Schema")."""
        row = await self.reader.one(tags.BY_NAME, repository=repository, tag=tag)
        position = 0
        while row is not None:
            here = {"repository": repository, "address": row.content_address}
            members = await self.reader.all(edges.OF_PACKAGE, position=position, limit=MEMBERS_A_READ, **here)
            for package in await in_turns(members, partial(self._member, repository)):
                if package:
                    yield Attachment(_as_referrer(package), package.role, "fallback-tag", tag)
            if len(members) < MEMBERS_A_READ:
                return
            position = members[-1].position + 1

    async def _member(self, repository: str, edge: edges.EdgeRow) -> PackageRow | None:
        """The package that an edge of an index names, when the repository holds it."""
        if edge.relation != "member":
            return None
        address = await self.reader.one(objects.ADDRESS_OF, digest=edge.target_digest)
        return await self._at(repository, address) if address else None

    async def _at(self, repository: str, address: str) -> PackageRow | None:
        return await self.reader.one(packages.BY_ADDRESS, repository=repository, address=address)

    async def _row(self, principal: Principal, repository: RepositoryName, reference: Reference) -> PackageRow:
        """The package's row. Where the reference is a native manifest's digest, the package it describes."""
        try:
            target = await self.resolve(principal, repository, reference)
        except ManifestUnknown:
            row = await self._by_native_digest(repository, reference)
        else:
            row = await self._at(repository, str(target.address))
        if row is None:
            raise ManifestUnknown("no such package in this repository", detail={"reference": str(reference)})
        return row

    async def _by_native_digest(self, repository: str, reference: Reference) -> PackageRow | None:
        chosen = PackageFilter(repository=True, manifest_digest=True, members=True, attachments=True)
        values = {"repository": repository, "manifest_digest": str(reference), "before": LAST_SEQUENCE}
        return await self.reader.one(page(chosen), limit=1, **values)

    async def _where(self, principal: Principal, repository: RepositoryName, reference: Reference) -> dict[str, str]:
        row = await self._row(principal, repository, reference)
        return {"repository": repository, "address": row.content_address}

    async def _manifest_bytes(self, row: PackageRow) -> bytes:
        payload = await self.reader.one(packages.NATIVE_MANIFEST, sequence=row.finalized_sequence)
        if payload is None:
            raise ManifestUnknown("the package's native manifest is not in the log")
        return payload

    async def _is_native_digest(self, digest: Digest) -> bool:
        return await self.reader.one(packages.BY_MANIFEST, manifest_digest=str(digest)) is not None

    async def _describe(self, row: PackageRow) -> Package:
        here = {"repository": row.repository, "address": row.content_address}
        known = await self.reader.all(objects.DIGESTS_OF, address=row.content_address)
        named = await self.reader.all(tags.OF_PACKAGE, limit=TAGS_SHOWN_MAX + 1, **here)
        kept = await self.reader.one(retention.OF_PACKAGE, **here)
        truncated = len(named) > TAGS_SHOWN_MAX
        return Package(row, _by_algorithm(known), named[:TAGS_SHOWN_MAX], truncated, kept)

    async def _file_by_digest(self, digest: str, where: Mapping[str, str]) -> file_view.FileRow | None:
        """The first file of these bytes; a row may hold only the one digest that was known at finalization."""
        address = await self.reader.one(objects.ADDRESS_OF, digest=digest)
        names = [digest] if address is None else await self.reader.all(objects.DIGESTS_OF, address=address)
        rows = [row for name in names for row in await self.reader.all(file_view.BY_DIGEST, digest=name, **where)]
        return min(rows, key=lambda row: row.position, default=None)

    async def _file(self, repository: str, row: file_view.FileRow) -> File:
        """What is known of a file now; bytes that came after the finalization count when the repository holds them.

        Their size is what they have: nobody could compare what the manifest says with it when they were not there.
        """
        address = row.content_address
        if address is None:
            blob = await self.reader.one(blobs.BY_DIGEST, repository=repository, digest=row.digest_primary)
            if blob is None:
                return File(row, _by_algorithm([row.digest_primary]), None)
            address, row = blob.content_address, replace(row, size=blob.size)
        known = await self.reader.all(objects.DIGESTS_OF, address=address)
        return File(row, _by_algorithm(known), ContentAddress.parse(address))


def _by_algorithm(digests: Sequence[str]) -> dict[str, str]:
    return {digest.partition(":")[0]: digest for digest in digests}


def _as_referrer(row: PackageRow) -> edges.ReferrerRow:
    return edges.ReferrerRow(
        sequence=row.stored_sequence,
        content_address=row.content_address,
        digest=row.digest,
        media_type=row.media_type,
        size=row.size,
        kind=row.kind,
        artifact_type=row.artifact_type,
        is_index=row.is_index,
        role=row.role,
        annotations=row.annotations,
    )
