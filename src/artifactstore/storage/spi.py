"""Bytes at rest: the one Protocol that every storage backend implements."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from artifactstore.identity.digest import ContentAddress
from artifactstore.storage.staging import Staging


def key_of(address: ContentAddress) -> str:
    """The storage key of an object: `blake3/<hex[0:2]>/<hex[2:4]>/<hex>`."""
    return f"blake3/{address.hex[0:2]}/{address.hex[2:4]}/{address.hex}"


def address_of(key: str) -> ContentAddress:
    """The object that `key` names. Raises DigestInvalid when it is no key of an object."""
    return ContentAddress.parse(f"blake3:{key.rpartition('/')[2]}")


@dataclass(frozen=True, slots=True)
class FileRegion:
    """Bytes of a local file, for a zero-copy send: offset and length in bytes."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What a backend knows of one key. `modified_at` is in microseconds since 1970 UTC."""

    key: str
    size: int
    modified_at: int


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """An open read: `chunks` yields exactly `length` bytes and releases what it holds when it ends or is closed."""

    length: int
    chunks: AsyncIterator[bytes]
    region: FileRegion | None = None


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """Whether a backend can serve, how long its probe took, and what room is left (None: unknown or unlimited)."""

    backend_id: str
    ready: bool
    latency_ms: float
    free_bytes: int | None = None
    message: str = ""


class Storage(Protocol):
    """Keeps immutable bytes under keys made from their primary digest.

    A key, once put, always has the same bytes. Callers must not assume that `list` sees a put of the same moment.
    """

    @property
    def backend_id(self) -> str:
        """The name by which facts remember this backend: `memory`, `local`, `object_store`."""
        ...

    @property
    def staging(self) -> Staging:
        """Where bytes wait before `put`."""
        ...

    async def put(self, key: str, staged_id: str, *, keep: bool = False) -> None:
        """Publish the staged bytes under `key` and forget the staged id, which the caller holds.

        With `keep` the staged id stays until it is discarded: its size and bytes are what they were, they can be
        published again, and no more can be appended. So a caller that dies between publishing and recording loses
        nothing that was acknowledged.

        On return the bytes and every name that leads to them are durable. When `key` exists already its bytes stay and
        its `modified_at` becomes now, so that a sweep spares it. Raises BackendUnavailable; then nothing is visible
        under a key that was not there before, and the staged bytes may remain for the sweep.
        """
        ...

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Publish `data` under `key` in one step, for objects too small to be worth staging; promises as `put`."""
        ...

    async def get(self, key: str, offset: int = 0, length: int | None = None) -> StoredBytes:
        """Open `length` bytes from `offset` (the whole by default), or as many of them as there are.

        Raises ObjectMissing, BackendUnavailable.
        """
        ...

    async def head(self, key: str) -> StoredEntry | None:
        """What is known of `key`, or None."""
        ...

    async def delete(self, key: str, *, if_older_than: int | None = None) -> bool:
        """Remove `key`; True when it is gone, False when it was kept.

        With `if_older_than` (microseconds since 1970) an object that was put or refreshed since then is kept; that test
        and the removal are one step against any concurrent `put`. Idempotent.
        """
        ...

    def list(self) -> AsyncIterator[StoredEntry]:
        """Every key, in no order; for the sweep and for audits."""
        ...

    async def health(self) -> BackendStatus:
        """Probe the backend; never raises."""
        ...
