"""A data plane that takes and removes nothing: a wrapper around any other."""

from __future__ import annotations

import time
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
)
from artifactstore.errors import ArtifactStoreError, ReadOnly
from artifactstore.identity.digest import ContentAddress, Digest

NOWHERE = ContentAddress.parse("blake3:" + "0" * 64)
"""An object that is nowhere: to look for it shows that a backend answers."""


class ReadOnlyDataPlane:
    """Serves, verifies and lists; refuses an ingest before it takes a byte of its source."""

    def __init__(self, inner: DataPlane, maintenance: Maintenance) -> None:
        self._inner = inner
        self._maintenance = maintenance

    async def ingest_stream(self, source: AsyncIterator[bytes], hints: Hints) -> IngestResult:
        """Refused."""
        raise ReadOnly

    async def delete_object(
        self, target: ContentAddress | Upload, *, if_older_than: int | None = None
    ) -> DeletionResult:
        """Refused."""
        raise ReadOnly

    async def serve_object(self, address: ContentAddress, offset: int = 0, length: int | None = None) -> Served:
        """Passed on."""
        return await self._inner.serve_object(address, offset, length)

    async def verify_object(self, address: ContentAddress, expected: Mapping[str, Digest], size: int) -> VerifyResult:
        """Passed on."""
        return await self._inner.verify_object(address, expected, size)

    async def backend_health(self) -> BackendStatus:
        """Ready when the backend can be asked for an object. Nothing is written to find out; room does not matter."""
        started = time.perf_counter()
        ready, message = True, ""
        try:
            await self._inner.verify_object(NOWHERE, {}, 0)
        except ArtifactStoreError as error:
            ready, message = False, error.message
        return BackendStatus("read-only", ready, (time.perf_counter() - started) * 1000, message=message)

    def list_objects(self) -> AsyncIterator[Listed]:
        """Passed on."""
        return self._maintenance.list_objects()

    def list_uploads(self) -> AsyncIterator[Listed]:
        """Passed on."""
        return self._maintenance.list_uploads()
