"""Bytes on their way into the staging: each batch is written once and hashed while it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from artifactstore.dataplane.batches import Limits, Pipeline
from artifactstore.dataplane.hashing import DigestPass
from artifactstore.storage.staging import Staging
from artifactstore.storage.workers import Workers


class Receiving:
    """One stream into one staged id, which the caller holds.

    `size` is what is staged, `digests` the pass over all of it (None: the beginning was hashed elsewhere, if at
    all). With `failed` the digests are not to be used: bytes and hashes may differ.
    """

    def __init__(
        self, staging: Staging, staged_id: str, size: int, digests: DigestPass | None, workers: Workers
    ) -> None:
        self.staged_id = staged_id
        self.size = size
        self.digests = digests
        self._staging = staging
        self._workers = workers
        self._pipeline = Pipeline(self._process)
        self.salvage = self._pipeline.salvage
        self.stop = self._pipeline.stop

    @property
    def failed(self) -> bool:
        """Whether a batch could not be written or hashed."""
        return self._pipeline.failed

    async def take(self, first: Iterable[bytes], rest: AsyncIterator[bytes], limits: Limits) -> None:
        """Receive `first`, which was admitted already, and all of `rest`.

        Raises what `limits` refuses, what the staging raises, and what `rest` raises; `stop` or `salvage` is then due.
        """
        for chunk in first:
            await self._pipeline.add(chunk)
        async for chunk in rest:
            limits.admit(len(chunk))
            await self._pipeline.add(chunk)
        limits.end()
        await self._pipeline.finish()

    async def _process(self, batch: bytes) -> None:
        """Write and hash at the same time; when the writing fails, still wait for the hashes."""
        jobs = [self._staging.append(self.staged_id, self.size, batch)]
        hashing = [self.digests.update_in(self._workers, batch)] if self.digests else []
        outcomes = await asyncio.gather(*jobs, *hashing, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        self.size += len(batch)
