"""The data plane in this process, over any storage backend."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from artifactstore.dataplane.batches import Limits, feed
from artifactstore.dataplane.hashing import DigestPass
from artifactstore.dataplane.receiving import Receiving
from artifactstore.dataplane.spi import (
    BackendStatus,
    DeletionResult,
    Hints,
    IngestResult,
    Listed,
    Served,
    StoredObject,
    Upload,
    VerifyResult,
)
from artifactstore.dataplane.uploads import UploadStates
from artifactstore.errors import (
    BackendUnavailable,
    ChunkOutOfOrder,
    DigestInvalid,
    ObjectMissing,
    UploadBusy,
    UploadInvalid,
)
from artifactstore.identity.digest import ALWAYS, PRIMARY, ContentAddress, Digest
from artifactstore.storage.files import now_micros
from artifactstore.storage.spi import Storage, address_of, key_of
from artifactstore.storage.workers import Workers, uninterrupted

SMALL_BYTES = 32 * 1024
"""A whole object up to this size is hashed where it is and published in one step; a thread would cost more."""


class InProcessDataPlane:
    """Hashes in threads of its own, writes through `storage`; holds two batches of each stream in memory."""

    def __init__(self, storage: Storage, *, clock: Callable[[], int] = now_micros) -> None:
        self._storage = storage
        self._staging = storage.staging
        self._clock = clock
        self._states = UploadStates()
        self._workers = Workers("hashing")

    def close(self) -> None:
        """Let the threads go; the storage is its owner's to close."""
        self._workers.close()

    async def ingest_stream(self, source: AsyncIterator[bytes], hints: Hints) -> IngestResult:
        """A whole object is staged under a random id, or not at all when it is small."""
        digests = DigestPass(_wanted(hints))
        if hints.upload is not None:
            try:
                return await self._ingest_upload(hints.upload.upload_id, source, hints, digests)
            except UploadBusy as busy:
                busy.detail["offset"] = await self._staging.size(hints.upload.upload_id)
                raise
        if not hints.last:
            raise UploadInvalid("only an upload can have more streams to come")
        return await self._ingest_whole(source, hints, digests)

    async def _ingest_whole(self, source: AsyncIterator[bytes], hints: Hints, digests: DigestPass) -> IngestResult:
        limits = Limits(hints, 0)
        chunks: list[bytes] = []
        async for chunk in source:
            limits.admit(len(chunk))
            chunks.append(chunk)
            if limits.received > SMALL_BYTES:
                return await self._ingest_large(chunks, source, hints, limits, digests)
        limits.end()
        data = b"".join(chunks)
        digests.update(data)
        found = _checked(digests.digests(), hints.expected)
        await self._storage.put_bytes(_key(found), data)
        return self._stored(found, len(data))

    async def _ingest_large(
        self, first: list[bytes], rest: AsyncIterator[bytes], hints: Hints, limits: Limits, digests: DigestPass
    ) -> IngestResult:
        staged_id = secrets.token_hex(16)
        async with self._staging.hold(staged_id):
            receiving = Receiving(self._staging, staged_id, 0, digests, self._workers)
            try:
                await receiving.take(first, rest, limits)
                found = _checked(digests.digests(), hints.expected)
                await self._storage.put(_key(found), staged_id)
            except BaseException:
                await uninterrupted(self._drop(receiving))
                raise
            return self._stored(found, receiving.size)

    async def _drop(self, receiving: Receiving) -> None:
        """Forget the bytes in flight; what cannot be removed now is left to the sweep."""
        await receiving.stop()
        with suppress(BackendUnavailable):
            await self._staging.discard(receiving.staged_id)

    async def _ingest_upload(
        self, upload_id: str, source: AsyncIterator[bytes], hints: Hints, fresh: DigestPass
    ) -> IngestResult:
        async with self._staging.hold(upload_id):
            start = await self._staging.size(upload_id)
            if hints.offset is not None and hints.offset != start:
                raise ChunkOutOfOrder("the bytes do not begin where the upload stands", offset=start)
            if start == 0 and _is_whole_at_once(hints):
                return await self._ingest_whole(source, hints, fresh)
            digests = self._states.take(upload_id, start) or (None if start else fresh)
            before = digests.copy() if digests else None
            limits = Limits(hints, start)
            receiving = Receiving(self._staging, upload_id, start, digests, self._workers)
            try:
                await receiving.take([], source, limits)
            except BaseException:
                undo = limits.refused or (hints.last and hints.offset is None)
                await uninterrupted(self._break_off(receiving, start, before, undo=undo))
                raise
            if hints.last:
                return await self._close_upload(receiving, hints)
            self._states.keep(upload_id, digests)
            return IngestResult(receiving.size, None, staged=receiving.size > 0)

    async def _break_off(self, receiving: Receiving, start: int, before: DigestPass | None, *, undo: bool) -> None:
        """Let the upload keep what came, or (`undo`) be where this stream found it."""
        if undo:
            await receiving.stop()
            await self._staging.truncate(receiving.staged_id, start)
            self._states.keep(receiving.staged_id, before)
        else:
            await receiving.salvage()
            if not receiving.failed:
                self._states.keep(receiving.staged_id, receiving.digests)

    async def _close_upload(self, receiving: Receiving, hints: Hints) -> IngestResult:
        """Publish the upload. No state is kept: after a failure here the bytes are to be read again."""
        found = await self._digests_of(receiving, hints)
        try:
            _checked(found, hints.expected)
        except DigestInvalid:
            await uninterrupted(self._drop(receiving))
            raise
        if receiving.size == 0:
            await self._staging.append(receiving.staged_id, 0, b"")
        await self._storage.put(_key(found), receiving.staged_id, keep=True)
        return replace(self._stored(found, receiving.size), staged=True)

    async def _digests_of(self, receiving: Receiving, hints: Hints) -> dict[str, Digest]:
        """The digests that were computed on the way, and any that were not from one reading of the staged bytes."""
        known = receiving.digests or DigestPass(())
        late = DigestPass(known.missing(_wanted(hints)))
        if late.algorithms:
            await feed(self._staging.read(receiving.staged_id), lambda batch: late.update_in(self._workers, batch))
            if late.size != receiving.size:
                raise BackendUnavailable("the staged bytes are not those that were received")
        return known.digests() | late.digests()

    def _stored(self, digests: Mapping[str, Digest], size: int) -> IngestResult:
        address = ContentAddress(digests[PRIMARY].hex)
        stored = StoredObject(address, digests, size, self._storage.backend_id, ingested_at=self._clock())
        return IngestResult(size, stored)

    async def serve_object(self, address: ContentAddress, offset: int = 0, length: int | None = None) -> Served:
        """What the storage opens."""
        opened = await self._storage.get(key_of(address), offset, length)
        return Served(opened.length, opened.chunks, opened.region)

    async def verify_object(self, address: ContentAddress, expected: Mapping[str, Digest], size: int) -> VerifyResult:
        """Reads and hashes at the same time, in threads."""
        digests = DigestPass((*ALWAYS, *expected))
        try:
            opened = await self._storage.get(key_of(address))
        except ObjectMissing:
            return VerifyResult(address, False, 0, {}, ("the object is missing",))
        await feed(opened.chunks, lambda batch: digests.update_in(self._workers, batch))
        found = digests.digests()
        differences = [] if digests.size == size else [f"size is {digests.size}, recorded {size}"]
        for name, digest in {**expected, PRIMARY: address.digest}.items():
            if found[name] != digest:
                differences.append(f"{name} is {found[name].hex}, recorded {digest.hex}")
        return VerifyResult(address, True, digests.size, found, tuple(differences))

    async def delete_object(
        self, target: ContentAddress | Upload, *, if_older_than: int | None = None
    ) -> DeletionResult:
        """An upload that another is writing to is kept."""
        if isinstance(target, ContentAddress):
            return DeletionResult(await self._storage.delete(key_of(target), if_older_than=if_older_than))
        try:
            async with self._staging.hold(target.upload_id):
                gone = await self._staging.discard(target.upload_id, if_older_than=if_older_than)
        except UploadBusy:
            return DeletionResult(gone=False)
        if gone:
            self._states.forget(target.upload_id)
        return DeletionResult(gone)

    async def backend_health(self) -> BackendStatus:
        """What the storage says of itself."""
        return await self._storage.health()

    async def list_objects(self) -> AsyncIterator[Listed]:
        """What is in the storage; keys that name no object are passed over."""
        async for entry in self._storage.list():
            with suppress(DigestInvalid):
                yield Listed(address_of(entry.key), entry.size, entry.modified_at)

    async def list_uploads(self) -> AsyncIterator[Listed]:
        """What is in the staging."""
        async for entry in self._staging.list():
            yield Listed(Upload(entry.staged_id), entry.size, entry.modified_at)


def _is_whole_at_once(hints: Hints) -> bool:
    """Whether a stream is a small upload's first and last, as most are: then nothing needs to be staged."""
    return hints.last and hints.length is not None and hints.length <= SMALL_BYTES


def _wanted(hints: Hints) -> tuple[str, ...]:
    """Every algorithm that the stream's digests are asked for."""
    return (*ALWAYS, *hints.algorithms, *((hints.expected.algorithm,) if hints.expected else ()))


def _checked(found: dict[str, Digest], expected: Digest | None) -> dict[str, Digest]:
    """`found`, unless the object was announced under another digest: DigestInvalid."""
    if expected is not None and found[expected.algorithm] != expected:
        detail = {"expected": str(expected), "found": str(found[expected.algorithm])}
        raise DigestInvalid("the bytes do not have the digest they were announced under", detail=detail)
    return found


def _key(digests: Mapping[str, Digest]) -> str:
    return key_of(ContentAddress(digests[PRIMARY].hex))
