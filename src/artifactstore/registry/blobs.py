"""Blobs: push in one request, mount, resolve, serve, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from artifactstore.dataplane.spi import Hints, Served, StoredObject
from artifactstore.errors import BlobUnknown, Unsupported
from artifactstore.events.log import Decide
from artifactstore.events.views import blobs
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.identity.names import RepositoryName
from artifactstore.registry import decide
from artifactstore.registry.core import Core, Descriptor, object_fact

BLOB_MEDIA_TYPE = "application/octet-stream"


class Blobs(Core):
    """The part of the Registry that deals with blobs."""

    async def push_blob(
        self,
        principal: Principal,
        repository: RepositoryName,
        source: AsyncIterator[bytes],
        digest: Digest,
        *,
        length: int | None = None,
    ) -> Descriptor:
        """Store what `source` yields as a blob (end-4b). `length`: bytes announced, None when unknown.

        Raises DigestInvalid, SizeInvalid, SizeExceeded, BackendUnavailable; then nothing is kept.
        """
        hints = Hints(
            expected=digest, algorithms=(digest.algorithm,), length=length, size_max=self.policy.blob_size_max
        )
        stored = await self._ingest(source, hints)
        return await self._link(principal, repository, digest, stored)

    async def mount_blob(
        self, principal: Principal, repository: RepositoryName, digest: Digest, source: RepositoryName | None
    ) -> Descriptor | None:
        """Link a blob of `source` (or of any repository) without moving bytes (end-11); None when it is not there."""
        found = await self.log.append(principal.actor, partial(decide.mount_blob, repository, digest, source))
        return await self.resolve_blob(principal, repository, digest) if found.answer else None

    async def resolve_blob(self, principal: Principal, repository: RepositoryName, digest: Digest) -> Descriptor:
        """A blob's address and size (end-2), by any known digest. Raises BlobUnknown, RepositoryUnknown."""
        blob = await self.reader.one(blobs.BY_DIGEST, repository=repository, digest=str(digest))
        if blob is None:
            missing = BlobUnknown("no such blob in this repository", detail={"digest": str(digest)})
            raise await self._unknown(repository, missing)
        address = ContentAddress.parse(blob.content_address)
        return Descriptor(repository, digest, address, BLOB_MEDIA_TYPE, blob.size)

    async def serve(self, content: Descriptor, offset: int = 0, length: int | None = None) -> Served:
        """Open the bytes of what was resolved. Raises ObjectMissing, BackendUnavailable."""
        return await self.plane.serve_object(content.address, offset, length)

    async def delete_blob(self, principal: Principal, repository: RepositoryName, digest: Digest) -> None:
        """Take the repository's link away (end-10). Raises BlobUnknown, RepositoryUnknown, Unsupported."""
        if not self.policy.delete_blobs:
            raise Unsupported("deleting blobs is switched off")
        try:
            await self.log.append(principal.actor, partial(decide.unlink_blob, repository, digest))
        except BlobUnknown as missing:
            raise await self._unknown(repository, missing) from None

    async def _link(
        self,
        principal: Principal,
        repository: RepositoryName,
        digest: Digest,
        stored: StoredObject,
        upload_id: str | None = None,
    ) -> Descriptor:
        def push(receipt: StoredObject) -> Decide:
            blob = decide.BlobPush(repository, object_fact(receipt), digest, receipt.ingested_at, upload_id)
            return partial(decide.link_blob, blob)

        await self._record_ingest(principal, stored, push)
        return Descriptor(repository, digest, stored.address, BLOB_MEDIA_TYPE, stored.size)
