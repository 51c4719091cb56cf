"""The objects of a copy: what is missing is read, hashed and stored, a few at a time; what is there is left alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, bindparam, func, select

from artifactstore.backup.place import Objects
from artifactstore.dataplane.spi import Hints
from artifactstore.errors import BackendUnavailable, DigestInvalid, Failure, ObjectMissing, SizeInvalid
from artifactstore.events.database import Query, Session
from artifactstore.events.facts import LocationRow
from artifactstore.events.replay import Progress
from artifactstore.events.views.blobs import REPOSITORY_BLOBS
from artifactstore.events.views.edges import PACKAGE_EDGES
from artifactstore.events.views.objects import DIGESTS_OF, STORAGE_LOCATIONS
from artifactstore.events.views.packages import ARTIFACT_PACKAGES
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.storage.spi import StoredEntry, key_of

PARALLEL = 8
"""Objects on their way at a time: enough to keep a disk busy that syncs small files, and few for its other users."""

_NAMED = select(STORAGE_LOCATIONS.c.content_address, STORAGE_LOCATIONS.c.backend_id, STORAGE_LOCATIONS.c.size)
NAMED = Query(_NAMED.order_by(STORAGE_LOCATIONS.c.content_address), LocationRow)
"""Every object that a fact names."""

TOTALS: Query[tuple[int, int]] = Query(
    select(func.count(), func.coalesce(func.sum(STORAGE_LOCATIONS.c.size), 0)), lambda *row: row
)

_HOLDERS: Query[str] = Query(
    select(REPOSITORY_BLOBS.c.repository).where(REPOSITORY_BLOBS.c.content_address == bindparam("address")), str
)
_PACKAGES = ARTIFACT_PACKAGES.c
_PACKAGES_AT: Query[str] = Query(
    select(_PACKAGES.repository + "@" + _PACKAGES.digest).where(_PACKAGES.content_address == bindparam("address")), str
)
_EDGES: Query[tuple[str, str]] = Query(
    select(PACKAGE_EDGES.c.target_digest, _PACKAGES.repository + "@" + _PACKAGES.digest).join_from(
        PACKAGE_EDGES,
        ARTIFACT_PACKAGES,
        and_(
            _PACKAGES.repository == PACKAGE_EDGES.c.repository,
            _PACKAGES.content_address == PACKAGE_EDGES.c.package_address,
        ),
    ),
    lambda *row: row,
)


class SourceFailed(Exception):
    """The source's own failure in the middle of a stream, told apart from the target's."""


@dataclass
class ObjectCopy:
    """Copies every object that the snapshot names; knows at each moment how far it came.

    `thorough`: what is there already is read again, and not only measured.
    """

    snapshot: Session
    source: Objects
    target: Objects
    thorough: bool
    progress: Progress
    copied: int = 0
    copied_bytes: int = 0
    present: int = 0
    replaced: int = 0
    problems: dict[LocationRow, str] = field(default_factory=dict)
    objects: int = 0
    bytes: int = 0
    done_bytes: int = 0

    async def run(self) -> None:
        """Copy them all. What is damaged is noted and passed over; raises BackendUnavailable when the target fails."""
        self.objects, self.bytes = self.snapshot.one(TOTALS) or (0, 0)
        rows = self.snapshot.each(NAMED)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(PARALLEL):
                    group.create_task(self._work(rows))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _work(self, rows: Iterable[LocationRow]) -> None:
        """One of those who take the next object when they are through with theirs."""
        for row in rows:
            try:
                await self._bring(row)
            except (ObjectMissing, SourceFailed, DigestInvalid, SizeInvalid) as problem:
                self.problems[row] = str(problem)
            self.done_bytes += row.size
            self.progress(self.done_bytes, self.bytes)

    async def _bring(self, row: LocationRow) -> None:
        address = ContentAddress.parse(row.content_address)
        known = self._digests(row)
        found = await self.target.storage.head(key_of(address))
        if found is None:
            await self._copy(address, known, row.size)
        elif await self._is_sound(found, address, known, row.size):
            self.present += 1
        else:
            await self._replace(address, known, row.size)

    def _digests(self, row: LocationRow) -> dict[str, Digest]:
        digests = map(Digest.parse, self.snapshot.all(DIGESTS_OF, address=row.content_address))
        return {digest.algorithm: digest for digest in digests}

    async def _is_sound(
        self, found: StoredEntry, address: ContentAddress, known: Mapping[str, Digest], size: int
    ) -> bool:
        if found.size != size or not self.thorough:
            return found.size == size
        return not (await self.target.plane.verify_object(address, known, size)).mismatches

    async def _copy(self, address: ContentAddress, known: Mapping[str, Digest], size: int) -> None:
        """Hash on the way: what is not what the facts say is not stored."""
        try:
            served = await self.source.plane.serve_object(address)
        except BackendUnavailable as error:
            raise SourceFailed(error.message) from error
        hints = Hints(expected=address.digest, algorithms=tuple(known), length=size)
        stored = (await self.target.plane.ingest_stream(_told_apart(served.chunks), hints)).stored
        assert stored is not None, "a stream that is a whole object is published"
        for name, digest in known.items():
            if stored.digests[name] != digest:
                raise SourceFailed(f"{name} is {stored.digests[name].hex}, recorded {digest.hex}")
        self.copied += 1
        self.copied_bytes += size

    async def _replace(self, address: ContentAddress, known: Mapping[str, Digest], size: int) -> None:
        """A damaged copy makes room for a sound one; while there is none it stays, as the best there is."""
        try:
            mismatches = (await self.source.plane.verify_object(address, known, size)).mismatches
        except BackendUnavailable as error:
            raise SourceFailed(error.message) from error
        if mismatches:
            raise SourceFailed(f"{'; '.join(mismatches)}; the copy that is there is damaged too")
        await self.target.plane.delete_object(address)
        await self._copy(address, known, size)
        self.replaced += 1


async def _told_apart(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except Failure as error:
        raise SourceFailed(error.message) from error


def names_of(snapshot: Session, addresses: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Which live names need each object. Every edge is read once, and none if all is sound: no index leads there."""
    by_digest: dict[str, str] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for address in addresses:
        by_digest |= dict.fromkeys(snapshot.all(DIGESTS_OF, address=address), address)
        names[address].update(snapshot.all(_HOLDERS, address=address), snapshot.all(_PACKAGES_AT, address=address))
    for target, package in snapshot.each(_EDGES) if by_digest else ():
        if target in by_digest:
            names[by_digest[target]].add(package)
    return {address: tuple(sorted(found)) for address, found in names.items()}
