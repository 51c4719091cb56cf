"""The data plane: the only way by which the control plane touches bytes.

Parameters and results (streams apart) hold only what CBOR can hold, so that a data plane in another process or language
can take the place of `dataplane.inproc` unseen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.storage.spi import BackendStatus, FileRegion

__all__ = [
    "BackendStatus",
    "DataPlane",
    "DeletionResult",
    "FileRegion",
    "Hints",
    "IngestResult",
    "Listed",
    "Maintenance",
    "Served",
    "StoredObject",
    "Upload",
    "VerifyResult",
    "one_chunk",
]


@dataclass(frozen=True, slots=True)
class Upload:
    """A resumable upload: bytes in flight that several requests, also in several processes, bring together."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class Hints:
    """What the data plane should know of a stream before it comes.

    expected   the digest the whole object must have
    algorithms more digests to compute, besides blake3 and sha256
    length     how many bytes this stream announced; other than that is SizeInvalid
    size_max   most bytes the whole object may have; more is SizeExceeded
    upload     the resumable upload that this stream continues; None: the stream is the whole object
    offset     where this stream begins in the upload; None: wherever the upload stands
    last       whether the object is complete with this stream, to be published
    """

    expected: Digest | None = None
    algorithms: tuple[str, ...] = ()
    length: int | None = None
    size_max: int | None = None
    upload: Upload | None = None
    offset: int | None = None
    last: bool = True


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was stored: the storage receipt.

    `digests` maps algorithm to digest, blake3 and sha256 always among them. `ingested_at` is the data plane's clock in
    microseconds since 1970 UTC at the moment the object was (again) made safe from the sweep.
    """

    address: ContentAddress
    digests: Mapping[str, Digest]
    size: int
    backend_id: str
    ingested_at: int


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How many bytes the upload (or object) has now, and the object where it was published.

    `staged`: bytes of the upload are still staged, to be discarded once the object is recorded.
    """

    size: int
    stored: StoredObject | None
    staged: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """An open read of `length` bytes: iterate `chunks` to its end or close it.

    `region` offers the same bytes as part of a file, for a zero-copy send; the file may be deleted at any moment.
    """

    length: int
    chunks: AsyncIterator[bytes]
    region: FileRegion | None = None

    async def read(self) -> bytes:
        """All of it, in memory."""
        return b"".join([chunk async for chunk in self.chunks])


async def one_chunk(data: bytes) -> AsyncIterator[bytes]:
    """Bytes at hand, as a source or as chunks to serve; none when there are no bytes."""
    if data:
        yield data


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """A re-read of an object: its size, its digests as they are now, and each mismatch in words (empty: sound)."""

    address: ContentAddress
    present: bool
    size: int
    digests: Mapping[str, Digest]
    mismatches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeletionResult:
    """`gone`: nothing is there any more. False: it was kept, being newer than asked, or in use."""

    gone: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One object or staged upload as it lies in the backend; `modified_at` in microseconds since 1970 UTC."""

    target: ContentAddress | Upload
    size: int
    modified_at: int


class DataPlane(Protocol):
    """Moves bytes. Exactly five operations."""

    async def ingest_stream(self, source: AsyncIterator[bytes], hints: Hints) -> IngestResult:
        """Take what `source` yields, in one pass for all digests, and publish the object when `hints.last`.

        On return with `stored` the object is durable and readable under its address, and safe from the sweep for a day;
        the same bytes again succeed. Before that, and after any error or cancellation, no object is visible; only a
        cancellation that comes while the object is being published may leave one that no fact names, for the sweep.
        An upload that was published stays, complete, until `delete_object` discards it: the same close can be repeated,
        and nothing be added. One that was not keeps what it received before an error *of the source* (a dropped
        connection), unless this was the last stream and did not say where it begins: its sender can only send all of it
        again. Then, and after a refusal (ChunkOutOfOrder, SizeInvalid, SizeExceeded), it is where it was before; when
        its bytes do not have the expected digest (DigestInvalid) it is gone. `hints.algorithms` that are not supported
        are DigestInvalid before anything else.
        An empty source with `last=False` tells how far the upload is.
        Raises ChunkOutOfOrder, SizeInvalid, SizeExceeded, DigestInvalid, UploadBusy, BackendUnavailable; errors of
        `source` pass through unchanged. `detail["offset"]` of UploadBusy says how many bytes are staged.
        """
        ...

    async def serve_object(self, address: ContentAddress, offset: int = 0, length: int | None = None) -> Served:
        """Open an object for reading, from `offset`, `length` bytes (to the end by default).

        Raises ObjectMissing, BackendUnavailable.
        """
        ...

    async def verify_object(self, address: ContentAddress, expected: Mapping[str, Digest], size: int) -> VerifyResult:
        """Re-read and re-digest an object and name every mismatch with what was recorded; raises BackendUnavailable."""
        ...

    async def delete_object(
        self, target: ContentAddress | Upload, *, if_older_than: int | None = None
    ) -> DeletionResult:
        """Remove an object, or discard an upload. Best effort, idempotent.

        With `if_older_than` (microseconds since 1970 UTC) what was stored or refreshed since is kept; for an object
        that test and the removal are one step against a concurrent ingest of the same bytes.
        """
        ...

    async def backend_health(self) -> BackendStatus:
        """Readiness, latency and free space; never raises."""
        ...


class Maintenance(Protocol):
    """What the sweep and audits need beside the five operations: what lies in the backend, whoever put it there."""

    def list_objects(self) -> AsyncIterator[Listed]:
        """Every published object, in no order."""
        ...

    def list_uploads(self) -> AsyncIterator[Listed]:
        """Every staged upload or staged object, in no order."""
        ...
