"""Looking after the store: health, the sweep, replay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from artifactstore.dataplane.spi import BackendStatus, Upload
from artifactstore.errors import ArtifactStoreError
from artifactstore.events import working
from artifactstore.events.views import objects
from artifactstore.identity.actor import SYSTEM
from artifactstore.identity.digest import ContentAddress
from artifactstore.registry import decide
from artifactstore.registry.core import Core

MICROSECONDS = 1_000_000
OBJECT_GRACE_SECONDS = 24 * 3600
"""An object that no fact names is swept after a day, or the life of an upload if that is longer: one that was
published and not recorded can still be closed. The appender trusts a receipt for an hour."""

CLOCK_SKEW_MAX = 60 * MICROSECONDS
FREE_BYTES_MIN = 64 << 20
DELETIONS_A_FENCE = 20
"""So many unlinks share one hold of the fence, to keep writers waiting for a few milliseconds only."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep removed (or, dry, would remove), with the bytes that gives back."""

    uploads: int = 0
    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store can serve, whether only reads, and each part of that: name -> (sound, in words)."""

    ready: bool
    read_only: bool
    checks: dict[str, tuple[bool, str]]


class Upkeep(Core):
    """The part of the Registry that looks after the store."""

    async def health(self) -> Health:
        """Database, backend, free space, and the clock beside the log's. Never raises."""
        backend = await self.plane.backend_health()
        checks = {
            "database": await self._database_check(),
            "backend": (backend.ready, backend.message or f"{backend.backend_id}, {backend.latency_ms:.1f} ms"),
            "space": _space_check(backend),
            "clock": await self._clock_check(),
        }
        return Health(all(sound for sound, _ in checks.values()), self.policy.read_only, checks)

    async def sweep(self, *, dry_run: bool = False) -> SweepReport:
        """Remove what crashes and abandoned uploads left: staged bytes past their time, and objects no fact names.

        Objects that a fact names are never removed.
        """
        uploads, upload_bytes = await self._sweep_uploads(dry_run)
        swept, object_bytes = await self._sweep_objects(dry_run)
        return SweepReport(uploads, swept, upload_bytes + object_bytes)

    async def _sweep_uploads(self, dry_run: bool) -> tuple[int, int]:
        before = self.clock() - self.policy.upload_expiry_seconds * MICROSECONDS
        expired = await self.reader.all(working.UPLOADS_BEFORE, before=before)
        stale = {row.upload_id: 0 for row in expired}
        async for listed in self.plane.list_uploads():
            assert isinstance(listed.target, Upload)
            upload_id = listed.target.upload_id
            if upload_id in stale or (listed.modified_at < before and not await self._is_open(upload_id)):
                stale[upload_id] = listed.size
        if not dry_run:
            stale = {upload_id: size for upload_id, size in stale.items() if await self._end_upload(upload_id, before)}
        return len(stale), sum(stale.values())

    async def _is_open(self, upload_id: str) -> bool:
        return await self.reader.one(working.UPLOAD, upload_id=upload_id) is not None

    async def _end_upload(self, upload_id: str, before: int) -> bool:
        """Look again under the fence; the bytes go before their session does, so that one that is written to stays."""
        async with self.log.fence() as facts:
            session = facts.upload(upload_id)
            if session is not None and session.created_at >= before:
                return False
            gone = (await self.plane.delete_object(Upload(upload_id))).gone
        if gone and session is not None:
            await self.log.append(SYSTEM.actor, partial(decide.expire_upload, upload_id, before), durable=False)
        return gone

    async def _sweep_objects(self, dry_run: bool) -> tuple[int, int]:
        grace_seconds = max(OBJECT_GRACE_SECONDS, self.policy.upload_expiry_seconds)
        before = self.clock() - grace_seconds * MICROSECONDS
        count, size, batch = 0, 0, dict[ContentAddress, int]()
        async for listed in self.plane.list_objects():
            assert isinstance(listed.target, ContentAddress)
            if listed.modified_at < before and await self._unnamed(listed.target):
                batch[listed.target] = listed.size
            if len(batch) == DELETIONS_A_FENCE:
                removed = await self._remove(batch, before, dry_run)
                count, size, batch = count + len(removed), size + sum(removed), {}
            await asyncio.sleep(0)
        removed = await self._remove(batch, before, dry_run)
        return count + len(removed), size + sum(removed)

    async def _remove(self, batch: dict[ContentAddress, int], before: int, dry_run: bool) -> list[int]:
        """Look again at facts and age under the fence, and hold it through the unlinks."""
        if dry_run or not batch:
            return list(batch.values())
        removed = []
        async with self.log.fence() as facts:
            for address, size in batch.items():
                if facts.location(str(address)) is not None:
                    continue
                result = await self.plane.delete_object(address, if_older_than=before)
                if result.gone:
                    removed.append(size)
        return removed

    async def _unnamed(self, address: ContentAddress) -> bool:
        return await self.reader.one(objects.LOCATION, address=str(address)) is None

    async def _database_check(self) -> tuple[bool, str]:
        try:
            head = await self.log.head()
        except ArtifactStoreError as error:
            return False, error.message
        return True, f"log {head.log_id} at {head.sequence}"

    async def _clock_check(self) -> tuple[bool, str]:
        try:
            ahead = (await self.log.head()).time - self.clock()
        except ArtifactStoreError as error:
            return False, error.message
        if ahead > CLOCK_SKEW_MAX:
            return False, f"the log's last event lies {ahead / MICROSECONDS:.0f} s in the future of this clock"
        return True, "not behind the log"


def _space_check(status: BackendStatus) -> tuple[bool, str]:
    if status.free_bytes is None:
        return True, "not limited"
    return status.free_bytes >= FREE_BYTES_MIN, f"{status.free_bytes} bytes free"
