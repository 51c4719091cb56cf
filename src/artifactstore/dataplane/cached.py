"""Small objects kept in memory: a wrapper around any data plane.

An object's bytes never change, so what is kept can never be wrong; whether a caller may see it is decided before, from
the views, on every request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping

from artifactstore.dataplane.spi import (
    BackendStatus,
    DataPlane,
    DeletionResult,
    Hints,
    IngestResult,
    Listed,
    Maintenance,
    Served,
    Upload,
    VerifyResult,
    one_chunk,
)
from artifactstore.identity.digest import ContentAddress, Digest

OBJECT_BYTES_MAX = 256 << 10
"""Larger objects are not kept: manifests are smaller, nearly always."""


class CachedDataPlane:
    """Keeps whole small objects that were served, up to `bytes_max` in all; the least recently served go first."""

    def __init__(self, inner: DataPlane, maintenance: Maintenance, bytes_max: int) -> None:
        self._inner = inner
        self._maintenance = maintenance
        self._bytes_max = bytes_max
        self._kept: OrderedDict[ContentAddress, bytes] = OrderedDict()
        self._bytes = 0

    async def serve_object(self, address: ContentAddress, offset: int = 0, length: int | None = None) -> Served:
        """A part of a kept object is cut from it; only whole reads fill the cache."""
        data = self._kept.get(address)
        if data is not None:
            self._kept.move_to_end(address)
            return _serve(data[offset : None if length is None else offset + length])
        served = await self._inner.serve_object(address, offset, length)
        if offset or length is not None or served.length > OBJECT_BYTES_MAX:
            return served
        data = await served.read()
        self._keep(address, data)
        return _serve(data)

    async def delete_object(
        self, target: ContentAddress | Upload, *, if_older_than: int | None = None
    ) -> DeletionResult:
        """What is deleted is no longer kept."""
        if isinstance(target, ContentAddress):
            self._drop(target)
        return await self._inner.delete_object(target, if_older_than=if_older_than)

    async def ingest_stream(self, source: AsyncIterator[bytes], hints: Hints) -> IngestResult:
        """Passed on."""
        return await self._inner.ingest_stream(source, hints)

    async def verify_object(self, address: ContentAddress, expected: Mapping[str, Digest], size: int) -> VerifyResult:
        """Passed on: a verification reads what is stored, not what is kept."""
        return await self._inner.verify_object(address, expected, size)

    async def backend_health(self) -> BackendStatus:
        """Passed on."""
        return await self._inner.backend_health()

    def list_objects(self) -> AsyncIterator[Listed]:
        """Passed on."""
        return self._maintenance.list_objects()

    def list_uploads(self) -> AsyncIterator[Listed]:
        """Passed on."""
        return self._maintenance.list_uploads()

    def _keep(self, address: ContentAddress, data: bytes) -> None:
        self._drop(address)
        self._kept[address] = data
        self._bytes += len(data)
        while self._bytes > self._bytes_max:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)

    def _drop(self, address: ContentAddress) -> None:
        dropped = self._kept.pop(address, None)
        if dropped is not None:
            self._bytes -= len(dropped)


def _serve(data: bytes) -> Served:
    return Served(len(data), one_chunk(data))
