"""What every part of the Registry stands on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from artifactstore.dataplane.spi import DataPlane, Hints, Maintenance, StoredObject
from artifactstore.errors import IngestExpired, NotFound, RepositoryUnknown
from artifactstore.events.database import Reader
from artifactstore.events.log import Clock, EventLog
from artifactstore.events.model import ObjectFact
from artifactstore.events.views import repositories
from artifactstore.identity.actor import Principal
from artifactstore.identity.digest import ContentAddress, Digest
from artifactstore.registry.policy import Policy

T = TypeVar("T")
U = TypeVar("U")
LARGE_BYTES = 64 << 10
"""Work on more than this many bytes leaves the event loop."""

LOOK_UPS_A_TURN = 100
"""After so many look-ups others get their turn on the event loop."""


class Plane(DataPlane, Maintenance, Protocol):
    """A data plane that can also be swept."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Content of a repository: the digest asked for (or pushed under), its address, media type and size in bytes."""

    repository: str
    digest: Digest
    address: ContentAddress
    media_type: str
    size: int


class Core:
    """The log, the reader of its views, the data plane, the policy and the clock (µs since 1970 UTC)."""

    def __init__(self, log: EventLog, reader: Reader, plane: Plane, policy: Policy, clock: Clock) -> None:
        self.log = log
        self.reader = reader
        self.plane = plane
        self.policy = policy
        self.clock = clock

    async def _unknown(self, repository: str, otherwise: NotFound) -> NotFound:
        """The more telling error: that the repository is unknown, or else `otherwise`."""
        if await self.reader.one(repositories.BY_NAME, name=repository) is None:
            return RepositoryUnknown("no such repository", detail={"name": repository})
        return otherwise

    async def _record_ingest(
        self, principal: Principal, stored: StoredObject, decide: Callable[[StoredObject], Any]
    ) -> Any:
        """Append what `decide` makes of an ingested object; when the receipt is too old, ingest the bytes once more."""
        try:
            return await self.log.append(principal.actor, decide(stored))
        except IngestExpired:
            again = await self._restage(stored.address)
            return await self.log.append(principal.actor, decide(again))

    async def _restage(self, address: ContentAddress) -> StoredObject:
        served = await self.plane.serve_object(address)
        return await self._ingest(served.chunks, Hints(expected=address.digest, algorithms=("sha512",)))

    async def _ingest(self, source: AsyncIterator[bytes], hints: Hints) -> StoredObject:
        """Take a stream that is a whole object. Raises what `DataPlane.ingest_stream` raises."""
        stored = (await self.plane.ingest_stream(source, hints)).stored
        assert stored is not None, "a stream that is a whole object is published"
        return stored


def object_fact(stored: StoredObject) -> ObjectFact:
    """A storage receipt as facts remember it."""
    return ObjectFact(stored.address, dict(stored.digests), stored.size, stored.backend_id)


async def off_loop(size: int, work: Callable[..., T], *arguments: Any) -> T:
    """Do `work` here when it is small, in a thread when `size` bytes would hold up everyone else."""
    if size <= LARGE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


async def in_turns(items: Iterable[T], look_up: Callable[[T], Awaitable[U]]) -> list[U]:
    """What `look_up` finds for each, in order. A look-up may be answered inline, without ever letting others run."""
    found = []
    for count, item in enumerate(items, 1):
        found.append(await look_up(item))
        if count % LOOK_UPS_A_TURN == 0:
            await asyncio.sleep(0)
    return found
