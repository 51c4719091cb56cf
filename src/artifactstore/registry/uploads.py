"""Resumable uploads: a blob that comes in several requests, through any process, after any restart."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from artifactstore.dataplane.spi import Hints, Upload, one_chunk
from artifactstore.errors import DigestInvalid, UploadUnknown
from artifactstore.events import working
from artifactstore.events.facts import UploadRow
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import Digest, new_hash
from artifactstore.identity.names import RepositoryName
from artifactstore.registry import decide
from artifactstore.registry.blobs import Blobs
from artifactstore.registry.core import Descriptor

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """An open upload and how many bytes of it are here."""

    upload_id: str
    repository: str
    offset: int


class Uploads(Blobs):
    """The part of the Registry that deals with uploads in several requests."""

    async def open_upload(
        self,
        principal: Principal,
        repository: RepositoryName,
        *,
        algorithm: str | None = None,
        upload_id: str | None = None,
    ) -> UploadStatus:
        """Begin an upload (end-4a, 4c). `algorithm`: what it will be closed with, as far as is known.

        `upload_id`: 32 hex digits by which whoever was interrupted finds it again; what is staged under it already is
        its beginning. Raises DigestInvalid for an unsupported algorithm, TooManyRequests.
        """
        if algorithm is not None:
            new_hash(algorithm)
        row = UploadRow(upload_id or uuid.uuid4().hex, repository, principal.actor, algorithm, self.clock())
        opening = partial(
            decide.open_upload if upload_id is None else decide.reopen_upload, row, self.policy.uploads_open_max
        )
        await self.log.append(principal.actor, opening, durable=False)
        if upload_id is not None:
            return await self.upload_status(principal, repository, upload_id)
        return UploadStatus(row.upload_id, repository, 0)

    async def upload_status(self, principal: Principal, repository: RepositoryName, upload_id: str) -> UploadStatus:
        """How far an upload came (end-13). Raises UploadUnknown."""
        await self._session(repository, upload_id)
        hints = Hints(upload=Upload(upload_id), last=False)
        result = await self.plane.ingest_stream(one_chunk(b""), hints)
        return UploadStatus(upload_id, repository, result.size)

    async def append_upload(
        self,
        principal: Principal,
        repository: RepositoryName,
        upload_id: str,
        source: AsyncIterator[bytes],
        *,
        offset: int | None = None,
        length: int | None = None,
    ) -> UploadStatus:
        """Add bytes (end-5). `offset`: where they begin, None: wherever the upload stands; `length`: announced bytes.

        A source that breaks off leaves what it brought; a refusal leaves the upload where it was.
        Raises UploadUnknown, ChunkOutOfOrder, SizeInvalid, SizeExceeded, UploadBusy, BackendUnavailable.
        """
        session = await self._session(repository, upload_id)
        hints = self._hints(session, offset, length, expected=None)
        result = await self.plane.ingest_stream(source, hints)
        await self._still_open(repository, upload_id)
        return UploadStatus(upload_id, repository, result.size)

    async def close_upload(
        self,
        principal: Principal,
        repository: RepositoryName,
        upload_id: str,
        source: AsyncIterator[bytes],
        digest: Digest,
        *,
        offset: int | None = None,
        length: int | None = None,
    ) -> Descriptor:
        """Add the last bytes, if any, and make the whole a blob (end-6).

        Raises what `append_upload` raises, and DigestInvalid when the bytes are not what `digest` says; then the
        upload is gone.
        """
        session = await self._session(repository, upload_id)
        try:
            result = await self.plane.ingest_stream(source, self._hints(session, offset, length, expected=digest))
        except DigestInvalid:
            await self._still_open(repository, upload_id)
            await self._forget(principal, upload_id)
            raise
        assert result.stored is not None, "the last part publishes the object"
        try:
            blob = await self._link(principal, repository, digest, result.stored, upload_id)
        except UploadUnknown:
            await self.plane.delete_object(Upload(upload_id))
            raise
        if result.staged:
            await self.plane.delete_object(Upload(upload_id))
        return blob

    async def cancel_upload(self, principal: Principal, repository: RepositoryName, upload_id: str) -> None:
        """Discard an upload (end-14). Raises UploadUnknown."""
        await self._session(repository, upload_id)
        await self._forget(principal, upload_id)
        await self.plane.delete_object(Upload(upload_id))

    async def _still_open(self, repository: str, upload_id: str) -> None:
        """Discard what came for an upload that another request ended in the meantime: nobody could ever reach it.

        Raises UploadUnknown then.
        """
        try:
            await self._session(repository, upload_id)
        except UploadUnknown:
            await self.plane.delete_object(Upload(upload_id))
            raise

    async def _forget(self, principal: Principal, upload_id: str) -> None:
        await self.log.append(principal.actor, partial(decide.close_upload, upload_id), durable=False)

    async def _session(self, repository: str, upload_id: str) -> UploadRow:
        """The open upload; one of another repository, or past its time, is unknown."""
        session = await self.reader.one(working.UPLOAD, upload_id=upload_id)
        oldest = self.clock() - self.policy.upload_expiry_seconds * MICROSECONDS
        if session is None or session.repository != repository or session.created_at < oldest:
            raise UploadUnknown("no such upload in this repository", detail={"upload": upload_id[:100]})
        return session

    def _hints(self, session: UploadRow, offset: int | None, length: int | None, expected: Digest | None) -> Hints:
        wanted = (session.algorithm, expected.algorithm if expected else None)
        return Hints(
            expected=expected,
            algorithms=tuple(sorted({name for name in wanted if name is not None})),
            length=length,
            size_max=self.policy.blob_size_max,
            upload=Upload(session.upload_id),
            offset=offset,
            last=expected is not None,
        )
